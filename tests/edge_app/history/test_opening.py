"""A damaged database is kept aside, a sound one never."""

import fcntl
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from osteo_edge.edge_app.history import opening
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.opening import DATABASE, LOCK, damaged_databases, set_aside
from osteo_edge.edge_app.history.store import History, Record


def zero_the_tables(path: Path) -> None:
    """Overwrite every page but the first, as a dying SD card can."""
    data = path.read_bytes()
    path.write_bytes(data[:4096] + bytes(len(data) - 4096))


def cut_off_the_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:10_000])


def write_something_else(path: Path) -> None:
    path.write_bytes(b"no database " * 1000)


def empty_an_index(path: Path) -> None:
    """A table and its index that do not agree: each is sound for itself."""
    connection = sqlite3.connect(path)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'entries_by_image'").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    data = bytearray(path.read_bytes())
    start = (root - 1) * size
    data[start + 3 : start + 5] = bytes(2)  # no cells
    data[start + 5 : start + 7] = (size % 65536).to_bytes(2, "big")
    path.write_bytes(data)


@pytest.fixture
def folder(tmp_path: Path, record: Callable[..., Record]) -> Path:
    """Where a closed history of one screening lies."""
    with History(tmp_path) as history:
        history.add(record())
    return tmp_path


@pytest.mark.parametrize("damage", [zero_the_tables, cut_off_the_end, write_something_else, empty_an_index])
def test_a_damaged_database_is_kept_and_a_new_one_begun(
    folder: Path, record: Callable[..., Record], damage: Callable[[Path], None]
) -> None:
    damage(folder / DATABASE)
    damaged = (folder / DATABASE).read_bytes()
    with History(folder) as history:
        assert history.damage is not None
        assert (history.count(), history.damage.kept.read_bytes()) == (0, damaged)
        assert [history.damage.kept] == damaged_databases(folder)
        history.add(record())
    with History(folder) as history:
        assert (history.damage, history.count()) == (None, 1)


def test_the_user_reads_what_happened(folder: Path) -> None:
    write_something_else(folder / DATABASE)
    with History(folder) as history:
        words = str(history.damage)
    assert "file is not a database" in words
    assert str(damaged_databases(folder)[0]) in words
    assert "backup" in words


def test_damage_twice_in_a_second_keeps_both(folder: Path) -> None:
    for content in (b"one " * 1000, b"two " * 1000):
        (folder / DATABASE).write_bytes(content)
        History(folder).close()
    assert sorted(path.read_bytes()[:3] for path in damaged_databases(folder)) == [b"one", b"two"]


def test_films_of_the_damaged_database_are_not_swept_away(folder: Path) -> None:
    write_something_else(folder / DATABASE)
    with History(folder) as history:
        assert history.sweep() == 0
        damaged_databases(folder)[0].unlink()
        assert history.sweep() == 1


def test_what_only_its_log_held_is_kept_too_and_never_meets_the_new_one(
    tmp_path: Path, folder: Path, record: Callable[..., Record]
) -> None:
    killed = tmp_path / "killed"
    with History(folder) as history:
        history.add(record(note="only in the log"))
        shutil.copytree(folder, killed, ignore=shutil.ignore_patterns("killed", "*-shm"))
    assert b"only in the log" in (killed / f"{DATABASE}-wal").read_bytes()
    assert b"only in the log" not in (killed / DATABASE).read_bytes()
    write_something_else(killed / DATABASE)
    with History(killed) as history:
        assert history.damage is not None
        assert history.count() == 0
        assert any(b"only in the log" in path.read_bytes() for path in killed.glob("history.damaged-*"))


def test_a_log_that_sqlite_could_not_merge_goes_where_its_database_goes(tmp_path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        (tmp_path / f"{DATABASE}{ending}").write_bytes(ending.encode())
    kept = set_aside(tmp_path / DATABASE)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        f"{kept.name}{ending}": ending.encode() for ending in ("", "-wal", "-shm")
    }


def test_a_database_that_another_window_has_open_is_not_moved(folder: Path) -> None:
    with History(folder):
        write_something_else(folder / DATABASE)
        with pytest.raises(HistoryError, match="another window has it open; close all"):
            History(folder)
    assert (folder / DATABASE).is_file()
    assert damaged_databases(folder) == []


@pytest.mark.parametrize("is_replaced_meanwhile", [False, True])
def test_after_a_damage_others_may_open_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, is_replaced_meanwhile: bool
) -> None:
    sound, lock_alone = (folder / DATABASE).read_bytes(), opening._lock_alone

    def lock_late(path: Path, lock: BinaryIO) -> None:
        lock_alone(path, lock)
        if is_replaced_meanwhile:
            path.write_bytes(sound)

    write_something_else(folder / DATABASE)
    monkeypatch.setattr(opening, "_lock_alone", lock_late)
    with History(folder) as history, (folder / LOCK).open("ab") as lock:
        assert (history.damage is None) == is_replaced_meanwhile
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(HistoryError, match=r"history\.sqlite3: the history cannot be opened \(.*\); ") as caught:
        History(tmp_path / "file" / "history")
    assert "\n" not in str(caught.value)


def test_only_the_owner_reads_what_is_of_patients(tmp_path: Path) -> None:
    with History(tmp_path / "history"):
        assert (tmp_path / "history").stat().st_mode & 0o777 == 0o700


def test_whoever_waited_for_the_lock_opens_the_history_that_is_there_now(folder: Path) -> None:
    """The folder was exchanged between the opening of the lock file and its lock."""
    aside = folder.with_name("aside")
    shutil.copytree(folder, aside)
    real = fcntl.flock
    calls = list[int]()

    def slow(lock: object, how: int) -> None:
        calls.append(how)
        if how == fcntl.LOCK_SH and calls.count(how) == 1:
            shutil.rmtree(folder)
            aside.rename(folder)
        real(lock, how)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fcntl, "flock", slow)
        history = History(folder)
    with history, (folder / LOCK).open("ab") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
