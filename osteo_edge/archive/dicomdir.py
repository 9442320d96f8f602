"""The films that a DICOMDIR names, the list of what is on a medium (PS3.3, Annex F; PS3.10, 8.6)."""

import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

from osteo_edge.errors import MissingExtraError, OsteoEdgeError

IMAGE_DIRECTORY: Final = "DICOMDIR"
IMAGE: Final = "IMAGE"


def names_in_dicomdir(path: Path, left_out: Counter[str]) -> Iterator[str]:
    """The images that it names, relative to its folder; other records, reports say, are counted in `left_out`.

    OsteoEdgeError for what is no readable DICOMDIR, MissingExtraError where pydicom is not installed.
    """
    seen = set()
    for kind, parts in _records(path):
        name = _name(parts, path.parent)
        if name is None:
            continue
        if kind != IMAGE:
            left_out["not_an_image"] += 1
        elif PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            left_out["outside_medium"] += 1
        elif name in seen:
            left_out["listed_twice"] += 1
        else:
            seen.add(name)
            yield name


def _records(path: Path) -> list[tuple[Any, Any]]:
    """The type of each record, and the file that it names, in the parts of its path."""
    try:
        import pydicom
    except ImportError as missing:
        raise MissingExtraError("reading DICOM", "pydicom", "dicom") from missing
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            records = pydicom.dcmread(path).DirectoryRecordSequence
            return [(record.get("DirectoryRecordType"), record.get("ReferencedFileID")) for record in records]
    except Exception as error:  # a damaged file makes pydicom raise nearly anything
        raise OsteoEdgeError(f"{path}: not readable as a DICOMDIR; name the folder that it lies in") from error


def _name(parts: Any, folder: Path) -> str | None:
    """The file that a record names, in capitals as the standard has it or in small letters, as some systems show it."""
    if not parts:
        return None
    name = parts if isinstance(parts, str) else "/".join(map(str, parts))
    return name if (folder / name).exists() or not (folder / name.lower()).exists() else name.lower()
