import ast
from pathlib import Path

import pytest

from osteo_edge.edge_app.languages.messages import Source, find_messages, messages_in

SOURCE = '''
"""A module that says things."""
import logging
from typing import Final
from osteo_edge.wording import ADVICE, PHANTOM_USE

HINT: Final = "export it as PNG"
WORDS: Final = {"low": "low-risk group", "high": "risky"}
SHORT: Final = {"left": "Left", "right": "Right"}
SQL = "SELECT id FROM entries WHERE id = ?"

class Thing:
    """A thing with a docstring."""
    def __post_init__(self):
        raise ValueError("size must not be negative")

def speak(say, path, error, rows, log):
    """Say it."""
    log.error("nobody reads this line")
    say("Save") if rows else say(SHORT["left"])
    say("One" if rows else "Many")
    self._say("{count} films").format(count=1)
    "PixelData", "a/b.png", "x"
    if error:
        raise OsteoEdgeError(f"{path}: cannot be read ({error.strerror or error}); {HINT}")
    raise RuntimeError("never called like this")
'''


def messages_of(tmp_path: Path, text: str, name: str = "module.py") -> list[str]:
    path = tmp_path / name
    path.write_text(text)
    return list(dict.fromkeys(messages_in(Source(path, name, ""))))


def test_texts_for_people_are_found_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from osteo_edge.edge_app.languages import messages

    names = messages.Names(
        {"HINT": ast.parse("'export it as PNG'", mode="eval").body,
         "SHORT": ast.parse("{'left': 'Left', 'right': 'Right'}", mode="eval").body}, {},
    )  # fmt: skip
    monkeypatch.setattr(messages, "_names_of", lambda module: names)
    assert messages_of(tmp_path, SOURCE) == [
        "export it as PNG",
        "low-risk group",
        "risky",
        "Save",
        "Left",
        "Right",
        "One",
        "Many",
        "{count} films",
        "cannot be read ({reason}); export it as PNG",
    ]


def test_what_a_screen_file_says_is_found(tmp_path: Path) -> None:
    text = """
<Some>:
    title: say("Age (in years)") + ":"
    text: say("{n} films", n=root.count) if root.count else say("None")
    hint: essay("not this one")
    Words:
        text: say("A \\"quoted\\" word")
"""
    assert messages_of(tmp_path, text, "some.kv") == ["Age (in years)", "{n} films", "None", 'A "quoted" word']


@pytest.mark.parametrize(
    "message",
    [
        "New screening",  # of a screen
        "Possible low bone density: refer for DXA",  # a constant of the core
        "cannot be read ({reason}); check the name and the disk",  # the line of an error, without what it is about
        "{number} is below the threshold {threshold}",
        "under-voltage",
        "low-risk group by age and weight, which does not rule out low bone density",
        "No space left on device",
        "T-score {score}",
        "History",
    ],
)
def test_messages_of_all_kinds_are_among_those_of_the_app(message: str) -> None:
    assert message in {one.text for one in find_messages()}


def test_nothing_of_the_database_or_the_terminal_is_a_message() -> None:
    for message in find_messages():
        assert not any(mark in message.text for mark in ("SELECT ", "PRAGMA ", "%(", "--out", " = ?")), message
