from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

from osteo_edge.edge_app.alphabet import OTHER_LETTERS
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.history.entry import Patient
from osteo_edge.edge_app.ost import ABOUT_OST
from osteo_edge.edge_app.screening_form import (
    AGE_IS_A_YEAR,
    CODE_LOOKS_LIKE_A_NAME,
    WEIGHT_NO_NUMBER,
    FormFields,
    fields_of,
)
from tests.edge_app.ui.new_screening import choose, drafts, fill, leave_unsaved, opened

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy


def test_a_film_is_screened_with_what_was_typed_and_saving_empties_the_form(
    start: Callable[..., Robot], home: Path
) -> None:
    film = Path(shutil.copy(DRAWN_FILM, home / "knee.jpg"))
    robot = start()
    robot.tap("New screening")
    fill(robot, code="K-17", age="71", weight="52,5")
    robot.tap("Female")
    robot.see("OST index -3: moderate-risk group by age and weight.")
    robot.see(ABOUT_OST)
    assert not robot.sees("Bone on the film")
    form = robot.screen
    choose(robot, "knee.jpg")
    arguments = opened(robot)
    (draft,) = robot.until(lambda: drafts(robot))
    assert arguments == {
        "film": film,
        "film_sha256": None,
        "bone": None,
        "patient": Patient("K-17", 71, "female", 52.5),
        "draft_id": draft.id,
        "photo_hints": None,
    }
    assert fields_of(draft.fields) == FormFields("K-17", "71", "female", "52,5")
    robot.tap("Save")
    robot.see("Saved on this device.")
    robot.tap("‹ Back")
    assert robot.screen is form
    assert not form.has_text
    assert (form.ids.code.text, form.ids.sex.value) == ("", "")
    fill(robot, code="K-18")
    (draft_of_next,) = robot.until(lambda: drafts(robot))
    assert draft_of_next.id != draft.id


def test_the_next_film_is_another_patients_however_long_the_disk_is_busy(
    start: Callable[..., Robot], watched: Path, draw_film: Callable[..., Path]
) -> None:
    draw_film("watched/a.png", width=301)
    draw_film("watched/b.png", width=302)
    robot = start(watched_folder=str(watched))
    robot.tap("New screening")
    fill(robot, code="K-1")
    robot.tap("a.png")
    assert opened(robot)["patient"].code == "K-1"
    robot.tap("Save")
    robot.see("Saved on this device.")
    is_over = Event()
    robot.shell.jobs.save(lambda: is_over.wait(30), lambda _: None, lambda _: None)
    robot.tap("‹ Back")
    robot.tap("b.png")
    arguments = opened(robot)
    is_over.set()
    assert (arguments["patient"], arguments["draft_id"]) == (Patient(), None)


def test_a_screening_that_was_not_saved_leaves_the_form_as_it_is(
    start: Callable[..., Robot], home: Path, draw_film: Callable[..., Path]
) -> None:
    draw_film("home/knee.png")
    robot = start()
    robot.tap("New screening")
    fill(robot, code="K-17")
    choose(robot, "knee.png")
    leave_unsaved(robot)
    assert robot.screen.ids.code.text == "K-17"
    assert len(drafts(robot)) == 1


def test_a_field_with_a_problem_keeps_from_going_on_and_a_hint_does_not(start: Callable[..., Robot]) -> None:
    robot = start((360, 740), text_percent=150)
    robot.tap("New screening")
    fill(robot, code="Maria Lopez", age="1948", weight="heavy")
    robot.tap("Choose a film")
    assert robot.shell.name == "new_screening"
    robot.see(CODE_LOOKS_LIKE_A_NAME)
    robot.see(WEIGHT_NO_NUMBER)
    problem = robot.see(AGE_IS_A_YEAR)
    y = problem.to_window(*problem.pos)[1]
    assert 0 <= y <= 740 - problem.height  # it was scrolled to
    fill(robot, age="67", weight="61")
    robot.tap("Take a photo of a film")
    assert robot.shell.name == "camera"


def test_lines_come_when_typing_has_paused(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.tap("New screening")
    fill(robot, age="19")
    assert not robot.screen.ids.age.problem
    fill(robot, age="1948")
    robot.see(AGE_IS_A_YEAR)
    fill(robot, age="")
    robot.until(lambda: not robot.sees(AGE_IS_A_YEAR))


def test_an_empty_form_is_no_draft_and_its_film_goes_without_one(
    start: Callable[..., Robot], home: Path, draw_film: Callable[..., Path]
) -> None:
    draw_film("home/knee.png")
    robot = start()
    robot.tap("New screening")
    fill(robot, code="K-1")
    robot.until(lambda: drafts(robot))
    fill(robot, code=" ")
    robot.until(lambda: not drafts(robot))
    choose(robot, "knee.png")
    arguments = opened(robot)
    assert (arguments["patient"], arguments["draft_id"]) == (Patient(), None)


def test_a_code_that_cannot_be_shown_keeps_from_going_on(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.tap("New screening")
    fill(robot, code="患者1")
    robot.tap("Choose a film")
    assert robot.shell.name == "new_screening"
    robot.see(OTHER_LETTERS)


def test_another_language_or_text_size_leaves_the_form_as_it_is(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.tap("New screening")
    fill(robot, code="K-17")
    (draft,) = robot.until(lambda: drafts(robot))
    robot.shell.rebuild()
    robot.frames(3)
    assert robot.screen.ids.code.text == "K-17"
    fill(robot, age="70")
    robot.until(lambda: drafts(robot)[0].fields["age"] == "70")
    assert [one.id for one in drafts(robot)] == [draft.id]
