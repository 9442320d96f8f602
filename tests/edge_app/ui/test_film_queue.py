from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from osteo_edge.edge_app import arriving
from osteo_edge.edge_app.clinic import FILM_REPLACED
from osteo_edge.edge_app.history.entry import Patient
from osteo_edge.edge_app.screening_form import AGE_IS_A_YEAR
from tests.edge_app.ui.new_screening import fill, opened, rows

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy


def test_films_of_the_watched_folder_appear_by_themselves_and_a_tap_screens_one(
    start: Callable[..., Robot], watched: Path, draw_film: Callable[..., Path]
) -> None:
    robot = start(watched_folder=str(watched))
    robot.tap("New screening")
    robot.see("No film is waiting.")
    film = draw_film("watched/knee.png")
    robot.see("knee.png")
    row = robot.screen.ids.queue.ids.rows.children[0]
    robot.until(lambda: row.texture is not None)
    later = draw_film("watched/later.png", width=310)
    os.utime(later, (film.stat().st_mtime + 60,) * 2)
    robot.until(lambda: list(rows(robot)) == ["later.png", "knee.png"])
    assert robot.screen.ids.queue.ids.rows.children[0] is row  # the same widget, though it has moved down
    fill(robot, age="1948")
    robot.tap("knee.png")
    assert robot.shell.name == "new_screening"
    robot.see(AGE_IS_A_YEAR)
    fill(robot, age="48")
    robot.until(lambda: not robot.sees(AGE_IS_A_YEAR))
    robot.tap("knee.png")
    arguments = opened(robot)
    assert (arguments["film"], arguments["patient"].age_years) == (film, 48)


def test_a_film_that_another_one_has_replaced_since_it_was_listed_is_not_screened(
    start: Callable[..., Robot], watched: Path, draw_film: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    film = draw_film("watched/image.png", width=301)
    robot = start(watched_folder=str(watched))
    robot.tap("New screening")
    fill(robot, code="PATIENT-A")
    robot.see("image.png")
    monkeypatch.setattr(arriving, "LOOK_EVERY_S", 3600)
    robot.screen.ids.queue.stop()
    draw_film("other.png", width=302).replace(film)
    robot.tap("image.png")
    robot.see(FILM_REPLACED)
    monkeypatch.setattr(arriving, "LOOK_EVERY_S", 0.02)
    robot.tap("Choose another film")
    assert robot.screen.ids.code.text == "PATIENT-A"
    stamp = film.stat().st_mtime_ns
    robot.until(lambda: [row.film.stamp.mtime_ns for row in robot.screen.ids.queue.ids.rows.children] == [stamp])
    robot.tap("image.png")
    robot.see("Save")


def test_a_film_that_was_screened_is_marked_and_can_be_taken_off_with_the_others(
    start: Callable[..., Robot], watched: Path, draw_film: Callable[..., Path]
) -> None:
    film = draw_film("watched/old.png", width=301)
    draw_film("watched/new.png", width=302)
    robot = start(watched_folder=str(watched))
    robot.clinic.save(robot.clinic.record(robot.clinic.screen(film), patient=Patient()))
    robot.tap("New screening")
    robot.see("screened before")
    robot.tap("Take off all that were screened")
    robot.until(lambda: list(rows(robot)) == ["new.png"])
    robot.tap("Undo")
    robot.until(lambda: len(list(rows(robot))) == 2)


def test_what_is_taken_off_the_list_stays_off_after_a_restart(
    start: Callable[..., Robot], watched: Path, draw_film: Callable[..., Path]
) -> None:
    draw_film("watched/a.png", width=301)
    robot = start(watched_folder=str(watched))
    robot.tap("New screening")
    robot.tap("Take off the list")
    robot.see("Taken off the list. The file stays where it is.")
    robot.see("No film is waiting.")
    robot.close()
    draw_film("watched/b.png", width=302)
    robot = start()
    robot.tap("New screening")
    robot.see("b.png")
    assert list(rows(robot)) == ["b.png"]
    assert (watched / "a.png").exists()


def test_many_films_come_some_at_a_time(
    start: Callable[..., Robot], watched: Path, draw_film: Callable[..., Path]
) -> None:
    film = draw_film("watched/00.png")
    for n in range(1, 20):
        shutil.copy(film, watched / f"{n:02}.png")
    robot = start(watched_folder=str(watched))
    robot.tap("New screening")
    robot.until(lambda: len(list(rows(robot))) == arriving.SHOWN_FIRST)
    robot.tap("Show older films")
    robot.until(lambda: len(list(rows(robot))) == 20)
    assert not robot.sees("Show older films")


def test_a_watched_folder_that_is_gone_is_waited_for(
    start: Callable[..., Robot], watched: Path, draw_film: Callable[..., Path]
) -> None:
    draw_film("watched/a.png")
    robot = start(watched_folder=str(watched))
    robot.tap("New screening")
    robot.see("a.png")
    away = watched.rename(watched.with_name("away"))
    robot.see("The watched folder cannot be read (No such file or directory). It is waited for.")
    assert list(rows(robot)) == []
    away.rename(watched)
    robot.see("a.png")
    robot.tap("‹ Back")
    robot.frames(20)
    assert robot.shell.name == "home"
