"""The history of this device: a SQLite database and, beside it, the image files that it names."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Final

from osteo_edge.edge_app.audit_trail import Tell, What, tell_nobody
from osteo_edge.edge_app.history.database import Database
from osteo_edge.edge_app.history.drafts import Draft, read_drafts, remove_draft, write_draft
from osteo_edge.edge_app.history.entry import Decided, Dxa, Entry, utc
from osteo_edge.edge_app.history.errors import HistoryError, told
from osteo_edge.edge_app.history.former import forget_in_former
from osteo_edge.edge_app.history.image_store import ImageStore
from osteo_edge.edge_app.history.images import Picture
from osteo_edge.edge_app.history.lookup import count_rows, entry_of, find_models, find_row, find_rows, find_screened
from osteo_edge.edge_app.history.opening import Damage
from osteo_edge.edge_app.history.query import Page, Place, Query, UsedModel
from osteo_edge.edge_app.history.removal import Deletions, remove_rows
from osteo_edge.edge_app.history.rows import INSERT, to_row
from osteo_edge.edge_app.history.vault import Keys, mend_copy
from osteo_edge.errors import OsteoEdgeError

PAGE = 50
BATCH = 100
UNDO_WINDOW = timedelta(minutes=1)
EVERYTHING = Query()
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
        self._database = Database(folder, keys)
        self._images = ImageStore(folder, self._database, keys)
        self._deletions = Deletions()
        self.damage: Damage | None = self._database.damage
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
        self._database.close()

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
        with self._database.writing("the screening was not deleted") as connection:
            deleted_at = _now()
            changed = connection.execute(
                "UPDATE entries SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL", (deleted_at, entry_id)
            )
            self._require(changed, entry_id)
            self._tell(What.DELETED, entry=entry_id)
            self._deletions.remember(entry_id, deleted_at)

    def undo_delete(self, entry_id: str) -> Entry:
        """Bring a deleted screening back; `HistoryError` where it has been purged meanwhile."""
        with self._database.writing("the screening was not brought back") as connection:
            changed = connection.execute("UPDATE entries SET deleted_at = NULL WHERE id = ?", (entry_id,))
            self._require(changed, entry_id)
            self._tell(What.BROUGHT_BACK, entry=entry_id)
        return self.entry(entry_id)

    def purge_deleted(self, undo_window: timedelta = UNDO_WINDOW) -> int:
        """Remove for good what was deleted before the undo window, images too; how many screenings that were.

        What was deleted since this history was opened goes by a clock that nobody can set. Of the rest, what seems to
        have been deleted in the future goes too: the clock was set back since.
        """
        with self._database.reading("the history cannot be read") as connection:
            due = self._deletions.over(connection, undo_window)
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
        with self._database.writing("old drafts were not removed") as connection:
            connection.execute("DELETE FROM drafts WHERE saved_at < ?", (limit,))
        return self._purge("taken_at >= ? AND taken_at < ?", (since, limit), why="age")

    def entry(self, entry_id: str) -> Entry:
        """One screening by its id."""
        with self._database.reading("the screening cannot be read") as connection:
            row = find_row(connection, entry_id)
        if row is None:
            raise self._missing(entry_id)
        return entry_of(row, self._database.path)

    def search(
        self, query: Query = EVERYTHING, after: Place | None = None, limit: int = PAGE, *, offset: int = 0
    ) -> Page:
        """One page of what the query finds, the newest first.

        `after` is where the page before left off. A list that jumps passes over `offset` screenings instead, of the
        `count` that the query finds; what is saved meanwhile then moves its pages.
        """
        with self._database.reading("the history cannot be searched") as connection:
            rows = find_rows(connection, query, after, limit + 1, offset)
        found = tuple(entry_of(row, self._database.path) for row in rows[:limit])
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
        with self._database.reading("the history cannot be searched") as connection:
            return count_rows(connection, query)

    def screened(self, films: Collection[str]) -> frozenset[str]:
        """Those of the films, a few hundred by their hash at most, that have a screening here.

        A film is known by the file that was screened, and by the one that is kept of it.
        """
        with self._database.reading("the history cannot be searched") as connection:
            return find_screened(connection, films)

    def models(self) -> tuple[UsedModel, ...]:
        """The models that have screenings here, the last used first."""
        with self._database.reading("the history cannot be searched") as connection:
            return find_models(connection)

    def image_file(self, sha256: str) -> Path:
        """The file of the film or overlay with that hash, as it lies on the disk; `HistoryError` where there is none.

        In an encrypted history that is the sealed file: `image` reads both.
        """
        return self._images.file(sha256)[0]

    def image(self, sha256: str) -> Picture:
        """The film or overlay with that hash; `HistoryError` where the file is missing or was altered."""
        return self._images.read(sha256)

    def save_draft(self, draft: Draft) -> None:
        """Keep the state of a running form, over its earlier one."""
        with self._database.writing("the form was not kept") as connection:
            write_draft(connection, draft)

    def drafts(self) -> tuple[Draft, ...]:
        """The forms that were never finished, the newest first."""
        with self._database.reading("the forms cannot be read") as connection:
            return read_drafts(connection)

    def drop_draft(self, draft_id: str) -> None:
        """Forget a form that nobody wants to finish."""
        with self._database.writing("the form was not removed") as connection:
            remove_draft(connection, draft_id)
        self._database.empty_log("the form was removed, but not from the log")

    def sweep(self) -> int:
        """Remove image files that no screening names, as a power cut can leave; how many there were.

        What a restore that was cut short has left goes as well.

        As long as a damaged database is kept beside this one the files stay: they may be that one's.
        """
        return self._images.sweep()

    def _add(self, records: list[Record], draft_id: str | None) -> int:
        pictures = [picture for record in records for picture in record.pictures]
        failure = "the screening was not saved"
        with self._images.written(pictures, failure), self._database.writing(failure) as connection:
            added = self._insert(connection, records, pictures)
            if draft_id is not None:
                remove_draft(connection, draft_id)
        return added

    def _insert(self, connection: sqlite3.Connection, records: list[Record], pictures: Iterable[Picture]) -> int:
        self._images.name(connection, pictures)
        new = [one.entry for one in records if connection.execute(INSERT, to_row(one.entry)).rowcount]
        for entry in new:
            self._tell(What.SAVED, entry=entry.id, image=entry.screened_sha256, model=entry.model_sha256)
        return len(new)

    def _update(self, what: What, entry_id: str, assignments: str, *values: object) -> Entry:
        sql = f"UPDATE entries SET {assignments} WHERE id = ? AND deleted_at IS NULL"
        with self._database.writing("the change was not saved") as connection:
            self._require(connection.execute(sql, (*values, entry_id)), entry_id)
            self._tell(what, entry=entry_id)
        return self.entry(entry_id)

    def _purge(self, where: str, values: tuple[str, ...], *, why: str) -> int:
        with self._database.writing("the screenings were not removed") as connection:
            doomed, unused = remove_rows(connection, where, values)
            if doomed:
                self._tell(What.PURGED, screenings=len(doomed), why=why)
        if doomed:
            with told(self._folder, "the screenings were removed, but not from what an older version left"):
                forget_in_former(self._folder, doomed, self._keys)
        self._images.remove(unused)
        self._database.empty_log("the screenings were removed, but not from the log")
        return len(doomed)

    def _require(self, changed: sqlite3.Cursor, entry_id: str) -> None:
        if changed.rowcount != 1:
            raise self._missing(entry_id)

    def _missing(self, entry_id: str) -> HistoryError:
        return HistoryError(f"{self._database.path}: no screening {entry_id} any more; search again")


def _now() -> str:
    return utc(datetime.now(timezone.utc))
