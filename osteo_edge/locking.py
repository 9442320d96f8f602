"""One program at a time: a lock that the system takes back when its holder ends, however it ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osteo_edge.durable import make_folder
from osteo_edge.errors import OsteoEdgeError

LOCK_NAME = ".lock"
PATIENCE_S = 10.0
AGAIN_S = 0.02


@contextmanager
def sole_use(folder: Path, busy: str, *, place: str = "--out") -> Iterator[int]:
    """Keep others out of a folder, which is made if need be; gives the descriptor of the lock.

    `OsteoEdgeError` with the words `busy` if another program holds it, or if the folder cannot be written; another
    `place` is then what the user is to choose.
    """
    with _opened(folder, LOCK_NAME, place) as handle:
        if not _lock(folder, handle, place):
            raise OsteoEdgeError(f"{folder}: {busy}")
        yield handle


@contextmanager
def in_turn(folder: Path, name: str, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Wait until nobody else, of this program or another, does what has this `name` with a folder; for a moment's work.

    `OsteoEdgeError` if it takes longer than `patience_s` seconds, or if the folder, which is made if need be, cannot be
    written.
    """
    end = time.monotonic() + patience_s
    with _opened(folder, name, "folder") as handle:
        while not _lock(folder, handle, "folder"):
            if time.monotonic() > end:
                raise OsteoEdgeError(f"{folder}: another window is busy there: try again")
            time.sleep(AGAIN_S)
        yield


@contextmanager
def _opened(folder: Path, name: str, place: str) -> Iterator[int]:
    """The descriptor of a file to lock."""
    try:
        make_folder(folder)
        handle = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise OsteoEdgeError(f"{folder}: cannot be written ({error.strerror}); choose another {place}") from error
    try:
        yield handle
    finally:
        os.close(handle)


def _lock(folder: Path, handle: int, place: str) -> bool:
    """Lock it, unless somebody else has; whether that was done."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise OsteoEdgeError(
            f"{folder}: the disk there knows no locks ({error.strerror}); choose another {place}, on another disk"
        ) from error
    return True
