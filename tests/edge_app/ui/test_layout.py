"""Every screen at every size: nothing is cut off, sticks out, is too small to touch, or lies over something else.

What is looked at is kept below build/screens. The quick ones are English at 100 % and, at 150 %, the language whose
texts are longest; those marked slow are the other languages at 150 %, where there is least room.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_args

import pytest

from osteo_edge.edge_app.languages.catalogue import DOMAIN, FOLDER, read_mo
from osteo_edge.edge_app.settings import Language
from tests.edge_app.ui.stage import Stage, set_up

pytestmark = pytest.mark.kivy

SIZES: Final = ((800, 480), (1280, 800), (360, 740))
PICTURES: Final = Path(__file__).resolve().parents[3] / "build" / "screens"
STATES: Final = {
    "home": ("first", "question", "notices"),
    "new_screening": ("problems", "ost", "bones", "watching"),
    "files": ("places", "film", "bundle", "backup", "folder"),
    "camera": ("preview", "photo", "none"),
    "result": (
        "referred",
        "photo",
        "rejected",
        "unreadable",
        "saved",
        "saved_rejected",
        "report",
        "decision",
        "note",
        "dxa",
    ),
    "side_by_side": ("pair",),
    "history": ("thirty", "filter", "copies", "secret"),
    "follow_up": ("results",),
    "model": ("demo",),
    "model_card": ("demo",),
    "settings": ("first", "all_set"),
    "choose_pin": ("new", "encrypt"),
    "recovery_code": ("shown",),
    "help": ("help",),
    "lock": ("forgotten", "code"),
}
"""As in `plays`, which cannot be imported before there is a display."""


def longest_language() -> Language:
    """The language whose translations have the most letters together."""
    languages = [language for language in get_args(Language) if language != "en"]
    paths = {language: FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.mo" for language in languages}
    lengths = {one: sum(map(len, read_mo(path.read_bytes()).values())) for one, path in paths.items()}
    return max(languages, key=lambda language: lengths[language])


QUICK: Final[tuple[tuple[int, Language], ...]] = ((100, "en"), (150, longest_language()))


@pytest.fixture(scope="module")
def stage(display: str, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return set_up(tmp_path_factory.mktemp("stage"))


def test_every_screen_is_looked_at(display: str) -> None:
    from osteo_edge.edge_app.ui.shell import SCREENS
    from tests.edge_app.ui.plays import PLAYS

    assert set(STATES) == set(SCREENS) == set(PLAYS)
    assert {screen: set(states) for screen, states in STATES.items()} == {s: set(states) for s, states in PLAYS.items()}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(("screen", "state"), [(one, state) for one, states in STATES.items() for state in states])
def test_everything_fits(stage: Stage, screen: str, state: str, size: tuple[int, int]) -> None:
    found = list[str]()
    for percent, language in QUICK:
        found += look_at(stage, screen, state, size, percent, language)
    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("language", [language for language in get_args(Language) if language != QUICK[-1][1]])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", STATES)
def test_everything_fits_in_every_language(
    stage: Stage, screen: str, size: tuple[int, int], language: Language
) -> None:
    found = list[str]()
    for state in STATES[screen]:
        found += look_at(stage, screen, state, size, 150, language)
    assert not found, "\n".join(found)


def look_at(
    stage: Stage,
    screen: str,
    state: str,
    size: tuple[int, int],
    percent: int,
    language: Language,
) -> list[str]:
    """Start the app, open a screen, keep a picture of it, and give what does not fit, one line each."""
    from kivy.core.window import Window

    from tests.edge_app.ui.fit import flaws
    from tests.edge_app.ui.picture import not_drawn
    from tests.edge_app.ui.plays import on_stage

    with on_stage(stage, screen, state, size, text_percent=percent, language=language) as robot:
        name = f"{screen}-{state}-{size[0]}x{size[1]}-{percent}-{language}"
        picture = robot.shot(PICTURES / f"{name}.png")
        found = [*not_drawn(robot.top, picture), *(line for layer in Window.children for line in flaws(layer))]
        return [f"{name}: {line}" for line in found]
