"""The screen of an answer, as the tests of it use it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.history.entry import Patient

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot


PATIENT = Patient("K-17", 67, "female", 52.5)


def answered(robot: Robot, **arguments: Any) -> Any:
    """Open the answer of the drawn film, and wait until it is there."""
    screen = robot.shell.go("result", **{"film": DRAWN_FILM, "patient": PATIENT} | arguments)
    robot.until(lambda: screen.is_drawn)
    return screen


def saved(robot: Robot, **arguments: Any) -> Any:
    """Open an answer and save it."""
    screen = answered(robot, **arguments)
    robot.tap("Save")
    robot.see("Saved on this device.")
    return screen


def held(monkeypatch: pytest.MonkeyPatch, name: str) -> threading.Event:
    """Have a method of the clinic wait until the event is set."""
    original, go_on = getattr(Clinic, name), threading.Event()

    def wait(*args: Any, **kwargs: Any) -> Any:
        go_on.wait(20)
        return original(*args, **kwargs)

    monkeypatch.setattr(Clinic, name, wait)
    return go_on
