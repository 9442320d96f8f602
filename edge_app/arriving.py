"""The films that wait in the watched folder for someone to screen them in the window.

Nothing is screened by itself here: each film is shown with whether it has been screened before, and waits until it is
tapped or dismissed. What is dismissed stays so over a restart, until the file changes.
"""

import json
import os
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final, Literal

from osteo_edge.durable import write_durably
from osteo_edge.edge_app.arrivals import LOOKS_STILL, Arrival, Arrivals, Stamp
from osteo_edge.edge_app.browsing.listing import look_into
from osteo_edge.edge_app.browsing.names import shown
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_bytes, sha256_file
from osteo_edge.strict import from_dict, to_dict

SHOWN_FIRST: Final = 12
LOOK_EVERY_S: Final = 2.0
FIRST_LOOKS_EVERY_S: Final = 1.0
"""Until it is known what has been there for long."""
SHARE_OF_TIME: Final = 0.015
"""How much of the time may go into looking: a folder of many thousands is looked at less often."""


@dataclass(frozen=True)
class Waiting:
    """A film that waits, with its hash as it was listed.

    `written_at` is a time as `time.time` gives it; `is_known` if its content was screened.
    """

    path: Path
    name: str
    stamp: Stamp
    sha256: str
    is_known: bool

    @property
    def written_at(self) -> float:
        return self.stamp.mtime_ns / 1e9


@dataclass(frozen=True)
class Queue:
    """The newest films that wait, the newest first; `has_more` if older ones wait too.

    `problem` says why the folder cannot be read, None if it can. The next look is due after `rest_s` seconds.
    """

    films: tuple[Waiting, ...]
    has_more: bool = False
    problem: str | None = None
    rest_s: float = LOOK_EVERY_S


@dataclass(frozen=True)
class _Dismissed:
    """What was dismissed of a folder, by the hash of its name, which is often a patient's: as the file has it."""

    folder: str
    films: dict[str, Stamp]
    schema: Literal[1] = 1


class Inbox:
    """The watched folder, as it is looked at again and again; any thread may use it.

    `screened` tells which of some films, by hash, are in the history. `dismissed` is the file that keeps what was
    dismissed.
    """

    def __init__(self, folder: Path, dismissed: Path, screened: Callable[[Collection[str]], Collection[str]]) -> None:
        self.folder = folder
        self._file, self._screened = dismissed, screened
        self._turn = Lock()
        self._arrivals = Arrivals(folder, {})
        self._looks = 0
        self._dismissed: dict[str, Stamp] | None = None
        self._content: dict[str, tuple[Stamp, str | None]] = {}

    def look(self, most: int = SHOWN_FIRST, keep_on: Callable[[], None] = lambda: None) -> Queue:
        """Look at the folder; give at most `most` films. `keep_on` is called between files, to raise when it is enough.

        A film is there once its file has stood still for three looks.
        """
        with self._turn:
            start = time.monotonic()
            try:
                arrived = self._arrivals.look()
            except OSError as error:
                self._looks = 0
                return Queue((), problem=error.strerror or str(error))
            there = {one.path.name for one in arrived}
            self._content = {name: content for name, content in self._content.items() if name in there}
            dismissed = self._read_dismissed()
            waiting = [one for one in reversed(arrived) if dismissed.get(_mark(one.path.name)) != one.stamp]
            self._looks += 1
            rest_s = max(LOOK_EVERY_S, (time.monotonic() - start) / SHARE_OF_TIME)
            if self._looks <= LOOKS_STILL:
                rest_s = FIRST_LOOKS_EVERY_S
            films, has_more = self._films_of(waiting, most, keep_on)
            return Queue(self._marked(films), has_more, None, rest_s)

    def dismiss(self, films: Collection[Waiting]) -> None:
        """Show these films no more; `OsteoEdgeError` if the disk does not take it, and they will be back."""
        with self._turn:
            kept = self._read_dismissed() | {_mark(film.path.name): film.stamp for film in films}
            try:
                there = {_mark(path.name) for path in self.folder.iterdir()}
            except OSError:
                there = set(kept)
            self._dismissed = {mark: stamp for mark, stamp in kept.items() if mark in there}
            self._write_dismissed()

    def undo_dismiss(self, films: Collection[Waiting]) -> None:
        """Show these films again."""
        with self._turn:
            marks = {_mark(film.path.name) for film in films}
            self._dismissed = {mark: stamp for mark, stamp in self._read_dismissed().items() if mark not in marks}
            self._write_dismissed()

    def _films_of(
        self, waiting: list[Arrival], most: int, keep_on: Callable[[], None]
    ) -> tuple[list[tuple[Arrival, str]], bool]:
        """The first `most` films with their hashes, and whether there may be more."""
        films = list[tuple[Arrival, str]]()
        for arrival in waiting:
            keep_on()
            if len(films) == most:
                return films, True
            sha256 = self._film_in(arrival)
            if sha256 is not None:
                films.append((arrival, sha256))
        return films, False

    def _film_in(self, arrival: Arrival) -> str | None:
        """The hash of a film; None for what is no film, or cannot be read for now."""
        stamp, sha256 = self._content.get(arrival.path.name, (None, None))
        if stamp != arrival.stamp:
            try:
                sha256 = sha256_file(arrival.path) if look_into(arrival.path) == "film" else None
            except (OSError, OsteoEdgeError):
                return None
            self._content[arrival.path.name] = arrival.stamp, sha256
        return sha256

    def _marked(self, films: list[tuple[Arrival, str]]) -> tuple[Waiting, ...]:
        known: Collection[str] = ()
        with suppress(HistoryError):  # its own screen says what is the matter with it
            known = self._screened([sha256 for _, sha256 in films]) if films else ()
        return tuple(
            Waiting(one.path, shown(one.path.name), one.stamp, sha256, sha256 in known) for one, sha256 in films
        )

    def _read_dismissed(self) -> dict[str, Stamp]:
        if self._dismissed is None:
            self._dismissed = {}
            with suppress(OSError, ValueError, RecursionError):  # they are shown again, that is all
                kept = from_dict(_Dismissed, json.loads(self._file.read_bytes()))
                self._dismissed = kept.films if kept.folder == str(self.folder) else {}
        return self._dismissed

    def _write_dismissed(self) -> None:
        document = to_dict(_Dismissed(str(self.folder), self._dismissed or {}))
        write_durably(self._file, json.dumps(document).encode(), "what was dismissed")


def _mark(name: str) -> str:
    """What stands for the name of a file."""
    return sha256_bytes(os.fsencode(name))
