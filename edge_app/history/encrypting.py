"""Encrypt a history that is there already, and decrypt it again.

All of it is written anew beside the old folder, checked, and brought to the disk; then the new folder takes the old
one's place as a restored backup does (`exchange`), and the old one is overwritten. A power cut at any moment leaves one
of the two, whole; what else it leaves goes at the next start.
"""

import fcntl
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, TypeAlias

from osteo_edge.durable import sync_tree
from osteo_edge.edge_app.audit_trail import Tell, What, tell_nobody
from osteo_edge.edge_app.history.connecting import connect, export_database
from osteo_edge.edge_app.history.errors import HistoryError, NotConfirmedError, told
from osteo_edge.edge_app.history.exchange import REWRITTEN, new_place, put_in_place, remove_unfinished
from osteo_edge.edge_app.history.former import former_databases
from osteo_edge.edge_app.history.images import image_path
from osteo_edge.edge_app.history.opening import DAMAGED, DATABASE, damaged_databases, open_database, sole_use
from osteo_edge.edge_app.history.vault import Keys, SealError, Vault, new_vault, require_library, write_vault
from osteo_edge.edge_app.history.wiping import wipe_folder

OnProgress: TypeAlias = Callable[[float], None]
"""Is given the share that is done; what it raises ends the work, and nothing was changed."""
Warn: TypeAlias = Callable[[str], None]
"""Is given the message `NOT_CONFIRMED` where all was done, and the disk does not say that it is written."""

LOG: Final = logging.getLogger(__name__)
NOT_ENCRYPTED: Final = "the history was not encrypted"
NOT_DECRYPTED: Final = "the history was not decrypted"


def encrypt_history(
    folder: Path,
    pin: str,
    *,
    tell: Tell = tell_nobody,
    on_progress: OnProgress = lambda share: None,
    warn: Warn = LOG.warning,
) -> tuple[Keys, str]:
    """Encrypt the plain history in `folder`, which nobody may have open; its keys, and the recovery code.

    `HistoryError` where that cannot be: another window has it open, there is not the space for both, or a damaged
    database lies there in clear. All is then as it was. `tell` records it just before it is done.
    """
    require_library()
    vault, keys, code = new_vault(pin)
    with _warning(warn):
        _Rewriting(folder, None, keys, vault, NOT_ENCRYPTED).do(What.ENCRYPTED, tell, on_progress)
    return keys, code


def decrypt_history(
    folder: Path,
    keys: Keys,
    *,
    tell: Tell = tell_nobody,
    on_progress: OnProgress = lambda share: None,
    warn: Warn = LOG.warning,
) -> None:
    """Decrypt the history in `folder`, which nobody may have open; as `encrypt_history` otherwise."""
    with _warning(warn):
        _Rewriting(folder, keys, None, None, NOT_DECRYPTED).do(What.DECRYPTED, tell, on_progress)


class _Rewriting:
    """The history in `folder` written anew, from what the keys `before` open to what the keys `after` do."""

    def __init__(
        self, folder: Path, before: Keys | None, after: Keys | None, vault: Vault | None, failure: str
    ) -> None:
        self._folder, self._before, self._after = folder, before, after
        self._vault, self._failure = vault, failure

    def do(self, what: What, tell: Tell, on_progress: OnProgress) -> None:
        folder = self._folder
        with told(folder, self._failure):
            open_database(folder, self._before).close()
            remove_unfinished(folder, DAMAGED)
            self._require_no_damage()
            with sole_use(folder, self._failure), _scratch(folder) as scratch:
                self._require_space()
                new = scratch / folder.name
                new.mkdir(mode=0o700)
                copy_history(folder, new, self._before, self._after, self._vault, on_progress)
                sync_tree(new)
                tell(what)
                kept = put_in_place(new, folder)
            wipe_folder(kept)

    def _require_no_damage(self) -> None:
        damaged = [*damaged_databases(self._folder), *self._folder.parent.glob(f"{self._folder.name}.*/{DAMAGED}")]
        if damaged:
            raise HistoryError(
                f"{damaged[0]}: {self._failure}: this damaged history would stay as it is; "
                "move it to a safe place outside of the app's folder, and try again"
            )

    def _require_space(self) -> None:
        needed_bytes = sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file())
        free_bytes = shutil.disk_usage(self._folder).free
        if needed_bytes > free_bytes:
            raise HistoryError(
                f"{self._folder}: {self._failure}: it is written anew beside the old one, for which "
                f"{needed_bytes / 2**20:.0f} MiB are needed and {free_bytes / 2**20:.0f} MiB are free; free some space"
            )


def copy_history(
    folder: Path,
    new: Path,
    before: Keys | None,
    after: Keys | None,
    vault: Vault | None,
    on_progress: OnProgress = lambda share: None,
) -> None:
    """Write the history in `folder`, nobody's now, anew in the folder `new`, for the keys `after` in that `vault`.

    It is not on the disk yet when this returns. Raises `OSError` and `sqlite3.DatabaseError`.
    """
    if vault is not None:
        write_vault(new, vault)
    for database in (*former_databases(folder), folder / DATABASE):
        on_progress(0.0)
        export_database(database, before, new / database.name, after)
    images = _images(new / DATABASE, after)
    for number, (sha256, suffix) in enumerate(images):
        on_progress(number / len(images))
        source, target = image_path(folder, sha256, suffix, before), image_path(new, sha256, suffix, after)
        _copy_image(source, target, before, after)


def _images(database: Path, keys: Keys | None) -> list[tuple[str, str]]:
    """The images that a new database lists, once it was found sound."""
    with closing(connect(database, keys)) as connection:
        (verdict, *_), *_ = connection.execute("PRAGMA integrity_check(1)").fetchall()
        if verdict != "ok":
            raise sqlite3.DatabaseError(" ".join(str(verdict).split()))
        return [(sha256, suffix) for sha256, suffix in connection.execute("SELECT sha256, suffix FROM images")]


def _copy_image(source: Path, target: Path, before: Keys | None, after: Keys | None) -> None:
    """Copy an image, a damaged one as it is; one that is missing stays so."""
    try:
        data = source.read_bytes()
    except FileNotFoundError:
        return
    if before is not None:
        with suppress(SealError):
            data = before.open_sealed(source.name, data)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        if after is None:
            file.write(data)
        else:
            after.write_sealed(file, target.name, data)


@contextmanager
def _warning(warn: Warn) -> Iterator[None]:
    """What was done and not confirmed is no failure."""
    try:
        yield
    except NotConfirmedError as error:
        warn(str(error))


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder beside the history's that no other window removes; gone when the block ends."""
    scratch = new_place(folder, REWRITTEN)
    scratch.mkdir(mode=0o700)
    descriptor = os.open(scratch, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield scratch
    finally:
        wipe_folder(scratch)
        os.close(descriptor)
