"""Open the history's database; a damaged one is kept aside and a new one begun."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO

from osteo_edge.durable import make_folder, sync_folder
from osteo_edge.edge_app.history.connecting import connect
from osteo_edge.edge_app.history.encrypted import is_encrypted, looks_encrypted
from osteo_edge.edge_app.history.errors import HistoryError, is_damage, told
from osteo_edge.edge_app.history.exchange import bring_back, exchanging
from osteo_edge.edge_app.history.schema import migrate
from osteo_edge.edge_app.history.vault import Keys, LockedError, VaultError, read_vault, require_library

DATABASE = "history.sqlite3"
LOCK = "history.lock"
DAMAGED = "history.damaged-*.sqlite3"
BUSY_TIMEOUT_S = 10.0
DECRYPTED_KIB = 16_384
"""Pages that stay decrypted, twice as many as SQLCipher keeps: 12,000 screenings open faster by a sixth."""
ENCRYPTED = "the history is encrypted: lock the app, and enter the PIN"
DECRYPTED = "the history is not encrypted any more: lock the app, and unlock it again"
NO_VAULT = (
    "the history is encrypted, and the file with its keys is missing: bring vault.json back, or put that of a backup "
    "there; to restore a backup or to begin anew, move this folder to a safe place first"
)


@dataclass(frozen=True)
class Damage:
    """A damaged database that was found and kept: where it is now, and what was wrong with it."""

    kept: Path
    reason: str

    def __str__(self) -> str:
        return (
            f"The history was damaged ({self.reason}). A new one was begun; the damaged file is kept at {self.kept}. "
            "If there is a backup, it can be restored."
        )


@dataclass(frozen=True)
class Opened:
    """An open database and its lock file, which says to others that it is in use; `damage` is what was found."""

    connection: sqlite3.Connection
    lock: BinaryIO
    damage: Damage | None

    def close(self) -> None:
        self.connection.close()
        self.lock.close()


def open_database(folder: Path, keys: Keys | None = None) -> Opened:
    """Open the database in `folder`, made if it is not there, checked and brought to this version's tables.

    Of an encrypted history with its `keys`, which are left out otherwise. Raises `HistoryError` where that cannot be,
    for a damaged one that another process still has open, as `LockedError` for keys that are not the history's, and as
    `VaultError` where the file is missing that has them.
    """
    path = folder / DATABASE
    with told(path, "the history cannot be opened"):
        make_folder(folder.parent)
        lock = _locked(folder)
        try:
            _require_key(folder, keys)
            connection, damage = _open_or_replace(path, lock, keys)
            sync_folder(folder)
            sync_folder(folder.parent)  # the folder may be of a start that was killed before it had come to this
        except BaseException:
            lock.close()
            raise
    return Opened(connection, lock, damage)


@contextmanager
def sole_use(folder: Path, failure: str) -> Iterator[None]:
    """Keep all others out of the history in `folder`; `HistoryError` where another window has it open."""
    with (folder / LOCK).open("ab") as lock:
        if not _locks(lock, fcntl.LOCK_EX, folder):
            raise HistoryError(
                f"{folder}: {failure}: another window has the history open, or a backup is being written; "
                "close it, or wait for that, and try again"
            )
        yield


@contextmanager
def shared_use(folder: Path, keys: Keys | None, failure: str) -> Iterator[None]:
    """While the block runs nobody puts another history in the place of the one in `folder`, which `keys` open.

    `HistoryError` where somebody is about to, and as `open_database` for keys that are not the history's.
    """
    with told(folder, failure):
        lock = os.fdopen(os.open(folder / LOCK, os.O_RDONLY | os.O_CREAT, 0o600), "rb")
    with lock:
        with told(folder, failure):
            if not _locks(lock, fcntl.LOCK_SH, folder):
                raise HistoryError(
                    f"{folder}: {failure}: it is being encrypted, decrypted or restored in another window; "
                    "try again when that is done"
                )
            _require_key(folder, keys)
        yield


def damaged_databases(folder: Path) -> list[Path]:
    """The databases in `folder` that were kept aside, the oldest first."""
    return sorted(folder.glob(DAMAGED))


def set_aside(path: Path) -> Path:
    """Rename the database to a dated name, what belongs to it first: a log left behind must not meet the new file."""
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S")
    number = 0
    while (kept := path.with_name(f"history.damaged-{stamp}{f'-{number}' if number else ''}.sqlite3")).exists():
        number += 1
    for ending in ("-wal", "-shm", ""):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.replace(kept.with_name(kept.name + ending))
    sync_folder(path.parent)
    return kept


def _locked(folder: Path) -> BinaryIO:
    """The lock file, held with others; of the folder that has this name now, if another took its place meanwhile."""
    while True:
        with exchanging(folder):
            bring_back(folder)
            make_folder(folder, 0o700)
            lock = (folder / LOCK).open("ab")
        fcntl.flock(lock, fcntl.LOCK_SH)
        if _is_there(lock, folder):
            return lock
        lock.close()


def _locks(lock: BinaryIO, kind: int, folder: Path) -> bool:
    """Lock the file at once, alone or with others, where that can be and it is still the folder's; whether it is."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return _is_there(lock, folder)


def _is_there(lock: BinaryIO, folder: Path) -> bool:
    """Whether it is still the lock file of the folder that has this name."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), (folder / LOCK).stat())
    except FileNotFoundError:
        return False


def _require_key(folder: Path, keys: Keys | None) -> None:
    if not is_encrypted(folder):
        if looks_encrypted(folder / DATABASE):
            raise VaultError(f"{folder}: {NO_VAULT}")
        if keys is not None:
            raise LockedError(f"{folder}: {DECRYPTED}")
        return
    require_library()
    if keys is None or read_vault(folder).key_id != keys.key_id:
        raise LockedError(f"{folder}: {ENCRYPTED}")


def _open_or_replace(path: Path, lock: BinaryIO, keys: Keys | None) -> tuple[sqlite3.Connection, Damage | None]:
    try:
        return _open_sound(path, keys), None
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    _lock_alone(path, lock)
    try:
        return _replace(path, keys)
    finally:
        fcntl.flock(lock, fcntl.LOCK_SH)


def _replace(path: Path, keys: Keys | None) -> tuple[sqlite3.Connection, Damage | None]:
    """Begin a new database where the damaged one was, unless another process has just done so."""
    try:
        return _open_sound(path, keys), None
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        damage = Damage(set_aside(path), str(error))
    return _open_sound(path, keys), damage


def _lock_alone(path: Path, lock: BinaryIO) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise HistoryError(
            f"{path}: the history is damaged, and another window has it open; close all of them and start again"
        ) from error


def _open_sound(path: Path, keys: Keys | None) -> sqlite3.Connection:
    """Connect; a `sqlite3.DatabaseError` that `is_damage` where the file is no sound database."""
    connection = connect(path, keys, named=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        _configure(connection)
        if keys is not None:
            connection.execute(f"PRAGMA cache_size = -{DECRYPTED_KIB}").fetchall()
        (verdict, *_), *_ = connection.execute("PRAGMA integrity_check(1)").fetchall()
        if verdict != "ok":
            raise sqlite3.DatabaseError(" ".join(str(verdict).split()))
        migrate(connection, path, keys)
    except BaseException:
        connection.close()
        raise
    return connection


def _configure(connection: sqlite3.Connection) -> None:
    """What is committed survives a power cut, readers do not wait for writers, and what is deleted is overwritten."""
    for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {setting}").fetchall()
    connection.create_function("folded", 1, _folded, deterministic=True)


def _folded(text: str | None) -> str | None:
    return None if text is None else text.casefold()
