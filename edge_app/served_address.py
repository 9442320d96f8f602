"""The address of the web app that `osteo-edge serve` serves from this machine, noted for the app's window on it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from uuid import uuid4

from osteo_edge.durable import make_folder, remove_partials, sync_folder
from osteo_edge.strict import from_dict, to_dict

FOLDER: Final = "served"
"""In the data folder: one file for each server, which it holds locked as long as it serves."""
SCHEMA: Final = 1
MAX_FILE_BYTES: Final = 1 << 12
MAX_LETTERS: Final = 300


@dataclass(frozen=True)
class ServedAddress:
    """What a phone's browser is given: `address` is where the web app is.

    `authority` is where the phone gets the certificate to trust, with its SHA-256; both are None where there is none of
    ours.
    """

    address: str
    authority: str | None = None
    authority_sha256: str | None = None
    schema: Literal[1] = SCHEMA

    def __post_init__(self) -> None:
        for text in (self.address, self.authority):
            if text is not None and not _is_web_address(text):
                raise ValueError("address must be one of http or https")
        if (self.authority is None) != (self.authority_sha256 is None) or not _is_short(self.authority_sha256 or ""):
            raise ValueError("authority_sha256 must be there as authority is")

    @property
    def is_secure(self) -> bool:
        """Whether it is https: no browser keeps the app for use without a network otherwise."""
        return self.address.startswith("https://")


@contextmanager
def noted(data_folder: Path, served: ServedAddress) -> Iterator[str | None]:
    """Let the app's window on this data folder see an address until the block ends, however the program ends.

    Gives None; or the reason why it cannot be noted, which stops nothing.
    """
    note, problem = None, None
    try:
        note = _write(data_folder, served)
    except OSError as error:
        problem = error.strerror or str(error)
    try:
        yield problem
    finally:
        if note is not None:
            path, held = note
            with suppress(OSError):
                path.unlink()
            os.close(held)


def served_address(data_folder: Path) -> ServedAddress | None:
    """What is served now, one of them where there are several; None where nothing is, or it cannot be read.

    What a server that was killed has left is removed.
    """
    found = map(_read, sorted((data_folder / FOLDER).glob("*.json")))
    return next((served for served in found if served is not None), None)


def _write(data_folder: Path, served: ServedAddress) -> tuple[Path, int]:
    """The file, and the descriptor that holds its lock; it has its name when it is locked and on the disk."""
    folder = data_folder / FOLDER
    make_folder(data_folder, 0o700)
    make_folder(folder)
    remove_partials(folder)
    name = f"{uuid4().hex}.json"
    path, partial = folder / name, folder / f".{name}.partial"
    held = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)  # no secret: the app may be another user's
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(held, f"{json.dumps(to_dict(served), allow_nan=False)}\n".encode())
        os.fsync(held)
        partial.replace(path)
        sync_folder(folder)
    except OSError:
        for left in (partial, path):
            left.unlink(missing_ok=True)
        os.close(held)
        raise
    return path, held


def _read(path: Path) -> ServedAddress | None:
    try:
        with path.open("rb") as file:
            if not _is_held(file.fileno()):
                path.unlink(missing_ok=True)
                return None
            data = file.read(MAX_FILE_BYTES + 1)
        return from_dict(ServedAddress, json.loads(data)) if len(data) <= MAX_FILE_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None


def _is_held(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _is_web_address(text: str) -> bool:
    return text.startswith(("http://", "https://")) and _is_short(text) and not any(map(str.isspace, text))


def _is_short(text: str) -> bool:
    return len(text) <= MAX_LETTERS and text.isprintable()
