"""Two saved screenings beside each other, one below the other on an upright window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from osteo_edge.edge_app.left_off import Left, LeftPair
from osteo_edge.edge_app.ui.answer_view import Probability, SmallWords, Verdict, add_long
from osteo_edge.edge_app.ui.film_view import FilmView
from osteo_edge.edge_app.ui.kit import Busy, Card, Page, Words
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.answer import Answer
    from osteo_edge.edge_app.history.entry import Entry
    from osteo_edge.edge_app.jobs import Task

SLOT: Final = "side by side"


class SideBySideScreen(Screen):
    """The screenings with the ids `left` and `right`, each with its film."""

    shows_overlay = BooleanProperty(True)
    caution = StringProperty()

    def __init__(self, *, left: str, right: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._ids = (left, right)
        self.halves: tuple[Half, ...] = ()
        self.entries: tuple[Entry, ...] = ()
        """What is shown, the left one first; empty until it is there."""

    def shown(self) -> None:
        for half in self.halves:
            half.view.show_again()
        if not self.ids.place.children:
            self._begin()

    def hidden(self) -> None:
        for half in self.halves:
            half.view.release()

    def left(self) -> None:
        self.jobs.cancel(SLOT)
        for half in self.halves:
            half.view.picture = None

    def lasting(self) -> Left:
        return LeftPair(*self._ids)

    def _begin(self) -> None:
        busy = Busy(message=say("The screenings are being opened…"))
        busy.bind(on_cancel=lambda _: self.shell.close(self))
        page = Page()
        page.add_widget(busy)
        self.ids.place.add_widget(page)
        self.jobs.start(SLOT, self._work, self._show, self._show_trouble)

    def _work(self, task: Task) -> list[Answer]:
        from osteo_edge.edge_app.answer import open_saved

        return [open_saved(self.clinic, entry_id, check=task.check) for entry_id in self._ids]

    def _show(self, answers: list[Answer]) -> None:
        from osteo_edge.edge_app.answer_words import comparison_caution

        left, right = answers
        self.entries = left.entry, right.entry
        self.caution = comparison_caution(left.entry, right.entry, say)
        self.halves = tuple(Half() for _ in answers)
        place = self.ids.place
        place.clear_widgets()
        for half, answer in zip(self.halves, answers, strict=True):
            half.view.colour_map = self.clinic.settings.colour_map
            self.bind(shows_overlay=half.view.setter("shows_overlay"))
            place.add_widget(half)
            half.show(answer)

    def _show_trouble(self, line: str) -> None:
        self.ids.place.clear_widgets()
        page, card = Page(), Card()
        card.add_widget(Words(text=say(line)))
        page.add_widget(card)
        self.ids.place.add_widget(page)


class Half(BoxLayout):  # type: ignore[misc]
    """One of the two: its film, whose it is and when it was screened, its outcome, its probability, and the model."""

    @property
    def view(self) -> FilmView:
        """The film."""
        view: FilmView = self.ids.view
        return view

    def show(self, answer: Answer) -> None:
        """Show an answer."""
        from osteo_edge.edge_app.answer_words import answer_words, model_words

        entry, words, page = answer.entry, answer_words(answer.entry, say), self.ids.page
        self.view.picture = answer.picture
        self.view.problem = say(answer.problem) if answer.problem else ""
        verdict, probability = Verdict(), Probability()
        verdict.show(entry, words)
        probability.show(entry, words)
        code, *_ = words.patient
        for widget in (Words(text=f"{code} \u00b7 {words.taken}", bold=True), verdict, probability):
            page.add_widget(widget)
        for text in (words.bone, words.dxa, words.note):
            add_long(page, Words, text)
        page.add_widget(SmallWords(text=model_words(entry, say)))


load_kv(__file__)
