from __future__ import annotations

import shutil
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.browsing import choosing, places
from osteo_edge.edge_app.browsing.places import Place

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy

TAB, ENTER, DOWN, UP = 9, 13, 274, 273


@pytest.fixture
def sticks(display: str, monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """The sticks that are plugged in, to be changed by the test; it is looked for them all the time."""
    plugged = list[Place]()
    monkeypatch.setattr(places, "sticks", lambda mounts: tuple(plugged))
    monkeypatch.setattr("osteo_edge.edge_app.ui.files.LOOK_EVERY_S", 0.02)
    return plugged


@pytest.fixture
def stick(home: Path, draw_film: Callable[..., Path]) -> Place:
    """A stick with a film in a folder."""
    draw_film("ANA/knees/knee 1.png")
    return Place("stick", home.parent / "ANA", "ANA")


@pytest.fixture
def answer(home: Path, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A disk that answers what is in a folder once this is set: the folder `late` in the home folder."""
    (home / "late").mkdir()
    answer, real = threading.Event(), choosing.rows_in
    monkeypatch.setattr(choosing, "rows_in", lambda *args: answer.wait(20) and real(*args))
    return answer


def choose(robot: Robot, kind: str) -> list[Path]:
    """Open the screen; what is chosen comes into the list, with the screen that is shown then."""
    chosen = list[Path]()

    def on_chosen(path: Path) -> None:
        assert robot.shell.name == "home"
        chosen.append(path)

    robot.shell.go("files", kind=kind, on_chosen=on_chosen)
    return chosen


def test_a_film_on_a_stick_is_chosen_and_the_next_time_begins_where_it_was(
    start: Callable[..., Robot], home: Path, sticks: list[Place], stick: Place
) -> None:
    robot = start()
    chosen = choose(robot, "film")
    robot.see("This device")
    sticks.append(stick)
    robot.tap("ANA")
    robot.tap("knees")
    robot.see(str(stick.path / "knees"))
    robot.tap("knee 1.png")
    assert chosen == [stick.path / "knees" / "knee 1.png"]
    chosen = choose(robot, "film")
    robot.tap("knee 1.png")
    assert len(chosen) == 1


def test_the_way_up_leads_to_the_places_and_back_leaves(
    start: Callable[..., Robot], home: Path, sticks: list[Place], stick: Place
) -> None:
    sticks.append(stick)
    robot = start()
    chosen = choose(robot, "film")
    robot.tap("ANA")
    robot.tap("knees")
    robot.see("knee 1.png")
    robot.tap("Folder above")
    robot.until(lambda: robot.screen.folder == stick.path)
    robot.tap("Folder above")
    robot.see("This device")
    assert not robot.sees("Folder above")
    robot.tap("ANA")
    robot.see("knees")
    robot.tap("All places")
    robot.see("USB stick or card")
    robot.tap("‹ Back")
    assert robot.shell.name == "home"
    assert chosen == []


def test_what_is_no_film_vanishes_and_what_cannot_be_read_says_why(
    start: Callable[..., Robot], home: Path, sticks: list[Place], draw_film: Callable[..., Path]
) -> None:
    draw_film("home/knee.png")
    (home / "letter.txt").write_text("no film")
    (home / "damaged.jpg").write_bytes(b"no film")
    robot = start()
    chosen = choose(robot, "film")
    robot.tap("This device")
    robot.see("Cannot be read. Tap to see why.")
    robot.until(lambda: not robot.sees("letter.txt"))
    robot.tap("damaged.jpg")
    robot.see("damaged.jpg: not a PNG, JPEG")
    assert chosen == []
    row = next(view for view in robot.screen.ids.rows.views() if view.name == "knee.png")
    robot.until(lambda: row.texture is not None)
    width, height = row.texture.size
    assert width < height


def test_an_empty_folder_says_so(start: Callable[..., Robot], home: Path, sticks: list[Place]) -> None:
    (home / "letter.txt").write_text("no film")
    robot = start()
    choose(robot, "film")
    robot.tap("This device")
    robot.see("There is no film in this folder.")


def test_a_stick_that_is_pulled_out_leads_back_to_the_places(
    start: Callable[..., Robot], home: Path, sticks: list[Place], stick: Place
) -> None:
    sticks.append(stick)
    robot = start()
    choose(robot, "film")
    robot.tap("ANA")
    robot.tap("knees")
    robot.until(lambda: robot.screen.ids.rows.pictures)
    sticks.clear()
    robot.see("ANA: is not there any more; plug the stick in again, or choose another place")
    robot.see("This device")
    assert not robot.sees("USB stick or card")
    assert not robot.screen.ids.rows.pictures
    robot.until(lambda: robot.clinic.thumbnails.size_bytes == 0)


def test_a_folder_that_is_gone_when_it_is_tapped_is_told(
    start: Callable[..., Robot], home: Path, sticks: list[Place], stick: Place
) -> None:
    sticks.append(stick)
    robot = start()
    choose(robot, "film")
    robot.tap("ANA")
    robot.see("knees")
    shutil.rmtree(stick.path)
    robot.tap("knees")
    robot.see("knees: is not there any more")
    robot.see("This device")
    choose_again = robot.shell.go("files", kind="film", on_chosen=print)
    robot.until(lambda: choose_again.ids.rows.rows)
    assert choose_again.folder is None


def test_a_place_that_takes_long_can_be_cancelled(
    start: Callable[..., Robot], sticks: list[Place], answer: threading.Event
) -> None:
    robot = start()
    choose(robot, "film")
    robot.tap("This device")
    robot.see("Looking into the folder…")
    robot.tap("Cancel")
    assert not robot.sees("Looking into the folder…")
    answer.set()
    robot.frames(20)
    assert robot.screen.folder is None
    robot.tap("This device")
    robot.see("late")


def test_a_stick_that_comes_while_a_folder_is_being_opened_does_not_end_that(
    start: Callable[..., Robot], sticks: list[Place], stick: Place, answer: threading.Event
) -> None:
    robot = start()
    choose(robot, "film")
    robot.tap("This device")
    sticks.append(stick)
    robot.until(lambda: stick in robot.screen._places)
    answer.set()
    robot.see("late")
    robot.tap("All places")
    robot.see("ANA")


def test_a_model_is_told_by_its_title(
    start: Callable[..., Robot], home: Path, sticks: list[Place], bundle: Bundle
) -> None:
    sticks.append(Place("stick", bundle.path.parent, "MODELS"))
    robot = start()
    chosen = choose(robot, "bundle")
    robot.tap("MODELS")
    robot.tap(f"{bundle.manifest.name} {bundle.manifest.version}")
    assert chosen == [bundle.path]


def test_only_backups_are_listed_for_a_backup(start: Callable[..., Robot], home: Path, sticks: list[Place]) -> None:
    (home / "letter.txt").write_text("no backup")
    with zipfile.ZipFile(home / "backup.zip", "w"):
        pass
    robot = start()
    chosen = choose(robot, "backup")
    robot.tap("This device")
    robot.see("backup.zip")
    assert not robot.sees("letter.txt")
    robot.tap("backup.zip")
    assert chosen == [home / "backup.zip"]


def test_the_folder_that_is_shown_can_be_chosen(start: Callable[..., Robot], home: Path, sticks: list[Place]) -> None:
    (home / "X-rays").mkdir()
    robot = start()
    chosen = choose(robot, "folder")
    robot.see("This device")
    assert not robot.sees("Choose this folder")
    robot.tap("This device")
    robot.tap("X-rays")
    robot.see("There is no other folder in this folder.")
    robot.tap("Choose this folder")
    assert chosen == [home / "X-rays"]


def test_of_thousands_only_what_is_in_sight_is_made_and_keys_go_through_them(
    start: Callable[..., Robot], home: Path, sticks: list[Place], draw_film: Callable[..., Path]
) -> None:
    first = draw_film("home/film 0000.png", height=100, width=80).read_bytes()
    for n in range(1, 3000):
        (home / f"film {n:04}.png").write_bytes(first)
    robot = start()
    chosen = choose(robot, "film")
    robot.tap("This device")
    robot.see("film 0000.png")
    rows = robot.screen.ids.rows
    robot.until(lambda: len(rows.pictures) >= 4)
    robot.frames(30)
    assert len(rows.views()) < 15
    assert len(rows.pictures) < 15
    while not rows.is_marked:
        robot.key(TAB)
    for _ in range(40):
        robot.key(DOWN)
    robot.key(UP)
    robot.see("film 0039.png")
    robot.drag((400, 150), (400, 450))
    robot.key(TAB)
    while not rows.is_marked:
        robot.key(TAB)
    robot.key(ENTER)
    assert chosen == [home / "film 0039.png"]


def test_rows_taken_out_above_leave_what_is_in_sight_where_it_is(
    start: Callable[..., Robot], home: Path, sticks: list[Place]
) -> None:
    robot = start()
    choose(robot, "film")
    robot.see("This device")
    rows = robot.screen.ids.rows
    rows.show(tuple(choosing.Row(home / f"{n:03}", f"{n:03}", "film") for n in range(200)))
    rows._scroll_to_offset(100 * rows._pitch())
    robot.frames(3)
    top = rows.first_in_sight
    rows.take_out(frozenset(home / f"{n:03}" for n in (*range(50), 150)))
    robot.frames(3)
    assert rows.first_in_sight == top - 50
    assert len(rows.rows) == 149
