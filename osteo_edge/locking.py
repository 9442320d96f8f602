"""One program at a time: a lock that the system takes back when its holder ends, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osteo_edge.errors import OsteoEdgeError

LOCK_NAME = ".lock"


@contextmanager
def sole_use(folder: Path, busy: str, *, place: str = "--out") -> Iterator[int]:
    """Keep others out of a folder, which is made if need be; gives the descriptor of the lock.

    `OsteoEdgeError` with the words `busy` if another program holds it, or if the folder cannot be written; another
    `place` is then what the user is to choose.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise OsteoEdgeError(f"{folder}: cannot be written ({error.strerror}); choose another {place}") from error
    try:
        _lock(folder, handle, busy, place)
        yield handle
    finally:
        os.close(handle)


def _lock(folder: Path, handle: int, busy: str, place: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OsteoEdgeError(f"{folder}: {busy}") from error
    except OSError as error:
        raise OsteoEdgeError(
            f"{folder}: the disk there knows no locks ({error.strerror}); choose another {place}, on another disk"
        ) from error
