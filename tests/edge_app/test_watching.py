import csv
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from osteo_edge import durable
from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.watching import (
    Answered,
    Event,
    FolderBack,
    FolderGone,
    PutOff,
    SeenBefore,
    Unreadable,
    open_station,
    watch,
)
from osteo_edge.errors import BundleError, MissingExtraError, OsteoEdgeError
from osteo_edge.hashing import sha256_bytes, sha256_file
from osteo_edge.runtime import open_interpreter
from osteo_edge.screening import screen
from osteo_edge.wording import FAILED_CHECK, PHANTOM_USE

Draw = Callable[..., Path]


class KilledError(BaseException):
    """Stands for kill -9: nothing of ours catches it."""


@dataclass
class Looks:
    """A pause that does not wait: between two looks it does the next thing, and after the last it is enough."""

    between: list[Callable[[], object]] = field(default_factory=list)

    def __call__(self, seconds: float) -> bool:
        if seconds == 0:
            return True
        if not self.between:
            return False
        self.between.pop(0)()
        return True


@dataclass(frozen=True)
class Place:
    """A watched folder, the folder of its results, and the model."""

    folder: Path
    out: Path
    bundle: Bundle

    def run(self, *, once: bool = True, pause: Looks | None = None, **options: bool) -> list[Event]:
        """One run until all is screened, or until `pause` says that it is enough; what it has told."""
        pause = Looks([lambda: None] * 50) if pause is None else pause
        with open_station(self.bundle, open_interpreter(self.bundle, threads=1), self.out, **options) as station:
            return list(watch(self.folder, station, pause, every_s=1.0, once=once))

    @property
    def results(self) -> list[Path]:
        return sorted(self.out.glob("20??-??-??/*.json"))

    @property
    def ledger(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.out / "ledger.jsonl").read_text("utf-8").splitlines()]

    @property
    def rows(self) -> list[dict[str, str]]:
        with (self.out / "results.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def require_each_once(self, *, overlays: bool = False) -> None:
        """Every film of the folder has one result, one row and one line, and nothing else lies there."""
        digests = sorted({sha256_file(path) for path in self.folder.iterdir()})
        assert sorted(json.loads(path.read_bytes())["image_sha256"] for path in self.results) == digests
        assert sorted(row["image_sha256"] for row in self.rows) == digests
        assert sorted(str(line["sha256"]) for line in self.ledger if line["outcome"] != "seen_before") == digests
        assert {self.out / str(line["result"]) for line in self.ledger} == set(self.results)
        pictures = {path.with_name(f"{path.stem}.overlay.png") for path in self.results} if overlays else set()
        assert {path for path in self.out.rglob("*") if path.is_file() and not path.name.startswith(".")} == {
            *self.results, *pictures, self.out / "ledger.jsonl", self.out / "results.csv",
        }  # fmt: skip
        assert list(self.out.rglob("*.partial")) == []


@pytest.fixture
def place(tmp_path: Path, bundle: Bundle) -> Place:
    (tmp_path / "films").mkdir()
    return Place(tmp_path / "films", tmp_path / "results", bundle)


@pytest.fixture
def films(place: Place, draw_film: Draw) -> list[Path]:
    """A film for each outcome that needs a model."""
    return [draw_film(f"films/{name}.png", brightness=b) for name, b in (("a", 0.85), ("b", 0.5), ("c", 0.2))]


def of(kind: type, events: list[Event]) -> list[str]:
    return [event.path.name for event in events if isinstance(event, kind)]  # type: ignore[union-attr]


def test_each_film_gets_the_answer_that_screen_gives_and_is_not_screened_again(
    place: Place, films: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    from osteo_edge.cli import run

    events = place.run(overlay=True)
    assert of(Answered, events) == ["a.png", "b.png", "c.png"]
    place.require_each_once(overlays=True)
    assert run(["screen", str(place.bundle.path), *map(str, films), "--json"]) == 0
    for line, result in zip(capsys.readouterr().out.splitlines(), place.results, strict=True):
        expected, found = json.loads(line), json.loads(result.read_bytes())
        assert Path(found.pop("overlay")).is_file()
        changing = {"overlay", "stage_ms", "taken_at", "runtime"}
        assert {k: v for k, v in found.items() if k not in changing} == {
            k: v for k, v in expected.items() if k not in changing
        }
    assert [row["outcome"] for row in place.rows] == ["refer", "uncertain", "no_finding"]
    assert place.run(overlay=True) == []
    place.require_each_once(overlays=True)


def test_a_film_under_another_name_is_noted_once(place: Place, films: list[Path]) -> None:
    place.run()
    shutil.copy(films[0], place.folder / "copy.png")
    assert of(SeenBefore, place.run()) == ["copy.png"]
    assert [line["name"] for line in place.ledger if line["outcome"] == "seen_before"] == ["copy.png"]
    assert place.run() == []
    place.require_each_once()


def test_other_content_under_the_same_name_is_another_film(place: Place, films: list[Path], draw_film: Draw) -> None:
    place.run()
    draw_film("films/a.png", brightness=0.3)
    assert of(Answered, place.run()) == ["a.png"]
    assert [line["name"] for line in place.ledger] == ["a.png", "b.png", "c.png", "a.png"]
    assert len({path.name for path in place.results}) == 4


def test_a_file_that_cannot_be_read_is_told_once_and_stops_nothing(place: Place, films: list[Path]) -> None:
    bad = place.folder / "=bad.png"
    bad.write_bytes(films[0].read_bytes()[:900])
    events = place.run()
    assert (of(Unreadable, events), len(of(Answered, events))) == (["=bad.png"], 3)
    (row,) = (row for row in place.rows if row["outcome"] == "unreadable")
    assert (row["file"], row["result"], row["score"]) == ("'=bad.png", "", "")
    assert "damaged or incomplete" in row["reasons"]
    assert place.run() == []
    bad.write_bytes(films[0].read_bytes() + b"\n")
    assert of(Answered, place.run()) == ["=bad.png"]


def test_a_missing_package_says_nothing_about_the_film(
    place: Place, films: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise MissingExtraError("DICOM", "pydicom", "dicom")

    with monkeypatch.context() as without:
        without.setattr("osteo_edge.edge_app.watching.screen", fail)
        assert of(PutOff, place.run()) == ["a.png", "b.png", "c.png"]
    assert of(Answered, place.run()) == ["a.png", "b.png", "c.png"]
    place.require_each_once()


def test_a_film_that_changes_while_it_is_read_is_left_for_later(
    place: Place, films: list[Path], draw_film: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = draw_film("changed.png", brightness=0.3)

    def slowly(path: Path, *arguments: object, **options: object) -> object:
        if path == films[0] and sha256_file(path) != sha256_file(changed):
            films[0].write_bytes(changed.read_bytes())
        return screen(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("osteo_edge.edge_app.watching.screen", slowly)
    assert of(Answered, place.run()) == ["b.png", "c.png", "a.png"]
    place.require_each_once()


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("number", range(8))
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
@pytest.mark.parametrize("number", range(2))
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


@pytest.mark.parametrize("number", range(4))
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


def test_a_folder_that_goes_and_comes_back_is_told_once_each_and_screened_on(
    place: Place, films: list[Path], draw_film: Draw
) -> None:
    aside = place.folder.with_name("aside")

    def back() -> None:
        aside.rename(place.folder)
        draw_film("films/d.png", brightness=0.4)

    nothing = [lambda: None] * 3
    pause = Looks([*nothing, lambda: place.folder.rename(aside), *nothing, back, *nothing])
    events = place.run(once=False, pause=pause)
    assert [type(event) for event in events] == [Answered] * 3 + [FolderGone, FolderBack, Answered]
    place.require_each_once()


def test_a_folder_that_is_not_there_is_an_error_only_with_once(place: Place) -> None:
    place.folder.rmdir()
    with pytest.raises(OsteoEdgeError, match="films: cannot be read"):
        place.run()
    assert place.run(once=False, pause=Looks([lambda: None] * 3)) == [FolderGone("No such file or directory")]


def test_the_end_is_asked_for_between_two_films(place: Place, films: list[Path]) -> None:
    told: list[Event] = []
    with open_station(place.bundle, open_interpreter(place.bundle), place.out) as station:
        for event in watch(place.folder, station, lambda seconds: not told, every_s=1.0):
            told.append(event)
    assert of(Answered, told) == ["a.png"]
    assert of(Answered, place.run()) == ["b.png", "c.png"]


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


def test_a_model_that_failed_its_check_is_refused_unless_forced_and_then_warned_of(
    place: Place, films: list[Path], failed_bundle: Bundle
) -> None:
    failed = Place(place.folder, place.out, failed_bundle)
    with pytest.raises(BundleError, match="add --force"):
        failed.run()
    assert not failed.out.exists()
    failed.run(force=True)
    assert {row["warnings"] for row in failed.rows} == {FAILED_CHECK}


def test_every_row_of_a_demonstration_says_so(
    place: Place, films: list[Path], golden_bundle: Callable[..., Bundle]
) -> None:
    drawn = Place(place.folder, place.out, golden_bundle("drawn", intended_use=PHANTOM_USE))
    drawn.run()
    assert {row["warnings"] for row in drawn.rows} == {PHANTOM_USE}


@pytest.mark.parametrize("name", ["x" * 251, "é" * 125, "knee.v2", "line\nbreak", "kn\udce9e"])
def test_any_name_of_a_film_gives_a_result(name: str, place: Place, draw_film: Draw) -> None:
    draw_film("plain.png", brightness=0.85).rename(place.folder / f"{name}.png")
    place.run(overlay=True)
    place.require_each_once(overlays=True)
    assert place.run() == []


def test_two_films_of_one_name_and_day_keep_apart(place: Place, draw_film: Draw) -> None:
    for brightness in (0.85, 0.2):
        draw_film("films/knee.png", brightness=brightness)
        place.run()
    assert sorted(Counter(path.name[:5] for path in place.results).items()) == [("knee-", 2)]
    digest = sha256_bytes((place.folder / "knee.png").read_bytes())
    assert place.results[0].parent / f"knee-{digest[:8]}.json" in place.results
