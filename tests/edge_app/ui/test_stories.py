"""Whole stories of a clinic, from the first start on, in a window."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from osteo_edge.audit_log import read_events, verify_log
from osteo_edge.edge_app.demo_mark import MARK
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.edge_app.history.store import History
from osteo_edge.edge_app.virtual_display import virtual_display
from osteo_edge.wording import HEADLINES

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy

REPOSITORY = Path(__file__).resolve().parents[3]
SIZE = (800, 480)
LONG_S = 60.0
SAVER = """
import sys
from pathlib import Path
from osteo_edge.edge_app.window_start import prepare_kivy
from osteo_edge.edge_app.folders import Folders
folders = Folders(Path(sys.argv[1]))
prepare_kivy(folders, size=(800, 480))
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.history.entry import Patient
from tests.edge_app.ui.robot import Robot
robot = Robot(Clinic(folders), (800, 480))
robot.see("New screening")
for number in range(int(sys.argv[3])):
    screen = robot.shell.go("result", film=Path(sys.argv[2]), patient=Patient(code=f"{sys.argv[4]}-{number}"))
    robot.tap("Save")
    robot.see("Saved on this device.")
    print(screen.answer.entry.id, flush=True)
    robot.shell.close(screen)
robot.close()
"""


@pytest.fixture
def home(home: Path) -> Path:
    """A home folder of its own, with one film in it."""
    shutil.copy(DRAWN_FILM, home / "knee.jpg")
    return home


def save_films(folders: Folders, count: int, prefix: str) -> subprocess.Popen[str]:
    """The app in a process of its own, in which somebody saves films; it prints the ids of those shown as saved."""
    arguments = [str(folders.root), str(DRAWN_FILM), str(count), prefix]
    return subprocess.Popen(
        [sys.executable, "-c", SAVER, *arguments], cwd=REPOSITORY, text=True, stdout=subprocess.PIPE
    )


def saved_ids(folders: Folders) -> set[str]:
    with History(folders.history) as history:
        return {entry.id for entry in history.entries()}


def recorded_ids(folders: Folders) -> set[str]:
    """The screenings whose saving is on record; the record is whole."""
    assert verify_log(folders.audit).findings == ()
    return {event.about["entry"] for event in read_events(folders.audit) if event.what == "saved"}


def test_from_the_first_start_to_a_report_and_the_dxa_result(
    start: Callable[..., Robot], folders: Folders, home: Path
) -> None:
    robot = start(SIZE)
    robot.see(MARK)
    robot.tap("New screening")
    robot.type(robot.screen.ids.code.ids.box, "K-17")
    robot.tap("Choose a film")
    robot.tap("This device")
    robot.tap("knee.jpg")
    robot.see(HEADLINES["refer"])
    robot.see("Calibrated probability that the model gives")
    robot.tap("Save")
    robot.see("Saved on this device.")
    robot.tap("‹ Back")
    robot.tap("‹ Back")
    robot.tap("History")
    robot.tap("K-17")
    robot.see(HEADLINES["refer"])
    robot.tap("Report (PDF)")
    robot.tap("Keep it on this device")
    robot.until(lambda: list(folders.exports.glob("*.pdf")))
    (report,) = folders.exports.glob("*.pdf")
    assert report.read_bytes().startswith(b"%PDF-")
    robot.close()
    again = start(SIZE)
    again.tap("History")
    again.see("K-17")


def test_a_picture_of_a_cat_gets_no_number(start: Callable[..., Robot], home: Path) -> None:
    (home / "knee.jpg").unlink()
    colours = np.random.default_rng(7).integers(0, 255, (12, 9, 3), np.uint8)
    cv2.imwrite(str(home / "cat.jpg"), cv2.resize(colours, (600, 800), interpolation=cv2.INTER_CUBIC))
    robot = start(SIZE)
    robot.tap("New screening")
    robot.tap("Choose a film")
    robot.tap("This device")
    robot.tap("cat.jpg")
    robot.see(HEADLINES["rejected"])
    robot.see("a colour picture, not a radiograph")
    assert not robot.sees("Calibrated probability")


def test_nothing_asks_for_a_network(start: Callable[..., Robot], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[Any]()

    def refuse(*arguments: Any, **_: Any) -> None:
        asked.append(arguments)
        raise OSError("no network")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    robot = start(SIZE)
    for screen in ("Model", "Settings", "Help", "Follow-up", "History"):
        robot.tap(screen)
        robot.frames(20)
        robot.tap("‹ Back")
    screen = robot.shell.go("result", film=DRAWN_FILM)
    robot.until(lambda: screen.is_drawn)
    robot.tap("Save")
    robot.see("Saved on this device.")
    assert asked == []


def test_the_language_changes_at_once_and_stays(start: Callable[..., Robot]) -> None:
    robot = start(SIZE)
    robot.tap("Settings")
    robot.tap("Français")
    robot.until(lambda: not robot.sees("Settings"))
    robot.tap(robot.screen.children[-1].children[-1])
    robot.until(lambda: robot.shell.name == "home")
    assert not robot.sees("New screening")
    assert not robot.sees(MARK)
    in_french = robot.texts()
    robot.close()
    again = start(SIZE)
    again.until(lambda: again.shell.model)
    again.frames(3)
    assert again.texts() == in_french


@pytest.mark.slow
def test_what_was_shown_as_saved_is_there_after_kill_9(start: Callable[..., Robot], folders: Folders) -> None:
    shown = set[str]()
    chance = random.Random(7)
    for run in range(6):
        with save_films(folders, 1000, f"run{run}") as process:
            assert process.stdout is not None
            shown.add(process.stdout.readline().strip())
            time.sleep(chance.uniform(0, 0.8))
            process.send_signal(signal.SIGKILL)
            shown |= {line.strip() for line in process.stdout if len(line) == 33}
        assert recorded_ids(folders) >= saved_ids(folders) >= shown
    robot = start(SIZE)
    robot.tap("History")
    robot.see("run5-0")
    assert robot.clinic.history().damage is None
    assert not list(folders.root.rglob("*.partial"))


@pytest.mark.slow
def test_two_windows_save_at_once_and_nothing_is_lost(display: str, folders: Folders) -> None:
    both = [save_films(folders, 8, name) for name in ("first", "second")]
    shown = {line.strip() for process in both for line in process.communicate(timeout=120)[0].splitlines()}
    assert [process.returncode for process in both] == [0, 0]
    assert len(shown) == 16
    assert recorded_ids(folders) == saved_ids(folders) == shown
    assert not list(folders.window.iterdir())  # the toolkit makes no file of its own, which two would make at once


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes, where this machine lets us have one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_on_a_full_disk_the_user_is_told_and_can_save_once_there_is_space(display: str, small_disk: Path) -> None:
    from osteo_edge.edge_app.clinic import Clinic
    from tests.edge_app.ui.robot import Robot

    folders = Folders(small_disk / "clinic")
    robot = Robot(Clinic(folders), SIZE)
    robot.see("Model: ")
    robot.tap("History")
    robot.see("No screenings yet")
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        file.write(bytes(shutil.disk_usage(small_disk).free - 4096))
    screen = robot.shell.go("result", film=DRAWN_FILM)
    robot.tap("Save")
    robot.see("free some space on the disk and try again")
    assert not robot.sees("Saved on this device.")
    filler.unlink()
    robot.tap("Save")
    robot.see("Saved on this device.")
    assert saved_ids(folders) == {screen.answer.entry.id}
    robot.close()


def test_a_damaged_database_is_kept_aside_and_the_next_screening_is_saved(
    start: Callable[..., Robot], folders: Folders
) -> None:
    folders.history.mkdir(parents=True)
    (folders.history / DATABASE).write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40)
    robot = start(SIZE)
    robot.see("The history was damaged")
    robot.tap("Later")
    kept = [path.name for path in folders.history.glob("history.damaged-*")]
    assert len(kept) == 1
    screen = robot.shell.go("result", film=DRAWN_FILM)
    robot.tap("Save")
    robot.see("Saved on this device.")
    assert saved_ids(folders) == {screen.answer.entry.id}


def test_touches_and_keys_of_the_x_server_reach_the_form(start: Callable[..., Robot], folders: Folders) -> None:
    """The app as a user starts it, with a pointer and a keyboard of the display's own; where to tap, a robot knows."""
    if shutil.which("xdotool") is None or shutil.which("xwininfo") is None:
        pytest.skip("no xdotool: make display")
    robot = start(SIZE)
    new = centre(robot.see("New screening"))
    robot.tap("New screening")
    code = centre(robot.screen.ids.code.ids.box)
    robot.close()
    with virtual_display() as environment:
        around = os.environ | environment
        command = [sys.executable, "-m", "osteo_edge", "app", "--data", str(folders.root), "--size", "800x480"]
        with subprocess.Popen(command, env=around) as process:
            corner = wait_for(lambda: window_corner(around))
            time.sleep(1.0)
            for x, y in (new, code):
                place = [str(round(corner[0] + x)), str(round(corner[1] + SIZE[1] - y))]
                xdotool(around, "mousemove", *place, "sleep", "0.2", "click", "1", "sleep", "0.5")
            xdotool(around, "type", "--delay", "60", "K-99")
            try:
                wait_for(lambda: [draft.fields["code"] for draft in drafts(folders)] == ["K-99"])
            finally:
                process.terminate()
        assert process.returncode == 0


def centre(widget: Any) -> tuple[float, float]:
    x, y = widget.to_window(*widget.center)
    return float(x), float(y)


def drafts(folders: Folders) -> tuple[Any, ...]:
    if not (folders.history / DATABASE).exists():
        return ()
    with History(folders.history) as history:
        return history.drafts()


def window_corner(environment: dict[str, str]) -> tuple[int, int] | None:
    """The upper left corner of the app's window on its display, once it is there."""
    found = subprocess.run(
        ["xwininfo", "-name", "osteo-edge"], env=environment, capture_output=True, text=True, check=False
    )
    values = [int(line.split(":")[1]) for line in found.stdout.splitlines() if "Absolute upper-left" in line]
    return (values[0], values[1]) if len(values) == 2 else None


def xdotool(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run(["xdotool", *arguments], env=environment, check=True, timeout=LONG_S)


def wait_for(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + LONG_S
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return found
