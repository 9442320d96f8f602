"""The history of this device: a SQLite database and, beside it, the image files that it names."""

import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Final

from osteo_edge.edge_app.audit_trail import Tell, What, tell_nobody
from osteo_edge.edge_app.history.drafts import Draft, read_drafts, remove_draft, write_draft
from osteo_edge.edge_app.history.entry import Decided, Dxa, Entry, utc
from osteo_edge.edge_app.history.errors import HistoryError, told
from osteo_edge.edge_app.history.exchange import remove_unfinished
from osteo_edge.edge_app.history.former import forget_in_former
from osteo_edge.edge_app.history.images import (
    Picture,
    image_files,
    image_path,
    read_image,
    remove_abandoned,
    stored_images,
    write_image,
)
from osteo_edge.edge_app.history.opening import DAMAGED, DATABASE, Damage, damaged_databases, open_database
from osteo_edge.edge_app.history.query import Page, Place, Query, UsedModel, condition
from osteo_edge.edge_app.history.rows import COLUMNS, INSERT, from_row, to_row
from osteo_edge.edge_app.history.schema import transaction
from osteo_edge.edge_app.history.vault import Keys, mend_copy
from osteo_edge.edge_app.history.wiping import wipe_file
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_bytes

PAGE = 50
BATCH = 100
UNDO_WINDOW = timedelta(minutes=1)
EVERYTHING = Query()
INSERT_IMAGE = """
    INSERT INTO images (sha256, suffix) VALUES (?, ?)
    ON CONFLICT (sha256) DO UPDATE SET suffix = excluded.suffix"""
UNUSED = """
    NOT EXISTS (SELECT 1 FROM entries WHERE image_sha256 = images.sha256)
    AND NOT EXISTS (SELECT 1 FROM entries WHERE overlay_sha256 = images.sha256)"""
DECISIONS: Final[dict[Decided | None, What]] = {
    None: What.DECISION_REMOVED,
    "followed": What.FOLLOWED,
    "otherwise": What.OVERRIDDEN,
}
"""What is told of a decision."""


@dataclass(frozen=True)
class Record:
    """An entry with the image files that it names."""

    entry: Entry
    image: Picture
    overlay: Picture | None = None

    def __post_init__(self) -> None:
        overlay = None if self.overlay is None else self.overlay.sha256
        if (self.entry.image_sha256, self.entry.overlay_sha256) != (self.image.sha256, overlay):
            raise ValueError("the entry names other images than these")

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return (self.image,) if self.overlay is None else (self.image, self.overlay)


