"""The history in one file: a ZIP with the database, the images, and the hashes that a restore checks them by.

An encrypted history is backed up as it is: nothing of it is in clear in the file, nor on the disk meanwhile.
"""

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
from osteo_edge.edge_app.exports.backup_contents import (
    CONTENTS,
    FORMAT,
    VAULTS,
    BackupError,
    Contents,
    Part,
    is_image,
)
from osteo_edge.edge_app.history.connecting import connect
from osteo_edge.edge_app.history.errors import is_damage
from osteo_edge.edge_app.history.images import FOLDER, image_path
from osteo_edge.edge_app.history.opening import DATABASE, shared_use
from osteo_edge.edge_app.history.vault import Keys, SealError, read_vault, write_vault
from osteo_edge.hashing import CHUNK_BYTES
from osteo_edge.version import VERSION
from osteo_edge.writing import replacing

BUSY_TIMEOUT_S: Final = 10.0

IN_CLEAR: Final = "The backup is not encrypted: whoever has the file can read it."
SEALED: Final = "The backup is encrypted: it opens with the PIN or the recovery code of today."
"""Messages, to be told with the backup."""


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
    is_encrypted: bool = False


def write_backup(
    history: Path,
    path: Path,
    *,
    keys: Keys | None = None,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Backup:
    """Back up the history in the folder `history`, which may be in use, to the ZIP file `path`, whole or not at all.

    First a consistent copy of the database (SQLite's online backup), then every image; images never change. A damaged
    image does not stop it: it is copied as it is, and named, and so is one that is missing. Nothing is compressed:
    images are already, and a restore knows by it that nothing swells. `on_progress` is given the share that is written;
    what it raises ends the backup and leaves nothing. An encrypted history needs its `keys`: `LockedError` without.
    Raises `BackupError` where there is no history or its database is damaged, `HistoryError` while it is encrypted,
    decrypted or restored, which is refused while a backup is written, and `OsteoEdgeError` where the file cannot be
    written.
    """
    database = history / DATABASE
    if not database.is_file():
        raise BackupError(f"{history}: no history to back up; choose the folder that holds {DATABASE}")
    with shared_use(history, keys, "the backup was not written"):
        with replacing(path, "the backup") as partial, _scratch(path.parent) as scratch:
            copy = Path(scratch, DATABASE)
            listed = _copy_database(database, copy, keys)
            files = [(DATABASE, copy), *_vaults(history, Path(scratch), keys), *_images(history)]
            parts = _write_archive(partial, files, _Meter(_size_bytes(files), on_progress))
        sync_names(path)
        images = [part for part in parts if is_image(part.name)]
        damaged = tuple(part.name for part in images if not _is_sound(part, history, keys))
    missing = tuple(sorted(listed - {part.name for part in images}))
    return Backup(path, len(images), path.stat().st_size, damaged, missing, keys is not None)


def _scratch(folder: Path) -> "TemporaryDirectory[str]":
    """A hidden folder for the copy of the database, once those of backups that were killed are gone."""
    remove_partials(folder, is_shared=True)
    return TemporaryDirectory(prefix=".backup-", suffix=".partial", dir=folder, ignore_cleanup_errors=True)


def _images(history: Path) -> Iterator[tuple[str, Path]]:
    """The images and their names below the history; what the image store did not name is left out."""
    for path in sorted((history / FOLDER).glob("*/*")):
        name = path.relative_to(history).as_posix()
        if is_image(name) and path.is_file():
            yield name, path


def _vaults(history: Path, scratch: Path, keys: Keys | None) -> list[tuple[str, Path]]:
    """Copies of the file that keeps the keys locked up, if there is one: both as the readable one of the two is."""
    if keys is None:
        return []
    write_vault(scratch, read_vault(history))
    return [(name, scratch / name) for name in VAULTS]


def _is_sound(part: Part, history: Path, keys: Keys | None) -> bool:
    """Whether an image is still what it was when it was saved; what has been purged since was."""
    if keys is None:
        return part.is_sound
    path = history / part.name
    try:
        keys.open_sealed(path.name, path.read_bytes())
    except SealError:
        return False
    except OSError:
        pass
    return True


def _copy_database(database: Path, copy: Path, keys: Keys | None) -> set[str]:
    """Copy a database that others may be writing to: what they have committed is in the copy, in one file.

    The names of the images that the copy lists.
    """
    try:
        source = connect(database.resolve(), keys, timeout=BUSY_TIMEOUT_S)
        with closing(source), closing(connect(copy, keys)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE").fetchall()
            (verdict, *_), *_ = target.execute("PRAGMA quick_check(1)").fetchall()
            if verdict != "ok":
                raise sqlite3.DatabaseError(" ".join(str(verdict).split()))
            rows = target.execute("SELECT sha256, suffix FROM images").fetchall()
    except sqlite3.Error as error:
        remedy = "start the app: it keeps a damaged history aside" if is_damage(error) else "check the disks, try again"
        raise BackupError(f"{database}: cannot be backed up ({error}); {remedy}") from error
    return {image_path(Path(), sha256, suffix, keys).as_posix() for sha256, suffix in rows}


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
