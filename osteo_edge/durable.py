"""Files that survive a power cut: what these functions have written when they return is on the disk."""

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from osteo_edge.errors import OsteoEdgeError

REMEDY = "free some space or choose another place"


def write_durably(path: Path, data: bytes, what: str) -> Path:
    """Write a file in one step, its folder too; whoever looks sees the old file, or none, or all of the new one.

    `OsteoEdgeError` if `what` ("the result") cannot be written.
    """
    partial = path.with_name(f".{path.name}.{uuid4().hex}.partial")  # of its own: two may write at once
    try:
        is_new = not path.parent.is_dir()
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(partial, data, "wb")
        partial.replace(path)
        sync_folder(path.parent)
        if is_new:
            sync_folder(path.parent.parent)
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


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, data: bytes, mode: str) -> None:
    with path.open(mode) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
