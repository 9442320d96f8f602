import os
import shutil
import time
from pathlib import Path

import pytest

from osteo_edge.edge_app.arrivals import LOOKS_STILL, Arrivals


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "films").mkdir()
    return tmp_path / "films"


def names_of(arrivals: Arrivals, looks: int = 1) -> list[str]:
    """What the last of some looks has found."""
    for _ in range(looks - 1):
        arrivals.look()
    return [arrival.path.name for arrival in arrivals.look()]


def test_a_file_has_arrived_when_it_has_stood_still_for_two_looks(folder: Path) -> None:
    arrivals = Arrivals(folder, {})
    with (folder / "knee.dcm").open("wb", buffering=0) as file:
        for _ in range(LOOKS_STILL + 3):
            file.write(b"piece by piece")
            assert (names_of(arrivals), arrivals.settled) == ([], False)
    assert [names_of(arrivals) for _ in range(LOOKS_STILL)] == [[], ["knee.dcm"]]


def test_what_was_dealt_with_does_not_come_again_until_it_changes(folder: Path) -> None:
    film, arrivals = folder / "knee.png", Arrivals(folder, {})
    film.write_bytes(b"one")
    arrivals.look()
    arrivals.look()
    (arrival,) = arrivals.look()
    arrivals.deal_with(arrival)
    unchanged = [arrival.unchanged]
    assert (names_of(arrivals, LOOKS_STILL + 1), arrivals.settled) == ([], True)
    film.write_bytes(b"two")
    assert [*unchanged, arrival.unchanged] == [True, False]
    assert names_of(arrivals, LOOKS_STILL + 1) == ["knee.png"]


def test_what_an_earlier_run_has_dealt_with_is_known_by_its_stamp(folder: Path) -> None:
    film, first = folder / "knee.png", Arrivals(folder, {})
    film.write_bytes(b"one")
    first.look()
    first.look()
    stamps = {arrival.path.name: arrival.stamp for arrival in first.look()}
    assert names_of(Arrivals(folder, stamps), LOOKS_STILL + 1) == []
    status = film.stat()
    film.write_bytes(b"two")
    os.utime(film, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert names_of(Arrivals(folder, stamps), LOOKS_STILL + 1) == ["knee.png"]


@pytest.mark.parametrize("name", [".knee.png", "knee.png.part", "KNEE.TMP", "knee.png~", "~knee.png", "folder"])
def test_hidden_and_unfinished_files_and_folders_are_left_alone(name: str, folder: Path) -> None:
    (folder / name).mkdir() if name == "folder" else (folder / name).write_bytes(b"film")
    arrivals = Arrivals(folder, {})
    assert (names_of(arrivals, LOOKS_STILL + 1), arrivals.settled) == ([], True)


def test_a_rename_from_an_unfinished_name_is_an_arrival_at_once(folder: Path) -> None:
    arrivals = Arrivals(folder, {})
    (folder / "knee.png.part").write_bytes(b"film")
    assert names_of(arrivals) == []
    (folder / "knee.png.part").rename(folder / "knee.png")
    assert names_of(arrivals) == ["knee.png"]


def test_a_rename_of_what_is_still_written_must_stand_still_like_any_other(folder: Path) -> None:
    arrivals = Arrivals(folder, {})
    with (folder / "knee.png.part").open("wb", buffering=0) as file:
        file.write(b"half")
        assert names_of(arrivals) == []
        (folder / "knee.png.part").rename(folder / "knee.png")
        file.write(b"the other half")
        assert names_of(arrivals) == []
    assert names_of(arrivals, LOOKS_STILL) == ["knee.png"]


def test_a_link_that_leads_nowhere_or_to_itself_stops_nothing(folder: Path) -> None:
    (folder / "a.png").symlink_to(folder / "a.png")
    (folder / "b.png").symlink_to(folder / "gone.png")
    (folder / "c.png").write_bytes(b"film")
    assert names_of(Arrivals(folder, {}), LOOKS_STILL + 1) == ["c.png"]


@pytest.mark.timed
def test_a_look_at_thousands_is_cheap(folder: Path) -> None:
    for number in range(5000):
        (folder / f"{number}.dcm").touch()
    arrivals, took = Arrivals(folder, {}), []
    for _ in range(5):
        started = time.perf_counter()
        found = arrivals.look()
        took.append(time.perf_counter() - started)
    assert len(found) == 5000
    assert min(took) < 0.1


def test_the_oldest_comes_first(folder: Path) -> None:
    for age, name in enumerate(["new.png", "old.png"]):
        (folder / name).write_bytes(b"film")
        os.utime(folder / name, (1e9 - age, 1e9 - age))
    assert names_of(Arrivals(folder, {}), LOOKS_STILL + 1) == ["old.png", "new.png"]


def test_what_is_put_off_rests_until_it_changes(folder: Path) -> None:
    film, arrivals = folder / "knee.png", Arrivals(folder, {})
    film.write_bytes(b"one")
    arrivals.look()
    arrivals.look()
    (arrival,) = arrivals.look()
    assert arrivals.put_off(arrival)
    assert (names_of(arrivals), arrivals.settled) == ([], True)
    assert not arrivals.put_off(arrival)
    film.write_bytes(b"another")
    assert names_of(arrivals, LOOKS_STILL + 1) == ["knee.png"]


def test_what_is_put_off_is_tried_again_later(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osteo_edge.edge_app.arrivals.RETRY_S", 0.0)
    (folder / "knee.png").write_bytes(b"one")
    arrivals = Arrivals(folder, {})
    arrivals.look()
    arrivals.look()
    arrivals.put_off(arrivals.look()[0])
    assert names_of(arrivals, LOOKS_STILL + 1) == ["knee.png"]


def test_a_folder_that_comes_back_is_looked_at_anew(folder: Path) -> None:
    (folder / "knee.png").write_bytes(b"one")
    arrivals = Arrivals(folder, {})
    arrivals.look()
    arrivals.look()
    arrivals.deal_with(arrivals.look()[0])
    aside = shutil.move(folder, folder.with_name("aside"))
    with pytest.raises(OSError, match="No such file"):
        arrivals.look()
    shutil.move(aside, folder)
    assert names_of(arrivals, LOOKS_STILL + 1) == ["knee.png"]
