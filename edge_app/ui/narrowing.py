"""Which screenings are wanted, besides their code: of when, with what answer, with or without a DXA result."""

from __future__ import annotations

from typing import Any

from kivy.properties import BooleanProperty, StringProperty

from osteo_edge.edge_app.history_list import DXA_CHOICES, OUTCOME_CHOICES, PERIODS, Side, Wanted
from osteo_edge.edge_app.ui.kit import ChoiceTap, Page, choices
from osteo_edge.edge_app.ui.screen import load_kv
from osteo_edge.edge_app.ui.words import say


class OutcomeTap(ChoiceTap):
    """An outcome that is wanted or not, with its symbol."""

    outcome = StringProperty("refer")

    def on_release(self) -> None:
        self.chosen = not self.chosen


class Narrowing(Page):
    """What is chosen; `on_change` at every change, `on_done` when the list is to be seen again."""

    found = StringProperty()
    by_days = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        self.register_event_type("on_change")
        self.register_event_type("on_done")
        super().__init__(**kwargs)
        self.ids.period.options = choices(PERIODS)
        self.ids.period.value = "all"
        self.ids.dxa.options = choices(DXA_CHOICES)
        self._taps = tuple(OutcomeTap(outcome=one, text=say(OUTCOME_CHOICES[one])) for one in OUTCOME_CHOICES)
        for tap in self._taps:
            self.ids.outcomes.add_widget(tap)
        for widget, name in (
            (self.ids.period, "value"),
            (self.ids.dxa, "value"),
            (self.ids.first, "text"),
            (self.ids.last, "text"),
            *((tap, "chosen") for tap in self._taps),
        ):
            widget.fbind(name, self._changed)

    def on_change(self) -> None:
        pass

    def on_done(self) -> None:
        pass

    def wanted(self, code: str) -> Wanted:
        """What is chosen here, and the code."""
        outcomes = tuple(tap.outcome for tap in self._taps if tap.chosen)
        days = self.ids.first.text, self.ids.last.text
        return Wanted(code, self.ids.period.value, *days, outcomes, self.ids.dxa.value)

    def clear_all(self) -> None:
        """Want everything again."""
        self.ids.period.value, self.ids.dxa.value = "all", None
        self.ids.first.text = self.ids.last.text = ""
        for tap in self._taps:
            tap.chosen = False

    def complain(self, problems: dict[Side, str]) -> None:
        """Show what is wrong with the days that were typed."""
        self.ids.first.problem, self.ids.last.problem = (say(problems.get(side, "")) for side in ("first", "last"))

    def _changed(self, *_: object) -> None:
        self.by_days = self.ids.period.value == "dates"
        self.dispatch("on_change")


load_kv(__file__)
