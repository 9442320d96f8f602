"""Two screenings of a patient beside each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from osteo_edge.edge_app.answer_words import OTHER_MODEL
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.history.entry import Patient, new_id
from osteo_edge.edge_app.history.store import Record
from osteo_edge.wording import HEADLINES

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy


@pytest.fixture
def robot(start: Callable[..., Robot]) -> Robot:
    return start((800, 480))


def save(robot: Robot, **changes: Any) -> str:
    """Save the drawn film's answer, with changes; its id."""
    record = robot.clinic.record(robot.clinic.screen(DRAWN_FILM), patient=Patient("K-17"))
    entry = replace(record.entry, id=new_id(), **changes)
    return robot.clinic.save(Record(entry, record.image, record.overlay)).id


def compare(robot: Robot, left: str, right: str) -> Any:
    screen = robot.shell.go("side_by_side", left=left, right=right)
    robot.until(lambda: screen.entries)
    robot.frames(3)
    return screen


def test_both_are_shown_with_film_outcome_probability_and_model(robot: Robot) -> None:
    earlier = save(robot, taken_at="2026-01-02T12:00:00+00:00", outcome="uncertain")
    screen = compare(robot, earlier, save(robot))
    texts = robot.texts()
    for part in (
        HEADLINES["uncertain"],
        HEADLINES["refer"],
        "Screened: 2026-01-0",
        "this image above 0.99",
        "Model knee",
    ):
        assert any(part in text for text in texts), part
    assert all(half.view.ids.film.film_texture is not None for half in screen.halves)
    assert OTHER_MODEL not in texts


def test_each_half_says_whose_it_is_and_when_it_was_screened(robot: Robot) -> None:
    other = save(robot, patient=Patient("K-18"), taken_at="2026-01-02T12:00:00+00:00")
    nobody = save(robot, patient=Patient(), taken_at="2026-01-03T12:00:00+00:00")
    compare(robot, other, nobody)
    robot.see("Patient code: K-18 \u00b7 Screened: 2026-01-02")
    robot.see("Patient code: not given \u00b7 Screened: 2026-01-03")


def test_answers_of_different_models_carry_a_caution(robot: Robot) -> None:
    compare(robot, save(robot, model_sha256=64 * "a"), save(robot))
    robot.see(OTHER_MODEL)


def test_the_evidence_is_shown_and_hidden_on_both(robot: Robot) -> None:
    screen = compare(robot, save(robot), save(robot))
    assert all(half.view.shows_overlay for half in screen.halves)
    robot.tap("Evidence")
    assert not any(half.view.shows_overlay for half in screen.halves)


def test_a_screening_that_is_gone_gives_one_line(robot: Robot) -> None:
    robot.shell.go("side_by_side", left=save(robot), right=new_id())
    robot.see("search again")
    robot.tap("Back")
    assert robot.shell.name == "home"


def test_a_film_that_is_gone_leaves_the_words(robot: Robot) -> None:
    one = save(robot)
    robot.clinic.history().image_file(robot.clinic.history().entry(one).image_sha256).unlink()
    compare(robot, one, one)
    robot.see("no image")
    robot.see(HEADLINES["refer"])


@pytest.mark.parametrize(("size", "is_wide"), [((800, 480), True), ((360, 740), False)])
def test_they_stand_beside_each_other_or_one_above_the_other(
    start: Callable[..., Robot], size: tuple[int, int], is_wide: bool
) -> None:
    robot = start(size)
    first, second = compare(robot, save(robot), save(robot)).halves
    assert (first.y == second.y, first.x == second.x) == (is_wide, not is_wide)
    assert first.right <= second.x or first.y >= second.top


def test_textures_are_let_go_when_it_is_left(robot: Robot) -> None:
    screen = compare(robot, save(robot), save(robot))
    films = [half.view.ids.film for half in screen.halves]
    robot.tap("Back")
    assert [film.film_texture for film in films] == [None, None]
