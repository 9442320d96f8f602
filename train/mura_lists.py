"""The two CSV files that MURA ships for each part, held against its folders."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from osteo_edge.amounts import counted
from osteo_edge.errors import DatasetError
from osteo_edge.train.mura_folder import LABELS, MuraStudy

IMAGE_LIST = "{part}_image_paths.csv"
"""A line for each image: its path from the release's own folder on, "MURA-v1.1/train/XR_..."."""
STUDY_LIST = "{part}_labeled_studies.csv"
"""A line for each study: its path, with a slash at the end, and 1 for positive."""

MARKS = {"0": LABELS["negative"], "1": LABELS["positive"]}


class _Line(NamedTuple):
    number: int
    name: str
    mark: str


def check_lists(root: Path, part: str, studies: Sequence[MuraStudy]) -> None:
    """Raise `DatasetError` unless both lists of a part name exactly the images and studies of its folders.

    The error names the file, and the first image or study on which list and folders differ. Hidden files may be
    listed or not.
    """
    images = root / IMAGE_LIST.format(part=part)
    listed = {line.name: line for line in _read(images, part, cells=1) if not _is_hidden(line.name)}
    _check_names(images, ("image", "images"), listed, (name for study in studies for name in study.images))
    labelled = root / STUDY_LIST.format(part=part)
    marked = {line.name: line for line in _read(labelled, part, cells=2)}
    _check_names(labelled, ("study", "studies"), marked, (study.folder for study in studies))
    for study in studies:
        line = marked[study.folder]
        if MARKS.get(line.mark) != study.label:
            raise _disagrees(
                labelled, f"line {line.number} has {line.mark!r} for {study.folder}, which is {study.label}"
            )


def _read(file: Path, part: str, *, cells: int) -> Iterator[_Line]:
    """The lines of a list, without a header, with names relative to the release."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines)
            rows = [(reader.line_num, row) for row in reader if row]
    except FileNotFoundError as error:
        raise DatasetError(
            f"{file}: is missing; put it back, or take the folders at their word by --without-lists"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{file}: is not UTF-8 CSV ({error}); get it anew") from error
    for number, row in rows:
        folders = PurePosixPath(row[0].strip()).parts
        start = next((at for at, pair in enumerate(pairwise(folders)) if pair[0] == part and "XR_" in pair[1]), None)
        if len(row) != cells or start is None:
            raise DatasetError(f"{file}: line {number}: is no line of MURA's ({','.join(row)}); get the file anew")
        yield _Line(number, PurePosixPath(*folders[start:]).as_posix(), row[-1].strip())


def _check_names(file: Path, what: tuple[str, str], listed: Mapping[str, _Line], there: Iterable[str]) -> None:
    found = set(there)
    for names, how in (
        (listed.keys() - found, "not in the folders"),
        (found - listed.keys(), "of the folders that it does not list"),
    ):
        if names:
            raise _disagrees(file, f"{counted(len(names), *what)} {how}, the first of them {min(names)}")


def _disagrees(file: Path, how: str) -> DatasetError:
    return DatasetError(f"{file}: disagrees with the folders: {how}; get MURA anew, or correct the one that is wrong")


def _is_hidden(name: str) -> bool:
    return PurePosixPath(name).name.startswith(".")
