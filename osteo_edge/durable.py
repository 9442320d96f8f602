"""Files that survive a power cut: what these functions have written when they return is on the disk."""

import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

from osteo_edge.errors import OsteoEdgeError

ABANDONED_AFTER_S = 3600.0
"""What was written to so long ago belongs to no one who still writes it."""
OURS: Final = re.compile(r"\..+\.(?:[0-9a-f]{8}|[0-9a-f]{32})\.partial|\.backup-[a-z0-9_]{8}\.partial", re.DOTALL)
"""How the unfinished files and folders are called that writers leave where the user has them write."""
REMEDY = "free some space or choose another place"


def write_durably(path: Path, data: bytes, what: str) -> Path:
    """Write a file in one step, its folder too; whoever looks sees the old file, or none, or all of the new one.

    `OsteoEdgeError` if `what` ("the result") cannot be written.
    """
    partial = path.with_name(f".{path.name}.{uuid4().hex}.partial")  # of its own: two may write at once
    try:
        make_folder(path.parent)
        _write(partial, data, "wb")
        partial.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise OsteoEdgeError(f"{path}: {what} cannot be written ({error.strerror or error}); {REMEDY}") from error
    return path


def append_durably(path: Path, data: bytes, what: str) -> None:
    """Append to a file, which is made if need be; where that fails, the file is cut back to what it was.

    `OsteoEdgeError` if `what` ("the ledger") cannot be written.
    """
    try:
        is_new = not path.exists()
        size = 0 if is_new else path.stat().st_size
        try:
            _write(path, data, "ab")
        except OSError:
            with suppress(OSError):
                os.truncate(path, size)
            raise
        if is_new:
            sync_folder(path.parent)
    except OSError as error:
        raise OsteoEdgeError(f"{path}: {what} cannot be written ({error.strerror or error}); {REMEDY}") from error


def cut_back(path: Path, size: int) -> None:
    """Leave only the first `size` bytes of a file."""
    with path.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder, and those above it, if need be; the names of new ones are on the disk when this returns."""
    new = [one for one in (folder, *folder.parents) if not one.is_dir()]
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    for one in reversed(new):
        sync_folder(one.parent)


def remove_partials(folder: Path, *, is_shared: bool = False) -> None:
    """Remove what a writer that was killed has left in a folder, `.….partial`; what cannot be removed stays.

    In a folder that is shared, such as a stick, others call their files so too: there only what has the random digits
    of ours goes. What was written to within the last hour may still be at work. A time to come is of a clock that was
    set back.
    """
    for path in folder.glob(".*.partial"):
        if is_shared and not OURS.fullmatch(path.name):
            continue
        with suppress(OSError):
            if abs(time.time() - path.lstat().st_mtime) > ABANDONED_AFTER_S:
                remove(path)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it; what cannot be removed of that stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sync_names(path: Path) -> None:
    """Bring the name of a file and that of its folder to the disk, where that can: not every stick does."""
    with suppress(OSError):
        sync_folder(path.parent)
        sync_folder(path.parent.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Bring a folder with all that is in it to the disk; `OSError` where some of it did not get there.

    One call begins for all files, since that is faster; asking for each then tells of what failed, as that does not.
    """
    os.sync()
    for path in (folder, *folder.rglob("*")):
        if path.is_file() or path.is_dir():
            sync_folder(path)


def _write(path: Path, data: bytes, mode: str) -> None:
    with path.open(mode) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
