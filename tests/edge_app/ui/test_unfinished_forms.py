from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.store import History
from osteo_edge.edge_app.screening_form import FormFields
from tests.edge_app.ui.new_screening import choose, drafts, fill, leave_unsaved

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy


def fill_the_disk(*_: object) -> None:
    raise HistoryError("the form was not kept (no space left)")


def test_what_was_typed_is_offered_after_a_restart(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.tap("New screening")
    fill(robot, code="K-17", age="71")
    robot.tap("Other")
    robot.close()  # at once: nothing has settled yet
    robot = start()
    robot.tap("New screening")
    robot.see("A form was not finished: K-17")
    robot.tap("Continue it")
    form = robot.screen
    robot.until(lambda: form.has_text)
    assert (form.ids.code.text, form.ids.age.text, form.ids.sex.value) == ("K-17", "71", "other")
    assert not form.offer
    fill(robot, weight="60")
    robot.until(lambda: drafts(robot)[0].fields["weight"] == "60")
    assert len(drafts(robot)) == 1


def test_a_draft_that_is_discarded_can_be_brought_back(start: Callable[..., Robot]) -> None:
    robot = start()
    for n, moment in enumerate(("2026-01-01T10:00:00+00:00", "2026-01-02T10:00:00+00:00")):
        robot.clinic.history().save_draft(Draft(str(n) * 32, moment, {"code": f"K-{n}"}))
    robot.tap("New screening")
    robot.see("K-1")
    robot.tap("Discard it")
    robot.see("A form was not finished: K-0")
    robot.until(lambda: len(drafts(robot)) == 1)
    robot.tap("Undo")
    robot.see("A form was not finished: K-1")
    robot.until(lambda: len(drafts(robot)) == 2)
    fill(robot, code="K-2")
    assert not robot.sees("A form was not finished")


def test_the_form_can_be_cleared_and_that_undone(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.tap("New screening")
    assert not robot.sees("Clear")
    fill(robot, code="K-17")
    robot.until(lambda: drafts(robot))
    robot.tap("Clear")
    assert robot.screen.ids.code.text == ""
    robot.until(lambda: not drafts(robot))
    robot.tap("Undo")
    assert robot.screen.ids.code.text == "K-17"
    robot.until(lambda: drafts(robot))


def test_a_form_that_cannot_be_kept_is_told_and_not_emptied(
    start: Callable[..., Robot], home: Path, draw_film: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(History, "save_draft", fill_the_disk)
    draw_film("home/knee.png")
    robot = start()
    robot.tap("New screening")
    fill(robot, code="K-17")
    robot.see("the form was not kept (no space left)")
    choose(robot, "knee.png")
    leave_unsaved(robot)
    assert robot.screen.ids.code.text == "K-17"


def test_a_form_that_was_not_kept_is_emptied_too_when_its_screening_is_saved(
    start: Callable[..., Robot], watched: Path, draw_film: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_film("watched/knee.png")
    robot = start(watched_folder=str(watched))
    robot.tap("New screening")
    with monkeypatch.context() as full:
        full.setattr(History, "save_draft", fill_the_disk)
        fill(robot, code="K-1")
        robot.see("the form was not kept (no space left)")
    robot.tap("knee.png")
    robot.tap("Save")
    robot.see("Saved on this device.")
    robot.tap("‹ Back")
    assert robot.screen.ids.code.text == ""


def test_a_form_that_another_window_fills_in_is_offered_once_that_is_closed(
    start: Callable[..., Robot], folders: Folders
) -> None:
    other = Clinic(folders)
    other.forms.keep("a" * 32, FormFields("K-A"))
    robot = start()
    robot.tap("New screening")
    robot.until(lambda: "form.drafts" not in robot.shell.jobs._wanted)
    robot.frames(5)
    assert not robot.sees("A form was not finished")
    other.close()
    robot.tap("‹ Back")
    robot.tap("New screening")
    robot.see("A form was not finished: K-A")


def test_a_form_that_another_window_has_taken_meanwhile_is_offered_no_more(
    start: Callable[..., Robot], folders: Folders
) -> None:
    robot = start()
    for n, moment in enumerate(("2026-01-01T10:00:00+00:00", "2026-01-02T10:00:00+00:00")):
        robot.clinic.history().save_draft(Draft(str(n) * 32, moment, {"code": f"K-{n}"}))
    robot.tap("New screening")
    robot.see("A form was not finished: K-1")
    other = Clinic(folders)
    assert other.forms.take("1" * 32) is not None
    robot.tap("Discard it")
    robot.see("A form was not finished: K-0")
    assert len(drafts(robot)) == 2
    other.close()


def test_what_is_typed_while_a_form_is_fetched_is_kept_beside_it(
    start: Callable[..., Robot], monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = start()
    robot.clinic.history().save_draft(Draft("1" * 32, "2026-01-01T10:00:00+00:00", {"code": "K-1"}))
    forms, may_take = robot.clinic.forms, Event()
    take = forms.take
    monkeypatch.setattr(forms, "take", lambda form_id: take(form_id) if may_take.wait(30) else None)
    robot.tap("New screening")
    robot.tap("Continue it")
    fill(robot, code="K-2")
    may_take.set()
    robot.until(lambda: robot.screen.ids.code.text == "K-1")
    robot.until(lambda: {draft.fields["code"] for draft in drafts(robot)} == {"K-1", "K-2"})


def test_what_was_cleared_cannot_come_over_what_was_typed_since(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.tap("New screening")
    fill(robot, code="K-1")
    robot.tap("Clear")
    assert robot.sees("Undo")
    fill(robot, code="K-2")
    assert not robot.sees("Undo")
    robot.until(lambda: [draft.fields["code"] for draft in drafts(robot)] == ["K-2"])
