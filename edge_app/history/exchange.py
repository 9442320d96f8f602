"""A history takes the place of another: by which names, and what a start does if a power cut came between.

    history.restored-20260131T093000000000/history    unpacked from a backup; nobody's any more unless it is locked
    history.rewritten-20260131T093000000000/history   the same history, encrypted or decrypted; likewise
    history.replaced-20260131T093000000000            the history that made room, until the exchange is done

Of the two renames the first one takes the history away, and the second puts the new one there. Whoever finds no history
between them must not begin a new one: `exchanging` keeps them out.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from osteo_edge.durable import sync_folder
from osteo_edge.edge_app.history.errors import NotConfirmedError
from osteo_edge.edge_app.history.wiping import wipe_folder

RESTORED: Final = "restored"
REWRITTEN: Final = "rewritten"
REPLACED: Final = "replaced"

NOT_CONFIRMED: Final = (
    "It was done, but the disk did not confirm it: after a power cut all may be as it was before. "
    "Make a backup on another disk, and have this one checked."
)
"""A message."""


def new_place(folder: Path, what: str) -> Path:
    """A dated name beside the history's folder for what is `RESTORED`, `REWRITTEN` or `REPLACED`.

    It comes after all that are there, also when the clock was set back: `bring_back` takes the last one.
    """
    place = folder.with_name(f"{folder.name}.{what}-{datetime.now(timezone.utc).strftime('%Y%m%dT%H%M%S%f')}")
    last = max(folder.parent.glob(f"{folder.name}.{what}-*"), default=None)
    return place if last is None or place > last else last.with_name(f"{last.name}-1")


@contextmanager
def exchanging(folder: Path) -> Iterator[None]:
    """While the block runs nobody else moves the history's folder, begins one there, or changes its vault.

    For a moment's work; not twice in one thread. The folder above must be there: `OSError` otherwise. A history that
    is being unpacked or rewritten is of one window alone, which holds that lock already.
    """
    if any(f".{what}-" in folder.parent.name for what in (RESTORED, REWRITTEN)):
        yield
        return
    descriptor = os.open(folder.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # closing is not enough: a forked process has it open as well
        os.close(descriptor)


def put_in_place(new: Path, folder: Path) -> Path:
    """Let the history `new`, which is on the disk, take the place of the one in `folder`, nobody's; where that is now.

    `OSError` where that cannot be; the old one, if there was one, is then in its place. `NotConfirmedError` where it
    was done, and may not be on the disk: the old one stays then, until the next start.
    """
    kept = new_place(folder, REPLACED)
    with exchanging(folder):
        if folder.exists():
            folder.replace(kept)
        try:
            new.replace(folder)
        except OSError:
            if kept.exists():
                kept.replace(folder)
            raise
        try:
            sync_folder(folder.parent)
        except OSError as error:
            raise NotConfirmedError(NOT_CONFIRMED) from error
    return kept


def bring_back(folder: Path) -> None:
    """Undo an exchange that was cut short: a history that made room, with nothing in its place, comes back.

    For whoever is `exchanging`.
    """
    replaced = sorted(folder.parent.glob(f"{folder.name}.{REPLACED}-*"))
    if replaced and not folder.exists():
        replaced[-1].replace(folder)
        sync_folder(folder.parent)


def remove_unfinished(folder: Path, kept: str) -> None:
    """Remove what an exchange that was cut short has left beside the history's folder, where that is sound.

    Of histories that made room those stay in which a file is called like the pattern `kept`, and all as long as none is
    in their place. What another window is unpacking stays as well. No keys are needed. Raises `OSError`.
    """
    for what in (RESTORED, REWRITTEN):
        for left in folder.parent.glob(f"{folder.name}.{what}-*"):
            _remove_unless_in_use(left)
    if not folder.parent.is_dir():
        return
    with exchanging(folder):
        replaced = list(folder.parent.glob(f"{folder.name}.{REPLACED}-*")) if folder.exists() else []
        sync_folder(folder.parent)
    for left in replaced:
        if not any(left.glob(kept)):
            wipe_folder(left)


def _remove_unless_in_use(left: Path) -> None:
    with suppress(OSError):  # another window is at work on it, or has just removed it
        descriptor = os.open(left, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            wipe_folder(left)
        finally:
            os.close(descriptor)
