"""What comes to the app on a phone, and what leaves it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from osteo_edge.edge_app.device_services import MAX_BACKUP_BYTES
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.pin import hash_pin
from tests.edge_app.ui.device import RecordedDevice
from tests.edge_app.ui.new_screening import fill
from tests.edge_app.ui.phone import BACK, PIN, choose_picture, entries, own_copies

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy


# What the phone's own choosers give


def test_a_chosen_picture_is_screened_saved_and_its_copy_removed(
    phone: Callable[..., Robot], device: RecordedDevice
) -> None:
    robot = phone()
    choose_picture(robot, device)
    assert device.asked == ["picture"]
    (copy,) = own_copies(robot)
    assert copy.suffix == DRAWN_FILM.suffix
    assert DRAWN_FILM.stem not in copy.name
    assert not list(device.folder.iterdir())
    robot.tap("Save")
    robot.see("Saved on this device.")
    robot.until(lambda: not own_copies(robot))
    assert len(entries(robot)) == 1


def test_an_answer_that_nobody_wants_leaves_no_copy(phone: Callable[..., Robot], device: RecordedDevice) -> None:
    robot = phone()
    choose_picture(robot, device)
    robot.key(BACK)
    robot.see("Leave without saving?")
    robot.tap("Leave")
    robot.until(lambda: not own_copies(robot))
    assert robot.shell.name == "new_screening"


def test_a_user_who_chooses_nothing_is_where_they_were(phone: Callable[..., Robot], device: RecordedDevice) -> None:
    robot = phone()
    robot.tap("New screening")
    for button in ("Choose a picture", "Choose a file, such as DICOM", "Take a photo of a film"):
        robot.tap(button)
    robot.frames(5)
    assert device.asked == ["picture", "document", "photo"]
    assert robot.shell.name == "new_screening"


def test_what_the_phone_cannot_do_is_told(phone: Callable[..., Robot], device: RecordedDevice) -> None:
    robot = phone()
    device.problem = "No camera app is installed."
    robot.tap("New screening")
    robot.tap("Take a photo of a film")
    robot.see("No camera app is installed.")
    assert device.said[-1] == "No camera app is installed."


def test_a_field_with_a_problem_keeps_the_chooser_closed(phone: Callable[..., Robot], device: RecordedDevice) -> None:
    robot = phone()
    robot.tap("New screening")
    fill(robot, age="1950")
    robot.tap("Choose a picture")
    robot.see("This looks like a year. Enter the age in years.")
    assert device.asked == []


def test_a_photo_is_framed_cut_out_and_screened_as_a_photo(
    phone: Callable[..., Robot], device: RecordedDevice, light_box: Path
) -> None:
    robot = phone()
    device.chosen = light_box
    robot.tap("New screening")
    robot.tap("Take a photo of a film")
    robot.see("Use this film")
    first = own_copies(robot)
    robot.tap("Take again")
    robot.until(lambda: own_copies(robot) != first and len(own_copies(robot)) == 1)
    robot.see("Use this film")
    robot.tap("Use this film")
    robot.see("Photo of a film, not the X-ray file")
    (film,) = own_copies(robot)
    assert film.name.startswith("photo-")
    assert device.asked == ["photo", "photo"]


def test_a_photo_that_is_none_is_told_and_can_be_taken_again(
    phone: Callable[..., Robot], device: RecordedDevice, light_box: Path, tmp_path: Path
) -> None:
    device.chosen = tmp_path / "broken.jpg"
    device.chosen.write_bytes(b"no picture")
    robot = phone()
    robot.tap("New screening")
    robot.tap("Take a photo of a film")
    robot.see("the photo cannot be read; take it again")
    device.chosen = light_box
    robot.tap("Try again")
    robot.see("Use this film")
    robot.key(BACK)
    robot.until(lambda: not own_copies(robot))


def test_a_film_that_comes_late_is_of_the_patient_it_was_chosen_for(
    phone: Callable[..., Robot], device: RecordedDevice
) -> None:
    robot = phone()
    device.chosen, device.late = DRAWN_FILM, []
    robot.tap("New screening")
    fill(robot, code="K-1")
    robot.tap("Choose a picture")
    robot.see("Waiting for the film…")
    robot.tap("Clear")
    assert robot.screen.ids.code.text == "K-1"
    assert not robot.sees("Choose a picture")
    device.late.pop()()
    robot.see("Patient code: K-1")
    robot.key(BACK)
    robot.tap("Leave")
    robot.see("Choose a picture")


def test_a_film_that_comes_after_its_form_was_left_or_waits_no_more_goes_nowhere(
    phone: Callable[..., Robot], device: RecordedDevice
) -> None:
    robot = phone()
    device.chosen, device.late = DRAWN_FILM, []
    robot.tap("New screening")
    robot.tap("Choose a picture")
    robot.see("Waiting for the film…")
    robot.tap("Cancel")
    fill(robot, code="K-2")
    robot.tap("Choose a picture")
    robot.key(BACK)
    robot.tap("New screening")
    fill(robot, code="K-3")
    for come in device.late:
        come()
    robot.until(lambda: not list(device.folder.iterdir()))
    robot.until(lambda: not robot.app.jobs.saving)
    robot.frames(3)
    assert robot.screen.ids.code.text == "K-3"
    assert own_copies(robot) == []


def test_a_photo_or_model_that_comes_after_its_screen_was_left_goes_nowhere(
    phone: Callable[..., Robot], device: RecordedDevice, light_box: Path, zipped_model: Path
) -> None:
    robot = phone()
    robot.until(lambda: robot.shell.model is not None)
    device.chosen = light_box
    robot.tap("New screening")
    robot.tap("Take a photo of a film")
    robot.see("Use this film")
    device.late = []
    robot.tap("Take again")
    robot.key(BACK)
    robot.shell.home()
    robot.tap("Model")
    device.chosen = zipped_model
    robot.tap("Choose a ZIP file")
    robot.key(BACK)
    for come in device.late:
        come()
    robot.until(lambda: not list(device.folder.iterdir()))
    robot.until(lambda: not robot.app.jobs.saving)
    robot.frames(3)
    assert robot.shell.name == "home"
    assert own_copies(robot) == []


# What other apps share


def test_a_shared_film_waits_for_the_form_of_its_patient(phone: Callable[..., Robot], device: RecordedDevice) -> None:
    robot = phone()
    robot.tap("New screening")
    fill(robot, code="K-7")
    device.share(DRAWN_FILM)
    robot.see(f"From another app: {DRAWN_FILM.name}")
    assert robot.screen.ids.code.text == "K-7"
    robot.tap("Screen it")
    robot.see("Patient code: K-7")
    assert not robot.shell._open[1][2].shared


def test_a_film_shared_over_an_unsaved_answer_takes_nothing_from_it(
    phone: Callable[..., Robot], device: RecordedDevice, tmp_path: Path
) -> None:
    robot = phone()
    choose_picture(robot, device)
    answer = robot.screen
    device.share(Path(shutil.copy(DRAWN_FILM, tmp_path / "other.jpg")))
    robot.see("From another app: other.jpg")
    robot.tap("Leave it out")
    robot.until(lambda: len(own_copies(robot)) == 1)
    robot.key(BACK)
    assert robot.screen is answer
    robot.see("Save")


def test_two_answers_at_once_do_not_get_in_each_others_way(
    phone: Callable[..., Robot], device: RecordedDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from osteo_edge.edge_app import answer

    may_go_on, screen_film = Event(), answer.screen_film

    def slow(*arguments: Any, **options: Any) -> Any:
        assert may_go_on.wait(30)
        return screen_film(*arguments, **options)

    monkeypatch.setattr(answer, "screen_film", slow)
    robot = phone()
    device.chosen = DRAWN_FILM
    robot.tap("New screening")
    robot.tap("Choose a picture")
    robot.see("The film is being screened…")
    first = robot.screen
    device.share(Path(shutil.copy(DRAWN_FILM, tmp_path / "other.jpg")))
    robot.tap("Screen it")
    robot.see("The film is being screened…")
    may_go_on.set()
    robot.see("Save")
    robot.key(BACK)
    robot.tap("Leave")
    robot.key(BACK)
    assert robot.screen is first
    robot.see("Save")


def test_an_answer_that_is_left_while_a_shared_film_lies_over_it_is_not_there_any_more(
    phone: Callable[..., Robot], device: RecordedDevice, tmp_path: Path
) -> None:
    robot = phone()
    choose_picture(robot, device)
    robot.key(BACK)
    robot.see("Leave without saving?")
    device.share(Path(shutil.copy(DRAWN_FILM, tmp_path / "other.jpg")))
    robot.until(lambda: robot.shell.name == "new_screening")
    robot.tap("Leave")
    robot.see("From another app: other.jpg")
    robot.until(lambda: len(own_copies(robot)) == 1)
    assert [name for name, _, _ in robot.shell._open] == ["home", "new_screening", "new_screening"]


def test_a_film_shared_with_a_locked_app_is_seen_only_after_the_pin(
    phone: Callable[..., Robot], device: RecordedDevice
) -> None:
    device.waiting = [DRAWN_FILM]
    robot = phone(pin=hash_pin(PIN))
    robot.until(lambda: robot.shell._open[-1][0] == "new_screening")
    robot.frames(3)
    assert robot.shell.is_locked
    assert not robot.sees(DRAWN_FILM.name)
    assert device.said == ["Enter the PIN"]
    for digit in PIN:
        robot.tap(digit)
    robot.tap("OK")
    robot.see(f"From another app: {DRAWN_FILM.name}")
    assert device.said[-1] == "New screening"


def test_what_is_shared_may_be_a_photo_of_a_film(
    phone: Callable[..., Robot], device: RecordedDevice, light_box: Path
) -> None:
    robot = phone()
    device.share(light_box)
    robot.tap("It is a photo of a film")
    robot.tap("Use this film")
    robot.see("Photo of a film, not the X-ray file")


# What leaves the phone, and what comes back to it


def test_a_report_is_handed_to_another_app(phone: Callable[..., Robot], device: RecordedDevice) -> None:
    robot = phone()
    choose_picture(robot, device)
    robot.tap("Report (PDF)")
    assert not robot.sees("Choose a folder or stick")
    robot.tap("Send it to another app")
    ((name, data),) = robot.until(lambda: device.sent)
    assert name.endswith(".pdf")
    assert data.startswith(b"%PDF")


def test_a_backup_goes_out_and_comes_back_without_a_stick(
    phone: Callable[..., Robot], device: RecordedDevice, tmp_path: Path
) -> None:
    robot = phone()
    choose_picture(robot, device)
    robot.tap("Save")
    robot.see("Saved on this device.")
    robot.shell.home()
    robot.tap("History")
    robot.tap("Table and backup")
    assert not robot.sees("Where the files go")
    robot.tap("Send the table to another app")
    robot.until(lambda: len(device.sent) == 1)
    robot.tap("Send a backup to another app")
    robot.until(lambda: len(device.sent) == 2)
    robot.see("Choose the app that is to keep it, and look there whether it has arrived.")
    (entry,) = entries(robot)
    robot.close()
    shutil.rmtree(robot.clinic.folders.history)
    robot = phone()
    device.chosen = tmp_path / "backup.zip"
    device.chosen.write_bytes(device.sent[1][1])
    robot.tap("History")
    robot.tap("Table and backup")
    robot.tap("Choose a backup")
    assert device.asked[-1] == f"document of {MAX_BACKUP_BYTES} bytes"
    robot.see("The history of the backup backup.zip takes the place of this one.")
    robot.tap("Restore")
    robot.see("The backup was restored.")
    assert entries(robot) == (entry,)
    robot.until(lambda: not own_copies(robot))


def test_a_model_comes_as_one_zip_file(phone: Callable[..., Robot], device: RecordedDevice, zipped_model: Path) -> None:
    robot = phone()
    robot.until(lambda: robot.shell.model is not None)
    device.chosen = zipped_model
    robot.tap("Model")
    robot.tap("Choose a ZIP file")
    robot.see("Use knee 1 from now on?")
    robot.tap("Not now")
    assert [model.title for model in robot.screen.overview.installed][-1] == "knee 1"
    assert not list(device.folder.iterdir())
