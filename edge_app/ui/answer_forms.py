"""What can be done with an answer: report, comparison, decision, note, and the DXA result when it comes back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.widget import Widget

from osteo_edge.edge_app.decisions import DECISION_WORDS, reason_problem
from osteo_edge.edge_app.dxa import DXA_WORDS
from osteo_edge.edge_app.history.entry import TO_FOLLOW
from osteo_edge.edge_app.note_form import note_problem
from osteo_edge.edge_app.ui.kit import Busy, Card, QuietTap, choices
from osteo_edge.edge_app.ui.screen import load_kv
from osteo_edge.edge_app.ui.words import say
from osteo_edge.wording import headline

if TYPE_CHECKING:
    from osteo_edge.edge_app.answer import Answer
    from osteo_edge.edge_app.dxa_form import DxaReading
    from osteo_edge.edge_app.history.entry import Entry
    from osteo_edge.edge_app.jobs import Task
    from osteo_edge.edge_app.ui.result import ResultScreen

REPORT: Final = "report"
TEXT_ON_FILM: Final = "text on the film"
NO_DXA: Final = {"": "not given"}
NO_DECISION: Final = {"": "not given"}


class Form(Card):
    """One thing to do with an answer, below the button that opens it; made when it is opened, dropped when it is done.

    `on_done` has it closed. What is only for a button needs no form: `button` and `is_offered`.
    """

    owner: ResultScreen = ObjectProperty()
    name: ClassVar = ""
    """By which what was typed is kept."""

    def __init__(self, *, answer: Answer, **kwargs: Any) -> None:
        self.register_event_type("on_done")
        self.entry = answer.entry
        super().__init__(**kwargs)
        self.show(answer)

    def on_done(self) -> None:
        pass

    @classmethod
    def button(cls, others: Sequence[Entry]) -> str:
        """The words on its button; `others` are the other screenings of the patient."""
        raise NotImplementedError

    @classmethod
    def is_offered(cls, answer: Answer, others: Sequence[Entry]) -> bool:
        """Whether it can be done with the answer as it stands."""
        return True

    @property
    def has_typed(self) -> bool:
        """Whether something was typed that has not been saved."""
        return False

    def typed(self) -> dict[str, str]:
        """What stands in the fields, by their names."""
        return {}

    def put(self, typed: dict[str, str]) -> None:
        """Put that into the fields again."""

    def show(self, answer: Answer) -> None:
        """The answer as it stands: when the form is opened, when it is saved, when it is changed."""
        self.entry = answer.entry

    def left(self) -> None:
        """The form is closed, or the screen is left."""


class ReportForm(Form):
    """The report on one page, written to this device or to a place that is chosen; on a phone, for another app."""

    told = StringProperty()
    warned = StringProperty()
    is_phone = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_phone = self.owner.shell.device is not None
        self._buttons: Widget = self.ids.buttons.__self__  # `ids` does not keep what is taken out

    @classmethod
    def button(cls, others: Sequence[Entry]) -> str:
        return say("Report (PDF)")

    @classmethod
    def is_offered(cls, answer: Answer, others: Sequence[Entry]) -> bool:
        return answer.picture is not None

    def show(self, answer: Answer) -> None:
        super().show(answer)
        slot = self.owner.slot(TEXT_ON_FILM)
        self.owner.jobs.start(slot, partial(self._look, answer), self._warn, lambda _: None, background=True)

    def left(self) -> None:
        for what in (REPORT, TEXT_ON_FILM):
            self.owner.jobs.cancel(self.owner.slot(what))

    def choose_place(self) -> None:
        """Have a folder or a stick chosen, and write it there."""
        self.owner.shell.go("files", kind="folder", on_chosen=self.write)

    def send(self) -> None:
        """Write it, and offer it to other apps."""
        self.write(self.owner.clinic.folders.outgoing)

    def write(self, folder: Path | None = None) -> None:
        """Write it into a folder, by default the one for what leaves the app."""
        answer = self.owner.answer
        if answer is None:
            return
        self.told = ""
        busy = Busy(message=say("The report is being written…"))
        busy.bind(on_cancel=lambda _: self._cancel())
        self.ids.place.clear_widgets()
        self.ids.place.add_widget(busy)
        work = partial(self._work, answer, folder or self.owner.clinic.folders.exports)
        self.owner.jobs.start(self.owner.slot(REPORT), work, self._written, self._not_written)

    def _look(self, answer: Answer, _: Task) -> bool:
        from osteo_edge.edge_app.exports.lettering import has_lettering

        return has_lettering(self.owner.clinic, answer)

    def _warn(self, has_lettering: bool) -> None:
        from osteo_edge.edge_app.exports.lettering import LETTERING

        self.warned = say(LETTERING) if has_lettering else ""

    def _work(self, answer: Answer, folder: Path, task: Task) -> Path:
        from osteo_edge.edge_app.answer import write_report

        return write_report(self.owner.clinic, answer, folder, say, check=task.check)

    def _written(self, path: Path) -> None:
        self._show_buttons()
        device = self.owner.shell.device
        if device is None:
            self.told = say("The report is here: {path}", path=path)
        else:
            device.send(path, self.owner.shell.complain)

    def _not_written(self, line: str) -> None:
        self._show_buttons()
        self.owner.shell.complain(line)

    def _cancel(self) -> None:
        self.owner.jobs.cancel(self.owner.slot(REPORT))
        self._show_buttons()

    def _show_buttons(self) -> None:
        self.ids.place.clear_widgets()
        self.ids.place.add_widget(self._buttons)


class OthersForm(Form):
    """The other screenings of the same patient, to be laid beside this one."""

    told = StringProperty()

    @classmethod
    def button(cls, others: Sequence[Entry]) -> str:
        return say("Compare films ({count})", count=len(others))

    @classmethod
    def is_offered(cls, answer: Answer, others: Sequence[Entry]) -> bool:
        return bool(others)

    def show(self, answer: Answer) -> None:
        super().show(answer)
        rows = self.ids.rows
        rows.clear_widgets()
        if answer.record is not None:
            self.told = say("Save this one first.")
            return
        self.told = say("Films of the same patient code:")
        for other in self.owner.others:
            rows.add_widget(self._row(other))

    def _row(self, other: Entry) -> QuietTap:
        from osteo_edge.edge_app.answer_words import local_moment

        moment, outcome = local_moment(other.taken_at), say(headline(other.outcome, other.finding))
        tap = QuietTap(text=say("{moment}: {outcome}", moment=moment, outcome=outcome))
        tap.bind(on_release=lambda _: self._compare(other))
        return tap

    def _compare(self, other: Entry) -> None:
        older, newer = sorted((self.entry, other), key=lambda one: one.taken_at)
        self.owner.shell.go("side_by_side", left=older.id, right=newer.id)


class NoteForm(Form):
    """What the clinic wants to remember of a screening."""

    name = "note"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ids.note.ids.box.multiline = True  # a line is one picture: none must be wider than the box
        self.ids.note.text = self.entry.note

    @classmethod
    def button(cls, others: Sequence[Entry]) -> str:
        return say("Note")

    @classmethod
    def is_offered(cls, answer: Answer, others: Sequence[Entry]) -> bool:
        return answer.record is None

    @property
    def has_typed(self) -> bool:
        return self._typed != self.entry.note

    def typed(self) -> dict[str, str]:
        return {"note": self._typed}

    def put(self, typed: dict[str, str]) -> None:
        self.ids.note.text = typed.get("note", "")

    def read(self) -> str:
        """Read the note, and show what is wrong with it; that problem, or ""."""
        self.ids.note.problem = note_problem(self._typed, say)
        return str(self.ids.note.problem)

    def keep(self) -> None:
        """Save what was typed, unless it is too long."""
        if self.read():
            return
        work = partial(self.owner.clinic.history().annotate, self.entry.id, self._typed)
        self.owner.change(work, lambda: self.dispatch("on_done"))

    @property
    def _typed(self) -> str:
        return str(self.ids.note.text.strip())


class DecisionForm(Form):
    """What was decided on the answer, and why if it was otherwise than the answer says."""

    name = "decision"
    overrides = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ids.decided.options = choices(NO_DECISION | DECISION_WORDS)
        self.ids.reason.ids.box.multiline = True  # a line is one picture: none must be wider than the box
        self.ids.decided.value, self.ids.reason.text = self.entry.decided or "", self.entry.override_reason

    @classmethod
    def button(cls, others: Sequence[Entry]) -> str:
        return say("Decision")

    @classmethod
    def is_offered(cls, answer: Answer, others: Sequence[Entry]) -> bool:
        return answer.record is None and answer.entry.outcome in TO_FOLLOW

    @property
    def has_typed(self) -> bool:
        return self._fields() != (self.entry.decided or "", self.entry.override_reason)

    def typed(self) -> dict[str, str]:
        decided, reason = self._fields()
        return {"decided": decided, "reason": reason}

    def put(self, typed: dict[str, str]) -> None:
        self.ids.decided.value, self.ids.reason.text = typed.get("decided", ""), typed.get("reason", "")

    def read(self) -> str:
        """Read the fields, and show what is wrong with the reason; that problem, or ""."""
        self.overrides = self.ids.decided.value == "otherwise"
        self.ids.reason.problem = reason_problem(*self._fields(), say)
        return str(self.ids.reason.problem)

    def keep(self) -> None:
        """Save the decision, unless its reason is missing or too long."""
        if self.read():
            return
        decided, reason = self._fields()
        kept = next((one for one in DECISION_WORDS if one == decided), None)
        work = partial(self.owner.clinic.history().decide, self.entry.id, kept, reason)
        self.owner.change(work, lambda: self.dispatch("on_done"))

    def _fields(self) -> tuple[str, str]:
        decided = self.ids.decided.value or ""
        return decided, self.ids.reason.text.strip() if decided == "otherwise" else ""


class DxaForm(Form):
    """The DXA result, when it comes back; a hint shows as it is typed, a problem keeps it from being saved."""

    name = "dxa"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ids.result.options = choices(NO_DXA | DXA_WORDS)
        self.ids.result.value, self.ids.t_score.text = _fields_of(self.entry)

    @classmethod
    def button(cls, others: Sequence[Entry]) -> str:
        return say("DXA result")

    @classmethod
    def is_offered(cls, answer: Answer, others: Sequence[Entry]) -> bool:
        entry = answer.entry
        return answer.record is None and entry.outcome != "rejected" and entry.finding == "density"

    @property
    def has_typed(self) -> bool:
        return self._fields() != _fields_of(self.entry)

    def typed(self) -> dict[str, str]:
        result, t_score = self._fields()
        return {"result": result, "t_score": t_score}

    def put(self, typed: dict[str, str]) -> None:
        self.ids.result.value, self.ids.t_score.text = typed.get("result", ""), typed.get("t_score", "")

    def read(self) -> DxaReading:
        """Read the fields, and show what is wrong with them, and what to look at again."""
        from osteo_edge.edge_app.dxa_form import DxaFields, read_dxa_form

        reading = read_dxa_form(DxaFields(*self._fields()), say)
        self.ids.t_score.problem = reading.problems.get("t_score", "")
        self.ids.t_score.advice = " ".join(reading.hints.values())
        return reading

    def keep(self) -> None:
        """Save the result."""
        reading = self.read()
        if reading.problems:
            return
        work = partial(self.owner.clinic.history().mark_dxa, self.entry.id, reading.dxa, reading.t_score)
        self.owner.change(work, lambda: self.dispatch("on_done"))

    def _fields(self) -> tuple[str, str]:
        return self.ids.result.value or "", self.ids.t_score.text.strip()


def _fields_of(entry: Entry) -> tuple[str, str]:
    """The fields of the form for what an entry has."""
    return entry.dxa or "", "" if entry.t_score is None else f"{entry.t_score:+.1f}"


FORMS: Final[tuple[type[Form], ...]] = (ReportForm, OthersForm, DecisionForm, NoteForm, DxaForm)

load_kv(__file__)
