"""An answer on the screen: the film, and beside or below it the words, and what can be done with the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kivy.metrics import dp
from kivy.properties import BooleanProperty, ObjectProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from osteo_edge.edge_app.device_clock import doubt_words
from osteo_edge.edge_app.left_off import Typed
from osteo_edge.edge_app.ui.answer_forms import FORMS, Form
from osteo_edge.edge_app.ui.answer_view import Facts, Probability, SmallPrint, Verdict, WarningWords
from osteo_edge.edge_app.ui.film_view import FilmView, evidence_words
from osteo_edge.edge_app.ui.kit import Cells, ChoiceTap, QuietTap, Tap, Words
from osteo_edge.edge_app.ui.screen import load_kv
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.answer import Answer
    from osteo_edge.edge_app.ui.result import ResultScreen

WIDE: Final = 1.15
"""How much wider than high the window must be for the film to stand beside the words."""


class AnswerPanel(BoxLayout):  # type: ignore[misc]
    """The parts of an answer, as they stand: `show` is called again whenever it has been saved or changed."""

    owner: ResultScreen = ObjectProperty()
    wide = BooleanProperty(True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        owner = self.owner
        self._verdict, self._probability, self._facts, self._print = Verdict(), Probability(), Facts(), SmallPrint()
        self._opened: Form | None = None
        self._closed: dict[type[Form], Form] = {}
        self._picture: object = None
        self._reading: Widget = self.ids.reading.__self__  # `ids` does not keep what is taken out
        self.view.colour_map = owner.clinic.settings.colour_map
        self.view.bind(is_alone=lambda *_: self._arrange())
        self.bind(size=lambda *_: self._arrange())

    @property
    def view(self) -> FilmView:
        """The film."""
        view: FilmView = self.ids.view
        return view

    @property
    def opened(self) -> Form | None:
        """The form that is open."""
        return self._opened

    @property
    def has_typed(self) -> bool:
        """Whether something was typed that has not been saved."""
        return any(form.has_typed for form in self._forms)

    def typed(self) -> Typed:
        """What was typed into the forms and has not been saved."""
        return {form.name: form.typed() for form in self._forms if form.has_typed}

    def put(self, typed: Typed) -> None:
        """Put into the forms what was typed before, and open the last of them."""
        answer = self.owner.answer
        if answer is None:
            return
        kinds = [kind for kind in FORMS if kind.name in typed and kind.is_offered(answer, ())]
        for kind in kinds:
            form = self._closed[kind] = kind(owner=self.owner, answer=answer, on_done=lambda form: self._done(form))
            form.put(typed[kind.name])
        if kinds:
            self.open_form(kinds[-1])

    @property
    def _forms(self) -> tuple[Form, ...]:
        """The form that is open, and those that are not but have something typed."""
        return (*self._closed.values(), *(() if self._opened is None else (self._opened,)))

    @property
    def has_words(self) -> bool:
        """Whether it says anything yet."""
        return bool(self._verdict.headline)

    def show_film(self, answer: Answer) -> None:
        """Show the film of the answer, or why there is none, and nothing else of it."""
        if answer.picture is not self._picture:
            self._picture = self.view.picture = answer.picture
            entry = answer.entry
            about = "" if entry.outcome == "rejected" else evidence_words(answer.picture, entry.finding)
            self.ids.controls.describe(answer.picture, about)
        self.view.problem = say(answer.problem) if answer.problem else ""

    def show(self, answer: Answer) -> None:
        """Show the answer as it stands."""
        from osteo_edge.edge_app.answer_words import answer_words

        self.show_film(answer)
        words = answer_words(answer.entry, say)
        self._verdict.show(answer.entry, words)
        self._probability.show(answer.entry, words)
        self._facts.show(words)
        self._print.show(words)
        for form in self._forms:
            form.show(answer)
        self._fill(answer)

    def open_form(self, kind: type[Form] | None) -> None:
        """Open a form below the buttons, in place of the one that is there; None only closes that one.

        What was typed in it is there again when it is opened the next time.
        """
        if self._opened is not None and self._opened.has_typed:
            self._closed[type(self._opened)] = self._opened
        self._drop()
        answer = self.owner.answer
        if answer is None:
            return
        if kind is not None:
            self._opened = self._closed.pop(kind, None) or kind(
                owner=self.owner, answer=answer, on_done=lambda form: self._done(form)
            )
        self._fill(answer)
        if self._opened is not None:
            self.ids.page.scroll_to(self._opened, animate=False)

    def left(self) -> None:
        """The screen was left: end what the form began, and let the film go."""
        self._drop()
        self._closed.clear()
        self._picture = self.view.picture = None

    def _done(self, form: Form) -> None:
        """A form has been saved or given up, perhaps after another one was opened."""
        self._closed.pop(type(form), None)
        if form is self._opened:
            self._drop()
            self.open_form(None)

    def _drop(self) -> None:
        if self._opened is not None:
            self._opened.left()
        self._opened = None

    def _fill(self, answer: Answer) -> None:
        page = self.ids.page
        page.clear()
        if answer.record is not None and answer.doubtful is not None:
            page.add_widget(WarningWords(text=doubt_words(answer.doubtful, say)))
        for widget in (self._verdict, self._probability, self._facts, self._actions(answer)):
            page.add_widget(widget)
        if self._opened is not None:
            page.add_widget(self._opened)
        page.add_widget(self._print)
        self._fill_foot(answer)

    def _actions(self, answer: Answer) -> Cells:
        cells, others = Cells(least=dp(150)), self.owner.others
        for kind in FORMS:
            if kind.is_offered(answer, others):
                cells.add_widget(self._button(kind))
        if answer.record is None:
            delete = QuietTap(text=say("Delete"))
            delete.bind(on_release=lambda _: self.owner.delete())
            cells.add_widget(delete)
        return cells

    def _button(self, kind: type[Form]) -> ChoiceTap:
        is_open = isinstance(self._opened, kind)
        tap = ChoiceTap(text=kind.button(self.owner.others), chosen=is_open)
        tap.bind(on_release=lambda _: self.open_form(None if is_open else kind))
        return tap

    def _fill_foot(self, answer: Answer) -> None:
        foot, owner = self.ids.foot, self.owner
        foot.clear_widgets()
        if owner.film is None:
            return
        if answer.record is None:
            foot.add_widget(Words(text=say("Saved on this device."), bold=True, halign="center"))
            return
        is_rejected = answer.entry.outcome == "rejected"
        cells = Cells(least=dp(150))
        save = (QuietTap if is_rejected else Tap)(text=say("Saving…") if owner.is_saving else say("Save"))
        save.disabled = owner.is_saving
        save.bind(on_release=lambda _: owner.save())
        cells.add_widget(save)
        if is_rejected:
            another = Tap(text=say("Choose another film"))
            another.bind(on_release=lambda _: owner.another_film())
            cells.add_widget(another)
        foot.add_widget(cells)

    def _arrange(self) -> None:
        """Put the words beside the film, below it, or away."""
        self.wide = self.width > WIDE * self.height
        reading, alone = self._reading, self.view.is_alone
        if alone and reading.parent is not None:
            self.remove_widget(reading)
        elif not alone and reading.parent is None:
            self.add_widget(reading)


load_kv(__file__)