class History:
    """The open history in a folder; any thread may use it, and other processes may have it open too.

    What a method has written is on the disk when it returns: it survives a power cut. Every method raises
    `HistoryError` where the disk or the database is in the way; then nothing was changed. `damage` says what was found
    on opening, if the database was damaged: the user must be told. `tell` records what changes the screenings, before
    it is written for good; an event that it refuses, with an `OsteoEdgeError`, does not take place. An encrypted
    history needs its `keys`; without them it is a `LockedError`.
    """

    def __init__(self, folder: Path, tell: Tell = tell_nobody, *, keys: Keys | None = None) -> None:
        self._folder, self._tell, self._keys = folder, tell, keys
        self._path = folder / DATABASE
        self._turn = RLock()
        self._deleted: dict[tuple[str, str], float] = {}
        """What was deleted here, as the rows have it, and when by a clock that nobody can set."""
        self._is_closed = False
        self._opened = open_database(folder, keys)
        self.damage: Damage | None = self._opened.damage
        with suppress(OsteoEdgeError, OSError):  # a full disk is no reason not to show what is there
            if keys is not None:
                mend_copy(folder)
            self.purge_deleted()

    def __enter__(self) -> "History":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; whoever asks anything of it afterwards gets a `HistoryError`."""
        with self._turn:
            self._is_closed = True
            self._opened.close()

    def add(self, record: Record, *, draft_id: str | None = None) -> bool:
        """Save a screening with its images, and end the draft that it was; whether it was not there yet."""
        return self._add([record], draft_id) == 1

    def add_all(self, records: Iterable[Record]) -> int:
        """Save many, a hundred at a time, as from a backup; how many were not there yet.

        Those that are there stay as they are, so what broke off can simply be done again.
        """
        remaining, added = iter(records), 0
        while batch := list(islice(remaining, BATCH)):
            added += self._add(batch, None)
        return added

    def annotate(self, entry_id: str, note: str) -> Entry:
        """Replace the note of a screening."""
        return self._update(What.NOTED, entry_id, "note = ?", note)

    def mark_dxa(self, entry_id: str, dxa: Dxa | None, t_score: float | None = None) -> Entry:
        """Enter the DXA result of a screening, or take it away again."""
        what = What.DXA_REMOVED if dxa is None else What.DXA_ENTERED
        return self._update(what, entry_id, "dxa = ?, t_score = ?", dxa, t_score)

    def decide(self, entry_id: str, decided: Decided | None, reason: str = "") -> Entry:
        """Enter what was decided on an answer, with the reason if it was otherwise, or take that away again.

        `ValueError` for an answer that cannot be followed, and for a reason that is missing or one too many.
        """
        replace(self.entry(entry_id), decided=decided, override_reason=reason)
        return self._update(DECISIONS[decided], entry_id, "decided = ?, override_reason = ?", decided, reason)

    def delete(self, entry_id: str) -> None:
        """Take a screening out of the history; `undo_delete` brings it back until it is purged."""
        with self._writing("the screening was not deleted") as connection:
            deleted_at = _now()
            changed = connection.execute(
                "UPDATE entries SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL", (deleted_at, entry_id)
            )
            self._require(changed, entry_id)
            self._tell(What.DELETED, entry=entry_id)
            self._deleted[entry_id, deleted_at] = time.monotonic()

    def undo_delete(self, entry_id: str) -> Entry:
        """Bring a deleted screening back; `HistoryError` where it has been purged meanwhile."""
        with self._writing("the screening was not brought back") as connection:
            changed = connection.execute("UPDATE entries SET deleted_at = NULL WHERE id = ?", (entry_id,))
            self._require(changed, entry_id)
            self._tell(What.BROUGHT_BACK, entry=entry_id)
        return self.entry(entry_id)

    def purge_deleted(self, undo_window: timedelta = UNDO_WINDOW) -> int:
        """Remove for good what was deleted before the undo window, images too; how many screenings that were.

        What was deleted since this history was opened goes by a clock that nobody can set. Of the rest, what seems to
        have been deleted in the future goes too: the clock was set back since.
        """
        with self._reading("the history cannot be read") as connection:
            rows = connection.execute("SELECT id, deleted_at FROM entries WHERE deleted_at NOTNULL").fetchall()
        due = [deletion[0] for deletion in map(tuple, rows) if self._is_over(deletion, undo_window)]
        purged = 0
        for start in range(0, len(due), BATCH):
            batch = due[start : start + BATCH]
            where = f"deleted_at NOTNULL AND id IN ({', '.join('?' * len(batch))})"
            purged += self._purge(where, tuple(batch), why="deleted")
        return purged

    def purge_older_than(self, days: int, now: datetime | None = None, *, since: str = "") -> int:
        """Remove for good the screenings and drafts of more than `days` days ago; how many screenings that were.

        Screenings of before `since`, a time as in `Entry.taken_at`, stay: their dates are not to be trusted.
        A clock that runs years ahead would remove everything: show `count` of the same time first, and ask.
        """
        if days < 1:
            raise ValueError("days must be at least 1")
        limit = utc((now or datetime.now(timezone.utc)) - timedelta(days=days))
        with self._writing("old drafts were not removed") as connection:
            connection.execute("DELETE FROM drafts WHERE saved_at < ?", (limit,))
        return self._purge("taken_at >= ? AND taken_at < ?", (since, limit), why="age")

    def entry(self, entry_id: str) -> Entry:
        """One screening by its id."""
        with self._reading("the screening cannot be read") as connection:
            row = connection.execute(f"{_SELECT} WHERE id = ? AND deleted_at IS NULL", (entry_id,)).fetchone()
        if row is None:
            raise self._missing(entry_id)
        return self._entry(row)

    def search(
        self, query: Query = EVERYTHING, after: Place | None = None, limit: int = PAGE, *, offset: int = 0
    ) -> Page:
        """One page of what the query finds, the newest first.

        `after` is where the page before left off. A list that jumps passes over `offset` screenings instead, of the
        `count` that the query finds; what is saved meanwhile then moves its pages.
        """
        where, values = condition(query, after)
        sql = f"{_SELECT} WHERE {where} ORDER BY taken_at DESC, id DESC LIMIT ? OFFSET ?"
        with self._reading("the history cannot be searched") as connection:
            rows = connection.execute(sql, (*values, limit + 1, offset)).fetchall()
        found = tuple(self._entry(row) for row in rows[:limit])
        return Page(found, Place(found[-1].taken_at, found[-1].id) if len(rows) > limit else None)

    def entries(self, query: Query = EVERYTHING) -> Iterator[Entry]:
        """All that the query finds, the newest first, read page by page; others may write meanwhile."""
        page = self.search(query, limit=BATCH)
        yield from page.entries
        while page.after is not None:
            page = self.search(query, page.after, BATCH)
            yield from page.entries

    def count(self, query: Query = EVERYTHING) -> int:
        """How many screenings the query finds."""
        where, values = condition(query)
        with self._reading("the history cannot be searched") as connection:
            return int(connection.execute(f"SELECT count(*) FROM entries WHERE {where}", values).fetchone()[0])

    def screened(self, films: Collection[str]) -> frozenset[str]:
        """Those of the films, a few hundred by their hash at most, that have a screening here.

        A film is known by the file that was screened, and by the one that is kept of it.
        """
        marks = ", ".join("?" * len(films))
        sql = " UNION ".join(
            f"SELECT {name} FROM entries WHERE deleted_at IS NULL AND {name} IN ({marks})"
            for name in ("image_sha256", "film_sha256")
        )
        with self._reading("the history cannot be searched") as connection:
            return frozenset(sha256 for (sha256,) in connection.execute(sql, (*films, *films)).fetchall())

    def models(self) -> tuple[UsedModel, ...]:
        """The models that have screenings here, the last used first."""
        sql = (
            "SELECT model_sha256, model_name, is_demo, count(*), max(taken_at) AS last FROM entries"  # names of `last`
        )
        with self._reading("the history cannot be searched") as connection:
            rows = connection.execute(
                f"{sql} WHERE deleted_at IS NULL GROUP BY model_sha256 ORDER BY last DESC, model_sha256"
            ).fetchall()
        return tuple(UsedModel(sha256, name, bool(is_demo), n) for sha256, name, is_demo, n, _ in rows)

    def image_file(self, sha256: str) -> Path:
        """The file of the film or overlay with that hash, as it lies on the disk; `HistoryError` where there is none.

        In an encrypted history that is the sealed file: `image` reads both.
        """
        return self._image_file(sha256)[0]

    def image(self, sha256: str) -> Picture:
        """The film or overlay with that hash; `HistoryError` where the file is missing or was altered."""
        path, suffix = self._image_file(sha256)
        with told(path, "the image cannot be read"):
            data = read_image(self._folder, sha256, suffix, self._keys)
        if sha256_bytes(data) != sha256:
            raise HistoryError(f"{path}: the image was altered since it was saved; restore it from a backup")
        return Picture(data, suffix)

    def save_draft(self, draft: Draft) -> None:
        """Keep the state of a running form, over its earlier one."""
        with self._writing("the form was not kept") as connection:
            write_draft(connection, draft)

    def drafts(self) -> tuple[Draft, ...]:
        """The forms that were never finished, the newest first."""
        with self._reading("the forms cannot be read") as connection:
            return read_drafts(connection)

    def drop_draft(self, draft_id: str) -> None:
        """Forget a form that nobody wants to finish."""
        with self._writing("the form was not removed") as connection:
            remove_draft(connection, draft_id)
        self._empty_log("the form was removed, but not from the log")

    def sweep(self) -> int:
        """Remove image files that no screening names, as a power cut can leave; how many there were.

        What a restore that was cut short has left goes as well.

        As long as a damaged database is kept beside this one the files stay: they may be that one's.
        """
        with told(self._folder, "the images were not tidied"):
            removed = remove_abandoned(self._folder)
            remove_unfinished(self._folder, DAMAGED)
            if damaged_databases(self._folder):
                return removed
            return removed + self._remove_unlisted(stored_images(self._folder))

    def _image_file(self, sha256: str) -> tuple[Path, str]:
        with self._reading("the image cannot be read") as connection:
            row = connection.execute("SELECT suffix FROM images WHERE sha256 = ?", (sha256,)).fetchone()
            path = None if row is None else self._place(sha256, row["suffix"])
            if path is None or not path.is_file():
                raise HistoryError(f"{self._folder}: no image {sha256[:12]}… in this history; look for it in a backup")
        return path, row["suffix"]

    def _place(self, sha256: str, suffix: str) -> Path:
        return image_path(self._folder, sha256, suffix, self._keys)

    def _add(self, records: list[Record], draft_id: str | None) -> int:
        pictures = [picture for record in records for picture in record.pictures]
        new = list[Path]()
        try:
            with told(self._folder, "the screening was not saved"):
                for picture in pictures:
                    if write_image(self._folder, picture, self._keys):
                        new.append(self._place(picture.sha256, picture.suffix))
            with self._writing("the screening was not saved") as connection:
                added = self._insert(connection, records, pictures)
                if draft_id is not None:
                    remove_draft(connection, draft_id)
        except BaseException:
            with suppress(HistoryError):
                self._remove_unlisted(new)
            raise
        return added

    def _insert(self, connection: sqlite3.Connection, records: list[Record], pictures: Iterable[Picture]) -> int:
        for picture in pictures:
            write_image(self._folder, picture, self._keys)  # there already, unless another process has just purged it
            connection.execute(INSERT_IMAGE, (picture.sha256, picture.suffix))
        new = [one.entry for one in records if connection.execute(INSERT, to_row(one.entry)).rowcount]
        for entry in new:
            film = entry.film_sha256 or entry.image_sha256
            self._tell(What.SAVED, entry=entry.id, image=film, model=entry.model_sha256)
        return len(new)

    def _is_over(self, deletion: tuple[str, str], undo_window: timedelta) -> bool:
        """Whether a deletion, the screening and the time, can no longer be undone."""
        if deletion in self._deleted:
            return time.monotonic() - self._deleted[deletion] >= undo_window.total_seconds()
        now = datetime.now(timezone.utc)
        return not utc(now - undo_window) < deletion[1] <= utc(now + undo_window)

    def _update(self, what: What, entry_id: str, assignments: str, *values: object) -> Entry:
        sql = f"UPDATE entries SET {assignments} WHERE id = ? AND deleted_at IS NULL"
        with self._writing("the change was not saved") as connection:
            self._require(connection.execute(sql, (*values, entry_id)), entry_id)
            self._tell(what, entry=entry_id)
        return self.entry(entry_id)

    def _purge(self, where: str, values: tuple[str, ...], *, why: str) -> int:
        with self._writing("the screenings were not removed") as connection:
            doomed = [one for (one,) in connection.execute(f"SELECT id FROM entries WHERE {where}", values)]
            connection.execute(f"DELETE FROM entries WHERE {where}", values)
            unused = [sha256 for (sha256,) in connection.execute(f"SELECT sha256 FROM images WHERE {UNUSED}")]
            connection.execute(f"DELETE FROM images WHERE {UNUSED}")
            if doomed:
                self._tell(What.PURGED, screenings=len(doomed), why=why)
        if doomed:
            with told(self._folder, "the screenings were removed, but not from what an older version left"):
                forget_in_former(self._folder, doomed, self._keys)
        self._remove_unlisted(path for sha256 in unused for path in image_files(self._folder, sha256, self._keys))
        self._empty_log("the screenings were removed, but not from the log")
        return len(doomed)

    def _empty_log(self, failure: str) -> None:
        """Have what was removed overwritten in the file of the database, too, and not only in what is written last."""
        with self._reading(failure) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _remove_unlisted(self, files: Iterable[Path]) -> int:
        """Remove those image files that the database does not know, while nobody can add them to it."""
        with self._writing("images were not removed") as connection:
            rows = connection.execute("SELECT sha256, suffix FROM images")
            unlisted = set(files) - {self._place(*row) for row in rows}
            for path in unlisted:
                wipe_file(path)
        return len(unlisted)

    def _entry(self, row: sqlite3.Row) -> Entry:
        try:
            return from_row(row)
        except (ValueError, TypeError) as error:
            raise HistoryError(
                f"{self._path}: the screening {row['id']} was altered by another program ({error}); restore a backup"
            ) from error

    def _require(self, changed: sqlite3.Cursor, entry_id: str) -> None:
        if changed.rowcount != 1:
            raise self._missing(entry_id)

    def _missing(self, entry_id: str) -> HistoryError:
        return HistoryError(f"{self._path}: no screening {entry_id} any more; search again")

    @contextmanager
    def _reading(self, failure: str) -> Iterator[sqlite3.Connection]:
        with self._turn, told(self._path, failure):
            if self._is_closed:
                raise HistoryError(f"{self._path}: {failure} (the history was closed); open it again")
            yield self._opened.connection

    @contextmanager
    def _writing(self, failure: str) -> Iterator[sqlite3.Connection]:
        with self._reading(failure) as connection:
            try:
                with transaction(connection):
                    yield connection
            except sqlite3.OperationalError as error:
                if "readonly" in str(error):
                    self._open_again()
                raise

    def _open_again(self) -> None:
        """Open the database once more, which could only be read: SQLite falls back to that, and stays there."""
        before, self._opened = self._opened, open_database(self._folder, self._keys)
        before.close()


_SELECT = f"SELECT {', '.join(COLUMNS)} FROM entries"


def _now() -> str:
    return utc(datetime.now(timezone.utc))
