"""One page that says in plain words what the app is, how it is used, and what its answers mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kivy.properties import StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from osteo_edge.edge_app import help_text
from osteo_edge.edge_app.browsing.names import shown
from osteo_edge.edge_app.left_off import Left, LeftPage
from osteo_edge.edge_app.ui.kit import Card, Words
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.texts import Heading
from osteo_edge.edge_app.ui.words import say
from osteo_edge.findings import findings_of
from osteo_edge.version import VERSION
from osteo_edge.wording import Finding, Outcome, advice, headline


class AnswerMeaning(BoxLayout):  # type: ignore[misc]
    """The symbol of an outcome with its words."""

    outcome = StringProperty("refer")
    headline = StringProperty()
    advice = StringProperty()


class HelpScreen(Screen):
    """The sections of `help_text`, one below the other, as they are for the model in use."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        model = self.shell.model
        findings: tuple[Finding, ...] = ("density",) if model is None else findings_of(model.manifest)
        before = (help_text.about(section, findings) for section in help_text.BEFORE_THE_ANSWERS)
        for section in self._sections(before):
            self._add(section.title, map(_said, section.paragraphs))
        tells_bones = model is not None and model.manifest.router is not None
        for finding in findings:
            title = help_text.OUTCOMES_TITLE if len(findings) == 1 else help_text.OUTCOMES_TITLES[finding]
            self._add(title, _meanings(finding, tells_bones))
        for section in self._sections(help_text.sections_after(findings)):
            self._add(section.title, map(_said, section.paragraphs))
        if self.shell.device is not None:
            self._add(help_text.ON_A_PHONE.title, map(_said, help_text.ON_A_PHONE.paragraphs))
        folder = shown(str(self.clinic.folders.root))
        about = (say(help_text.VERSION_LINE, version=VERSION), say(help_text.DATA_FOLDER_LINE, folder=folder))
        self._add(help_text.ABOUT_TITLE, (Words(text=line) for line in about))

    def lasting(self) -> Left:
        return LeftPage()

    def _sections(self, sections: Iterable[help_text.Section]) -> Iterable[help_text.Section]:
        return sections if self.shell.device is None else map(help_text.on_a_phone, sections)

    def _add(self, title: str, widgets: Iterable[Widget]) -> None:
        card = Card()
        card.add_widget(Heading(text=say(title)))
        for widget in widgets:
            card.add_widget(widget)
        self.ids.page.add_widget(card)


def _said(message: str) -> Words:
    return Words(text=say(message))


def _meanings(finding: Finding, tells_bones: bool) -> Iterator[Widget]:
    for outcome in help_text.OUTCOMES:
        yield _meaning(outcome, finding)
    if tells_bones:
        yield _said(help_text.WHICH_BONE)


def _meaning(outcome: Outcome, finding: Finding) -> AnswerMeaning:
    words, what_to_do = headline(outcome, finding), advice(outcome, finding)
    return AnswerMeaning(outcome=outcome, headline=say(words), advice=say(what_to_do))


load_kv(__file__)
