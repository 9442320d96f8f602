"""The window is closed: what would be lost by it is asked about first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

import pytest

from osteo_edge.edge_app.pin import hash_pin
from tests.edge_app.ui.answers import answered

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy
TAB, ENTER = 9, 13


def asks(robot: Robot) -> bool:
    """Whether the window's close button asks, or closes it."""
    from kivy.core.window import Window

    is_kept = bool(Window.dispatch("on_request_close"))
    robot.frames(3)
    return is_kept


def test_closing_asks_before_an_answer_is_lost(start: Callable[..., Robot], monkeypatch: pytest.MonkeyPatch) -> None:
    robot = start()
    stopped = list[str]()
    monkeypatch.setattr(robot.app, "stop", lambda: stopped.append("stopped"))
    assert not asks(robot)
    answered(robot)
    robot.shell.go("help")
    assert asks(robot)
    robot.see("Leave without saving?")
    robot.tap("Stay")
    robot.see("About this program")
    assert asks(robot)
    robot.tap("Leave")
    assert stopped == ["stopped"]


def test_the_second_time_it_closes(start: Callable[..., Robot]) -> None:
    robot = start()
    answered(robot)
    assert asks(robot)
    assert not asks(robot)


def test_nothing_is_asked_of_a_saved_answer_but_of_what_is_typed_to_it(start: Callable[..., Robot]) -> None:
    robot = start()
    screen = answered(robot)
    robot.tap("Save")
    robot.see("Saved on this device.")
    assert not asks(robot)
    robot.tap("Note")
    screen.panel.opened.ids.note.text = "fell on the stairs"
    assert asks(robot)
    robot.see("Leave without saving what you typed?")


def test_it_asks_over_the_lock_and_the_keys_answer(start: Callable[..., Robot]) -> None:
    robot = start(pin=hash_pin("7193"))
    robot.shell.unlock()
    answered(robot)
    robot.shell.lock()
    assert asks(robot)
    robot.see("Leave without saving?")
    robot.key(TAB)
    robot.key(ENTER)
    robot.see("Enter the PIN")
    assert robot.shell.is_locked


@pytest.mark.parametrize(("number", "ends_with"), [(signal.SIGTERM, None), (signal.SIGINT, KeyboardInterrupt)])
def test_a_signal_closes_at_the_next_turn_and_not_where_a_lock_is_held(
    number: signal.Signals, ends_with: type[BaseException] | None, start: Callable[..., Robot]
) -> None:
    from kivy.clock import Clock

    from osteo_edge.edge_app.ui.window import closed_by_signals

    start()
    app, before, seen = Closing(), signal.getsignal(number), []
    with nullcontext() if ends_with is None else pytest.raises(ends_with), closed_by_signals(app):
        with app.lock:
            signal.raise_signal(number)
        seen.append(app.is_stopped)
        Clock.tick()
        seen.append(app.is_stopped)
    assert seen == [False, True]
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_does_not_wait_for_the_window(start: Callable[..., Robot]) -> None:
    from osteo_edge.edge_app.ui.window import closed_by_signals

    start()
    app = Closing()
    with suppress(KeyboardInterrupt), closed_by_signals(app):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert not app.is_stopped


class Closing:
    """An app that needs a lock to close; where it is held by the same thread it would wait for ever."""

    def __init__(self) -> None:
        self.lock, self.is_stopped = threading.Lock(), False

    def stop(self) -> None:
        assert self.lock.acquire(blocking=False)
        self.is_stopped = True
