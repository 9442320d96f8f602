"""Image files by the hash of their content, `images/ab/abcdef….jpg`: each is whole, or not there at all.

In an encrypted history a file is sealed, and called by a name that only its keys tell, without a suffix.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import time
from uuid import uuid4

from osteo_edge.durable import sync_folder
from osteo_edge.edge_app.history.vault import SEALED_EXTRA_BYTES, Keys
from osteo_edge.edge_app.history.wiping import wipe_file
from osteo_edge.hashing import sha256_bytes

FOLDER = "images"
ABANDONED_AFTER_S = 3600.0
"""A partial file of this age belongs to no one who still writes it."""


@dataclass(frozen=True)
class Picture:
    """The bytes of an image file as it came, and its suffix in lower case: ".jpg", ".dcm", or "" where it has none."""

    data: bytes
    suffix: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"(\.[a-z0-9]{1,8})?", self.suffix):
            raise ValueError(f"suffix must be a dot and up to eight letters or digits, not {self.suffix!r}")

    @cached_property
    def sha256(self) -> str:
        return sha256_bytes(self.data)


def picture_of(path: Path) -> Picture:
    """Read an image file as it is; an unusual suffix is left out.

    Raises `RadiographError` for what cannot be read, or is too large.
    """
    from osteo_edge.radiograph import read_bytes

    suffix = path.suffix.lower()
    return Picture(read_bytes(path), suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else "")


def image_path(root: Path, sha256: str, suffix: str, keys: Keys | None = None) -> Path:
    """Where the image of that hash lies below the history's folder `root`; sealed, if there are `keys`.

    >>> image_path(Path("history"), "ab" + 62 * "0", ".png").parent.as_posix()
    'history/images/ab'
    """
    name = f"{sha256}{suffix}" if keys is None else keys.hidden_name(sha256)
    return root / FOLDER / name[:2] / name


def image_files(root: Path, sha256: str, keys: Keys | None = None) -> list[Path]:
    """Every file that holds the image of that hash: a film that came under two suffixes may lie there twice."""
    path = image_path(root, sha256, "", keys)
    return list(path.parent.glob(f"{path.name}*"))


def read_image(root: Path, sha256: str, suffix: str, keys: Keys | None = None) -> bytes:
    """The bytes of an image; `OSError` where there are none, `SealError` where a sealed file was altered."""
    path = image_path(root, sha256, suffix, keys)
    data = path.read_bytes()
    return data if keys is None else keys.open_sealed(path.name, data)


def write_image(root: Path, picture: Picture, keys: Keys | None = None) -> bool:
    """Write a picture to its place and wait until it is on the disk; whether it was not there, whole, before.

    Raises `OSError`, and then leaves nothing behind.
    """
    path = image_path(root, picture.sha256, picture.suffix, keys)
    size_bytes = len(picture.data) + (0 if keys is None else SEALED_EXTRA_BYTES)
    if path.exists() and path.stat().st_size == size_bytes:
        return False
    _make_folder(path.parent)
    partial = path.with_name(f".{uuid4().hex}.partial")
    try:
        with partial.open("wb") as file:
            if keys is None:
                file.write(picture.data)
            else:
                keys.write_sealed(file, path.name, picture.data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    sync_folder(path.parent)
    return True


def stored_images(root: Path) -> Iterator[Path]:
    """Every file in the image store that is whole."""
    for path in (root / FOLDER).glob("[0-9a-f][0-9a-f]/*"):
        if not path.name.startswith("."):
            yield path


def remove_abandoned(root: Path) -> int:
    """Remove the partial files of writers that were killed; how many there were."""
    removed = 0
    for path in (root / FOLDER).glob("[0-9a-f][0-9a-f]/.*.partial"):
        with suppress(FileNotFoundError):
            if time() - path.stat().st_mtime > ABANDONED_AFTER_S:
                wipe_file(path)
                removed += 1
    return removed


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for above in (folder.parent, folder.parent.parent):
        sync_folder(above)
