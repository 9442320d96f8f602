"""The messages of the web app's TypeScript, as the catalogues get them."""

import re
from pathlib import Path

import pytest

from osteo_edge.edge_app.languages.catalogue import NEVER_MESSAGES
from osteo_edge.edge_app.web.ts_messages import SOURCES, messages_in, ts_messages

FOUND = dict(ts_messages())


@pytest.mark.parametrize(
    ("source", "messages"),
    [
        ('say("Save")', ["Save"]),
        ('say(\n    "{count} films",\n    { count },\n  )', ["{count} films"]),
        ('new ScreeningError("The model is \\"gone\\".")', ['The model is "gone".']),
        ('const FULL = msg(\n  "No space.",\n);', ["No space."]),
        ('const STOPPED =\n  "The screening was ended.";', ["The screening was ended."]),
        ('const KEY = "osteo edge"; essay("x"); new Error("broken"); say(words)', []),
    ],
)
def test_what_is_a_message(source: str, messages: list[str]) -> None:
    assert list(messages_in(source)) == messages


def test_the_page_says_something() -> None:
    assert {"Save", "New screening", "History"} <= set(FOUND)
    assert all(label.startswith("edge_app/web/project/src/") for label in FOUND.values())


def test_no_message_is_put_together_from_pieces() -> None:
    """A message in backquotes or single quotes, or one that is added to, is found by nobody who translates."""
    pieces = re.compile(r"\b(?:say|msg|ScreeningError)\(\s*(?:[`']|\"[^\"\n]*\"\s*\+)")
    assert [path.name for path in SOURCES.rglob("*.ts") if pieces.search(path.read_text("utf-8"))] == []


def test_values_in_messages_have_names() -> None:
    names = {name for text in FOUND for name in re.findall(r"\{([^}]*)\}", text)}
    assert all(name.isidentifier() for name in names - NEVER_MESSAGES)


def test_without_sources_there_are_none(tmp_path: Path) -> None:
    assert list(ts_messages(tmp_path / "src")) == []
