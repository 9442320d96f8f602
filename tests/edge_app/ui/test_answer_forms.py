"""What is done with an answer: a note, a DXA result, a report, a comparison."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from osteo_edge.edge_app.exports.lettering import LETTERING
from osteo_edge.edge_app.history.entry import Entry, Patient
from tests.edge_app.ui.answers import answered, saved

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy


@pytest.fixture
def robot(start: Callable[..., Robot]) -> Robot:
    return start((800, 480))


def noted(robot: Robot, text: str) -> None:
    """Save an answer, and type a note without saving that."""
    saved(robot)
    robot.tap("Note")
    robot.type(robot.screen.panel.opened.ids.note.ids.box, text)


def test_a_note_is_kept(robot: Robot) -> None:
    noted(robot, "left knee, sent to Dr. {A}")
    robot.tap("Save the note")
    robot.see("Note: left knee, sent to Dr. {A}")
    assert robot.clinic.history().search().entries[0].note == "left knee, sent to Dr. {A}"
    assert robot.screen.panel.opened is None


def test_leaving_with_a_note_that_was_not_saved_asks(robot: Robot) -> None:
    noted(robot, "left")
    robot.tap("Back")
    robot.see("Leave without saving what you typed?")
    robot.tap("Leave")
    assert robot.shell.name == "home"


def test_a_dxa_result_is_entered_changed_and_taken_away(robot: Robot) -> None:
    saved(robot)

    def entry() -> Entry:
        return robot.clinic.history().search().entries[0]

    robot.tap("DXA result")
    form = robot.screen.panel.opened
    robot.type(form.ids.t_score.ids.box, "minus two")
    robot.tap("Save the result")
    robot.see("T-score with a sign")
    assert entry().dxa is None
    robot.type(form.ids.t_score.ids.box, "2,6")
    robot.see("has no minus sign")
    robot.type(form.ids.t_score.ids.box, "-2,6")
    robot.tap("Save the result")
    robot.see("DXA result, entered by the clinic: osteoporosis, T-score -2.6")
    assert (entry().dxa, entry().t_score) == ("osteoporosis", -2.6)
    robot.tap("DXA result")
    robot.type(robot.screen.panel.opened.ids.t_score.ids.box, "")
    robot.tap("not given")
    robot.tap("Save the result")
    robot.until(lambda: robot.screen.panel.opened is None)
    assert (entry().dxa, entry().t_score) == (None, None)
    assert not robot.sees("entered by the clinic")


def test_an_override_is_kept_with_its_reason_and_not_without(robot: Robot) -> None:
    saved(robot)

    def kept() -> tuple[str | None, str]:
        (entry,) = robot.clinic.history().search().entries
        return entry.decided, entry.override_reason

    robot.tap("Decision")
    assert not robot.sees("Why otherwise: no name of the patient")
    robot.tap("otherwise")
    robot.see("Why otherwise: no name of the patient")
    robot.tap("Save the decision")
    robot.see("Say why it was decided otherwise")
    assert kept() == (None, "")
    robot.type(robot.screen.panel.opened.ids.reason.ids.box, "had DXA {in} May")
    assert not robot.sees("Say why it was decided otherwise")
    robot.tap("Save the decision")
    robot.see("Decided by the clinic: otherwise than the answer says, because: had DXA {in} May")
    assert kept() == ("otherwise", "had DXA {in} May")
    robot.tap("Decision")
    robot.tap("as the answer says")
    robot.tap("Save the decision")
    robot.see("Decided by the clinic: as the answer says")
    assert kept() == ("followed", "")
    robot.tap("Decision")
    robot.tap("not given")
    robot.tap("Save the decision")
    robot.until(lambda: robot.screen.panel.opened is None)
    assert kept() == (None, "")
    assert not robot.sees("Decided by the clinic")


def test_a_decision_that_was_not_saved_is_asked_about_and_comes_back(robot: Robot) -> None:
    saved(robot)
    robot.tap("Decision")
    robot.tap("otherwise")
    robot.type(robot.screen.panel.opened.ids.reason.ids.box, "metal")
    typed = robot.screen.panel.typed()
    assert typed == {"decision": {"decided": "otherwise", "reason": "metal"}}
    robot.tap("Cancel")
    assert not robot.screen.panel.has_typed
    robot.screen.panel.put(typed)
    robot.see("Why otherwise: no name of the patient")
    assert robot.screen.panel.opened.ids.reason.text == "metal"
    robot.tap("Back")
    robot.see("Leave without saving what you typed?")


def test_a_decision_is_asked_for_of_saved_answers_alone(robot: Robot) -> None:
    from osteo_edge.edge_app.ui.answer_forms import DecisionForm

    answered(robot)
    assert not robot.sees("Decision")
    robot.tap("Save")
    robot.see("Decision")
    answer = robot.screen.answer
    for outcome, is_offered in (("no_finding", True), ("uncertain", False), ("rejected", False)):
        changed = replace(answer, entry=replace(answer.entry, outcome=outcome))
        assert DecisionForm.is_offered(changed, ()) is is_offered


def test_what_was_typed_in_one_form_is_there_after_another(robot: Robot) -> None:
    noted(robot, "left knee")
    robot.tap("DXA result")
    robot.type(robot.screen.panel.opened.ids.t_score.ids.box, "-2.6")
    robot.tap("Note")
    assert robot.screen.panel.opened.ids.note.text == "left knee"
    robot.tap("Save the note")
    robot.see("Note: left knee")
    robot.until(lambda: robot.screen.panel.opened is None)
    assert robot.screen.panel.has_typed
    robot.tap("DXA result")
    assert robot.screen.panel.opened.ids.t_score.text == "-2.6"
    robot.tap("Cancel")
    assert not robot.screen.panel.has_typed
    robot.tap("DXA result")
    assert robot.screen.panel.opened.ids.t_score.text == ""


def test_deleting_with_something_typed_asks(robot: Robot) -> None:
    noted(robot, "left knee")
    robot.tap("Delete")
    robot.see("Delete without saving what you typed?")
    robot.tap("Keep")
    assert robot.screen.panel.opened.ids.note.text == "left knee"
    assert robot.clinic.history().count() == 1
    robot.screen.delete()
    robot.tap("Delete")
    robot.see("The screening was deleted.")
    assert robot.clinic.history().count() == 0


def test_a_note_that_is_too_long_is_not_saved(robot: Robot) -> None:
    saved(robot)
    robot.tap("Note")
    form = robot.screen.panel.opened
    form.ids.note.ids.box.text = "x" * 2001
    robot.tap("Save the note")
    robot.see("At most 2000 letters, not 2001: shorten it")
    form.ids.note.ids.box.text = "x" * 2000
    assert not robot.sees("shorten it")
    robot.frames(3)
    assert max(line.width for line in form.ids.note.ids.box._lines_labels) < 800
    robot.tap("Save the note")
    robot.until(lambda: robot.screen.panel.opened is None)
    assert robot.clinic.history().search().entries[0].note == "x" * 2000


def test_a_report_is_written_where_it_says(robot: Robot) -> None:
    pytest.importorskip("fpdf")
    answered(robot)
    robot.tap("Report (PDF)")
    robot.tap("Keep it on this device")
    robot.see("The report is here:")
    (path,) = robot.clinic.folders.exports.iterdir()
    robot.see(str(path))
    assert path.read_bytes().startswith(b"%PDF")


def test_print_on_the_film_is_told_before_the_report_is_shared(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fpdf")
    answered(robot)
    robot.tap("Report (PDF)")
    robot.frames(3)
    assert not robot.sees(LETTERING)
    robot.tap("Report (PDF)")
    monkeypatch.setattr("osteo_edge.edge_app.exports.lettering.shows_lettering", lambda pixels: True)
    robot.tap("Report (PDF)")
    robot.see(LETTERING)


def test_a_report_goes_to_the_chosen_place_and_a_full_stick_is_told(
    robot: Robot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fpdf")
    chosen = list[Any]()
    answered(robot)
    robot.tap("Report (PDF)")
    monkeypatch.setattr(robot.shell, "go", lambda name, **arguments: chosen.append((name, arguments)))
    robot.tap("Choose a folder or stick")
    ((name, arguments),) = chosen
    assert (name, arguments["kind"]) == ("files", "folder")
    (tmp_path / "stick").write_text("no folder")
    arguments["on_chosen"](tmp_path / "stick")
    gc.collect()
    robot.see("the report cannot be written")
    robot.tap("OK")
    arguments["on_chosen"](tmp_path / "other")
    robot.see(str(tmp_path / "other"))
    assert len(list((tmp_path / "other").iterdir())) == 1


def test_two_films_of_a_patient_are_compared_once_both_are_saved(robot: Robot) -> None:
    earlier = saved(robot).answer.entry
    robot.tap("Back")
    screen = answered(robot)
    robot.tap("Compare films (1)")
    robot.see("Save this one first.")
    robot.tap("Save")
    robot.see("Films of the same patient code:")
    later = screen.answer.entry
    robot.tap(robot.screen.panel.opened.ids.rows.children[0])
    assert robot.shell.name == "side_by_side"
    first, second = sorted((earlier, later), key=lambda entry: entry.taken_at)
    robot.until(lambda: robot.screen.entries == (first, second) or robot.screen.entries == (second, first))


def test_without_a_code_there_is_nothing_to_compare(robot: Robot) -> None:
    for _ in range(2):
        saved(robot, patient=Patient())
        robot.frames(10)
        assert not robot.sees("Compare films")
        robot.tap("Back")


@pytest.mark.parametrize("size", [(800, 480), (360, 740)])
def test_the_forms_fit_at_the_largest_text(start: Callable[..., Robot], size: tuple[int, int]) -> None:
    from tests.edge_app.ui.fit import flaws

    robot = start(size, text_percent=150)
    saved(robot)
    for form in ("Report (PDF)", "Decision", "Note", "DXA result"):
        robot.tap(form)
        robot.frames(4)
        assert flaws(robot.app.root) == []
    robot.tap("Decision")
    robot.tap("otherwise")
    robot.frames(4)
    assert flaws(robot.app.root) == []
