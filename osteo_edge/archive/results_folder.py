"""The folder of an archive's results: one command works there at a time, and one that is refused leaves nothing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from osteo_edge.archive.plan import PLAN
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.locking import LOCK_NAME, sole_use

BUSY: Final = "another screen-archive is at work there; wait for it, or end it"


@contextmanager
def results_folder(out: Path) -> Iterator[None]:
    """The sole use of a folder, which is made if need be; a block that leaves no plan there leaves no folder either.

    One that was there stays as it was. OsteoEdgeError if another command is at work there, or if it cannot be written.
    """
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    with sole_use(out, BUSY) as lock:
        if not _is_there(out / LOCK_NAME, lock):  # who held it has just removed it: the next one locks another file
            raise OsteoEdgeError(f"{out}: {BUSY}")
        try:
            yield
        finally:
            if not (out / PLAN).exists():
                _remove(out, made)


def _is_there(path: Path, handle: int) -> bool:
    """Whether a path is that of an open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except OSError:
        return False


def _remove(out: Path, made: list[Path]) -> None:
    """Remove the lock, and what was made for it, as far as nothing else is in it."""
    with suppress(OSError):
        (out / LOCK_NAME).unlink()
        for folder in made:
            folder.rmdir()
