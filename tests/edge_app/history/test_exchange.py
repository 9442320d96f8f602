"""A restore that a power cut has cut short is undone, or ended, by the next start."""

import fcntl
import os
from pathlib import Path

import pytest

from osteo_edge.edge_app.history.exchange import REPLACED, RESTORED, new_place
from osteo_edge.edge_app.history.opening import DATABASE
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
