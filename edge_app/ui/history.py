"""Past screenings: found by code, day, answer and DXA result; and the way out for all of them together."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, Literal

from kivy.clock import Clock
from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from osteo_edge.edge_app.history.entry import Entry
from osteo_edge.edge_app.history.paged import PagedEntries
from osteo_edge.edge_app.history.query import Query
from osteo_edge.edge_app.history_list import DAMAGED, Row, ask, found_words, row_of
from osteo_edge.edge_app.history_work import Found, read_pages, search
from osteo_edge.edge_app.left_off import Left, LeftPage
from osteo_edge.edge_app.ui.copies import Copies
from osteo_edge.edge_app.ui.copying import Copying
from osteo_edge.edge_app.ui.film_pictures import FilmPictures
from osteo_edge.edge_app.ui.kit import Page
from osteo_edge.edge_app.ui.narrowing import Narrowing
from osteo_edge.edge_app.ui.rows import RowList
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.words import say

TYPING_S: Final = 0.25
BUSY_AFTER_S: Final = 0.3
AHEAD_ROWS: Final = 25
"""Rows above and below those in sight that are read too, so that a slow finger never meets an empty row."""
SEARCH, PAGES = "history search", "history pages"


class Finds(BoxLayout):  # type: ignore[misc]
    """The code that is looked for, how many were found, and their list."""

    found = StringProperty()
    damage = StringProperty()
    busy = StringProperty()
    is_narrowed = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        for event in ("on_code", "on_narrow", "on_copies", "on_restore"):
            self.register_event_type(event)
        super().__init__(**kwargs)

    @property
    def listing(self) -> RowList:
        listing: RowList = self.ids.listing
        return listing

    def on_code(self) -> None:
        pass

    def on_narrow(self) -> None:
        pass

    def on_copies(self) -> None:
        pass

    def on_restore(self) -> None:
        pass


class HistoryScreen(Screen):
    """The list; in its place, what it is narrowed by, or what can be done with all of it.

    `part` is which it begins with: the list, or "copies", where a backup can be restored.
    """

    def __init__(self, *, part: Literal["list", "copies"] = "list", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.finds, self.narrowing, self.copies = Finds(), Narrowing(), Copies()
        self._pictures = FilmPictures(self.clinic, self.jobs, self._refresh)
        self._asked, self._entries = Query(), PagedEntries()
        self._is_shown = False
        self.copying = Copying(self, self.copies, lambda: self._asked, self._search_again)
        self._search_soon = Clock.create_trigger(lambda _: self._search(to_top=True), TYPING_S)
        self._busy_soon = Clock.create_trigger(lambda _: self._show_busy(), BUSY_AFTER_S)
        self._connect()
        self._part: BoxLayout | Page | None = None
        self.open_part(self.finds if part == "list" else self.copies)

    def open_part(self, part: BoxLayout | Page) -> None:
        """Show the list, what it is narrowed by, or what can be done with all of it."""
        self._part = part
        self.ids.body.clear_widgets()
        self.ids.body.add_widget(part)

    def shown(self) -> None:
        self._is_shown = True
        self._search(to_top=False)

    def hidden(self) -> None:
        self._is_shown = False
        self._search_soon.cancel()
        self._busy_soon.cancel()
        for slot in (SEARCH, PAGES):
            self.jobs.cancel(slot)
        self._pictures.want(())

    def left(self) -> None:
        self.copying.left()

    def lasting(self) -> Left:
        return LeftPage()

    def leave(self) -> bool:
        if self.copies.is_busy:
            self.copying.ask_to_stop()
            return True
        if self._part is not self.finds:
            self.open_part(self.finds)
            return True
        return False

    def _connect(self) -> None:
        finds, narrowing = self.finds, self.narrowing
        finds.listing.row_at, finds.listing.film_at = self._row_at, self._film_at
        finds.listing.bind(on_open=self._open, on_sight=self._in_sight)
        finds.bind(
            on_code=self._search_soon,
            on_narrow=lambda *_: self.open_part(narrowing),
            on_copies=lambda *_: self.open_part(self.copies),
            on_restore=lambda *_: self._choose_backup(),
        )
        narrowing.bind(on_change=self._search_soon, on_done=lambda *_: self.open_part(finds))
        self.copies.bind(on_restore=lambda *_: self._choose_backup())

    def _search(self, *, to_top: bool) -> None:
        wanted = self.narrowing.wanted(self.finds.ids.code.text)
        asked = ask(wanted, date.today())
        self.narrowing.complain(asked.problems)
        self.finds.is_narrowed = wanted.is_narrowed
        query = asked.query
        self.jobs.cancel(PAGES)
        self._busy_soon()
        self.jobs.start(
            SEARCH,
            lambda task: search(self.clinic, query),
            lambda found: self._show(query, found, to_top=to_top),
            self._fail,
        )

    def _show(self, query: Query, found: Found, *, to_top: bool) -> None:
        self._busy_soon.cancel()
        self._asked, self._entries = query, PagedEntries(found.count)
        self._entries.put(0, found.first)
        words = found_words(found.count, query == Query(), say)
        finds, copies = self.finds, self.copies
        finds.busy, finds.found, self.narrowing.found, copies.found = "", words, words, words
        finds.damage = "" if found.damaged is None else say(DAMAGED, name=found.damaged)
        copies.may_restore = found.may_restore
        if to_top:
            finds.listing.to_top()
        finds.listing.show(found.count)

    def _fail(self, line: str) -> None:
        self._busy_soon.cancel()
        self.finds.busy = ""
        self.shell.complain(line)

    def _show_busy(self) -> None:
        self.finds.busy = say("Looking through the history…")

    def _refresh(self) -> None:
        self.finds.listing.refresh()

    def _row_at(self, index: int) -> Row | None:
        entry = self._entries.entry(index)
        return None if entry is None else row_of(entry, say)

    def _film_at(self, index: int) -> Any:
        entry = self._entries.entry(index)
        return None if entry is None else self._pictures.picture(entry.image_sha256)

    def _in_sight(self, _: RowList, first: int, last: int) -> None:
        if not self._is_shown:
            return
        query, missing = self._asked, self._entries.missing(first - AHEAD_ROWS, last + AHEAD_ROWS)
        if missing:
            self.jobs.start(
                PAGES,
                lambda task: read_pages(self.clinic.history(), query, missing, task),
                self._keep_pages,
                self.shell.complain,
            )
        shown = (self._entries.entry(index) for index in range(first, last + 1))
        self._pictures.want([entry.image_sha256 for entry in shown if entry is not None])

    def _keep_pages(self, pages: dict[int, tuple[Entry, ...]]) -> None:
        for page, entries in pages.items():
            self._entries.put(page, entries)
        self._refresh()
        self._in_sight(self.finds.listing, *self.finds.listing.in_sight())

    def _open(self, _: RowList, index: int) -> None:
        entry = self._entries.entry(index)
        if entry is not None:
            self.shell.go("result", entry_id=entry.id)

    def _choose_backup(self) -> None:
        self.open_part(self.copies)
        self.copying.choose_backup()

    def _search_again(self) -> None:
        if self._is_shown:
            self._search(to_top=True)


load_kv(__file__)
