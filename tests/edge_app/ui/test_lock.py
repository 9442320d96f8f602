from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.idle import Idle
from osteo_edge.edge_app.pin import FREE_ATTEMPTS, PinLock, hash_pin

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy

PIN = "7193"
SECRET = "K-1042"
TAB, ENTER, ESCAPE, BACKSPACE, ANDROID_BACK = 9, 13, 27, 8, 1001


@pytest.fixture
def locked(start: Callable[..., Robot]) -> Robot:
    """The app as it starts with a PIN."""
    robot = start(pin=hash_pin(PIN))
    robot.until(lambda: not robot.screen.pad.waiting)
    return robot


@pytest.fixture
def unlocked(locked: Robot) -> Robot:
    """The same after the PIN."""
    locked.shell.unlock()
    locked.frames(3)
    return locked


def enter(robot: Robot, pin: str) -> None:
    for digit in pin:
        robot.key(ord(digit))
    robot.key(ENTER)


def test_with_a_pin_the_app_starts_locked_and_the_pin_opens_it(locked: Robot) -> None:
    assert locked.shell.name == "lock"
    assert not locked.sees("New screening")
    for digit in PIN:
        locked.tap(digit)
    assert locked.sees("\u2022 \u2022 \u2022 \u2022")
    assert not locked.sees(PIN)
    locked.tap("OK")
    locked.see("New screening")
    assert not locked.shell.is_locked


def test_the_pin_can_be_typed(locked: Robot) -> None:
    for key in (55, 55, BACKSPACE, 49, 257 + 8, 51, ENTER):  # 7, 7, erased, 1, 9 of the number pad, 3
        locked.key(key)
    locked.see("New screening")


def test_enter_after_typing_is_the_end_of_the_pin_whatever_is_marked(locked: Robot) -> None:
    locked.key(TAB)
    enter(locked, PIN)
    locked.see("New screening")


def test_enter_taps_the_marked_digits(locked: Robot) -> None:
    locked.key(ord("5"))
    for _ in range(2):
        locked.key(TAB)
        locked.key(ENTER)
        locked.key(ENTER)
    assert len(locked.screen.pad.dots.split()) == 5


def test_a_wrong_pin_is_told_and_forgotten(locked: Robot) -> None:
    enter(locked, "1235")
    locked.see("Wrong PIN")
    assert not locked.sees("\u2022")
    locked.tap("7")
    assert locked.sees("\u2022")
    assert not locked.sees("Wrong PIN")
    locked.tap("Erase")
    locked.tap("OK")
    assert locked.shell.is_locked


def test_after_three_wrong_ones_one_has_to_wait(locked: Robot) -> None:
    known = locked.clinic.settings.pin
    assert known is not None
    for _ in range(FREE_ATTEMPTS - 1):
        locked.clinic.pin_lock.check("1235", known)
    enter(locked, "1235")
    locked.see("Wrong too often. Wait ")
    enter(locked, PIN)
    assert locked.shell.is_locked
    assert not locked.sees("\u2022")


def test_a_restart_does_not_shorten_the_wait(start: Callable[..., Robot], folders: Folders) -> None:
    known, before = hash_pin(PIN), PinLock(folders.pin_attempts)
    for _ in range(FREE_ATTEMPTS):
        before.check("1235", known)
    robot = start(pin=known)
    robot.see("Wrong too often. Wait ")
    robot.clinic.__dict__["pin_lock"] = PinLock(
        folders.pin_attempts, now=lambda: time.time() + 60, monotonic=lambda: time.monotonic() + 60
    )
    robot.screen.pad.wait(0.05)
    robot.until(lambda: not robot.screen.pad.waiting)
    assert not robot.sees("Wait")
    enter(robot, PIN)
    robot.see("New screening")


@pytest.mark.parametrize("key", [ESCAPE, ANDROID_BACK])
def test_back_does_not_open_it(locked: Robot, key: int) -> None:
    locked.key(key)
    assert locked.shell.is_locked
    locked.see("Enter the PIN")


