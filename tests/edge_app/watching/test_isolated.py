"""A watch whose films are decoded in a process apart."""

import sys
from pathlib import Path

import pytest

from osteo_edge.edge_app.watching import Answered, PutOff, Unreadable

if sys.platform != "linux":
    pytest.skip("processes are confined on Linux alone", allow_module_level=True)

from osteo_edge.isolated_reading import IsolatedReader
from tests.edge_app.watching.place import Place, of

HOSTILE = Path(__file__).resolve().parents[2] / "osteo_edge" / "hostile_decoder.py"


def test_a_film_that_breaks_the_decoder_is_one_line_and_the_others_are_answered(
    place: Place, films: list[Path], tmp_path: Path
) -> None:
    films[1].write_bytes(films[1].read_bytes() + b"#crash")
    (tmp_path / "mark").touch()
    with IsolatedReader([sys.executable, str(HOSTILE), str(tmp_path / "mark")]) as read:
        events = place.run(read=read, overlay=True)
    assert (of(Answered, events), of(Unreadable, events)) == (["a.png", "c.png"], ["b.png"])
    (line,) = (line for line in place.ledger if line["outcome"] == "unreadable")
    assert "breaks the image decoder (Segmentation fault)" in str(line["error"])
    assert place.run() == []


def test_a_process_that_does_not_start_puts_films_off(place: Place, films: list[Path]) -> None:
    with IsolatedReader([sys.executable, "-c", "raise SystemExit(3)"]) as read:
        events = place.run(read=read)
    assert of(PutOff, events) == ["a.png", "b.png", "c.png"]
    assert "does not start" in events[0].reason  # type: ignore[union-attr]
    assert of(Answered, place.run()) == ["a.png", "b.png", "c.png"]
    place.require_each_once()
