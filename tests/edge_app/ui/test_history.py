"""Past screenings: found, opened, written as a table, backed up and restored."""

from __future__ import annotations

import csv
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.edge_app.history.store import History
from osteo_edge.edge_app.history_list import OUTCOME_CHOICES
from osteo_edge.edge_app.languages.catalogue import open_catalogue
from osteo_edge.wording import HEADLINES, headline
from tests.edge_app.ui.past import fill, records

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy

Start = Callable[..., "Robot"]
MANY = 10_000
FRAME_S = 0.033
MOST_GOES = 5
"""What else the machine does may spoil a go or two, not all of them."""
DOWN, UP, ENTER, ESCAPE, TAB = 274, 273, 13, 27, 9


@pytest.fixture
def filled(folders: Folders) -> Folders:
    """A clinic with 130 screenings; those of K-0002 and K-0007 have a DXA result."""
    with History(folders.history) as history:
        fill(history, 130)
        entries = list(history.entries())
        history.mark_dxa(entries[1].id, "osteopenia", -1.8)
        history.mark_dxa(entries[6].id, "normal")
    return folders


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What other screens were opened with; none of them is."""
    from osteo_edge.edge_app.ui.shell import Shell

    gone = list[dict[str, Any]]()
    go = Shell.go

    def note(self: Shell, name: str, **arguments: Any) -> Any:
        if name in ("result", "files"):
            gone.append({"name": name, **arguments})
            return None
        return go(self, name, **arguments)

    monkeypatch.setattr(Shell, "go", note)
    return gone


def open_history(robot: Robot, first: str = "K-0001") -> Any:
    robot.tap("History")
    robot.see(first)
    return robot.screen


def codes(robot: Robot) -> list[str]:
    """The codes of the rows in the window, from top to bottom."""
    rows = sorted(robot.screen.finds.listing.rows(), key=lambda row: row.index)
    return [row.code for row in rows]


def test_a_row_says_what_was_answered_to_whom_and_when(start: Start, filled: Folders) -> None:
    robot = start()
    screen = open_history(robot)
    robot.see("130 screenings")
    robot.see(HEADLINES["refer"])
    robot.see("DXA: osteopenia, T-score -1.8")
    row = next(row for row in screen.finds.listing.rows() if row.index == 0)
    robot.until(lambda: row.film is not None)
    assert row.outcome == "refer"


def test_a_row_about_an_abnormality_says_so_and_of_which_bone(start: Start, folders: Folders) -> None:
    with History(folders.history) as history:
        fill(history, 1, finding="abnormality", bone="elbow", probabilities={"elbow abnormal": 0.83})
    robot = start(language="fr")
    robot.tap("Historique")
    robot.see("K-0001")
    robot.see(open_catalogue("fr")(headline("refer", "abnormality")))
    robot.see("Os : coude")


def test_the_code_is_looked_for_as_it_is_typed(start: Start, filled: Folders) -> None:
    robot = start()
    screen = open_history(robot)
    robot.type(screen.finds.ids.code, "k-012")
    robot.see("10 screenings")
    assert codes(robot)[0] == "K-0120"
    robot.type(screen.finds.ids.code, "nobody")
    robot.see("No screening like this")
    robot.type(screen.finds.ids.code, "")
    robot.see("130 screenings")


def test_a_screening_is_opened_by_a_tap(start: Start, filled: Folders, opened: list[dict[str, Any]]) -> None:
    robot = start()
    open_history(robot)
    robot.tap("K-0002")
    newest = [entry.id for entry in robot.clinic.history().search(limit=2).entries]
    assert opened == [{"name": "result", "entry_id": newest[1]}]


def test_and_by_the_arrow_keys(start: Start, filled: Folders, opened: list[dict[str, Any]]) -> None:
    robot = start()
    screen = open_history(robot)
    while not screen.finds.listing.is_marked:
        robot.key(TAB)
    for _ in range(9):
        robot.key(DOWN)
    robot.key(UP)
    assert "K-0009" in codes(robot)
    robot.key(ENTER)
    assert opened[0]["entry_id"] == robot.clinic.history().search(offset=8, limit=1).entries[0].id


def test_answers_and_dxa_results_narrow_the_list(start: Start, filled: Folders) -> None:
    robot = start()
    open_history(robot)
    robot.tap("Filter")
    robot.tap(OUTCOME_CHOICES["no_finding"])
    robot.tap("With a DXA result")
    robot.see("1 screening")
    robot.tap("Show them")
    robot.see("K-0002")
    assert codes(robot) == ["K-0002"]
    robot.see("Filter: on")
    robot.tap("Filter: on")
    robot.tap("Show all again")
    robot.see("130 screenings")


def test_days_narrow_the_list_and_a_wrong_one_says_so(start: Start, filled: Folders) -> None:
    robot = start()
    screen = open_history(robot)
    robot.tap("Filter")
    robot.tap("Other days")
    robot.type(screen.narrowing.ids.last.ids.box, "2020-02-30")
    robot.see("Write a day like 2026-03-31")
    robot.type(screen.narrowing.ids.last.ids.box, "2020-02-29")
    robot.see("No screening like this")
    assert not robot.sees("Write a day like 2026-03-31")
    robot.tap("Last 30 days")
    robot.see("130 screenings")


def test_back_leaves_the_filter_first_and_then_the_screen(start: Start, filled: Folders) -> None:
    robot = start()
    screen = open_history(robot)
    robot.tap("Filter")
    robot.key(ESCAPE)
    assert robot.screen is screen
    robot.see("K-0001")
    robot.key(ESCAPE)
    robot.see("New screening")


def test_what_was_deleted_meanwhile_is_gone_when_it_is_shown_again(start: Start, filled: Folders) -> None:
    robot = start()
    open_history(robot)
    robot.screen.hidden()
    robot.clinic.history().delete(robot.clinic.history().search(limit=1).entries[0].id)
    robot.screen.shown()
    robot.see("129 screenings")
    robot.until(lambda: codes(robot)[0] == "K-0002")


def test_what_is_found_is_written_as_a_table(start: Start, filled: Folders) -> None:
    robot = start()
    screen = open_history(robot)
    robot.type(screen.finds.ids.code, "k-012")
    robot.see("10 screenings")
    robot.tap("Table and backup")
    robot.tap("Write the table")
    robot.see("The table was written: ")
    (table,) = filled.exports.glob("*.csv")
    robot.see(str(table))
    with table.open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == 10


def test_a_backup_goes_to_a_stick_and_is_restored_to_an_empty_history(
    start: Start, filled: Folders, tmp_path: Path, opened: list[dict[str, Any]]
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    robot = start()
    open_history(robot)
    robot.tap("Table and backup")
    assert not robot.sees("Choose a backup")
    robot.tap("On a stick or in another folder")
    robot.tap("Back up")
    assert (opened[0]["name"], opened[0]["kind"]) == ("files", "folder")
    opened[0]["on_chosen"](stick)
    robot.see("The backup was written: ")
    (backup,) = stick.iterdir()
    history = robot.clinic.history()
    assert history.purge_older_than(1, datetime.now(timezone.utc) + timedelta(days=1000)) == 130
    robot.key(ESCAPE)
    robot.key(ESCAPE)
    open_history(robot, "No screenings yet")
    robot.tap("Table and backup")
    robot.tap("Choose a backup")
    assert opened[1]["kind"] == "backup"
    opened[1]["on_chosen"](backup)
    robot.see("Restore this backup?")
    robot.tap("Restore")
    robot.see("The backup was restored.")
    robot.key(ESCAPE)
    robot.see("130 screenings")
    robot.see("K-0001")


def test_what_is_no_backup_is_refused_and_the_history_stays(start: Start, folders: Folders, tmp_path: Path) -> None:
    robot = start()
    open_history(robot, "No screenings yet")
    (tmp_path / "holiday.zip").write_bytes(b"photos")
    robot.screen.copying.ask_to_restore(tmp_path / "holiday.zip")
    robot.tap("Restore")
    robot.see("not a backup of a history")
    assert sorted(path.name for path in folders.history.parent.iterdir() if "history" in path.name) == ["history"]


def test_damage_is_told_and_a_backup_brings_the_screenings_back(start: Start, filled: Folders, tmp_path: Path) -> None:
    backup = write_backup(filled.history, tmp_path / "backup.zip").path
    (filled.history / DATABASE).write_bytes(b"not a database any more" * 1000)
    robot = start()
    robot.tap("Later")
    open_history(robot, "The history was damaged.")
    kept = next(filled.history.glob("history.damaged-*.sqlite3"))
    robot.see(kept.name)
    robot.clinic.history().add(next(records(1, code="SINCE THEN")))
    robot.screen.copying.ask_to_restore(backup)
    robot.tap("Restore")
    robot.until(lambda: robot.clinic.history().damage is None)
    robot.see("131 screenings")
    robot.see("SINCE THEN")
    assert not robot.sees("The history was damaged.")
    (old,) = filled.root.glob("history.replaced-*")
    assert (old / kept.name).is_file()


def test_damage_is_told_at_the_start_with_the_way_to_a_backup(start: Start, filled: Folders) -> None:
    (filled.history / DATABASE).write_bytes(b"not a database any more" * 1000)
    robot = start()
    robot.see("The history was damaged")
    robot.tap("Restore a backup")
    robot.see("Choose a backup")
    robot.key(ESCAPE)
    robot.see("No screenings yet")


def test_the_list_keeps_its_place_while_a_screening_is_looked_at(start: Start, filled: Folders) -> None:
    robot = start()
    screen = open_history(robot)
    screen.finds.listing.scroll_y = 0.5
    robot.until(lambda: "K-0065" in codes(robot))
    before = codes(robot)
    robot.tap("K-0065")
    assert robot.shell.name == "result"
    robot.key(ESCAPE)
    robot.see("K-0065")
    robot.until(lambda: codes(robot) == before)


def test_a_backup_can_be_stopped_and_leaves_nothing(
    start: Start, filled: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    from osteo_edge.edge_app.exports import backup

    may_go_on = threading.Event()
    copy = backup._copy_database
    monkeypatch.setattr(backup, "_copy_database", lambda *paths: may_go_on.wait(30) and copy(*paths))
    robot = start()
    open_history(robot)
    robot.tap("Table and backup")
    robot.tap("Back up")
    robot.see("The backup is being written…")
    robot.key(ESCAPE)
    robot.see("Stop?")
    robot.tap("Go on")
    assert robot.screen.copies.is_busy
    robot.tap("Cancel")
    robot.see("Stopped.")
    may_go_on.set()
    robot.until(lambda: not list(filled.exports.iterdir()))


def test_a_full_disk_is_told(start: Start, filled: Folders) -> None:
    robot = start()
    open_history(robot)
    filled.exports.write_text("in the way")
    robot.tap("Table and backup")
    robot.tap("Write the table")
    robot.see("the table cannot be written")
    assert not robot.screen.copies.is_busy


@pytest.mark.slow
@pytest.mark.timed
def test_ten_thousand_scroll_smoothly_by_finger(start: Start, folders: Folders) -> None:
    with History(folders.history) as history:
        fill(history, MANY)
    robot = start()
    screen = open_history(robot)
    listing = screen.finds.listing
    robot.see("10000 screenings")
    robot.until(lambda: all(row.film for row in listing.rows()))
    goes = list[str]()
    while True:
        frames = sorted(fling_about(robot))
        first_seen = listing.in_sight()[0]
        late = sum(frame > 2 * FRAME_S for frame in frames)
        most_s = frames[int(0.95 * len(frames))]
        if most_s < FRAME_S and late <= 0.01 * len(frames) and first_seen > 50:
            break
        goes.append(f"95 % within {most_s * 1000:.0f} ms, {late} of {len(frames)} late, to row {first_seen}")
        assert len(goes) < MOST_GOES, goes
    robot.until(lambda: all(row.is_known for row in listing.rows()))
    listing.scroll_y = 0
    robot.see(f"K-{MANY}")
    listing.scroll_y = 0.5
    robot.see("K-5001")


def fling_about(robot: Robot) -> list[float]:
    """The time of each frame while the list is thrown up six times, and down twice."""
    frames = list[float]()
    for fling in range(8):
        upwards = (400.0, 90.0), (400.0, 420.0)
        frames += fling_once(robot, *(upwards if fling < 6 else reversed(upwards)))
    return frames


def fling_once(robot: Robot, start: tuple[float, float], end: tuple[float, float]) -> list[float]:
    """The time of each frame while a finger throws the list and it runs out."""
    from kivy.base import EventLoop

    from tests.edge_app.ui.robot import Finger

    times = [time.perf_counter()]

    def frame() -> None:
        EventLoop.idle()
        times.append(time.perf_counter())

    finger = Finger(*start).down()
    for step in range(1, 9):
        finger.move(start[0], start[1] + (end[1] - start[1]) * step / 8)
        times.append(time.perf_counter())
    finger.up()
    for _ in range(90):
        frame()
    return [after - before for before, after in pairwise(times)]
