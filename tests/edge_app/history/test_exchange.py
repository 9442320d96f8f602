"""A restore that a power cut has cut short is undone, or ended, by the next start."""

import fcntl
import os
import threading
from pathlib import Path

import pytest

from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.exchange import (
    REPLACED,
    RESTORED,
    exchanging,
    new_place,
    put_in_place,
    remove_unfinished,
)
from osteo_edge.edge_app.history.opening import DAMAGED, DATABASE, LOCK, sole_use
from osteo_edge.edge_app.history.store import History
from tests.edge_app.history.made import make_record


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a history with one screening."""
    with History(tmp_path / "history") as history:
        history.add(make_record(code="K-1"))
    return tmp_path / "history"


def codes(folder: Path) -> list[str | None]:
    with History(folder) as history:
        return [entry.patient.code for entry in history.entries()]


def test_a_history_that_had_made_room_comes_back(folder: Path) -> None:
    older = new_place(folder, REPLACED)
    older.mkdir()
    (older / "history.damaged-20260101T000000.sqlite3").write_bytes(b"kept")
    folder.replace(new_place(folder, REPLACED))
    assert codes(folder) == ["K-1"]
    assert list(folder.parent.glob("history.*")) == [older]


def test_the_one_that_made_room_last_comes_back_also_when_the_clock_was_set_back(folder: Path) -> None:
    older = folder.with_name("history.replaced-20991231T235959000000")
    older.mkdir()
    folder.replace(new_place(folder, REPLACED))
    assert codes(folder) == ["K-1"]
    assert list(folder.parent.glob("history.*")) == [older]


def test_one_that_is_there_is_left_alone(folder: Path) -> None:
    with History(new_place(folder, REPLACED)) as other:
        other.add(make_record(code="K-2"))
    assert codes(folder) == ["K-1"]


def test_tidying_removes_what_was_replaced_or_not_put_in_place_but_no_damaged_history(folder: Path) -> None:
    replaced, restored, damaged = (new_place(folder, what) for what in (REPLACED, RESTORED, REPLACED))
    for place in (replaced, restored / "history", damaged):
        place.mkdir(parents=True)
        (place / DATABASE).write_bytes(b"a database")
    (damaged / "history.damaged-20260101T000000.sqlite3").write_bytes(b"kept")
    with History(folder) as history:
        history.sweep()
    assert sorted(path.name for path in folder.parent.iterdir()) == ["history", damaged.name]


def test_what_another_window_is_unpacking_stays(folder: Path) -> None:
    restored = new_place(folder, RESTORED)
    restored.mkdir()
    descriptor = os.open(restored, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with History(folder) as history:
        history.sweep()
        assert restored.is_dir()
        os.close(descriptor)
        history.sweep()
        assert not restored.exists()


def test_a_history_that_made_room_stays_as_long_as_none_is_in_its_place(folder: Path) -> None:
    folder.replace(new_place(folder, REPLACED))
    remove_unfinished(folder, DAMAGED)
    assert codes(folder) == ["K-1"]


def test_whoever_opens_the_history_while_it_is_exchanged_begins_no_new_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two renames there is no history; another window that opens it just then waits for the new one."""
    new, found = folder.with_name("new"), list[list[str | None]]()
    with History(new) as history:
        history.add(make_record(code="K-2"))
    other = threading.Thread(target=lambda: found.append(codes(folder)))
    real = Path.replace

    def slow(path: Path, target: Path) -> Path:
        if path == new:
            other.start()
            other.join(0.3)
            assert not folder.exists()
        return real(path, target)

    monkeypatch.setattr(Path, "replace", slow)
    kept = put_in_place(new, folder)
    other.join()
    assert found == [["K-2"]]
    assert codes(kept) == ["K-1"]


def test_whoever_waited_when_the_exchange_was_killed_brings_the_history_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock file that it waited for went away with the history that made room."""
    real, calls = fcntl.flock, list[int]()

    def slow(lock: int, how: int) -> None:
        calls.append(how)
        if how == fcntl.LOCK_SH and calls.count(how) == 1:
            folder.replace(new_place(folder, REPLACED))
        real(lock, how)

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", slow)
        assert codes(folder) == ["K-1"]
    assert calls.count(fcntl.LOCK_SH) == 2
    assert not list(folder.parent.glob("history.*"))


def test_a_lock_that_went_away_with_an_exchanged_history_keeps_nobody_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = folder.with_name("other")
    with History(other):
        pass
    real = fcntl.flock

    def slow(lock: int, how: int) -> None:
        if how == fcntl.LOCK_EX | fcntl.LOCK_NB:
            folder.replace(folder.with_name("before"))
            other.replace(folder)
        real(lock, how)

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", slow)
        with pytest.raises(HistoryError, match="another window"), sole_use(folder, "not done"):
            pass
    assert (folder / LOCK).exists()


def test_a_forked_process_does_not_keep_the_exchange_from_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, copies = os.open, list[int]()

    def opened(path: Path, flags: int) -> int:
        descriptor = real(path, flags)
        copies.append(os.dup(descriptor))  # what the other process has
        return descriptor

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", opened)
        with exchanging(folder):
            pass
    (copy,) = copies
    again = os.open(folder.parent, os.O_RDONLY)
    try:
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(again)
        os.close(copy)
