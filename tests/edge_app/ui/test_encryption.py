from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from osteo_edge.edge_app import access
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history import encrypted, exchange, vault
from osteo_edge.edge_app.history.encrypting import encrypt_history
from osteo_edge.edge_app.history.store import History
from osteo_edge.edge_app.history.vault import NOT_INSTALLED, read_vault
from osteo_edge.edge_app.pin import FREE_ATTEMPTS, TOO_SHORT_TO_ENCRYPT, hash_pin
from tests.edge_app.history.made import make_record

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy

PIN, OTHER = "719305", "80246135"
SECRET = b"K-1042"
ENTER = 13
SMALL = (640, 320)


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs is tested elsewhere."""
    monkeypatch.setattr(vault, "PIN_COST", vault.CODE_COST)


@pytest.fixture
def code(folders: Folders) -> str:
    """The recovery code of an encrypted history with one screening."""
    save_one(folders)
    return encrypt_history(folders.history, PIN)[1]


@pytest.fixture
def locked(code: str, start: Callable[..., Robot]) -> Robot:
    """The app as it starts on it."""
    robot = start(SMALL)
    robot.until(lambda: not robot.screen.pad.waiting)
    return robot


def save_one(folders: Folders) -> None:
    with History(folders.history) as history:
        history.add(make_record(b"a film of nobody", code=SECRET.decode()))


def enter(robot: Robot, pin: str) -> None:
    robot.until(lambda: not robot.screen.pad.waiting)
    for digit in pin:
        robot.key(ord(digit))
    robot.key(ENTER)


def in_settings(robot: Robot) -> Robot:
    robot.shell.go("settings")
    robot.frames(3)
    return robot


def files_with(folders: Folders, marker: bytes) -> list[str]:
    return [path.name for path in folders.root.rglob("*") if path.is_file() and marker in path.read_bytes()]


def test_what_is_saved_is_encrypted_and_the_code_is_shown_once(start: Callable[..., Robot], folders: Folders) -> None:
    save_one(folders)
    robot = in_settings(start(pin=hash_pin("7193")))
    robot.shell.unlock()
    assert files_with(folders, SECRET)
    robot.tap("Encrypt what is saved")
    enter(robot, "7193")
    robot.see("A new PIN of 6 to 12 digits")
    enter(robot, "7193")
    robot.see(TOO_SHORT_TO_ENCRYPT)
    enter(robot, PIN)
    enter(robot, PIN)
    robot.see("Recovery code")
    code = robot.screen.groups
    robot.see(code)
    robot.shell.back()
    assert robot.shell.name == "recovery_code"
    robot.tap("I have written it down")
    robot.see("What is saved is encrypted.")
    assert files_with(folders, SECRET) == files_with(folders, code.replace("  ", "-").encode()) == []
    assert read_vault(folders.history).open_with_code(code) == robot.clinic.access.keys
    assert robot.clinic.settings.pin is None
    assert robot.clinic.history().count() == 1
    robot.shell.home()
    assert robot.shell.name == "home"


def test_what_the_disk_did_not_confirm_is_told_beside_the_code(
    start: Callable[..., Robot], folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(which: Path) -> None:
        if list(which.glob("history.replaced-*")):
            raise OSError(errno.EIO, "Input/output error")

    save_one(folders)
    robot = in_settings(start(pin=hash_pin("7193")))
    robot.shell.unlock()
    robot.tap("Encrypt what is saved")
    enter(robot, "7193")
    robot.see("A new PIN of 6 to 12 digits")
    monkeypatch.setattr(exchange, "sync_folder", failing)
    enter(robot, PIN)
    enter(robot, PIN)
    robot.see("Recovery code")
    robot.see("the disk did not confirm it")
    assert read_vault(folders.history).open_with_code(robot.screen.groups) is not None


def test_it_starts_shut_and_the_pin_opens_it_and_the_lock_shuts_it(locked: Robot) -> None:
    access = locked.clinic.access
    assert access.is_shut
    assert not locked.sees("Demonstration: K")
    enter(locked, "719306")
    locked.see("Wrong PIN")
    enter(locked, PIN)
    locked.see("New screening")
    assert locked.clinic.history().count() == 1
    locked.shell.go("history")
    locked.see(SECRET.decode())
    locked.shell.lock()
    locked.until(lambda: access.is_shut)
    assert not locked.sees(SECRET.decode())
    enter(locked, PIN)
    locked.see(SECRET.decode())


def test_what_can_still_be_brought_back_keeps_the_history_open(locked: Robot) -> None:
    enter(locked, PIN)
    locked.see("New screening")
    undone = list[int]()
    locked.shell.offer_undo("The screening was deleted.", lambda: undone.append(1))
    locked.shell.lock()
    locked.until(lambda: not locked.app.jobs.saving)
    assert not locked.clinic.access.is_shut
    locked.shell.unlock()
    locked.tap("Undo")
    assert undone


def test_wrong_pins_have_to_wait(locked: Robot) -> None:
    for _ in range(FREE_ATTEMPTS):
        enter(locked, "719306")
    locked.see("Wrong too often. Wait ")
    enter_at_once(locked, PIN)
    assert locked.clinic.access.is_shut


def enter_at_once(robot: Robot, pin: str) -> None:
    for digit in pin:
        robot.key(ord(digit))
    robot.key(ENTER)
    robot.frames(3)


def test_who_forgot_the_pin_opens_it_by_the_code_and_chooses_another(locked: Robot, code: str) -> None:
    locked.tap("PIN forgotten?")
    locked.see("What is saved is encrypted. The recovery code")
    box = locked.screen.ids.code.ids.box
    locked.type(box, code[:-1].lower())
    locked.tap("Open")
    locked.see("A recovery code has 28 letters and digits")
    other = vault.new_vault(PIN)[2]
    locked.type(box, other)
    locked.tap("Open")
    locked.see("This is not the recovery code of this device")
    assert locked.clinic.access.is_shut
    locked.type(box, code.lower().replace("-", " "))
    locked.tap("Open")
    locked.see("A new PIN of 6 to 12 digits")
    enter(locked, OTHER)
    enter(locked, OTHER)
    locked.see("The PIN is set.")
    locked.shell.lock()
    locked.until(lambda: locked.clinic.access.is_shut)
    enter(locked, OTHER)
    locked.see("New screening")
    assert locked.clinic.history().count() == 1


def test_another_pin_and_another_code_take_the_place_of_those_before(
    locked: Robot, code: str, folders: Folders
) -> None:
    enter(locked, PIN)
    locked.see("New screening")
    keys = locked.clinic.access.keys
    in_settings(locked).tap("Change the PIN")
    enter(locked, PIN)
    locked.see("A new PIN of 6 to 12 digits")
    enter(locked, OTHER)
    enter(locked, OTHER)
    locked.see("The PIN is set.")
    locked.tap("New recovery code")
    enter(locked, OTHER)
    locked.see("I have written it down")
    now = read_vault(folders.history)
    assert now.open_with_pin(PIN) is None
    assert now.open_with_pin(OTHER) == keys
    assert now.open_with_code(code) is None
    assert now.open_with_code(locked.screen.groups) == keys


def test_without_the_pin_nothing_is_encrypted_any_more(locked: Robot, folders: Folders) -> None:
    enter(locked, PIN)
    locked.see("New screening")
    in_settings(locked).tap("Remove the PIN")
    locked.see("Without a PIN nothing is encrypted")
    enter(locked, PIN)
    locked.see("What is saved is not encrypted any more. The PIN is removed.")
    locked.see("No PIN is set")
    assert not locked.clinic.access.has_pin
    assert locked.clinic.history().count() == 1
    assert files_with(folders, SECRET)


def test_encrypting_that_is_stopped_leaves_all_as_it_was(
    start: Callable[..., Robot], folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_one(folders)
    robot = in_settings(start())
    robot.tap("Encrypt what is saved")
    original = access.Access.encrypt

    def stopped(self: access.Access, pin: str, **tell: Any) -> str:
        robot.app.jobs.cancel("pin")
        return original(self, pin, **tell)

    monkeypatch.setattr(access.Access, "encrypt", stopped)
    enter(robot, PIN)
    enter(robot, PIN)
    robot.until(lambda: robot.screen.is_busy)
    robot.until(lambda: not robot.app.jobs._wanted)
    robot.shell.back()
    robot.see("No PIN is set")
    assert not robot.clinic.access.is_encrypted
    assert robot.clinic.history().count() == 1


def test_without_the_packages_it_is_not_offered_and_an_encrypted_history_says_what_to_install(
    locked: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encrypted, "NEEDED", ("cryptography", "no_such_package"))
    enter(locked, PIN)
    locked.see(NOT_INSTALLED)
    assert locked.shell.is_locked
    locked.shell.unlock()
    in_settings(locked)
    locked.see("What is saved is encrypted.")


def test_settings_say_which_packages_are_missing(start: Callable[..., Robot], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encrypted, "NEEDED", ("cryptography", "no_such_package"))
    robot = in_settings(start())
    robot.see("the packages cryptography and sqlcipher3 must be installed")
    assert not robot.sees("Encrypt what is saved")
