from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.kept_settings import PIN_CHANGED
from osteo_edge.edge_app.pin import TOO_EASY, hash_pin, matches
from osteo_edge.edge_app.settings import MAX_INSTITUTION, Settings, read_settings
from osteo_edge.errors import OsteoEdgeError

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy

ENTER, ESCAPE = 13, 27


@pytest.fixture
def robot(start: Callable[..., Robot]) -> Robot:
    """Before the settings of a first start."""
    robot = start()
    robot.shell.go("settings")
    robot.until(lambda: robot.shell.model)
    return robot


@pytest.fixture
def saved(folders: Folders) -> Callable[[], Settings]:
    """What is on the disk."""
    return lambda: read_settings(folders.settings, str).settings


def press(robot: Robot, name: str, words: str) -> None:
    """Touch the option of a setting."""
    cells = robot.screen.ids[name].ids.cells
    robot.tap(next(tap for tap in cells.children if tap.text == words))


def enter(robot: Robot, pin: str) -> None:
    robot.until(lambda: not robot.screen.pad.waiting)
    for digit in pin:
        robot.key(ord(digit))
    robot.key(ENTER)


def test_a_pin_that_another_window_sets_locks_this_one_too(robot: Robot, folders: Folders) -> None:
    Clinic(folders).change(pin=hash_pin("7193"))
    robot.app.idle._since -= 3600
    robot.app._lock_if_idle(0)
    assert robot.shell.is_locked
    enter(robot, "7193")
    robot.until(lambda: not robot.shell.is_locked)


@pytest.mark.parametrize(
    ("name", "words", "value"),
    [
        ("language", "Kiswahili", "sw"),
        ("text_percent", "150 %", 150),
        ("theme", "Dark", "dark"),
        ("colour_map", "Jet", "jet"),
        ("threads", "1", 1),
        ("retention_days", "2 years", 730),
    ],
)
def test_a_choice_is_saved_at_once(
    robot: Robot, saved: Callable[[], Settings], name: str, words: str, value: object
) -> None:
    press(robot, name, words)
    robot.until(lambda: getattr(saved(), name) == value)
    robot.frames(3)
    robot.until(lambda: robot.screen.ids[name].value == value)
    chosen = [tap.text for tap in robot.screen.ids[name].ids.cells.children if tap.chosen]
    assert chosen == [words]


def test_the_whole_window_wears_the_theme_and_the_text_size_and_the_page_stays_where_it_was(robot: Robot) -> None:
    from kivy.core.window import Window

    from osteo_edge.edge_app.ui.look import look

    before = robot.screen
    press(robot, "theme", "Dark")
    robot.until(lambda: robot.screen is not before)
    assert look.theme == "dark"
    assert list(Window.clearcolor) == pytest.approx(list(look.paper))
    robot.screen.ids.page.scroll_y = 0.5
    before = robot.screen
    robot.clinic.change(text_percent=125)
    robot.shell.wear_settings()
    robot.frames(3)
    assert look.scale == 1.25
    assert robot.screen is not before
    assert robot.screen.ids.page.scroll_y == pytest.approx(0.5, abs=0.01)
    robot.key(ESCAPE)
    robot.see("New screening")


def test_another_number_of_threads_loads_the_model_anew(robot: Robot) -> None:
    before = robot.shell.model
    press(robot, "threads", "1")
    robot.until(lambda: robot.shell.model not in (None, before))


def test_the_institution_is_saved_when_the_field_is_left(robot: Robot, saved: Callable[[], Settings]) -> None:
    box = robot.screen.ids.institution.ids.box
    robot.type(box, "  Clinique du District, Kigoma ")
    assert saved().institution == ""
    robot.key(ESCAPE)
    robot.see("New screening")
    robot.until(lambda: saved().institution == "Clinique du District, Kigoma")


def test_an_institution_that_is_too_long_is_told_and_not_saved(robot: Robot, saved: Callable[[], Settings]) -> None:
    robot.screen.ids.institution.text = "x" * (MAX_INSTITUTION + 1)
    box = robot.screen.ids.institution.ids.box
    box.focus = True
    box.focus = False
    robot.see(f"Too long: {MAX_INSTITUTION} characters at most")
    robot.frames(10)
    assert saved().institution == ""


def test_what_a_retention_period_means_is_told(robot: Robot) -> None:
    robot.see("Screenings are kept until somebody deletes them.")
    press(robot, "retention_days", "1 year")
    robot.see("make a backup first")


