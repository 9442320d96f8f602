"""A story in the window, as the record tells it: in its order, and without a word on the patient."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from osteo_edge import audit_log
from osteo_edge.audit_log import read_events
from osteo_edge.edge_app.audit_trail import NO_PIN, WITH_PIN, WITHOUT_PIN
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.pin import hash_pin
from osteo_edge.errors import OsteoEdgeError
from tests.edge_app.ui.answers import answered

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy

ENTER = 13
PIN = "7193"
CODE, AGE, NOTE, FILM, INSTITUTION = "MARKER-CODE", "97", "marker-note of her knee", "marker-film.jpg", "Marker Clinic"


def refuse(*_: object) -> None:
    raise OsteoEdgeError("/data: the audit log cannot be written (No space left on device); free some space")


def enter(robot: Robot, pin: str) -> None:
    robot.until(lambda: not robot.screen.pad.waiting)
    for digit in pin:
        robot.key(ord(digit))
    robot.key(ENTER)


def screen_save_and_write(robot: Robot, folders: Folders) -> None:
    """Screen the film, save it, and do with it what can be done; in the end it is there."""
    robot.tap("New screening")
    robot.type(robot.screen.ids.code.ids.box, CODE)
    robot.type(robot.screen.ids.age.ids.box, AGE)
    for text in ("Choose a film", "This device", FILM, "Save"):
        robot.tap(text)
    robot.see("Saved on this device.")
    robot.tap("Note")
    robot.type(robot.screen.panel.opened.ids.note.ids.box, NOTE)
    robot.tap("Save the note")
    robot.see(f"Note: {NOTE}")
    robot.tap("DXA result")
    robot.type(robot.screen.panel.opened.ids.t_score.ids.box, "-2,6")
    robot.tap("Save the result")
    robot.see("DXA result, entered by the clinic")
    robot.tap("Report (PDF)")
    robot.tap("Keep it on this device")
    robot.until(lambda: list(folders.exports.glob("*.pdf")))
    robot.screen.delete()
    robot.tap("Undo")
    robot.see("The screening is back.")


def set_pin_and_lock(robot: Robot) -> None:
    robot.shell.home()
    robot.shell.go("settings")
    robot.frames(3)
    robot.tap("Set a PIN")
    enter(robot, PIN)
    enter(robot, PIN)
    robot.see("The PIN is set.")
    robot.shell.home()
    robot.frames(2)
    robot.tap("Lock")
    enter(robot, "1235")
    robot.see("Wrong PIN")
    enter(robot, PIN)
    robot.see("New screening")


def test_all_that_is_done_is_on_record_and_nothing_of_the_patient(
    start: Callable[..., Robot], folders: Folders, home: Path
) -> None:
    pytest.importorskip("fpdf")
    shutil.copy(DRAWN_FILM, home / FILM)
    robot = start()
    robot.see("Model: ")
    robot.clinic.change(institution=INSTITUTION, watched_folder=str(home))
    screen_save_and_write(robot, folders)
    set_pin_and_lock(robot)
    robot.close()
    assert [(event.what, event.who) for event in read_events(folders.audit)] == [
        ("started", NO_PIN),
        ("settings changed", NO_PIN),
        ("screened", NO_PIN),
        ("saved", NO_PIN),
        ("noted", NO_PIN),
        ("DXA result entered", NO_PIN),
        ("exported", NO_PIN),
        ("deleted", NO_PIN),
        ("deletion undone", NO_PIN),
        ("PIN set", NO_PIN),
        ("locked", WITH_PIN),
        ("wrong PIN", WITHOUT_PIN),
        ("unlocked", WITH_PIN),
        ("ended", WITH_PIN),
    ]
    record = b"".join(path.read_bytes() for path in folders.audit.iterdir()).lower()
    for marker in (CODE, "marker", f": {AGE},", f":{AGE},", "-2.6", PIN, str(home)):
        assert marker.lower().encode() not in record


def test_without_a_record_there_is_no_answer_and_what_was_typed_stays(
    start: Callable[..., Robot], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(DRAWN_FILM, home / FILM)

    robot = start()
    robot.see("Model: ")
    robot.until(lambda: not robot.app.jobs.saving)
    robot.tap("New screening")
    robot.type(robot.screen.ids.code.ids.box, CODE)
    with monkeypatch.context() as disk:
        disk.setattr(audit_log, "append_durably", refuse)
        for text in ("Choose a film", "This device", FILM):
            robot.tap(text)
        robot.see("the audit log cannot be written")
        assert not robot.sees("Calibrated probability")
        robot.tap("Choose another film")
        assert robot.screen.ids.code.text == CODE
    screen = answered(robot)
    with monkeypatch.context() as disk:
        disk.setattr(audit_log, "append_durably", refuse)
        robot.tap("Save")
        robot.see("the audit log cannot be written")
        assert not screen.is_saved
        assert robot.clinic.history().count() == 0
    robot.tap("Save")
    robot.see("Saved on this device.")


def test_a_full_disk_locks_nobody_out(start: Callable[..., Robot], monkeypatch: pytest.MonkeyPatch) -> None:
    robot = start(pin=hash_pin(PIN))
    with monkeypatch.context() as disk:
        disk.setattr(audit_log, "append_durably", refuse)
        enter(robot, PIN)
        robot.see("New screening")
        robot.see("the audit log cannot be written")
