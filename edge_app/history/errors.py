"""What can go wrong with the disk under the history, as one line that says what to do."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osteo_edge.errors import OsteoEdgeError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class HistoryError(OsteoEdgeError):
    """A history that cannot be read or written as it is."""


class NotConfirmedError(HistoryError):
    """Something that was done, and of which the disk does not say that it is written."""


@contextmanager
def told(path: Path, what: str) -> Iterator[None]:
    """Turn what the disk or SQLite says about `path` into a `HistoryError`; `what` is "the screening was not saved"."""
    try:
        yield
    except OSError as error:
        raise HistoryError(f"{path}: {what} ({error.strerror or error}); {_remedy(error)}") from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise
        raise HistoryError(f"{path}: {what} ({error}); {_remedy(error)}") from error


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is no sound database: SQLite's CORRUPT and NOTADB come as no subclass of `DatabaseError`.

    Python has their codes (`sqlite_errorcode`) from 3.11 on only.
    """
    return type(error) is sqlite3.DatabaseError


def _remedy(error: OSError | sqlite3.DatabaseError) -> str:
    words = str(error).lower()
    if "is full" in words or (isinstance(error, OSError) and error.errno in FULL):
        return "free some space on the disk and try again"
    if isinstance(error, sqlite3.Error) and is_damage(error):
        return "start the program again: it keeps the damaged file aside and begins a new one"
    if "locked" in words:
        return "another program is busy with the history: try again"
    if isinstance(error, PermissionError) or "readonly" in words or "read-only" in words:
        return "allow writing there, or choose another folder"
    return "check that the disk is there, has space and can be written"
