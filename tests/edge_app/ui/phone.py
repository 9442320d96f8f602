"""An app on a phone, as the tests of the window use it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.history.entry import Entry
from tests.edge_app.ui.device import RecordedDevice

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

BACK = 1001
PIN = "7193"
UPRIGHT = (360, 740)


def own_copies(robot: Robot) -> list[Path]:
    folder = robot.clinic.folders.photos
    return sorted(folder.iterdir()) if folder.is_dir() else []


def entries(robot: Robot) -> tuple[Entry, ...]:
    found: tuple[Entry, ...] = robot.clinic.history().search(limit=10).entries
    return found


def choose_picture(robot: Robot, device: RecordedDevice, film: Path = DRAWN_FILM) -> None:
    device.chosen = film
    robot.tap("New screening")
    robot.tap("Choose a picture")
    robot.see("Save")


def ended_and_started(robot: Robot, phone: Callable[..., Robot], **settings: Any) -> Robot:
    """The system puts the app away, ends it without a word, and the user opens it again."""
    robot.app.dispatch("on_pause")
    robot.end()
    return phone(**settings)
