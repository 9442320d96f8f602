"""What the history screen has done beside the window: searching, the table, the backup, the restore."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from osteo_edge.edge_app.audit_trail import What
from osteo_edge.edge_app.exports.naming import backup_name, table_name
from osteo_edge.edge_app.history.paged import PAGE_ROWS
from osteo_edge.edge_app.translation import Translate

if TYPE_CHECKING:
    from osteo_edge.edge_app.clinic import Clinic
    from osteo_edge.edge_app.exports.backup import Backup
    from osteo_edge.edge_app.exports.in_place import Unpacked
    from osteo_edge.edge_app.history.entry import Entry
    from osteo_edge.edge_app.history.query import Query
    from osteo_edge.edge_app.history.store import History
    from osteo_edge.edge_app.jobs import Task

WRITING_TABLE: Final = "The table is being written…"
"""Messages, as are those below."""
WRITING_BACKUP: Final = "The backup is being written…"
RESTORING: Final = "The backup is being checked and restored…"
TABLE_WRITTEN: Final = "The table was written: {path}"
BACKUP_WRITTEN: Final = "The backup was written: {path}"
HANDED_OVER: Final = "Choose the app that is to keep it, and look there whether it has arrived."
ONE_DAMAGED: Final = "1 of its pictures is damaged or missing; an older backup may have it."
SOME_DAMAGED: Final = "{count} of its pictures are damaged or missing; an older backup may have them."
RESTORED: Final = "The backup was restored."
DAMAGED_KEPT: Final = "The damaged history was kept: {path}"


@dataclass(frozen=True)
class Found:
    """What a search found: how many, the first page, and what the user must know of the history itself.

    `damaged` is the name of the damaged database that was found when the history was opened, None for a sound one.
    """

    count: int
    first: tuple[Entry, ...]
    damaged: str | None
    may_restore: bool


def search(clinic: Clinic, query: Query) -> Found:
    """Count what a query finds, and read the first page of it."""
    history = clinic.history()
    count = history.count(query)
    first = history.search(query, limit=PAGE_ROWS).entries
    damaged = None if history.damage is None else history.damage.kept.name
    return Found(count, first, damaged, clinic.may_restore())


def read_pages(history: History, query: Query, pages: Iterable[int], task: Task) -> dict[int, tuple[Entry, ...]]:
    """Read some pages of what a query finds."""
    read = dict[int, tuple["Entry", ...]]()
    for page in pages:
        task.check()
        read[page] = history.search(query, limit=PAGE_ROWS, offset=page * PAGE_ROWS).entries
    return read


def write_table(clinic: Clinic, query: Query, folder: Path, task: Task) -> Path:
    """Write what a query finds as a table into a folder; the path of the file."""
    from osteo_edge.edge_app.exports.csv_file import write_csv

    task.report(None, WRITING_TABLE)
    history = clinic.history()
    count = history.count(query)
    _record(clinic, "table", count, folder)
    path = write_csv(folder / table_name(datetime.now()), _counted(history.entries(query), max(1, count), task))
    with suppress(OSError), path.open("rb") as file:  # a stick may be pulled out as soon as this is told
        os.fsync(file.fileno())
    return path


def make_backup(clinic: Clinic, folder: Path, task: Task) -> Backup:
    """Back the whole history up into a folder."""
    from osteo_edge.edge_app.exports.backup import write_backup

    task.report(None, WRITING_BACKUP)
    _record(clinic, "backup", clinic.history().count(), folder)
    path = folder / backup_name(datetime.now())
    return write_backup(
        clinic.folders.history,
        path,
        keys=clinic.access.keys,
        on_progress=lambda share: task.report(share, WRITING_BACKUP),
    )


def needs_secret(clinic: Clinic, backup: Path) -> bool:
    """Whether a backup opens by its PIN or its recovery code only; `BackupError` where it is none, or damaged."""
    from osteo_edge.edge_app.exports.restoring import locked_by

    return locked_by(backup, clinic.access.keys) is not None


def unpack(clinic: Clinic, backup: Path, secret: str | None, task: Task) -> Unpacked:
    """Unpack and check a backup, to be put in the place of the history; `secret` as in `Clinic.unpack_backup`."""
    task.report(None, RESTORING)
    return clinic.unpack_backup(backup, secret=secret, on_progress=lambda share: task.report(share, RESTORING))


def backup_words(backup: Backup, translate: Translate) -> tuple[str, ...]:
    """Where the backup is, whether others can read it, and what was wrong with its pictures."""
    from osteo_edge.edge_app.exports.backup import IN_CLEAR, SEALED

    faults = len(backup.damaged) + len(backup.missing)
    where = translate(BACKUP_WRITTEN).format(path=backup.path)
    told = where, translate(SEALED if backup.is_encrypted else IN_CLEAR)
    if not faults:
        return told
    return *told, translate(ONE_DAMAGED if faults == 1 else SOME_DAMAGED).format(count=faults)


def restored_words(kept: Path | None, translate: Translate) -> tuple[str, ...]:
    """That it was done, and where the damaged history is now."""
    told = translate(RESTORED)
    return (told,) if kept is None else (told, translate(DAMAGED_KEPT).format(path=kept))


def _record(clinic: Clinic, kind: str, screenings: int, folder: Path) -> None:
    """Record an export before there is any of it."""
    is_shared = folder == clinic.folders.outgoing
    clinic.trail.note(What.EXPORTED, kind=kind, screenings=screenings, to_another_app=is_shared)


def _counted(entries: Iterable[Entry], total: int, task: Task) -> Iterator[Entry]:
    for number, entry in enumerate(entries):
        if number % 50 == 0:
            task.report(min(1.0, number / total), WRITING_TABLE)
        yield entry
