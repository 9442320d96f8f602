"""The list of what is in a folder: thousands of rows, of which only those in sight are widgets."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kivy.properties import BooleanProperty, ListProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.recycleview import RecycleView
from kivy.uix.recycleview.views import RecycleDataViewBehavior
from kivy.uix.widget import Widget

from osteo_edge.edge_app.ui import small_picture  # noqa: F401 (the widget that the .kv file names)
from osteo_edge.edge_app.ui.kit import Reachable
from osteo_edge.edge_app.ui.screen import load_kv
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.browsing.choosing import Row

KEPT_PICTURES: Final = 300


class FileRow(RecycleDataViewBehavior, ButtonBehavior, BoxLayout):  # type: ignore[misc]
    """One row: a thumbnail or a sign of what it is, the name, and what else is to be said of it."""

    row: Any = ObjectProperty(None, allownone=True)
    list: Any = ObjectProperty(None, allownone=True)
    index = NumericProperty(-1)
    name = StringProperty()
    detail = StringProperty()
    texture: Any = ObjectProperty(None, allownone=True)

    def refresh_view_attrs(self, rv: FileList, index: int, data: dict[str, Any]) -> None:
        self.list, self.index, self.row = rv, index, data["row"]
        self.name = self.row.name
        self.show_picture()
        rv.dispatch("on_rows_shown")

    def show_picture(self) -> None:
        """Take the thumbnail that there is by now, or the reason why there is none."""
        found = self.list.pictures.get(self.row.path)
        self.texture = None if isinstance(found, str) else found
        self.detail = say("Cannot be read. Tap to see why.") if isinstance(found, str) else self.row.detail

    def on_release(self) -> None:
        self.list.dispatch("on_chosen", self.row)


class FileList(Reachable, RecycleView):  # type: ignore[misc]
    """The rows, of which only those in sight are there as widgets. The arrow keys go from row to row."""

    is_marked = BooleanProperty(False)
    current = NumericProperty(0)
    rows: Any = ListProperty()

    def __init__(self, **kwargs: Any) -> None:
        self.register_event_type("on_chosen")
        self.register_event_type("on_rows_shown")
        self.pictures: OrderedDict[Path, Any] = OrderedDict()
        super().__init__(**kwargs)

    def on_chosen(self, row: Row) -> None:
        pass

    def on_rows_shown(self) -> None:
        pass

    def show(self, rows: tuple[Row, ...]) -> None:
        """Show other rows, from the first one on."""
        self.rows, self.current, self.scroll_y = list(rows), 0, 1.0
        self.data = [{"row": row} for row in rows]

    def take_out(self, paths: frozenset[Path]) -> None:
        """Take some rows out; the others stay where they are on the screen."""
        gone_above = sum(row.path in paths for row in self.rows[: self.first_in_sight])
        offset = self._offset() - gone_above * self._pitch()
        self.rows = [row for row in self.rows if row.path not in paths]
        self.current = min(self.current, max(0, len(self.rows) - 1))
        self.data = [{"row": row} for row in self.rows]
        self._scroll_to_offset(offset)

    def missing_picture(self) -> Path | None:
        """The first film in sight of which it is not known how it looks."""
        low, high = self._offset(), self._offset() + self.height
        for view in self.views():
            top = view.index * self._pitch()
            if (
                view.row.kind == "film"
                and view.row.path not in self.pictures
                and top < high
                and top + view.height > low
            ):
                path: Path = view.row.path
                return path
        return None

    def keep_picture(self, path: Path, picture: Any) -> None:
        """Keep the texture of a film, or the reason why there is none; those that came first go in time."""
        self.pictures[path] = picture
        while len(self.pictures) > KEPT_PICTURES:
            self.pictures.popitem(last=False)
        for view in self.views():
            view.show_picture()

    def forget(self, folder: Path) -> None:
        """Let go of the pictures of films in a folder and below."""
        for path in [path for path in self.pictures if path.is_relative_to(folder)]:
            del self.pictures[path]

    def views(self) -> list[FileRow]:
        """The rows that are there as widgets, from the top."""
        return sorted(self.view_adapter.views.values(), key=lambda view: view.index)

    @property
    def first_in_sight(self) -> int:
        return max(0, int((self._offset() + 1) // self._pitch()))  # a pixel, since the scroll bar's place is a share

    def press(self) -> None:
        if self.current < len(self.rows):
            self.dispatch("on_chosen", self.rows[self.current])

    def nudge(self, steps: int) -> bool:
        self.current = min(max(0, self.current - steps), max(0, len(self.rows) - 1))
        self._scroll_to_row(self.current)
        return True

    def scroll_to(self, widget: Widget, padding: float = 10, animate: bool = True) -> None:
        """Bring a row into sight; the one of `ScrollView` cannot do it with a list of this kind."""
        row = next((view for view in self.views() for below in view.walk(restrict=True) if below is widget), None)
        if row is not None:
            self._scroll_to_row(row.index)

    def _scroll_to_row(self, index: int) -> None:
        top, pitch = index * self._pitch(), self._pitch()
        if top < self._offset():
            self._scroll_to_offset(top)
        elif top + pitch > self._offset() + self.height:
            self._scroll_to_offset(top + pitch - self.height)

    def _pitch(self) -> float:
        layout = self.layout_manager
        return float(layout.default_size[1] + layout.spacing)

    def _room(self) -> float:
        return float(max(0.0, len(self.rows) * self._pitch() - self.height))

    def _offset(self) -> float:
        """How many pixels of the rows lie above what is in sight."""
        return float((1 - self.scroll_y) * self._room())

    def _scroll_to_offset(self, offset: float) -> None:
        room = self._room()
        self.scroll_y = 1 - min(max(0.0, offset), room) / room if room else 1.0


load_kv(__file__)
