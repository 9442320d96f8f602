"""What a folder holds that may be a film: first by its names alone, at once; then by a look into each file.

A folder of thousands must be there at a touch, even on a slow stick, so listing opens no file and asks for no file's
size. `not_films` then finds what is no image by the first bytes of each file, for the screen to take out of the list.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from osteo_edge.edge_app.arrivals import is_unfinished
from osteo_edge.edge_app.browsing.errors import PULLED_OUT, FolderError, PlaceGoneError, is_gone
from osteo_edge.edge_app.browsing.names import SortKey, natural_key, shown
from osteo_edge.errors import RadiographError
from osteo_edge.radiograph import SNIFFED_BYTES, sniff_format

INDEX_NAMES: Final = ("DICOMDIR",)
"""Lists of the films on a medium (DICOM PS3.10, 8.6), which are no films."""

READ_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".dcm", ".dicom"})
OTHER_SUFFIXES: Final = frozenset({".gif", ".webp", ".avif", ".heic", ".heif", ".jp2"})

Look = Literal["film", "other", "unknown"]


@dataclass(frozen=True)
class Item:
    """A file or a folder: its path and its name as it is shown."""

    path: Path
    name: str


@dataclass(frozen=True)
class Listing:
    """The folders and the files of one folder, in natural order."""

    folder: Path
    folders: tuple[Item, ...]
    files: tuple[Item, ...]


def list_folder(folder: Path) -> Listing:
    """List a folder without opening a file; hidden and unfinished files are left out.

    Raises `PlaceGoneError` where the folder has gone, `FolderError` where it may not be read.
    """
    folders, files = list[tuple[SortKey, str]](), list[tuple[SortKey, str]]()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if is_unfinished(name) or name in INDEX_NAMES:
                    continue
                kind = _kind(entry)
                if kind is not None:
                    (folders if kind == "folder" else files).append((natural_key(name), name))
    except OSError as error:
        if is_gone(error, folder):
            raise PlaceGoneError(folder) from error
        problem = error.strerror or str(error)
        raise FolderError(f"{shown(str(folder))}: cannot be shown ({problem}); choose another folder") from error
    return Listing(folder, _items(folder, folders), _items(folder, files))


def look_into(path: Path) -> Look:
    """Whether a file is a film by its first bytes, in whatever format; `unknown` if it cannot be read.

    What is named as an image counts as one, so that its row can say why it cannot be read. Raises `PlaceGoneError`
    where its folder has gone.
    """
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(SNIFFED_BYTES)
    except OSError as error:
        if is_gone(error, path.parent):
            raise PlaceGoneError(path.parent) from error
        return "unknown"
    return "film" if is_image(head, path) else "other"


def is_image(head: bytes, path: Path) -> bool:
    """Whether a file that begins with `head` is an image that can be read here, or is named as an image."""
    try:
        return bool(sniff_format(head, path))
    except RadiographError:
        return path.suffix.lower() in READ_SUFFIXES | OTHER_SUFFIXES


def not_films(files: Iterable[Item], keep_on: Callable[[], None] = lambda: None) -> Iterator[Item]:
    """Those of the files that are no images. `keep_on` is called before each file, to raise when it is enough."""
    for item in files:
        keep_on()
        if look_into(item.path) == "other":
            yield item


def _kind(entry: os.DirEntry[str]) -> Literal["folder", "file"] | None:
    """What an entry is; None for pipes, devices, links that lead nowhere, and what may not be looked at."""
    try:
        return "folder" if entry.is_dir() else "file" if entry.is_file() else None
    except OSError as error:
        if error.errno in PULLED_OUT:
            raise
        return None


def _items(folder: Path, keyed: list[tuple[SortKey, str]]) -> tuple[Item, ...]:
    keyed.sort()
    return tuple(
        Item(folder / name, name if name.isascii() and name.isprintable() else shown(name)) for _, name in keyed
    )
