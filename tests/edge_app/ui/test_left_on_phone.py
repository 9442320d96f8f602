"""An app on a phone that is put away, ended by the system, and opened again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.pin import PinHash, hash_pin
from tests.edge_app.ui.device import RecordedDevice
from tests.edge_app.ui.new_screening import fill
from tests.edge_app.ui.phone import BACK, PIN, choose_picture, ended_and_started, entries, own_copies

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy


# Back, away, and back again


def test_back_at_home_puts_the_app_away_and_ends_nothing(
    phone: Callable[..., Robot], monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = phone()
    paused = []
    monkeypatch.setattr(robot.app, "pause", lambda *_: paused.append(True))
    robot.tap("History")
    robot.key(BACK)
    assert (robot.shell.name, paused) == ("home", [])
    robot.key(BACK)
    assert (robot.shell.name, paused) == ("home", [True])


def test_what_is_typed_when_the_app_is_put_away_is_there_when_it_was_ended(
    phone: Callable[..., Robot], device: RecordedDevice
) -> None:
    robot = phone()
    robot.tap("New screening")
    fill(robot, code="K-77", age="70")
    robot = ended_and_started(robot, phone)
    assert robot.shell.name == "new_screening"
    assert (robot.screen.ids.code.text, robot.screen.ids.age.text) == ("K-77", "70")
    assert not robot.clinic.folders.left_off.exists()
    device.chosen = DRAWN_FILM
    robot.tap("Choose a picture")
    robot.see("Patient code: K-77")
    robot.tap("Save")
    robot.see("Saved on this device.")
    assert robot.clinic.history().drafts() == ()


def test_an_answer_that_was_not_saved_is_there_again_for_the_same_patient(
    phone: Callable[..., Robot], device: RecordedDevice
) -> None:
    robot = phone()
    robot.tap("New screening")
    fill(robot, code="K-5")
    device.chosen = DRAWN_FILM
    robot.tap("Choose a picture")
    robot.see("Save")
    before = robot.screen.answer.entry
    robot = ended_and_started(robot, phone)
    assert robot.shell.name == "result"
    robot.see("Patient code: K-5")
    after = robot.screen.answer.entry
    assert (after.score, after.image_sha256, after.patient) == (before.score, before.image_sha256, before.patient)
    robot.tap("Save")
    robot.see("Saved on this device.")
    robot.key(BACK)
    assert robot.shell.name == "new_screening"
    assert not robot.screen.has_text
    robot.until(lambda: not own_copies(robot))


def test_an_answer_that_was_being_saved_when_the_app_was_ended_is_saved_once(
    phone: Callable[..., Robot], device: RecordedDevice
) -> None:
    robot = phone()
    choose_picture(robot, device)
    robot.screen.save()
    robot = ended_and_started(robot, phone)
    robot.see("Saved on this device.")
    assert "Save" not in robot.texts()
    assert len(entries(robot)) == 1
    robot.until(lambda: not own_copies(robot))


def test_a_patient_is_behind_the_lock_also_after_the_app_was_ended(
    phone: Callable[..., Robot], device: RecordedDevice
) -> None:
    robot = phone(pin=hash_pin(PIN))
    robot.shell.unlock()
    robot.tap("New screening")
    fill(robot, code="K-77")
    robot = ended_and_started(robot, phone)
    assert robot.shell.is_locked
    assert device.is_secret is True
    robot.frames(3)
    assert not robot.sees("K-77")
    robot.shell.unlock()
    robot.see("K-77")


def test_a_photo_whose_corners_were_being_put_right_is_there_again(
    phone: Callable[..., Robot], device: RecordedDevice, light_box: Path
) -> None:
    robot = phone()
    device.chosen = light_box
    robot.tap("New screening")
    fill(robot, code="K-3")
    robot.tap("Take a photo of a film")
    robot.see("Use this film")
    robot = ended_and_started(robot, phone)
    assert robot.shell.name == "camera"
    robot.tap("Use this film")
    robot.see("Patient code: K-3")


@pytest.mark.parametrize("pin", [None, hash_pin(PIN)], ids=["open", "locked"])
def test_a_photo_that_was_taken_while_the_app_was_ended_is_framed_for_the_same_patient(
    phone: Callable[..., Robot], device: RecordedDevice, light_box: Path, pin: PinHash | None
) -> None:
    robot = phone(pin=pin)
    robot.shell.unlock()
    robot.tap("New screening")
    fill(robot, code="K-3")
    device.taken = light_box
    robot = ended_and_started(robot, phone)
    robot.until(lambda: robot.shell._open[-1][0] == "camera")
    assert robot.shell.is_locked == (pin is not None)
    robot.shell.unlock()
    robot.tap("Use this film")
    robot.see("Patient code: K-3")
    robot.see("Photo of a film, not the X-ray file")


def test_a_photo_taken_again_while_the_app_was_ended_takes_the_place_of_the_first(
    phone: Callable[..., Robot], device: RecordedDevice, light_box: Path
) -> None:
    robot = phone()
    device.chosen = light_box
    robot.tap("New screening")
    robot.tap("Take a photo of a film")
    robot.see("Use this film")
    first = own_copies(robot)
    device.taken = light_box
    robot = ended_and_started(robot, phone)
    robot.until(lambda: own_copies(robot) != first and len(own_copies(robot)) == 1)
    assert [name for name, _, _ in robot.shell._open] == ["home", "new_screening", "camera"]


def test_a_photo_taken_while_the_app_was_ended_has_a_form_of_its_own_where_none_was_open(
    phone: Callable[..., Robot], device: RecordedDevice, light_box: Path
) -> None:
    device.taken = light_box
    robot = phone()
    robot.until(lambda: robot.shell.name == "camera")
    robot.key(BACK)
    assert robot.shell.name == "new_screening"


def test_a_note_that_was_being_typed_is_there_again(phone: Callable[..., Robot], device: RecordedDevice) -> None:
    robot = phone()
    choose_picture(robot, device)
    robot.tap("Save")
    robot.see("Saved on this device.")
    robot.tap("Note")
    note = robot.screen.panel.opened
    robot.type(note.ids.note.ids.box, "left knee")
    robot = ended_and_started(robot, phone)
    robot.until(lambda: robot.screen.panel is not None and robot.screen.panel.opened is not None)
    assert robot.screen.panel.opened.typed() == {"note": "left knee"}
    assert robot.screen.panel.has_typed
    robot.tap("Save the note")
    robot.until(lambda: entries(robot)[0].note == "left knee")


def test_a_film_that_is_gone_is_told_and_the_rest_is_there(phone: Callable[..., Robot], device: RecordedDevice) -> None:
    robot = phone()
    robot.tap("New screening")
    fill(robot, code="K-5")
    device.chosen = DRAWN_FILM
    robot.tap("Choose a picture")
    robot.see("Save")
    robot.app.dispatch("on_pause")
    robot.end()
    for copy in own_copies(robot):
        copy.unlink()
    robot = phone()
    assert robot.shell.name == "new_screening"
    robot.see("A film that was not saved is not there any more. Choose it again.")


def test_an_app_that_the_user_has_left_or_come_back_to_begins_at_home(phone: Callable[..., Robot]) -> None:
    robot = phone()
    robot.tap("Help")
    robot.app.dispatch("on_pause")
    assert robot.clinic.folders.left_off.exists()
    robot.app.dispatch("on_resume")
    robot.until(lambda: not robot.clinic.folders.left_off.exists())
    robot.app.dispatch("on_pause")
    robot.close()
    assert not robot.clinic.folders.left_off.exists()
    assert phone().shell.name == "home"


def test_time_asleep_counts_for_the_lock(phone: Callable[..., Robot], monkeypatch: pytest.MonkeyPatch) -> None:
    robot = phone(pin=hash_pin(PIN))
    robot.shell.unlock()
    now = robot.app.idle._clock()
    robot.app.dispatch("on_pause")
    robot.app.idle._clock = lambda: now + 301
    robot.app.dispatch("on_resume")
    assert robot.shell.is_locked
