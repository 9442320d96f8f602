"""A backup becomes a history again: checked to the last byte, in a new folder, whole or not at all."""

import hashlib
import shutil
import sqlite3
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final
from zipfile import ZIP_STORED, BadZipFile, ZipFile

from osteo_edge.durable import sync_folder, sync_tree
from osteo_edge.edge_app.exports.backup_contents import (
    CONTENTS,
    MAX_CONTENTS_BYTES,
    BackupError,
    Contents,
    Part,
    read_contents,
)
from osteo_edge.edge_app.history.connecting import connect
from osteo_edge.edge_app.history.encrypted import VAULT
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.edge_app.history.schema import MIGRATIONS, version
from osteo_edge.edge_app.history.vault import MAX_FILE_BYTES, Keys, Vault, vault_from
from osteo_edge.edge_app.history.wiping import wipe_folder
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import CHUNK_BYTES
from osteo_edge.strict import shown

ENCRYPTED: Final = 0x1
MAX_REASON: Final = 300
"""Letters of what is said to be wrong with a file."""
DAMAGE: Final = (BadZipFile, EOFError, IndexError, RuntimeError, ValueError, struct.error, zlib.error)
"""What `zipfile` raises of a file that is none, or no longer one."""


def restore_backup(
    path: Path,
    folder: Path,
    *,
    keys: Keys | None = None,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Contents:
    """Restore the backup `path` as the history in `folder`, which must be new or empty; what it said of itself.

    Everything is unpacked and checked beside `folder`, which then appears in one step: sizes and hashes, names (only
    those of a history), compression (none, so nothing can swell), and the database. The hashes tell damage, not who
    made the file. `on_progress` is given the share that is done after each file; what it raises ends the restore and
    leaves nothing. What is encrypted stays so; without its `keys` its database is not looked into. Raises `BackupError`
    for a file that is no backup, damaged, or from a newer version, and `OsteoEdgeError` where the folder cannot be
    written.
    """
    _require_new(folder)
    with _opened(path) as archive:
        contents = _checked_contents(archive, path)
        total_bytes, done_bytes = sum(part.size_bytes for part in contents.files), 0
        _require_space(folder, total_bytes)
        with _appearing(folder) as scratch:
            for part in contents.files:
                _unpack(archive, part, scratch / part.name)
                done_bytes += part.size_bytes
                on_progress(done_bytes / max(1, total_bytes))
            if keys is not None or not contents.is_encrypted:
                _check_database(scratch / DATABASE, path, keys if contents.is_encrypted else None)
    return contents


def locked_by(path: Path, keys: Keys | None = None) -> Vault | None:
    """The locked-up keys of an encrypted backup, for which somebody must be asked for the PIN or the recovery code.

    None for a plain backup, and for one that this device's `keys` open. Raises `BackupError` as `restore_backup` does.
    """
    with _opened(path) as archive:
        contents = _checked_contents(archive, path)
        if not contents.is_encrypted:
            return None
        if archive.getinfo(VAULT).file_size > MAX_FILE_BYTES:
            raise ValueError("its keys are too large")
        vault = vault_from(archive.read(VAULT))
    return None if keys is not None and keys.key_id == vault.key_id else vault


def _require_new(folder: Path) -> None:
    with _writing(folder):
        is_new = not folder.is_symlink() and (not folder.exists() or (folder.is_dir() and not any(folder.iterdir())))
    if not is_new:
        raise OsteoEdgeError(f"{folder}: there is something already; choose a new folder to restore to")


@contextmanager
def _opened(path: Path) -> Iterator[ZipFile]:
    """Open the ZIP file; what is found wrong with it while the block runs is one line about `path`."""
    if not path.is_file():
        raise BackupError(f"{path}: no such file; choose the ZIP file of a backup")
    try:
        with path.open("rb") as file, ZipFile(file) as archive:
            yield archive
    except DAMAGE as error:
        reason = shown(str(error) or type(error).__name__, MAX_REASON)[1:-1]
        raise BackupError(f"{path}: not a backup of a history, or damaged ({reason}); choose another backup") from error
    except OSError as error:
        raise BackupError(f"{path}: cannot be read ({error.strerror or error}); check the disk or stick") from error


def _checked_contents(archive: ZipFile, path: Path) -> Contents:
    """The list of contents, once the archive holds just what it lists; `ValueError` says what it does not."""
    members = archive.infolist()
    for member in members:
        if member.compress_type != ZIP_STORED or member.flag_bits & ENCRYPTED:
            raise ValueError(f"{shown(member.filename)} is compressed or encrypted, as in no backup of ours")
    sizes = {member.filename: member.file_size for member in members}
    if len(sizes) < len(members):
        raise ValueError("a name comes twice")
    if sizes.get(CONTENTS, MAX_CONTENTS_BYTES + 1) > MAX_CONTENTS_BYTES:
        raise ValueError(f"no {CONTENTS} in it")
    if sum(sizes.values()) > path.stat().st_size:
        raise ValueError("it claims to hold more than its own size")
    contents = read_contents(archive.read(CONTENTS))
    if sizes != {CONTENTS: sizes[CONTENTS]} | {part.name: part.size_bytes for part in contents.files}:
        raise ValueError(f"it does not hold what {CONTENTS} lists")
    return contents


def _require_space(folder: Path, needed_bytes: int) -> None:
    place = next(above for above in folder.absolute().parents if above.is_dir())
    free_bytes = shutil.disk_usage(place).free
    if needed_bytes > free_bytes:
        sizes = f"{needed_bytes / 2**20:.0f} MiB are needed, {free_bytes / 2**20:.0f} MiB are free"
        raise OsteoEdgeError(f"{folder}: not enough space ({sizes}); free some, or choose another disk")


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` to write to, which takes its place when the block ends; one that raises leaves none."""
    with _writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(mkdtemp(prefix=f".{folder.name}.partial-", dir=folder.parent))
    try:
        yield scratch
        with _writing(folder):
            sync_tree(scratch)
            scratch.replace(folder)
            sync_folder(folder.parent)
    finally:
        if scratch.exists():
            wipe_folder(scratch)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        problem = f"the backup cannot be restored here ({error.strerror or error}); choose another place"
        raise OsteoEdgeError(f"{folder}: {problem}") from error


def _unpack(archive: ZipFile, part: Part, target: Path) -> None:
    """Write one part; `ValueError` if it is not as the contents say. Never more than its listed size is written."""
    digest, left = hashlib.sha256(), part.size_bytes
    with _writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            for piece in _pieces(archive, part):
                digest.update(piece)
                left -= file.write(piece)
    if left or digest.hexdigest() != part.sha256:
        raise ValueError(f"{part.name} is not as it was backed up")


def _pieces(archive: ZipFile, part: Part) -> Iterator[bytes]:
    """What is read of a part, at most its listed size; that it cannot be read is no fault of the place written to."""
    left = part.size_bytes
    try:
        with archive.open(part.name) as member:
            while piece := member.read(min(CHUNK_BYTES, left)):
                left -= len(piece)
                yield piece
    except OSError as error:
        raise EOFError(f"{part.name}: {error.strerror or error}") from error


def _check_database(database: Path, path: Path, keys: Keys | None) -> None:
    """`ValueError` for what is no sound database; `BackupError` for one of a newer version."""
    try:
        with closing(connect(database, keys)) as connection:
            (verdict, *_), *_ = connection.execute("PRAGMA quick_check(1)").fetchall()
            found = version(connection)
    except sqlite3.DatabaseError as error:
        raise ValueError(f"its database is damaged: {error}") from error
    if verdict != "ok" or found == 0:
        raise ValueError("its database is no sound history")
    if found > len(MIGRATIONS):
        raise BackupError(f"{path}: a newer version of osteo-edge made this backup; update osteo-edge first")
