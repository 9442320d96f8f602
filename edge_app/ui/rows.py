"""The list of screenings: as many rows as there are, of which only those in sight are widgets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from kivy.clock import Clock
from kivy.metrics import dp
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label
from kivy.uix.recycleview import RecycleView
from kivy.uix.recycleview.layout import RecycleLayoutManagerBehavior
from kivy.uix.widget import Widget

from osteo_edge.edge_app.bone_words import BONE, BONES
from osteo_edge.edge_app.dxa import dxa_words
from osteo_edge.edge_app.history.entry import Dxa
from osteo_edge.edge_app.history_list import DXA_RESULT, Row
from osteo_edge.edge_app.ui.kit import Reachable
from osteo_edge.edge_app.ui.look import look
from osteo_edge.edge_app.ui.screen import load_kv
from osteo_edge.edge_app.ui.words import say
from osteo_edge.wording import ABNORMALITY_HEADLINES, HEADLINES

FILM_DP, SYMBOL_DP, WIDE_DP, NARROW_DP = 68, 30, 380, 150
SETTLE_S: Final = 0.06
"""How long a list may scroll on before what has come into sight is asked for."""


DOT: Final = " \u00b7 "
LONGEST_DXA: Final[tuple[Dxa, ...]] = ("osteopenia", "osteoporosis")


class EntryRow(ButtonBehavior, BoxLayout):  # type: ignore[misc]
    """One screening; until it has been read, an empty row."""

    index = NumericProperty(-1)
    is_known = BooleanProperty(False)
    is_cursor = BooleanProperty(False)
    outcome = StringProperty("refer")
    code = StringProperty()
    when = StringProperty()
    headline = StringProperty()
    besides = StringProperty()
    is_demo = BooleanProperty(False)
    film: Any = ObjectProperty(None, allownone=True)
    film_side = NumericProperty(dp(FILM_DP))
    symbol_side = NumericProperty(dp(SYMBOL_DP))
    wide = NumericProperty(dp(WIDE_DP))
    is_wide = BooleanProperty(False)
    narrow = NumericProperty(dp(NARROW_DP))
    is_narrow = BooleanProperty(False)

    def fill(self, row: Row | None) -> None:
        """Show a screening, or that it has not been read yet."""
        self.is_known = row is not None
        self.opacity = 1 if row is not None else 0.4
        if row is not None:
            self.outcome = row.outcome
        self.code, self.when = (row.code, row.when) if row else ("", "")
        self.headline = row.headline if row else ""
        self.besides = DOT.join(text for text in (row.bone, row.dxa) if text) if row else ""
        self.is_demo = row is not None and row.is_demo

    def on_release(self) -> None:
        if self.parent is not None:
            self.parent.recycleview.open(self.index)


class _OneClass:
    """What the view adapter asks for each row's class: it is always the same."""

    def __getitem__(self, index: int) -> dict[str, type[Widget]]:
        return {"viewclass": EntryRow}


