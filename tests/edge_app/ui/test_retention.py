"""Old screenings go when the user has agreed, and deleted ones when they can no longer be brought back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history import store
from osteo_edge.edge_app.history.entry import utc
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.store import History
from tests.edge_app.history.made import make_record

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy

Start = Callable[..., "Robot"]


@pytest.fixture
def aged(folders: Folders) -> Folders:
    """A clinic with three screenings, two of them two years old."""
    now = datetime.now(timezone.utc)
    with History(folders.history) as history:
        history.add_all(
            make_record(b"%d" % days, code=f"K-{days}", taken_at=utc(now - timedelta(days=days)))
            for days in (1, 730, 731)
        )
    return folders


def test_old_screenings_are_deleted_after_a_question(start: Start, aged: Folders) -> None:
    robot = start(retention_days=365)
    robot.see("2 of 3 screenings are older than 365 days.")
    robot.tap("Delete for good")
    robot.see("2 screenings were deleted for good.")
    assert [entry.patient.code for entry in robot.clinic.history().entries()] == ["K-1"]


def test_they_stay_if_the_user_wants_to_keep_them(start: Start, aged: Folders) -> None:
    robot = start(retention_days=365)
    robot.tap("Keep")
    robot.frames(5)
    assert robot.clinic.history().count() == 3


@pytest.mark.parametrize("days", [None, 3650])
def test_nothing_is_asked_where_nothing_is_too_old(start: Start, aged: Folders, days: int | None) -> None:
    robot = start(retention_days=days)
    robot.until(lambda: robot.shell.model)
    robot.until(lambda: not robot.app.jobs._wanted)
    robot.frames(5)
    assert not robot.sees("Delete old screenings?")


def test_what_was_deleted_goes_for_good_while_the_app_runs(
    start: Start, display: str, aged: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osteo_edge.edge_app.ui.retention.PURGE_EVERY_S", 0.05)
    robot = start()
    history = robot.clinic.history()
    entry = next(history.entries())
    with monkeypatch.context() as earlier, History(aged.history) as before:
        earlier.setattr(store, "_now", lambda: utc(datetime.now(timezone.utc) - timedelta(minutes=2)))
        before.delete(entry.id)
    robot.until(lambda: not has_film(history, entry.image_sha256))


def test_what_can_still_be_undone_stays_however_long_ago_it_was_deleted(
    start: Start, display: str, aged: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    from osteo_edge.edge_app.ui import notices

    monkeypatch.setattr("osteo_edge.edge_app.ui.retention.PURGE_EVERY_S", 0.05)
    monkeypatch.setattr(store.History.purge_deleted, "__defaults__", (timedelta(),))
    monkeypatch.setattr(notices, "UNDO_S", 4.0)
    robot = start()
    robot.until(lambda: robot.shell.model)
    history = robot.clinic.history()
    entry = next(history.entries())
    history.delete(entry.id)
    robot.shell.offer_undo("Deleted", lambda: None)
    deadline = time.monotonic() + 0.5
    robot.until(lambda: time.monotonic() > deadline)
    assert has_film(history, entry.image_sha256)
    robot.until(lambda: not has_film(history, entry.image_sha256))
    assert not robot.sees("Undo")


def has_film(history: History, sha256: str) -> bool:
    try:
        return history.image_file(sha256).is_file()
    except HistoryError:
        return False
