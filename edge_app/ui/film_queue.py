"""The films that wait in the watched folder, as a list in which each can be tapped or taken off."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.clock import Clock
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout

from osteo_edge.edge_app.ui.kit import Reachable, Shown
from osteo_edge.edge_app.ui.screen import load_kv
from osteo_edge.edge_app.ui.small_picture import texture_of
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.arriving import Inbox, Queue, Waiting
    from osteo_edge.edge_app.browsing.thumbnails import Thumbnail
    from osteo_edge.edge_app.jobs import Task


class FilmTap(Reachable, ButtonBehavior, BoxLayout):  # type: ignore[misc]
    """A film of the watched folder: its thumbnail, its name, and what is known of it."""

    is_marked = BooleanProperty(False)
    name = StringProperty()
    detail = StringProperty()
    texture: Any = ObjectProperty(None, allownone=True)

    def press(self) -> None:
        self.trigger_action(0)


class QueueRow(BoxLayout):  # type: ignore[misc]
    """A film that waits, and the button that takes it off the list."""

    film: Any = ObjectProperty()
    detail = StringProperty()
    texture: Any = ObjectProperty(None, allownone=True)
    problem: Any = ObjectProperty(None, allownone=True)

    def __init__(self, **kwargs: Any) -> None:
        self.register_event_type("on_chosen")
        self.register_event_type("on_dismissed")
        super().__init__(**kwargs)

    def on_chosen(self) -> None:
        pass

    def on_dismissed(self) -> None:
        pass


class FilmQueue(Shown):
    """The watched folder, looked at again and again between `start` and `stop`; not shown where none is set.

    `on_film` tells which film was tapped, as it was listed.
    """

    shell: Any = ObjectProperty()
    line = StringProperty()
    has_more = BooleanProperty(False)
    has_known = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        self.register_event_type("on_film")
        self._inbox: Inbox | None = None
        self._is_watching = False
        self._most = 0
        self._drawn: QueueRow | None = None
        self._look_again = Clock.create_trigger(lambda _: self._look(), 0)
        super().__init__(**kwargs)

    def on_film(self, film: Waiting) -> None:
        pass

    def start(self) -> None:
        """Begin to look into the folder, if one is set."""
        self.is_shown = self._is_watching = self.shell.clinic.settings.watched_folder is not None
        if self._is_watching:
            self.line = self.line or say("Looking into the watched folder…")
            self._look()

    def stop(self) -> None:
        """Look no more."""
        self._is_watching = False
        self._look_again.cancel()
        self._drawn = None
        for slot in ("queue.look", "queue.thumbnail"):
            self.shell.jobs.cancel(slot)

    def _look(self) -> None:
        folder = self.shell.clinic.settings.watched_folder
        if self._is_watching and folder is not None:
            look = partial(self._look_into, Path(folder))
            self.shell.jobs.start("queue.look", look, self._show_queue, self.shell.complain, background=True)

    def _look_into(self, folder: Path, task: Task) -> Queue:
        from osteo_edge.edge_app.arriving import SHOWN_FIRST

        self._inbox = self.shell.clinic.inbox(folder)
        return self._inbox.look(self._most + SHOWN_FIRST, task.check)

    def _show_queue(self, queue: Queue) -> None:
        if queue.problem is not None:
            self.line = say("The watched folder cannot be read ({reason}). It is waited for.", reason=queue.problem)
        elif queue.films:
            self.line = say("Tap a film to screen it.")
        else:
            self.line = say("No film is waiting. New ones appear here by themselves.")
        self.has_more = queue.has_more
        self.has_known = any(film.is_known for film in queue.films)
        self._show_films(queue.films)
        self._make_thumbnail()
        self._look_again.timeout = queue.rest_s
        self._look_again()

    def _show_films(self, films: tuple[Waiting, ...]) -> None:
        """Show these rows; those that are there stay the widgets they are, so that a finger on them stays on them."""
        box = self.ids.rows
        there = {(row.film.path, row.film.stamp): row for row in box.children}
        rows = [there.get((film.path, film.stamp)) or self._row(film) for film in films]
        for row, film in zip(rows, films, strict=True):
            row.film, row.detail = film, self._about(film, row.problem)
        if rows != box.children[::-1]:
            box.clear_widgets()
            for row in rows:
                box.add_widget(row)

    def _row(self, film: Waiting) -> QueueRow:
        row = QueueRow(film=film)
        row.bind(on_chosen=lambda row: self.dispatch("on_film", row.film))
        row.bind(on_dismissed=lambda row: self._dismiss((row.film,)))
        return row

    def _about(self, film: Waiting, problem: str | None) -> str:
        if problem is not None:
            return say("Cannot be read: {reason}", reason=problem)
        moment = datetime.fromtimestamp(film.written_at).strftime("%Y-%m-%d %H:%M")
        return say("{moment}, screened before", moment=moment) if film.is_known else moment

    def show_more(self) -> None:
        """Show older films too."""
        self._most = len(self.ids.rows.children)
        self._look()

    def dismiss_known(self) -> None:
        """Take all films off the list that have been screened."""
        self._dismiss(tuple(row.film for row in self.ids.rows.children if row.film.is_known))

    def _dismiss(self, films: tuple[Waiting, ...]) -> None:
        inbox = self._inbox
        if inbox is None or not films:
            return
        gone = {film.path for film in films}
        self._show_films(tuple(row.film for row in reversed(self.ids.rows.children) if row.film.path not in gone))
        self.shell.jobs.save(lambda: inbox.dismiss(films), lambda _: self._look(), self.shell.complain)
        self.shell.offer_undo(say("Taken off the list. The file stays where it is."), partial(self._undo, inbox, films))

    def _undo(self, inbox: Inbox, films: tuple[Waiting, ...]) -> None:
        self.shell.jobs.save(lambda: inbox.undo_dismiss(films), lambda _: self._look(), self.shell.complain)

    def _make_thumbnail(self) -> None:
        """Make the first thumbnail that is missing; the next one follows when it is there."""
        missing = (row for row in reversed(self.ids.rows.children) if row.texture is None and row.problem is None)
        if self._drawn is None and (row := next(missing, None)) is not None:
            self._drawn = row
            work = partial(_thumbnail, self.shell.clinic, row.film.path)
            self.shell.jobs.start("queue.thumbnail", work, partial(self._show, row), self._show_none, background=True)

    def _show(self, row: QueueRow, thumbnail: Thumbnail | None) -> None:
        self._drawn = None
        if thumbnail is None:
            return
        if thumbnail.picture is None:
            row.problem = thumbnail.problem or ""
            row.detail = self._about(row.film, row.problem)
        else:
            row.texture = texture_of(thumbnail.picture)
        self._make_thumbnail()

    def _show_none(self, line: str) -> None:
        """The log has why; the next look tries again."""
        self._drawn = None


def _thumbnail(clinic: Any, path: Path, task: Task) -> Thumbnail | None:
    from osteo_edge.edge_app.browsing.errors import PlaceGoneError

    try:
        thumbnail: Thumbnail = clinic.thumbnails.of(path)
        return thumbnail
    except PlaceGoneError:  # the next look at the folder says so
        return None


load_kv(__file__)