def test_the_keys_reach_nothing_beneath(locked: Robot) -> None:
    reached = set()
    for _ in range(30):
        locked.key(TAB)
        reached |= {widget.text for widget in locked.widgets() if getattr(widget, "is_marked", False)}
    assert reached == {*"0123456789", "Erase", "OK", "PIN forgotten?"}


def test_nothing_of_what_goes_on_beneath_is_seen(unlocked: Robot) -> None:
    shell = unlocked.shell
    shell.lock()
    acts: list[Callable[[], object]] = [
        lambda: shell.go("help"),
        lambda: shell.replace("model"),
        lambda: shell.close(shell._top),
        lambda: shell.go("help"),
        shell.home,
        shell.back,
        shell.rebuild,
        lambda: shell.tell(f"{SECRET} is deleted", lasts=True),
        lambda: shell.ask(f"Delete {SECRET}?", "For good", "Delete", lambda: None),
    ]
    for act in acts:
        act()
        unlocked.frames(2)
        assert shell.name == "lock"
        assert {text for text in unlocked.texts() if not text.isdigit()} <= {
            "Demonstration: must not be used on patients",
            "Locked",
            "Enter the PIN",
            " ",
            "Erase",
            "OK",
            "PIN forgotten?",
        }
    unlocked.touch(400, 20)
    shell.unlock()
    unlocked.frames(3)
    unlocked.see(f"Delete {SECRET}?")
    unlocked.tap("Cancel")
    unlocked.see(f"{SECRET} is deleted")


def test_what_was_being_typed_is_there_again_and_the_pin_does_not_go_into_it(unlocked: Robot) -> None:
    settings = unlocked.shell.go("settings")
    unlocked.frames(3)
    box = settings.ids.institution.ids.box
    unlocked.type(box, "Clinique")
    assert box.focus
    unlocked.shell.ask("A question", "with words", "Yes", lambda: None)
    unlocked.shell.lock()
    unlocked.frames(3)
    assert not box.focus
    assert not unlocked.sees("A question")
    unlocked.until(lambda: not unlocked.screen.pad.waiting)
    for digit in PIN:
        unlocked.key(ord(digit))
    unlocked.key(ENTER)
    unlocked.see("A question")
    unlocked.key(ESCAPE)
    unlocked.see("Clinique")
    assert unlocked.shell.screen is settings
    assert box.text == "Clinique"


def test_it_locks_itself_when_nobody_touches_it(unlocked: Robot) -> None:
    now = [0.0]
    unlocked.app.idle = Idle(clock=lambda: now[0])
    now[0] = 299
    unlocked.touch(400, 3)
    now[0] += 299
    unlocked.app._lock_if_idle(0)
    assert not unlocked.shell.is_locked
    unlocked.key(TAB)
    now[0] += 299
    unlocked.app._lock_if_idle(0)
    assert not unlocked.shell.is_locked
    now[0] += 1
    unlocked.until(lambda: unlocked.shell.is_locked)
    unlocked.see("Locked")


def test_home_locks_at_a_tap_once_there_is_a_pin(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.see("New screening")
    assert not robot.sees("Lock")
    robot.shell.go("lock")
    assert not robot.shell.is_locked
    robot.clinic.change(pin=hash_pin(PIN))
    robot.shell.go("help")
    robot.shell.back()
    robot.frames(2)
    robot.tap("Lock")
    robot.see("Enter the PIN")


def test_what_to_do_about_a_forgotten_pin_is_told_where_it_is_asked_for(locked: Robot) -> None:
    assert not locked.sees("settings.json")
    locked.tap("PIN forgotten?")
    advice, title = locked.see("settings.json"), locked.see("Locked")
    page = locked.screen.ids.page
    assert page.y <= advice.to_window(*advice.pos)[1]
    assert title.to_window(title.x, title.top)[1] <= page.top
    assert locked.shell.is_locked
