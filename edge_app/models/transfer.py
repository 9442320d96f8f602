"""Copy a bundle from a folder or a stick that may be pulled out: what its manifest lists, and as it lists it."""

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osteo_edge.bundle import SIGNATURE_NAME, read_manifest
from osteo_edge.durable import sync_folder
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.hashing import CHUNK_BYTES
from osteo_edge.manifest import FILE_NAME

SPARE_BYTES: Final = 16 * 2**20
"""What is left free on the device's disk: the history needs some, too."""
MAX_FOLDERS: Final = 500
FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Progress = Callable[[float], None]
"""Is told the share that is done, in [0, 1]; what it raises ends the work, which then leaves nothing behind."""


def find_bundles(folder: Path) -> tuple[Path, ...]:
    """The bundles in `folder`: itself, its folders and theirs, in order of their names, hidden ones left out.

    Raises `OsteoEdgeError` where `folder` cannot be read, such as a stick that is gone.
    """
    try:
        found = [folder] if (folder / FILE_NAME).is_file() else []
        level = [folder]
        for _ in range(2):
            level = [below for above in level for below in _folders(above, strict=above == folder)][:MAX_FOLDERS]
            found += [below for below in level if (below / FILE_NAME).is_file()]
    except OSError as error:
        raise OsteoEdgeError(
            f"{folder}: cannot be read ({error.strerror or error}); is the stick plugged in?"
        ) from error
    return tuple(found)


def copy_bundle(source: Path, target: Path, on_progress: Progress) -> None:
    """Copy the bundle in `source`, and its signature, to the new folder `target`, synced; other files stay there.

    Raises `BundleError` where `source` is no bundle, is incomplete or altered, or can no longer be read, and
    `OsteoEdgeError` where the disk is full or cannot be written. `target` may then be there in part.
    """
    manifest = read_manifest(source)
    digests = {manifest.model.file: manifest.model.sha256, **manifest.files}
    signature = (SIGNATURE_NAME,) if (source / SIGNATURE_NAME).is_file() else ()
    sizes = {name: _size(source / name) for name in (*digests, FILE_NAME, *signature)}
    _require_space(target.parent, sum(sizes.values()))
    count = _Count(sum(sizes.values()), on_progress)
    with _writing(target.parent):
        target.mkdir()
    for name in sizes:
        digest = _copy(source / name, target / name, count)
        if digest != digests.get(name, digest):
            raise BundleError(f"{source / name}: altered since the bundle was written; copy the bundle again")
    with _writing(target.parent):
        sync_folder(target)


@dataclass
class _Count:
    """How much has been copied."""

    total: int
    on_progress: Progress
    done: int = 0

    def add(self, size_bytes: int) -> None:
        self.done += size_bytes
        self.on_progress(min(1.0, self.done / self.total))


def _copy(source: Path, target: Path, count: _Count) -> str:
    """Copy a file, synced; its SHA-256."""
    digest = hashlib.sha256()
    with _writing(target.parent.parent), target.open("xb") as file:
        for chunk in _chunks(source):
            file.write(chunk)
            digest.update(chunk)
            count.add(len(chunk))
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """What the system says about the device's own disk, as one line."""
    try:
        yield
    except OSError as error:
        remedy = "free some space" if error.errno in FULL else "check that the disk is there and can be written"
        raise OsteoEdgeError(f"{folder}: cannot be written ({error.strerror or error}); {remedy}") from error


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise _gone(path, error) from error


def _size(path: Path) -> int:
    try:
        found = path.lstat()
    except FileNotFoundError as error:
        raise BundleError(f"{path}: missing from the bundle; copy the bundle again") from error
    except OSError as error:
        raise _gone(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        raise BundleError(f"{path}: no plain file; copy the bundle again")
    return found.st_size


def _gone(path: Path, error: OSError) -> BundleError:
    reason = error.strerror or error
    return BundleError(f"{path}: cannot be read ({reason}); leave the stick plugged in and try again")


def _require_space(folder: Path, needed_bytes: int) -> None:
    with _writing(folder):
        free_bytes = shutil.disk_usage(folder).free
    if needed_bytes + SPARE_BYTES > free_bytes:
        sizes = f"{(needed_bytes + SPARE_BYTES) / 2**20:.0f} MiB are needed, {free_bytes / 2**20:.0f} MiB are free"
        raise OsteoEdgeError(f"{folder}: not enough space ({sizes}); free some, or take out a model")


def _folders(folder: Path, *, strict: bool) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry) for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        if strict:
            raise
        return []
