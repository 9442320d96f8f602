"""Read MURA-v1.1 (Rajpurkar et al. 2018) as Stanford ships it, and list its films as a data set of this project."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from osteo_edge.dataset import Case
from osteo_edge.errors import DatasetError, RadiographError
from osteo_edge.radiograph import read_radiograph
from osteo_edge.table import write_table
from osteo_edge.train.mura_folder import PUBLISHED_PARTS, MuraStudy, find_release, read_studies
from osteo_edge.train.mura_lists import check_lists

COLUMNS = ("path", "label", "bone", "patient", "study", "published_part", "label_source")
LABEL_SOURCE = "radiologist"
PHANTOM_TABLE = "phantoms.csv"
"""Stands in a release of drawn films, so that these can never be taken for patients."""
PHANTOM_SOURCE = "phantom"


@dataclass(frozen=True)
class BrokenImage:
    """An image that cannot be read as a radiograph, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Mura:
    """The readable films of a release, sorted by name, and what was left out of it.

    `cases` are named relative to `root`. Without `valid/` (`only_train`) no film has a published part.
    """

    root: Path
    cases: tuple[Case, ...]
    broken: tuple[BrokenImage, ...]
    hidden: int
    """Hidden files that were skipped."""
    lost_studies: tuple[str, ...]
    """Studies of which no image can be read."""
    only_train: bool
    label_source: str


def read_mura(
    folder: Path,
    *,
    only_train: bool = False,
    without_lists: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Mura:
    """Read a release, whose `folder` is MURA-v1.1 or the one that holds it; every image is decoded once.

    With `only_train`, `valid/` is not looked at and need not be there. With `without_lists` the CSV files of the
    release are neither needed nor read. Raises `DatasetError` for whatever does not fit together, a patient in both
    parts among it.
    """
    root = find_release(folder)
    studies: list[MuraStudy] = []
    for part in PUBLISHED_PARTS:
        if part == "train" or not only_train:
            of_part = read_studies(root, part)
            if not without_lists:
                check_lists(root, part, of_part)
            studies += of_part
    _check_patients(root, studies)
    cases = [case for study in studies for case in _cases(root, study, published=not only_train)]
    broken = tuple(_broken(cases, on_progress))
    names = {image.name for image in broken}
    kept = tuple(sorted((case for case in cases if case.name not in names), key=lambda case: case.name))
    if not kept:
        raise DatasetError(f"{root}: none of {len(cases)} images can be read, the first because {broken[0].reason}")
    lost = sorted({study.name for study in studies} - {case.study for case in kept})
    source = PHANTOM_SOURCE if (root / PHANTOM_TABLE).exists() else LABEL_SOURCE
    return Mura(root, kept, broken, sum(study.hidden for study in studies), tuple(lost), only_train, source)


def write_mura(mura: Mura, out: Path) -> None:
    """Write the films as a data set CSV in one step, with paths relative to it."""
    start = os.path.relpath(mura.root.resolve(), out.parent.resolve())
    rows = (
        (
            Path(start, case.name).as_posix(),
            case.label,
            case.bone,
            case.patient,
            case.study,
            case.published_part or "",
            mura.label_source,
        )
        for case in mura.cases
    )
    write_table(out, COLUMNS, rows)


def _check_patients(root: Path, studies: Sequence[MuraStudy]) -> None:
    parts: dict[str, str] = {}
    for study in studies:
        if parts.setdefault(study.patient, study.part) != study.part:
            raise DatasetError(
                f"{root}: {study.patient} is in {parts[study.patient]}/ and in {study.part}/, so that a model would be "
                "tested on a patient that it learned from; take the patient out of one of them"
            )


def _cases(root: Path, study: MuraStudy, *, published: bool) -> Iterator[Case]:
    part = PUBLISHED_PARTS[study.part] if published else None
    for name in study.images:
        yield Case(
            root / name,
            name,
            study.label,
            patient=study.patient,
            bone=study.bone,
            study=study.name,
            published_part=part,
        )


def _broken(cases: Sequence[Case], on_progress: Callable[[int, int], None]) -> Iterator[BrokenImage]:
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool, closing(pool.map(_reason, cases)) as reasons:  # type: ignore[type-var]
        for done, (case, reason) in enumerate(zip(cases, reasons, strict=True), start=1):
            if reason is not None:
                yield BrokenImage(case.name, reason)
            on_progress(done, len(cases))


def _reason(case: Case) -> str | None:
    try:
        read_radiograph(case.path)
    except RadiographError as error:
        return str(error).removeprefix(f"{case.path}: ")
    return None
