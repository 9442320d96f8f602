"""Choosing a film, a model, a backup or a folder: this device, the watched folder, and sticks as they come and go."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kivy.clock import Clock
from kivy.properties import BooleanProperty, StringProperty

from osteo_edge.edge_app.browsing.places import Place, above, changes
from osteo_edge.edge_app.browsing.places import places as find_places
from osteo_edge.edge_app.ui.file_list import FileList
from osteo_edge.edge_app.ui.kit import Busy
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.small_picture import texture_of
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.browsing.choosing import Purpose, Row
    from osteo_edge.edge_app.browsing.errors import PlaceGoneError
    from osteo_edge.edge_app.browsing.listing import Item
    from osteo_edge.edge_app.browsing.thumbnails import Thumbnail
    from osteo_edge.edge_app.jobs import Task

LOOK_EVERY_S: Final = 2.0
BUSY_AFTER_S: Final = 0.3
LOOKED_INTO: Final = 200
"""How many files are looked into before thumbnails have their turn again."""

TITLES: Final[dict[Purpose, str]] = {
    "film": "Choose a film",
    "bundle": "Choose a model",
    "backup": "Choose a backup",
    "folder": "Choose a folder",
}
NOTHING: Final[dict[Purpose, str]] = {
    "film": "There is no film in this folder.",
    "bundle": "There is no model in this folder.",
    "backup": "There is no backup in this folder.",
    "folder": "There is no other folder in this folder.",
}
"""Messages to translate."""


class FilesScreen(Screen):
    """The places, then the folders and files of one of them; what is chosen goes to `on_chosen` after it has closed."""

    where = StringProperty()
    message = StringProperty()
    in_folder = BooleanProperty(False)
    folder_wanted = BooleanProperty(False)

    def __init__(self, *, kind: Purpose, on_chosen: Callable[[Path], None], **kwargs: Any) -> None:
        self.kind, self._on_chosen = kind, on_chosen
        self._places: tuple[Place, ...] = ()
        self._place: Place | None = None
        self._folder: Path | None = None
        self._is_shown = self._is_opening = False
        self._unsure: list[Item] = []
        self._looking = Clock.create_trigger(lambda _: self._look_for_places(), LOOK_EVERY_S)
        self._show_next = Clock.create_trigger(lambda _: self._make_thumbnail(), 0.05)
        self._busy_soon = Clock.create_trigger(lambda _: self._show_busy(), BUSY_AFTER_S)
        super().__init__(**kwargs)
        self.ids.bar.title = say(TITLES[kind])
        self.folder_wanted = kind == "folder"
        self._list.bind(on_chosen=lambda _, row: self._tapped(row), on_rows_shown=lambda _: self._show_next())

    @property
    def folder(self) -> Path | None:
        """The folder that is shown; None while it is the places."""
        return self._folder

    def shown(self) -> None:
        self._is_shown = True
        last = self.clinic.last_folders.get(self.kind)
        if self._folder is None and last is not None:
            self._open(*last, quietly=True)
        self._look_for_places()

    def hidden(self) -> None:
        self._is_shown = False
        self._looking.cancel()
        self._show_next.cancel()
        self._stop()
        self.jobs.cancel("files.places")

    def go_up(self) -> None:
        """Show the folder above, or the places."""
        upper = None if self._folder is None or self._place is None else above(self._folder, self._place.path)
        if upper is None or self._place is None:
            self.show_places()
        else:
            self._open(self._place, upper)

    def show_places(self) -> None:
        """Show where films may lie."""
        self._stop()
        self._place = self._folder = None
        self.in_folder = False
        self.where = say("Where is it? A USB stick appears here when it is plugged in.")
        self._show_rows(self._place_rows())

    def choose_folder(self) -> None:
        """Choose the folder that is shown."""
        if self._folder is not None:
            self._choose(self._folder)

    def _place_rows(self) -> tuple[Row, ...]:
        from osteo_edge.edge_app.browsing.choosing import place_row

        rows = map(place_row, self._places)
        return tuple(type(row)(row.path, say(row.name), row.kind, say(row.detail)) for row in rows)

    @property
    def _list(self) -> FileList:
        rows: FileList = self.ids.rows
        return rows

    def _look_for_places(self) -> None:
        watched = self.clinic.settings.watched_folder
        look = partial(find_places, Path.home(), None if watched is None else Path(watched))
        self.jobs.start("files.places", lambda task: look(), self._set_places, self.shell.complain)

    def _set_places(self, found: tuple[Place, ...]) -> None:
        change = changes(self._places, found)
        self._places = found
        for place in change.went:
            self._forget(place.path)
        if self._place is not None and self._place not in found:
            self._leave_gone(self._place.path)
        elif self._place is None and (change.came or change.went) and not self._is_opening:
            self.show_places()
        self._looking()

    def _leave_gone(self, folder: Path) -> None:
        from osteo_edge.edge_app.browsing.errors import PlaceGoneError

        self._gone(PlaceGoneError(folder))

    def _gone(self, error: PlaceGoneError) -> None:
        self.clinic.last_folders.pop(self.kind, None)
        self.shell.complain(str(error))
        self.show_places()

    def _forget(self, place: Path) -> None:
        self._list.forget(place)
        self.jobs.start(
            "files.forget", lambda task: self.clinic.thumbnails.forget(place), lambda _: None, self.shell.complain
        )

    def _open(self, place: Place, folder: Path, *, quietly: bool = False) -> None:
        """Show a folder; `quietly` goes to the places without a word if it is not there."""
        self._stop()
        on_gone = (lambda _: self.show_places()) if quietly else self._gone
        on_error = (lambda _: self.show_places()) if quietly else self._complain_and_stay
        self._is_opening = True
        self._busy_soon()
        self.jobs.start(
            "files.list", partial(_rows, folder, self.kind), partial(self._opened, place, folder, on_gone), on_error
        )

    def _opened(self, place: Place, folder: Path, on_gone: Callable[[Any], None], found: Any) -> None:
        self._end_opening()
        if not isinstance(found, tuple):
            on_gone(found)
            return
        from osteo_edge.edge_app.browsing.choosing import films_of
        from osteo_edge.edge_app.browsing.names import shown

        self._place, self._folder, self.in_folder = place, folder, True
        self.where = shown(str(folder))
        self._unsure = list(films_of(found))
        self._show_rows(found)
        self._look_into_files()

    def _complain_and_stay(self, line: str) -> None:
        self._end_opening()
        self.shell.complain(line)
        if self._folder is None:
            self.show_places()

    def _show_rows(self, rows: tuple[Row, ...]) -> None:
        self._list.show(rows)
        self._say_if_empty()

    def _say_if_empty(self) -> None:
        self.message = say(NOTHING[self.kind]) if self._folder is not None and not self._list.rows else ""

    def _look_into_files(self) -> None:
        """Find out beside the window which files are no films, some at a time."""
        some, self._unsure = self._unsure[:LOOKED_INTO], self._unsure[LOOKED_INTO:]
        if some:
            self.jobs.start("files.look", partial(_not_films, some), self._take_out, lambda _: None, background=True)

    def _take_out(self, found: Any) -> None:
        if not isinstance(found, frozenset):
            self._gone(found)
            return
        if found:
            self._list.take_out(found)
            self._say_if_empty()
        self._look_into_files()

    def _stop(self) -> None:
        for slot in ("files.list", "files.look", "files.thumbnail"):
            self.jobs.cancel(slot)
        self._unsure = []
        self._end_opening()

    def _show_busy(self) -> None:
        busy = Busy(message=say("Looking into the folder…"))
        busy.bind(on_cancel=lambda _: self.show_places())
        self.ids.busy.add_widget(busy)

    def _end_opening(self) -> None:
        self._is_opening = False
        self._busy_soon.cancel()
        self.ids.busy.clear_widgets()

    def _make_thumbnail(self) -> None:
        """Make the first thumbnail that is missing in sight; the next one follows when it is there."""
        path = self._list.missing_picture() if self._is_shown else None
        if path is not None:
            work = partial(_thumbnail, self.clinic, path)
            self.jobs.start("files.thumbnail", work, partial(self._show, path), lambda _: None, background=True)

    def _show(self, path: Path, found: Any) -> None:
        if not hasattr(found, "picture"):
            self._gone(found)
            return
        thumbnail: Thumbnail = found
        known = thumbnail.problem or "" if thumbnail.picture is None else texture_of(thumbnail.picture)
        self._list.keep_picture(path, known)
        self._show_next()

    def _tapped(self, row: Row) -> None:
        if row.kind == "place":
            place = next((place for place in self._places if place.path == row.path), None)
            if place is not None:
                self._open(place, row.path)
        elif row.leads_on and self._place is not None:
            self._open(self._place, row.path)
        elif isinstance(problem := self._list.pictures.get(row.path), str):
            self.shell.complain(f"{row.name}: {problem}")
        else:
            self._choose(row.path)

    def _choose(self, path: Path) -> None:
        if self._place is not None and self._folder is not None:
            self.clinic.last_folders[self.kind] = (self._place, self._folder)
        self.shell.close(self)
        self._on_chosen(path)


def _rows(folder: Path, kind: Purpose, task: Task) -> tuple[Row, ...] | PlaceGoneError:
    from osteo_edge.edge_app.browsing.choosing import rows_in
    from osteo_edge.edge_app.browsing.errors import PlaceGoneError

    try:
        return rows_in(folder, kind)
    except PlaceGoneError as error:
        return error


def _not_films(files: list[Item], task: Task) -> frozenset[Path] | PlaceGoneError:
    from osteo_edge.edge_app.browsing.errors import PlaceGoneError
    from osteo_edge.edge_app.browsing.listing import not_films

    try:
        return frozenset(item.path for item in not_films(files, task.check))
    except PlaceGoneError as error:
        return error


def _thumbnail(clinic: Any, path: Path, task: Task) -> Thumbnail | PlaceGoneError:
    from osteo_edge.edge_app.browsing.errors import PlaceGoneError

    try:
        thumbnail: Thumbnail = clinic.thumbnails.of(path)
        return thumbnail
    except PlaceGoneError as error:
        return error


load_kv(__file__)
