"""One answer: the film with the evidence over it, the words, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.clock import Clock

from osteo_edge.edge_app.history.entry import Entry, Patient
from osteo_edge.edge_app.left_off import Left, LeftEntry, LeftFilm, Typed
from osteo_edge.edge_app.ui.answer_panel import AnswerPanel
from osteo_edge.edge_app.ui.kit import Busy, Card, Cells, Page, Tap, Words
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.answer import Answer
    from osteo_edge.edge_app.jobs import Task
    from osteo_edge.edge_app.light_box.hints import HintId

ANSWER, OTHERS = "answer", "others"


class ResultScreen(Screen):
    """An answer that has just been made, from `film`, or one of the history, `entry_id`.

    With both it is a film whose answer was being saved when the system ended the app: it is screened anew only if the
    history does not have it.

    `photo_hints` are those that the photo of a film raised, None for what is no photo. `draft_id` is the form that ends
    when the answer is saved. `film_sha256` is of the film as it was chosen, if that is known. `bone` is the one that
    the user named. `answer` is there already if the screen is made anew, and `typed` what stood in its forms.
    """

    def __init__(
        self,
        *,
        film: Path | None = None,
        film_sha256: str | None = None,
        bone: str | None = None,
        patient: Patient | None = None,
        draft_id: str | None = None,
        photo_hints: tuple[HintId, ...] | None = None,
        entry_id: str | None = None,
        answer: Answer | None = None,
        typed: Typed | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._film, self._film_sha256, self._bone = film, film_sha256, bone
        self._patient, self._draft_id = patient or Patient(), draft_id
        self._photo_hints, self._entry_id = photo_hints, entry_id
        self._answer = answer
        self._typed = typed or {}
        self._others: tuple[Entry, ...] = ()
        self._panel: AnswerPanel | None = None
        self._prepared: AnswerPanel | None = None
        self._prepare_next = Clock.create_trigger(lambda _: self._prepare())
        self._prepare_soon = Clock.create_trigger(lambda _: self._prepare_next())  # what is shown now is drawn first
        self._show_words_next = Clock.create_trigger(lambda _: self._show_words())
        self._is_saving = False

    @property
    def answer(self) -> Answer | None:
        """What is shown; None until it is there."""
        return self._answer

    @property
    def others(self) -> tuple[Entry, ...]:
        """The other screenings of the same patient, as far as they have been found."""
        return self._others

    @property
    def panel(self) -> AnswerPanel | None:
        """The answer's widgets; None until it is there."""
        return self._panel

    @property
    def film(self) -> Path | None:
        """The file that was screened; None for an answer of the history."""
        return self._film

    def shown(self) -> None:
        if self._panel is not None:
            self._panel.view.show_again()
            self._announce()
        elif self._answer is not None:
            self._show(self._answer)
        elif not self.ids.place.children:
            self._begin()

    def hidden(self) -> None:
        if self._panel is not None:
            self._panel.view.release()

    def left(self) -> None:
        for what in (ANSWER, OTHERS):
            self.jobs.cancel(self.slot(what))
        if self._panel is not None:
            self._panel.left()
        self._stop_preparing()
        self._show_words_next.cancel()
        # Kivy may hold a widget of a screen that was left, and all that hangs on it
        self._panel = self._answer = None

    def kept(self) -> dict[str, Any]:
        return {"answer": self._answer, "typed": {} if self._panel is None else self._panel.typed()}

    def lasting(self) -> Left | None:
        if self._film is None or self.is_saved:
            entry_id = self._entry_id if self._answer is None else self._answer.entry.id
            return LeftEntry(str(entry_id), self._typed if self._panel is None else self._panel.typed())
        sha256 = self._film_sha256 if self._answer is None else self._answer.entry.screened_sha256
        entry_id = self._answer.entry.id if self._answer is not None and self._is_saving else self._entry_id
        return LeftFilm(str(self._film), self._patient, sha256, self._draft_id, self._photo_hints, entry_id, self._bone)

    def unsaved(self) -> str | None:
        if self._panel is not None and self._panel.has_typed:
            return say("Leave without saving what you typed?")
        if self._answer is None or self.is_saved or self._is_saving or self._is_rejected:
            return None
        return say("Leave without saving?")

    def leave(self) -> bool:
        if self._is_saving:
            return True
        title = self.unsaved()
        if title is None:
            self._drop_photo()
            return False
        self.shell.ask(title, say("It is then lost."), say("Leave"), self._leave_unsaved, no=say("Stay"))
        return True

    def slot(self, what: str) -> str:
        """The slot of a job of this answer: others may lie below it, which go on with theirs."""
        return f"result {id(self)} {what}"

    def save(self) -> None:
        """Save the answer, once; it is shown as saved when it is on the disk."""
        answer = self._answer
        if self._is_saving or answer is None or answer.record is None:
            return
        self._is_saving = True
        self.refresh()
        work = partial(self.clinic.save, answer.record, draft_id=self._draft_id)
        self.jobs.save(work, self._saved, self._not_saved)

    def change(self, work: Callable[[], Entry], on_done: Callable[[], None]) -> None:
        """Change the saved entry, and show it as it is on the disk then."""

        def show(entry: Entry) -> None:
            if self._answer is not None:
                self._answer = replace(self._answer, entry=entry)
            on_done()
            self.refresh()

        self.jobs.save(work, show, self.shell.complain)

    def delete(self) -> None:
        """Take the screening out of the history, and offer to bring it back; ask first if that loses what was typed."""
        if self._panel is not None and self._panel.has_typed:
            title, lost = say("Delete without saving what you typed?"), say("It is then lost.")
            self.shell.ask(title, lost, say("Delete"), self._delete, no=say("Keep"))
        else:
            self._delete()

    def _delete(self) -> None:
        if self._answer is None:
            return
        shell, history, entry_id = self.shell, self.clinic.history, self._answer.entry.id

        def brought_back(_: Entry) -> None:
            shell.tell(say("The screening is back."))
            if shell.name == "history":
                shell.screen.shown()

        def undo() -> None:
            shell.jobs.save(lambda: history().undo_delete(entry_id), brought_back, shell.complain)

        def deleted(_: None) -> None:
            shell.close(self)
            shell.offer_undo(say("The screening was deleted."), undo)

        self.jobs.save(lambda: history().delete(entry_id), deleted, shell.complain)

    def refresh(self) -> None:
        """Show the answer as it stands now."""
        if self._panel is not None and self._answer is not None:
            self._panel.show(self._answer)

    def another_film(self) -> None:
        """Go back to where the film was chosen."""
        self._drop_photo()
        self.shell.close(self)

    @property
    def is_drawn(self) -> bool:
        """Whether the answer is on the screen, with its film if that can be read."""
        panel = self._panel
        if panel is None or not panel.has_words:
            return False
        return panel.view.picture is None or panel.view.ids.film.film_texture is not None

    @property
    def is_saving(self) -> bool:
        """Whether the answer is on its way to the disk."""
        return self._is_saving

    @property
    def is_saved(self) -> bool:
        """Whether the answer is in the history."""
        return self._answer is not None and self._answer.record is None

    @property
    def _is_rejected(self) -> bool:
        return self._answer is not None and self._answer.entry.outcome == "rejected"

    def _begin(self) -> None:
        is_film = self._film is not None
        busy = Busy(message=say("The film is being screened…") if is_film else say("The screening is being opened…"))
        busy.bind(on_cancel=lambda _: self.another_film())
        page = Page()
        page.add_widget(busy)
        self.ids.place.add_widget(page)
        self.jobs.start(self.slot(ANSWER), self._work, self._show, self._show_trouble)
        self._prepare_soon()

    def _prepare(self) -> None:
        """Make the widgets of the answer while it is being worked on."""
        self._prepared = AnswerPanel(owner=self)

    def _stop_preparing(self) -> None:
        self._prepare_soon.cancel()
        self._prepare_next.cancel()
        self._prepared = None

    def _work(self, task: Task) -> Answer:
        """Make or open the answer, on a worker thread."""
        from osteo_edge.edge_app.answer import open_saved, screen_film
        from osteo_edge.edge_app.history.errors import HistoryError

        if self._film is None:
            return open_saved(self.clinic, str(self._entry_id), check=task.check)
        if self._entry_id is not None:
            with suppress(HistoryError):  # it had not been saved
                return open_saved(self.clinic, self._entry_id, check=task.check)
        return screen_film(
            self.clinic,
            self._film,
            self._patient,
            self._photo_hints,
            sha256=self._film_sha256,
            bone=self._bone,
            check=task.check,
        )

    def _show(self, answer: Answer) -> None:
        """Show the film, and the words with the next frame: all at once would take longer than two frames may."""
        self._answer, self._panel = answer, self._prepared or AnswerPanel(owner=self)
        self._stop_preparing()
        self.ids.place.clear_widgets()
        self.ids.place.add_widget(self._panel)
        self._panel.show_film(answer)
        self._show_words_next()
        if self.is_saved:
            self._drop_photo()

    def _show_words(self) -> None:
        self.refresh()
        if self._panel is not None:
            self._panel.put(self._typed)
        self._typed = {}
        self._announce()
        answer = self._answer
        if answer is not None and answer.entry.patient.code:
            work = partial(self._find_others, answer.entry)
            self.jobs.start(self.slot(OTHERS), work, self._show_others, self.shell.complain)

    def _announce(self) -> None:
        """Have the answer said, without a word on whose it is."""
        from osteo_edge.edge_app.answer_words import spoken

        if self._answer is not None and self.shell.screen is self:
            self.shell.announce(spoken(self._answer.entry, say))

    def _find_others(self, entry: Entry, task: Task) -> tuple[Entry, ...]:
        from osteo_edge.edge_app.answer import others_of_patient

        return others_of_patient(self.clinic, entry)

    def _show_others(self, others: tuple[Entry, ...]) -> None:
        self._others = others
        if others:
            self.refresh()

    def _show_trouble(self, line: str) -> None:
        self._stop_preparing()
        place = self.ids.place
        place.clear_widgets()
        page, card = Page(), Card()
        card.add_widget(Words(text=say(line)))
        page.add_widget(card)
        if self.shell.screen is self:
            self.shell.announce(say(line))
        if self._film is not None:
            cells, again = Cells(), Tap(text=say("Choose another film"))
            again.bind(on_release=lambda _: self.another_film())
            cells.add_widget(again)
            page.add_widget(cells)
        place.add_widget(page)

    def _saved(self, entry: Entry) -> None:
        self._is_saving = False
        self._drop_photo()
        if self._answer is not None:
            self._answer = self._answer.saved()
        self.refresh()

    def _not_saved(self, line: str) -> None:
        self._is_saving = False
        self.shell.complain(line)
        self.refresh()

    def _leave_unsaved(self) -> None:
        self._drop_photo()
        self.shell.close(self)

    def _drop_photo(self) -> None:
        """Remove the film that was cut out of a photo: it is in the history now, or nobody wants it."""
        film = self._film
        if film is not None and film.is_relative_to(self.clinic.folders.photos):
            self.remove(film)


load_kv(__file__)
