"""How the model does on this site's patients, from the DXA results that were entered, and whether the films change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from kivy.clock import Clock
from kivy.metrics import dp
from kivy.properties import StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from osteo_edge.edge_app.dxa import DXA_WORDS
from osteo_edge.edge_app.follow_up_words import (
    ABOUT_DECISIONS,
    NO_DECISION,
    NO_FILMS,
    NOTHING_YET,
    OTHER_LABELS,
    Line,
    agreement_lines,
    agreement_title,
    answered_line,
    calibration_points,
    drift_scale,
    drift_title,
    drift_words,
    model_words,
    override_lines,
    point_words,
    summary,
)
from osteo_edge.edge_app.history.drift import Drift
from osteo_edge.edge_app.history.followup import CAUTION, FollowUp
from osteo_edge.edge_app.history.overrides import Overrides
from osteo_edge.edge_app.left_off import Left, LeftPage
from osteo_edge.edge_app.site_report import SiteReport, report_on
from osteo_edge.edge_app.ui.kit import Card, Choice, Words
from osteo_edge.edge_app.ui.look import look
from osteo_edge.edge_app.ui.plots import calibration_plot, drift_plot
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.words import say
from osteo_edge.wording import HEADLINES

SLOT: Final = "follow-up"
BUSY_AFTER_S: Final = 0.3
MONTHS_SHOWN: Final = 24
FILMS_OF_ALL: Final = "Films of all models; demonstrations and rejected pictures do not count."
"""A message."""


class Count(BoxLayout):  # type: ignore[misc]
    """A number with what it counts."""

    number = StringProperty()
    words = StringProperty()


class OutcomeCounts(BoxLayout):  # type: ignore[misc]
    """A row of the table: an outcome, and how often DXA found what."""

    outcome = StringProperty("refer")
    words = StringProperty()


class Share(BoxLayout):  # type: ignore[misc]
    """A share in words, below what it is a share of."""

    title = StringProperty()
    words = StringProperty()


class Heading(Words):
    """The title of a card."""


class FollowUpScreen(Screen):
    """The numbers of one model, the one in use unless another one is chosen; then the films of the site by month."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._chosen: str | None = None
        self._busy_soon = Clock.create_trigger(lambda _: self._show_busy(), BUSY_AFTER_S)

    def lasting(self) -> Left:
        return LeftPage()

    def shown(self) -> None:
        self._work_out()

    def hidden(self) -> None:
        self._busy_soon.cancel()
        self.jobs.cancel(SLOT)

    def _work_out(self) -> None:
        chosen, model = self._chosen, self.shell.model
        in_use = None if model is None else model.manifest
        self._busy_soon()
        self.jobs.start(
            SLOT,
            lambda task: report_on(self.clinic.history(), chosen, in_use, check=task.check),
            self._show,
            self._fail,
        )

    def _show_busy(self) -> None:
        self.ids.busy.is_on = True

    def _fail(self, line: str) -> None:
        self._busy_soon.cancel()
        self.ids.busy.is_on = False
        self.shell.complain(line)

    def _show(self, report: SiteReport) -> None:
        self._busy_soon.cancel()
        self.ids.busy.is_on = False
        page = self.ids.found
        page.clear_widgets()
        if report.model is None:
            page.add_widget(_card(Words(text=say(NOTHING_YET))))
            return
        page.add_widget(self._choice(report))
        if report.follow_up is None:
            page.add_widget(_card(Words(text=say(OTHER_LABELS))))
        else:
            for card in _agreement_cards(report.follow_up):
                page.add_widget(card)
        if report.overrides is not None:
            page.add_widget(_override_card(report.overrides))
        page.add_widget(_drift_card(report.drifts))

    def _choice(self, report: SiteReport) -> Widget:
        assert report.model is not None
        options = tuple((model.sha256, model_words(model, say)) for model in report.models)
        choice = Choice(title=say("Model"), options=options, value=report.model.sha256, least=dp(160))
        choice.fbind("value", self._choose)
        remark = say("A demonstration: its numbers say nothing about any patient.") if report.model.is_demo else ""
        return _card(choice, Words(text=remark, bold=True))

    def _choose(self, _: object, sha256: str) -> None:
        self._chosen = sha256
        self._work_out()


def _agreement_cards(found: FollowUp) -> list[Widget]:
    if found.n == 0:
        return [_card(Words(text=summary(found, say)))]
    cards = [
        _card(Heading(text=summary(found, say)), Words(text=say(CAUTION)), *_shares([answered_line(found, say)])),
        _card(Heading(text=say("Answers beside DXA results: patients")), *_table(found)),
    ]
    for agreement in found.agreements:
        heading = Heading(text=agreement_title(agreement, say))
        cards.append(_card(heading, *_shares(agreement_lines(agreement, say))))
    points = calibration_points(found)
    if points:
        plot = calibration_plot(points, say("Share that DXA found positive"), say("Score of the model"))
        meaning = say("On the dashed line the score says just what DXA finds. The bars are 95 % intervals.")
        lines = (Words(text=point_words(point, say), font_size=look.small) for point in points)
        cards.append(_card(Heading(text=say("How right the scores are")), plot, Words(text=meaning), *lines))
    return cards


def _table(found: FollowUp) -> Iterator[Widget]:
    for outcome, row in found.table.items():
        counts = OutcomeCounts(outcome=outcome, words=say(HEADLINES[outcome]))
        for dxa, number in row.items():
            counts.ids.counts.add_widget(Count(number=str(number), words=say(DXA_WORDS[dxa])))
        yield counts


def _shares(lines: Iterable[Line]) -> Iterator[Widget]:
    return (Share(title=line.title, words=line.words) for line in lines)


def _override_card(found: Overrides) -> Widget:
    heading = Heading(text=say("Decisions on the answers"))
    if found.n == 0:
        return _card(heading, Words(text=say(NO_DECISION)))
    return _card(heading, Words(text=say(ABOUT_DECISIONS)), *_shares(override_lines(found, say)))


def _drift_card(drifts: Sequence[Drift]) -> Widget:
    heading = Heading(text=say("Whether the films change"))
    if not drifts:
        return _card(heading, Words(text=say(NO_FILMS)))
    meaning = say("Dot: the middle film of a month. Bar: half of its films. Band: half of the first films.")
    differs = say("A diamond marks a month that differs from the first films.")
    card = _card(heading, Words(text=say(FILMS_OF_ALL)))
    for drift in drifts:
        months = drift.months[-MONTHS_SHOWN:]
        scale = drift_scale(drift, months)
        card.add_widget(Words(text=drift_title(drift, say), bold=True))
        for line in drift_words(drift, say):
            card.add_widget(Words(text=line, bold=drift.drifted))
        card.add_widget(drift_plot(months, drift.reference_quartiles, scale))
    card.add_widget(Words(text=meaning, font_size=look.small))
    card.add_widget(Words(text=differs, font_size=look.small))
    return card


def _card(*widgets: Widget) -> Card:
    card = Card()
    for widget in widgets:
        card.add_widget(widget)
    return card


load_kv(__file__)
