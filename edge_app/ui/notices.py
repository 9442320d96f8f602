"""The lines at the foot of the window: which of them are shown, and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from kivy.clock import Clock
from kivy.properties import NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.scrollview import ScrollView

from osteo_edge.edge_app.ui.screen import load_kv

NOTICE_S: Final = 8.0
UNDO_S: Final = 60.0
ROOM: Final = 2
"""So many lines stand there at once, those with an Undo apart: of these all do."""


class Notice(BoxLayout):  # type: ignore[misc]
    """A line, with a button that takes it away, or undoes what it tells of; it goes by itself after `left_s` seconds
    of `run`, if there are any."""

    text = StringProperty()
    button = StringProperty()

    def __init__(self, *, left_s: float | None, undo: Callable[[], None] | None = None, **kwargs: Any) -> None:
        self.register_event_type("on_answer")
        self.register_event_type("on_over")
        self.undo, self._left_s, self._since = undo, left_s, 0.0
        self._ending: Any = None
        super().__init__(**kwargs)

    @property
    def lasts(self) -> bool:
        """Whether it stays until it is tapped away."""
        return self._left_s is None

    def on_answer(self) -> None:
        self.dispatch("on_over")
        if self.undo is not None:
            self.undo()

    def on_over(self) -> None:
        self.rest()

    def run(self) -> None:
        """Let its time go on."""
        if self._left_s is not None and self._ending is None:
            self._since = time.monotonic()
            self._ending = Clock.schedule_once(lambda _: self.dispatch("on_over"), self._left_s)

    def rest(self) -> None:
        """Let its time stand still."""
        if self._left_s is not None and self._ending is not None:
            self._ending.cancel()
            self._ending = None
            self._left_s = max(0.0, self._left_s - (time.monotonic() - self._since))


class Notices(ScrollView):  # type: ignore[misc]
    """The lines, the newest last, in a height of `most` pixels; they scroll where they need more.

    An Undo stands there until its time is over. A line that lasts waits, where newer ones take its room, until they
    have been tapped away. One that passes makes room for those. While `disabled` all time stands still.
    """

    most = NumericProperty(10_000)

    def __init__(self, **kwargs: Any) -> None:
        self._all: list[Notice] = []
        super().__init__(**kwargs)

    @property
    def offers_undo(self) -> bool:
        """Whether anything can be undone here."""
        return any(notice.undo is not None for notice in self._all)

    def tell(self, line: str, button: str, *, lasts: bool) -> None:
        """Show a line, once, for some seconds or until it is tapped away."""
        for older in [notice for notice in self._all if notice.text == line and notice.undo is None]:
            lasts = lasts or older.lasts
            self._all.remove(older)
            older.rest()
        self._add(Notice(text=line, button=button, left_s=None if lasts else NOTICE_S))

    def offer_undo(self, line: str, button: str, undo: Callable[[], None]) -> Callable[[], None]:
        """Show a line with a button that undoes what it tells of; what takes it away before its time."""
        notice = Notice(text=line, button=button, left_s=UNDO_S, undo=undo)
        self._add(notice)
        return lambda: notice.dispatch("on_over")

    def on_disabled(self, *_: object) -> None:
        for notice in self._all:
            if self.disabled:
                notice.rest()
            else:
                notice.run()

    def _add(self, notice: Notice) -> None:
        notice.bind(on_over=self._remove)
        self._all.append(notice)
        if not self.disabled:
            notice.run()
        self._show()
        self.scroll_y = 0

    def _remove(self, notice: Notice) -> None:
        if notice in self._all:
            self._all.remove(notice)
            self._show()

    def _show(self) -> None:
        """Show those that there is room for; a line that passes and has none is not wanted any more."""
        lines, shown = self.ids.lines, set(self._with_room())
        for notice in [one for one in self._all if one not in shown and not one.lasts]:
            self._all.remove(notice)
            notice.rest()
        lines.clear_widgets()
        for notice in self._all:
            if notice in shown:
                lines.add_widget(notice)

    def _with_room(self) -> Iterator[Notice]:
        yield from (notice for notice in self._all if notice.undo is not None)
        lasting = [notice for notice in self._all if notice.lasts][-ROOM:]
        passing = [notice for notice in self._all if notice.undo is None and not notice.lasts]
        yield from lasting
        yield from passing[-max(1, ROOM - len(lasting)) :]


load_kv(__file__)
