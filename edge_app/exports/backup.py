"""The history in one file: a ZIP with the database, the images, and the hashes that a restore checks them by."""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from osteo_edge.durable import remove_partials, sync_names
from osteo_edge.edge_app.exports.backup_contents import CONTENTS, FORMAT, BackupError, Contents, Part, is_image
from osteo_edge.edge_app.history.errors import is_damage
from osteo_edge.edge_app.history.images import FOLDER, image_path
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.hashing import CHUNK_BYTES
from osteo_edge.version import VERSION
from osteo_edge.writing import replacing

BUSY_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True)
class Backup:
    """A backup that was written: how many images it holds, and the names of those that were damaged already.

    `missing` are images that screenings show and that are not there: their screenings are backed up without them.
    """

    path: Path
    images: int
    size_bytes: int
    damaged: tuple[str, ...]
    missing: tuple[str, ...]


def write_backup(history: Path, path: Path, *, on_progress: Callable[[float], None] = lambda share: None) -> Backup:
    """Back up the history in the folder `history`, which may be in use, to the ZIP file `path`, whole or not at all.

    First a consistent copy of the database (SQLite's online backup), then every image; images never change. A damaged
    image does not stop it: it is copied as it is, and named, and so is one that is missing. Nothing is compressed:
    images are already, and a restore knows by it that nothing swells. `on_progress` is given the share that is written;
    what it raises ends the backup and leaves nothing. Raises `BackupError` where there is no history or its
    database is damaged, and `OsteoEdgeError` where the file cannot be written.
    """
    database = history / DATABASE
    if not database.is_file():
        raise BackupError(f"{history}: no history to back up; choose the folder that holds {DATABASE}")
    with replacing(path, "the backup") as partial, _scratch(path.parent) as scratch:
        copy = Path(scratch, DATABASE)
        listed = _copy_database(database, copy)
        files = [(DATABASE, copy), *_images(history)]
        parts = _write_archive(partial, files, _Meter(_size_bytes(files), on_progress))
    sync_names(path)
    damaged = tuple(part.name for part in parts if not part.is_sound)
    missing = tuple(sorted(listed - {part.name for part in parts}))
    return Backup(path, len(parts) - 1, path.stat().st_size, damaged, missing)


def _scratch(folder: Path) -> "TemporaryDirectory[str]":
    """A hidden folder for the copy of the database, once those of backups that were killed are gone."""
    remove_partials(folder)
    return TemporaryDirectory(prefix=".backup-", suffix=".partial", dir=folder, ignore_cleanup_errors=True)


def _images(history: Path) -> Iterator[tuple[str, Path]]:
    """The images and their names below the history; what the image store did not name is left out."""
    for path in sorted((history / FOLDER).glob("*/*")):
        name = path.relative_to(history).as_posix()
        if is_image(name) and path.is_file():
            yield name, path


def _copy_database(database: Path, copy: Path) -> set[str]:
    """Copy a database that others may be writing to: what they have committed is in the copy, in one file.

    The names of the images that the copy lists.
    """
    try:
        source = sqlite3.connect(f"{database.resolve().as_uri()}?mode=rw", uri=True, timeout=BUSY_TIMEOUT_S)
        with closing(source), closing(sqlite3.connect(copy)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE").fetchall()
            (verdict, *_), *_ = target.execute("PRAGMA quick_check(1)").fetchall()
            if verdict != "ok":
                raise sqlite3.DatabaseError(" ".join(str(verdict).split()))
            rows = target.execute("SELECT sha256, suffix FROM images").fetchall()
    except sqlite3.Error as error:
        remedy = "start the app: it keeps a damaged history aside" if is_damage(error) else "check the disks, try again"
        raise BackupError(f"{database}: cannot be backed up ({error}); {remedy}") from error
    return {image_path(Path(), *row).as_posix() for row in rows}


class _Meter:
    """How much has been written of `total_bytes`, told after each piece."""

    def __init__(self, total_bytes: int, on_progress: Callable[[float], None]) -> None:
        self._total_bytes, self._on_progress = total_bytes, on_progress
        self._done_bytes = 0

    def add(self, size_bytes: int) -> None:
        self._done_bytes += size_bytes
        self._on_progress(min(1.0, self._done_bytes / max(1, self._total_bytes)))


def _size_bytes(files: list[tuple[str, Path]]) -> int:
    """How much there is to write; a file that has gone counts nothing."""
    total = 0
    for _, path in files:
        with suppress(OSError):
            total += path.stat().st_size
    return total


def _write_archive(partial: Path, files: list[tuple[str, Path]], meter: _Meter) -> list[Part]:
    """Write the ZIP file and wait until it is on the disk; its parts, hashed as they were read.

    An image that was purged since it was listed is left out.
    """
    with partial.open("wb") as file:
        with ZipFile(file, "w", ZIP_STORED) as archive:
            added = [_add(archive, name, source, meter) for name, source in files]
            parts = [part for part in added if part is not None]
            made_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
            contents = Contents(FORMAT, 1, made_at, f"osteo-edge {VERSION}", tuple(parts))
            archive.writestr(CONTENTS, contents.to_json())
        file.flush()
        os.fsync(file.fileno())
    return parts


def _add(archive: ZipFile, name: str, source: Path, meter: _Meter) -> Part | None:
    """Add a file; None if it is not there."""
    digest, size_bytes = hashlib.sha256(), 0
    try:
        about = ZipInfo.from_file(source, name, strict_timestamps=False)  # a Pi without a network believes it is 1970
        file = source.open("rb")
    except FileNotFoundError:
        return None
    with file, archive.open(about, "w", force_zip64=True) as member:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += member.write(chunk)
            meter.add(len(chunk))
    return Part(name, digest.hexdigest(), size_bytes)