def test_a_retention_period_that_was_set_otherwise_is_one_of_the_choices(start: Callable[..., Robot]) -> None:
    robot = start(retention_days=90)
    robot.shell.go("settings")
    chosen = [tap.text for tap in robot.screen.ids.retention_days.ids.cells.children if tap.chosen]
    assert chosen == ["90 days"]


def test_a_folder_is_chosen_and_forgotten(robot: Robot, saved: Callable[[], Settings], tmp_path: Path) -> None:
    robot.see("No folder is watched.")
    asked: dict[str, Any] = {}
    robot.shell.go = lambda name, **arguments: asked.update(arguments, name=name)
    robot.tap("Choose a folder")
    assert (asked["name"], asked["kind"]) == ("files", "folder")
    asked["on_chosen"](tmp_path / "films")
    robot.see(str(tmp_path / "films"))
    assert saved().watched_folder == str(tmp_path / "films")
    robot.tap("Watch none")
    robot.see("No folder is watched.")
    assert saved().watched_folder is None


def test_what_the_disk_does_not_take_is_told_and_the_old_value_is_back(
    robot: Robot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> Settings:
        raise OsteoEdgeError("settings.json: the settings cannot be written (No space left on device)")

    monkeypatch.setattr(robot.clinic, "change", full)
    press(robot, "theme", "Dark")
    robot.see("No space left on device")
    assert robot.screen.ids.theme.value == "light"
    assert robot.clinic.settings.theme == "system"


def test_a_pin_is_set_after_being_entered_twice(robot: Robot, saved: Callable[[], Settings]) -> None:
    robot.see("No PIN is set: everybody can see the history.")
    assert not robot.sees("Lock now")
    robot.tap("Set a PIN")
    enter(robot, "4444")
    robot.see(TOO_EASY)
    enter(robot, "7193")
    robot.see("The new PIN once more")
    enter(robot, "7194")
    robot.see("The two were not the same. Enter a new PIN again.")
    enter(robot, "7193")
    enter(robot, "7193")
    robot.see("The PIN is set.")
    robot.see("A PIN is set.")
    known = saved().pin
    assert known is not None
    assert matches("7193", known)
    press(robot, "lock_after_minutes", "1 minute")
    robot.until(lambda: saved().lock_after_minutes == 1)
    robot.tap("Lock now")
    robot.see("Locked")


def test_to_change_the_pin_one_must_know_it(start: Callable[..., Robot], saved: Callable[[], Settings]) -> None:
    robot = start(pin=hash_pin("7193"))
    robot.shell.unlock()
    robot.shell.go("settings")
    robot.frames(3)
    robot.tap("Change the PIN")
    enter(robot, "1235")
    robot.see("Wrong PIN")
    enter(robot, "7193")
    robot.see("A new PIN of 4 to 12 digits")
    enter(robot, "80246")
    enter(robot, "80246")
    robot.see("The PIN is set.")
    known = saved().pin
    assert known is not None
    assert matches("80246", known)


def test_to_remove_the_pin_one_must_know_it(start: Callable[..., Robot], saved: Callable[[], Settings]) -> None:
    robot = start(pin=hash_pin("7193"))
    robot.shell.unlock()
    robot.shell.go("settings")
    robot.frames(3)
    robot.tap("Remove the PIN")
    enter(robot, "1235")
    robot.see("Wrong PIN")
    assert saved().pin is not None
    enter(robot, "7193")
    robot.see("The PIN is removed.")
    assert saved().pin is None
    robot.see("Set a PIN")


def test_leaving_in_the_middle_sets_no_pin(robot: Robot, saved: Callable[[], Settings]) -> None:
    robot.tap("Set a PIN")
    enter(robot, "7193")
    robot.see("The new PIN once more")
    robot.key(ESCAPE)
    robot.see("No PIN is set")
    assert saved().pin is None


def test_a_pin_that_another_window_has_set_meanwhile_stays(
    robot: Robot, saved: Callable[[], Settings], folders: Folders
) -> None:
    robot.tap("Set a PIN")
    enter(robot, "7193")
    Clinic(folders).change(pin=hash_pin("80246"))
    enter(robot, "7193")
    robot.see(PIN_CHANGED)
    robot.see("A PIN is set.")
    known = saved().pin
    assert known is not None
    assert matches("80246", known)
