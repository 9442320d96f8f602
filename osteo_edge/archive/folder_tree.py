"""The films in a folder and all that is below it, in the order of their names; no more than names is held."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from osteo_edge.archive.dicomdir import IMAGE_DIRECTORY
from osteo_edge.archive.plan import PLAN, RECORD
from osteo_edge.archive.reasons import error_code
from osteo_edge.errors import OsteoEdgeError, RadiographError
from osteo_edge.radiograph import SNIFFED_BYTES, sniff_format

FILM_SUFFIXES: Final = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".dcm", ".dicom"))
"""Files of these names are taken for films without a look into them."""
UNFINISHED: Final = (".part", ".partial", ".tmp", ".crdownload", "~")

Inode = tuple[int, int]


def names_in_folder(root: Path, left_out: Counter[str], *, skip: Path | None) -> Iterator[str]:
    """The films below `root`, relative to it; what else is there is counted in `left_out` by reason.

    A file without a film's suffix is a film if it begins as one. Links to folders are followed, into each folder once;
    hidden files and folders, the folder `skip`, and results of other calls are not gone into. OsteoEdgeError if `root`
    cannot be read.
    """
    try:
        waiting = _entries(root, "")
    except OSError as error:
        raise OsteoEdgeError(
            f"{root}: cannot be read ({error.strerror or error}); check the disk and the permission"
        ) from error
    seen = {_inode(root)} | ({_inode(skip)} if skip is not None and skip.is_dir() else set())
    while waiting:
        name = waiting.pop()
        path = root / name
        try:
            if path.is_dir():
                waiting += _entered(path, name, seen, left_out)
                continue
            why = _no_film(path)
        except OSError:  # of a folder whose names alone may be read
            why = "no_permission"
        if why is None:
            yield name
        else:
            left_out[why] += 1


def _entered(folder: Path, name: str, seen: set[Inode], left_out: Counter[str]) -> list[str]:
    """What is in a folder, unless it is hidden, holds results, was gone into before or cannot be read."""
    if folder.name.startswith("."):
        left_out["hidden"] += 1
        return []
    try:
        inode = _inode(folder)
        if inode in seen:
            if folder.is_symlink():
                left_out["folder_seen_before"] += 1
            return []
        seen.add(inode)
        if (folder / PLAN / RECORD).is_file():
            left_out["results"] += 1
            return []
        return _entries(folder, f"{name}/")
    except OSError:
        left_out["unreadable_folder"] += 1
        return []


def _entries(folder: Path, before: str) -> list[str]:
    """The names in a folder, with what stands before them, the last one first."""
    with os.scandir(folder) as entries:
        return sorted((before + entry.name for entry in entries), reverse=True)


def _no_film(path: Path) -> str | None:
    """Why a file is no film, as a code; None where it is one, or one that cannot be opened: screening will tell."""
    if path.name.startswith("."):
        return "hidden"
    if path.name.upper() == IMAGE_DIRECTORY:
        return "dicomdir"
    if path.name.endswith(UNFINISHED):
        return "unfinished"
    if not path.is_file():
        return "broken_link" if path.is_symlink() else "special_file"
    return None if path.suffix.lower() in FILM_SUFFIXES else _begins_otherwise(path)


def _begins_otherwise(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            sniff_format(file.read(SNIFFED_BYTES), path)
    except RadiographError as error:
        return error_code(str(error))
    except OSError:
        return None
    return None


def _inode(path: Path) -> Inode:
    found = path.stat()
    return found.st_dev, found.st_ino
