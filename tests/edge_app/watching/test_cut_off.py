"""A watch that ends where nobody wants it to end, and what it finds at its next start."""

import json
import os
from pathlib import Path

import pytest

from osteo_edge import durable
from osteo_edge.edge_app.watching import ATTEMPTS_NAME, Answered
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.screening import screen
from tests.edge_app.watching.place import Draw, KilledError, Place, of


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("number", range(17))
def test_a_kill_at_any_write_neither_loses_nor_doubles_a_film(
    number: int, before: bool, place: Place, draw_film: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, brightness in (("a", 0.85), ("b", 0.2)):
        draw_film(f"films/{name}.png", brightness=brightness)
    with monkeypatch.context() as killing:
        _kill_at_write(killing, number, before)
        with pytest.raises(KilledError):
            place.run(overlay=True)
    place.run(overlay=True)
    place.require_each_once(overlays=True)
    assert place.run(overlay=True) == []


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("number", range(8))
def test_a_kill_while_an_unreadable_film_is_recorded_neither_loses_nor_doubles_it(
    number: int, before: bool, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.folder / "bad.png").write_bytes(b"no film")
    with monkeypatch.context() as killing:
        _kill_at_write(killing, number, before)
        with pytest.raises(KilledError):
            place.run()
    place.run()
    assert [row["file"] for row in place.rows] == ["bad.png"]
    assert [line["outcome"] for line in place.ledger] == ["unreadable"]
    place.require_audited([sha256_file(place.folder / "bad.png")])


def _kill_at_write(patch: pytest.MonkeyPatch, number: int, before: bool) -> None:
    """End the run at the write with this number, before its bytes are whole or when they are."""
    left = iter(range(100))
    write = durable._write

    def write_until_killed(path: Path, data: bytes, mode: str) -> None:
        if next(left) != number:
            return write(path, data, mode)
        write(path, data[: len(data) // 2] if before else data, mode)
        raise KilledError

    patch.setattr(durable, "_write", write_until_killed)


def test_a_torn_line_and_a_torn_row_are_repaired(place: Place, films: list[Path]) -> None:
    place.run()
    for name in ("ledger.jsonl", "results.csv"):
        file = place.out / name
        file.write_bytes(file.read_bytes()[:-90])
    (owed,) = place.run()
    assert of(Answered, [owed]) == ["c.png"]
    place.require_each_once()


def test_a_row_that_lacks_only_its_end_is_kept(place: Place, films: list[Path]) -> None:
    place.run()
    table = place.out / "results.csv"
    table.write_bytes(table.read_bytes()[:-1])
    assert place.run() == []
    place.require_each_once()


@pytest.mark.parametrize("name", ["ledger.jsonl", "results.csv"])
def test_what_is_taken_away_is_made_again(name: str, place: Place, films: list[Path]) -> None:
    place.run()
    (place.out / name).unlink()
    place.run()
    place.require_each_once()


def test_a_ledger_that_is_none_is_one_line(place: Place, films: list[Path]) -> None:
    place.run()
    ledger = place.out / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b'"schema": 1', b'"schema": 2', 1))
    with pytest.raises(
        OsteoEdgeError, match=r"ledger.jsonl: line 1 is not readable \(schema must be one of 1, not 2\)"
    ):
        place.run()


def test_a_file_that_is_no_result_is_left_alone(place: Place, films: list[Path]) -> None:
    place.run()
    (day,) = {path.parent for path in place.results}
    for name, content in (("list.json", b"[]"), ("torn.json", b'{"image'), ("other.json", b'{"image": 1}')):
        (day / name).write_bytes(content)
    assert place.run() == []
    assert len(place.ledger) == 3


@pytest.mark.parametrize("number", range(9))
def test_a_full_disk_ends_with_one_line_and_the_film_is_screened_later(
    number: int, place: Place, films: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter(range(100))
    sync = os.fsync

    def fill(descriptor: int) -> None:
        if next(left) >= number:
            raise OSError(28, "No space left on device")
        sync(descriptor)

    with monkeypatch.context() as full:
        full.setattr("osteo_edge.durable.os.fsync", fill)
        with pytest.raises(OsteoEdgeError, match="No space left on device"):
            place.run()
    place.run()
    place.require_each_once()


def test_a_film_that_ended_the_program_comes_last(
    place: Place, films: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    fatal = {"a.png", "b.png"}

    def die(path: Path, *arguments: object, **options: object) -> object:
        if path.name in fatal:
            raise KilledError
        return screen(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("osteo_edge.edge_app.watching.screen", die)
    for _ in range(3):
        with pytest.raises(KilledError):
            place.run()
    assert [line["name"] for line in place.ledger] == ["c.png"]
    fatal.clear()
    assert of(Answered, place.run()) == ["a.png", "b.png"]
    place.require_each_once()


@pytest.mark.parametrize(
    "content", [b"null", b"5", b'{"a.png": 1}', b'[["a.png"], null, 1]', b"[", b"\xff", b"[" * 9999]
)
def test_a_list_of_attempts_that_is_none_stops_nothing(content: bytes, place: Place, films: list[Path]) -> None:
    place.out.mkdir()
    (place.out / ATTEMPTS_NAME).write_bytes(content)
    assert of(Answered, place.run()) == ["a.png", "b.png", "c.png"]
    place.require_each_once()


def test_an_attempt_is_on_the_disk_before_the_film_is_read(
    place: Place, films: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts, synced = place.out / ATTEMPTS_NAME, list[str]()
    write = durable.write_durably

    def note(path: Path, data: bytes, what: str) -> Path:
        synced.append(path.name)
        return write(path, data, what)

    def require(path: Path, *arguments: object, **options: object) -> object:
        assert (synced[-1], json.loads(attempts.read_bytes())) == (ATTEMPTS_NAME, [path.name])
        return screen(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("osteo_edge.edge_app.watching.write_durably", note)
    monkeypatch.setattr("osteo_edge.edge_app.watching.screen", require)
    assert len(place.run()) == 3