class EvenRows(RecycleLayoutManagerBehavior, Widget):  # type: ignore[misc]
    """Rows of one height. Unlike in a `RecycleBoxLayout`, no work grows with the number of rows."""

    row_height = NumericProperty("64dp")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fbind("row_height", self._stretch)

    def compute_sizes_from_data(self, data: Sequence[object], flags: object) -> None:
        self.clear_layout()
        self.height = len(data) * self.row_height

    def compute_visible_views(self, data: Sequence[object], viewport: tuple[float, float, float, float]) -> list[int]:
        _, bottom, _, height = viewport
        first = int((self.height - bottom - height) // self.row_height)
        last = int((self.height - bottom) // self.row_height)
        return list(range(max(0, first), min(last, len(data) - 1) + 1))

    def set_visible_views(self, indices: Sequence[int], data: Sequence[object], viewport: object) -> None:
        listing = self.recycleview
        new, remaining, old = listing.view_adapter.set_visible_views(indices, data, _OneClass())
        for _, view in old:
            self.remove_widget(view)
        for index, view in new:
            view.index = index
            listing.fill(view)
            if view.parent is None:
                self.add_widget(view)
        for index, view in (*new, *remaining):
            view.size = self.width, self.row_height
            view.pos = self.x, self.top - (index + 1) * self.row_height

    def clear_layout(self) -> None:
        super().clear_layout()
        self.clear_widgets()

    def _stretch(self, *_: object) -> None:
        if self.recycleview is not None:
            self.height = len(self.recycleview.data) * self.row_height
            self.recycleview.refresh_from_viewport()


class RowList(Reachable, RecycleView):  # type: ignore[misc]
    """The rows. `on_open` is told the place of the one that was tapped, `on_sight` the first and the last in sight.

    `row_at` gives what is known of a place. The arrow keys move the cursor, which Enter opens.
    """

    is_marked = BooleanProperty(False)
    cursor = NumericProperty(-1)
    row_at: Any = ObjectProperty(None, allownone=True)
    film_at: Any = ObjectProperty(None, allownone=True)

    def __init__(self, **kwargs: Any) -> None:
        self.register_event_type("on_open")
        self.register_event_type("on_sight")
        super().__init__(**kwargs)
        self._look_soon = Clock.create_trigger(self._look, SETTLE_S)
        self._measure_soon = Clock.create_trigger(lambda _: self.measure(), 0)
        for name in ("scroll_y", "height"):
            self.fbind(name, self._look_soon)
        self.fbind("width", self._measure_soon)
        look.bind(scale=self._on_scale)  # weakly, as a method: a trigger would keep every list that ever was

    def on_open(self, index: int) -> None:
        pass

    def on_sight(self, first: int, last: int) -> None:
        pass

    def _on_scale(self, *_: object) -> None:
        self._measure_soon()

    def show(self, count: int) -> None:
        """Show so many rows, from the place that is in sight now."""
        offset = self._offset()
        self.data = [dict[str, object]()] * count
        self.refresh_views()
        self.cursor = min(self.cursor, count - 1)
        self._scroll_to_offset(offset)
        self._look_soon()

    def to_top(self) -> None:
        """Scroll to the first row."""
        self.cursor, self.scroll_y = -1, 1

    def refresh(self) -> None:
        """Fill the rows in sight anew: more is known now."""
        for row in self.rows():
            self.fill(row)

    def fill(self, row: EntryRow) -> None:
        """Show in a row what is known of its place."""
        row.fill(self.row_at(row.index) if self.row_at else None)
        row.film = self.film_at(row.index) if self.film_at else None
        row.is_cursor = self.is_marked and row.index == self.cursor

    def rows(self) -> Iterable[EntryRow]:
        """The rows that are widgets now."""
        views: dict[int, EntryRow] = self.view_adapter.views
        return views.values()

    def in_sight(self) -> tuple[int, int]:
        """The first and the last row in sight; the last is before the first where there is none."""
        shown = sorted(row.index for row in self.rows())
        return (shown[0], shown[-1]) if shown else (0, -1)

    def open(self, index: int) -> None:
        """A row was tapped."""
        if self.row_at is not None and self.row_at(index) is not None:
            self.dispatch("on_open", index)

    def press(self) -> None:
        if self.cursor >= 0:
            self.open(int(self.cursor))

    def nudge(self, steps: int) -> bool:
        self.cursor = max(0, min(len(self.data) - 1, self.cursor - steps))
        self._bring_in_sight(int(self.cursor))
        self._mark_cursor()
        return True

    def on_is_marked(self, _: object, is_marked: bool) -> None:
        first, last = self.in_sight()
        if is_marked and not first <= self.cursor <= last:
            self.cursor = first
        self._mark_cursor()

    def measure(self) -> None:
        """Give all rows the height that the longest words take at this width and text size."""
        manager = self.layout_manager
        if manager is None or self.width < 2:
            return
        row_height = row_height_at(self.width)
        if row_height != manager.row_height:
            offset = self._offset() / manager.row_height
            manager.row_height = row_height
            self._scroll_to_offset(offset * row_height)

    def _look(self, *_: object) -> None:
        self.dispatch("on_sight", *self.in_sight())

    def _mark_cursor(self) -> None:
        for row in self.rows():
            row.is_cursor = self.is_marked and row.index == self.cursor

    def _offset(self) -> float:
        """How far down the list is scrolled, in pixels."""
        hidden = self.layout_manager.height - self.height
        return float(max(0.0, hidden) * (1 - self.scroll_y))

    def _scroll_to_offset(self, offset: float) -> None:
        hidden = self.layout_manager.height - self.height
        self.scroll_y = 1 if hidden <= 0 else max(0.0, 1 - offset / hidden)

    def _bring_in_sight(self, index: int) -> None:
        row_height, offset = self.layout_manager.row_height, self._offset()
        lowest, highest = (index + 1) * row_height - self.height, index * row_height
        self._scroll_to_offset(min(max(offset, lowest), highest))
        self.refresh_views()


def row_height_at(width: float) -> float:
    """The height of rows of a width: that of the longest words, so that all rows can be of one height."""
    texts = width - 5 * look.gap - dp(FILM_DP) - dp(SYMBOL_DP) * look.scale
    lines = [_height("X", look.body, texts, bold=True)]
    if texts < dp(WIDE_DP) * look.scale:
        lines.append(_height("2026-12-28 00:00", look.small, texts))
    if texts < dp(NARROW_DP) * look.scale:
        lines.append(_height("X", look.small, texts, bold=True))
    lines.append(max(_height(say(headline), look.body, texts) for headline in _headlines()))
    lines.append(max(_height(words, look.small, texts) for words in _longest_besides()))
    return float(max(dp(FILM_DP), sum(lines) + (len(lines) - 1) * dp(2)) + 2 * look.gap)


def _headlines() -> set[str]:
    return {*HEADLINES.values(), *ABNORMALITY_HEADLINES.values()}


def _longest_besides() -> list[str]:
    """What may stand below a headline at its longest: the knee is the one bone that has a DXA result."""
    bones = [say(BONE, bone=say(bone)) for bone in BONES.values()]
    results = [say(DXA_RESULT, result=dxa_words(dxa, -2.6, say)) for dxa in LONGEST_DXA]
    return [*bones, *(DOT.join((say(BONE, bone=say(BONES["knee"])), result)) for result in results)]


def _height(text: str, font_size: float, width: float, *, bold: bool = False) -> float:
    label = Label(text=text, font_size=font_size, text_size=(max(1.0, width), None), bold=bold)
    label.texture_update()
    return float(label.texture_size[1])


load_kv(__file__)
