"""No text of any screen escapes translation: all screens are looked at in a language in which every message is marked.

What is not marked must be data. These are: what the clinic has typed or stored (codes, notes, its name), names of
files, folders and models, what a model's maker wrote (labels, the model card), hashes, dates and numbers, and the few
words below, which are the same in all languages.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from osteo_edge.edge_app.demo_bundle import FOLDER as DEMO_BUNDLE
from osteo_edge.edge_app.languages.messages import APP
from tests.edge_app.languages.pseudo import pseudo, untranslated
from tests.edge_app.ui.stage import Stage, set_up
from tests.edge_app.ui.test_layout import STATES

pytestmark = pytest.mark.kivy

SAME_EVERYWHERE: Final = (
    "English", "Français", "Español", "Kiswahili",  # languages, each in its own
    "Viridis", "Cividis", "Jet",  # names of colour maps
    "DXA", "PIN", "OST", "AUROC", "SHA-256", "MB", "MiB", "GiB", "kB", "ms", "kg", "UTC", "int8",
    "JPEG", "PNG", "DICOM", "PDF", "CSV", "ZIP", "LiteRT",
)  # fmt: skip
LABELS: Final = ("osteopenia", "osteoporosis")
"""As the demonstration's maker named them; the app translates them where it knows them."""
HASH: Final = re.compile(r"\b[0-9a-f]{8,64}…?")
MODULES: Final = sorted(path for path in (APP / "ui").glob("*.py") if path.stem != "probe")
"""Those of the window; `probe` measures a bare one, which nobody reads."""
SPOKEN: Final = ("text", "title", "hint", "hint_text", "message", "cancel", "problem", "yes", "no", "back", "button")


@pytest.fixture(scope="module")
def stage(display: str, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return set_up(tmp_path_factory.mktemp("stage"))


@pytest.mark.parametrize(("screen", "state"), [(one, state) for one, states in STATES.items() for state in states])
def test_every_text_on_a_screen_is_a_message_or_data(
    stage: Stage, screen: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kivy.core.window import Window

    from osteo_edge.edge_app.ui import wearing
    from tests.edge_app.ui.plays import on_stage

    monkeypatch.setattr(wearing, "open_catalogue", lambda language: pseudo())
    with on_stage(stage, screen, state, (800, 480)) as robot:
        texts = [text for layer in Window.children for text in texts_below(layer)]
        robot.shell.home()
        robot.frames(2)
    escaped = {text: words for text in texts if (words := untranslated(plain(text), known_data(stage)))}
    assert not escaped
    assert any("⟦" in text for text in texts)


def texts_below(root: object) -> Iterator[str]:
    """All texts of what is shown, and the hints of boxes to type in."""
    from kivy.uix.label import Label
    from kivy.uix.textinput import TextInput

    for widget in root.walk():  # type: ignore[attr-defined]
        if isinstance(widget, Label | TextInput) and widget.opacity > 0:
            yield widget.text
        if isinstance(widget, TextInput):
            yield widget.hint_text


def plain(text: str) -> str:
    """A text without hashes and paths."""
    for pattern in (HASH, re.compile(r"(?<!\w)/[\w./-]+")):
        text = pattern.sub(" ", text)
    return re.sub(r"\[/?(b|i|u|size|color|font)[^\]]*\]", "", text)


def known_data(stage: Stage) -> tuple[str, ...]:
    card = (DEMO_BUNDLE / "MODEL_CARD.md").read_text(encoding="utf-8")
    from tests.edge_app.ui.plays import CODE_ON_PAPER, TYPED_CODE

    code = re.findall(r"\w+", CODE_ON_PAPER)
    return (*stage.data, *code, TYPED_CODE, *SAME_EVERYWHERE, *LABELS, *re.findall(r"[^\W\d_]{2,}", card))


@pytest.mark.parametrize("path", sorted((APP / "ui").glob("*.kv")), ids=lambda path: path.stem)
def test_no_literal_of_a_kv_file_is_shown_without_say(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        found = re.match(rf"\s*({'|'.join(SPOKEN)}):\s*(.+)", line)
        for literal in unsaid(ast.parse(found[2], mode="eval").body) if found else ():
            assert not re.search(r"[^\W\d_]{2}", literal), f"{path.name}: {line.strip()}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_literal_of_a_screen_is_shown_without_say(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in (one for one in ast.walk(tree) if isinstance(one, ast.Call | ast.Assign)):
        shown: list[ast.expr] = []
        if isinstance(node, ast.Call):
            shown = [keyword.value for keyword in node.keywords if keyword.arg in SPOKEN]
            if getattr(node.func, "attr", "") in ("tell", "complain", "offer_undo", "ask"):
                shown += node.args
            is_say = getattr(node.func, "id", "") == "say"
            assert not (is_say and isinstance(node.args[0], ast.JoinedStr)), f"{path.name}:{node.lineno}: say(f-string)"
        else:
            names = [target.attr for target in node.targets if isinstance(target, ast.Attribute)]
            shown = [node.value] if set(names) & set(SPOKEN) else []
        for value in shown:
            for literal in unsaid(value):
                assert not re.search(r"[^\W\d_]{2}", literal), f"{path.name}:{node.lineno}: {literal!r}"


def unsaid(node: ast.expr) -> Iterator[str]:
    """The literals of an expression that can be its value, but for what goes through a function such as `say`."""
    if isinstance(node, ast.Constant | ast.JoinedStr):
        yield from literals(node)
    elif isinstance(node, ast.IfExp):
        yield from (*unsaid(node.body), *unsaid(node.orelse))
    elif isinstance(node, ast.BinOp):
        yield from (*unsaid(node.left), *unsaid(node.right))
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from unsaid(value)


def literals(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value
