"""Past screenings: found by code, day, answer and DXA result; and the way out for all of them together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from kivy.clock import Clock
from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from osteo_edge.edge_app.device_services import MAX_BACKUP_BYTES
from osteo_edge.edge_app.exports.backup_contents import WRONG_SECRET
from osteo_edge.edge_app.history.entry import Entry
from osteo_edge.edge_app.history.paged import PagedEntries
from osteo_edge.edge_app.history.query import Query
from osteo_edge.edge_app.history_list import DAMAGED, Row, ask, found_words, row_of
from osteo_edge.edge_app.history_work import (
    HANDED_OVER,
    RESTORING,
    TABLE_WRITTEN,
    Found,
    backup_words,
    make_backup,
    needs_secret,
    read_pages,
    restored_words,
    search,
    unpack,
    write_table,
)
from osteo_edge.edge_app.jobs import Progress, Task
from osteo_edge.edge_app.left_off import Left, LeftPage
from osteo_edge.edge_app.own_copies import shown_name
from osteo_edge.edge_app.ui.copies import Copies
from osteo_edge.edge_app.ui.film_pictures import FilmPictures
from osteo_edge.edge_app.ui.kit import Page
from osteo_edge.edge_app.ui.narrowing import Narrowing
from osteo_edge.edge_app.ui.rows import RowList
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.exports.in_place import Unpacked

TYPING_S: Final = 0.25
BUSY_AFTER_S: Final = 0.3
AHEAD_ROWS: Final = 25
"""Rows above and below those in sight that are read too, so that a slow finger never meets an empty row."""
SEARCH, PAGES, COPY = "history search", "history pages", "history copy"


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
        self._is_placing = self._is_shown = False
        self._own_backup: Path | None = None
        self._locked_backup: Path | None = None
        self._search_soon = Clock.create_trigger(lambda _: self._search(to_top=True), TYPING_S)
        self._busy_soon = Clock.create_trigger(lambda _: self._show_busy(), BUSY_AFTER_S)
        self.copies.is_phone = self.shell.device is not None
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
        self.jobs.cancel(COPY)
        self._drop_backup()

    def lasting(self) -> Left:
        return LeftPage()

    def leave(self) -> bool:
        if self.copies.is_busy:
            self._ask_to_stop()
            return True
        if self._part is not self.finds:
            self.open_part(self.finds)
            return True
        return False

    def save_table(self, folder: Path) -> None:
        """Write what is found as a table into a folder."""
        query = self._asked
        self._copy(
            lambda task: write_table(self.clinic, query, folder, task),
            lambda path: self._written(path, say(TABLE_WRITTEN, path=path)),
        )

    def save_backup(self, folder: Path) -> None:
        """Back everything up into a folder."""
        self._copy(
            lambda task: make_backup(self.clinic, folder, task),
            lambda backup: self._written(backup.path, *backup_words(backup, say)),
        )

    def ask_to_restore(self, backup: Path) -> None:
        """Restore a backup if the user, who has chosen it, means it."""
        words = say("The history of the backup {name} takes the place of this one.", name=shown_name(backup))
        self.shell.ask(say("Restore this backup?"), words, say("Restore"), lambda: self._look_into(backup))

    def _connect(self) -> None:
        finds, narrowing, copies = self.finds, self.narrowing, self.copies
        finds.listing.row_at, finds.listing.film_at = self._row_at, self._film_at
        finds.listing.bind(on_open=self._open, on_sight=self._in_sight)
        finds.bind(
            on_code=self._search_soon,
            on_narrow=lambda *_: self.open_part(narrowing),
            on_copies=lambda *_: self.open_part(copies),
            on_restore=lambda *_: self._choose_backup(),
        )
        narrowing.bind(on_change=self._search_soon, on_done=lambda *_: self.open_part(finds))
        copies.bind(
            on_table=lambda *_: self._with_folder(self.save_table),
            on_backup=lambda *_: self._with_folder(self.save_backup),
            on_restore=lambda *_: self._choose_backup(),
            on_secret=lambda *_: self._try_secret(),
            on_cancel=lambda *_: self._stop(),
        )

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

    def _written(self, path: Path, *lines: str) -> None:
        """Tell where it is; on a phone, offer it to other apps, for nobody else can look there."""
        device = self.shell.device
        if device is None:
            self._done(*lines)
        else:
            self._done(say(HANDED_OVER), *lines[1:])
            device.send(path, self.shell.complain)

    def _with_folder(self, work: Callable[[Path], None]) -> None:
        if self.shell.device is not None:
            work(self.clinic.folders.outgoing)
        elif self.copies.is_elsewhere:
            self.shell.go("files", kind="folder", on_chosen=work)
        else:
            work(self.clinic.folders.exports)

    def _choose_backup(self) -> None:
        self.open_part(self.copies)
        device = self.shell.device
        if device is None:
            self.shell.go("files", kind="backup", on_chosen=self.ask_to_restore)
        else:
            take = self.own_copy(self._ask_about_own)
            device.choose_document(take, self.shell.complain, most_bytes=MAX_BACKUP_BYTES)

    def _ask_about_own(self, backup: Path) -> None:
        """Ask about a backup of which the app has a copy of its own."""
        self._drop_backup()
        self._own_backup = backup
        self.ask_to_restore(backup)

    def _drop_backup(self) -> None:
        """Remove the app's own copy of a backup, if there is one: it was restored, or nobody wants it."""
        backup, self._own_backup = self._own_backup, None
        if backup is not None:
            self.remove(backup)

    def _copy(
        self,
        work: Callable[[Task], Any],
        on_result: Callable[[Any], None],
        on_error: Callable[[str], None] | None = None,
    ) -> None:
        copies = self.copies
        copies.ask_secret(False)
        copies.done, copies.message, copies.share, copies.is_busy, copies.scroll_y = "", "", -1, True, 1
        self.jobs.start(COPY, work, on_result, on_error or self._failed, self._progressed)

    def _progressed(self, progress: Progress) -> None:
        self.copies.share = -1 if progress.share is None else progress.share
        self.copies.message = say(progress.message)

    def _done(self, *lines: str) -> None:
        self.copies.is_busy, self._is_placing, self._locked_backup = False, False, None
        self._drop_backup()
        self.copies.done = "\n".join(lines)

    def _failed(self, line: str) -> None:
        self._done()
        self.shell.complain(line)

    def _look_into(self, backup: Path) -> None:
        """Restore a backup, once its PIN or recovery code is known where it needs one."""
        self._copy(lambda task: needs_secret(self.clinic, backup), lambda needs: self._begin_restore(backup, needs))

    def _begin_restore(self, backup: Path, needs_one: bool) -> None:
        if not needs_one:
            self._restore(backup)
            return
        self.copies.is_busy, self._locked_backup = False, backup
        self.copies.ask_secret(True)

    def _try_secret(self) -> None:
        backup, secret = self._locked_backup, self.copies.ids.secret.text.strip()
        if backup is not None and secret:
            self._restore(backup, secret)

    def _restore(self, backup: Path, secret: str | None = None) -> None:
        def fail(line: str) -> None:
            if line == WRONG_SECRET:
                self.copies.is_busy = False
                self.copies.ask_secret(True, say(line))
            else:
                self._failed(line)

        self._copy(lambda task: unpack(self.clinic, backup, secret, task), self._put_in_place, fail)

    def _put_in_place(self, unpacked: Unpacked) -> None:
        """From here on it is saved, and cannot be cancelled."""
        self._is_placing = True
        self._progressed(Progress(None, RESTORING))
        self.jobs.save(lambda: self.clinic.put_in_place(unpacked), self._restored, self._failed)

    def _restored(self, kept: Path | None) -> None:
        self._done(*restored_words(kept, say))
        if self._is_shown:
            self._search(to_top=True)

    def _ask_to_stop(self) -> None:
        if not self._is_placing:
            words = say("What has been written of it is removed.")
            self.shell.ask(say("Stop?"), words, say("Stop"), self._stop, no=say("Go on"))

    def _stop(self) -> None:
        if not self._is_placing and self.jobs.cancel(COPY):
            self._done(say("Stopped."))


load_kv(__file__)
