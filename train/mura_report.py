"""Count the studies, films and patients of a data set by bone, part and label, and show them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from osteo_edge.amounts import counted
from osteo_edge.console import show_table
from osteo_edge.dataset import PARTS, Case
from osteo_edge.train.mura import Mura

ALL = "all"
SHOWN = 20
"""Broken images that are shown; JSON output has them all."""


@dataclass(frozen=True)
class Count:
    """How much there is of one bone in one part; by label the studies and the films."""

    bone: str
    part: str
    studies: dict[str, int]
    films: dict[str, int]
    patients: int


def count_cases(cases: Sequence[Case]) -> tuple[Count, ...]:
    """One count for each bone and published part, then one for all bones in each part; bones in alphabetical order.

    Films without a published part count as training films, those without a bone under "unknown".
    """
    labels = sorted({case.label for case in cases}, reverse=True)  # normal before abnormal
    present = [part for part in PARTS if any(_part(case) == part for case in cases)]
    bones = [*sorted({_bone(case) for case in cases}), ALL]
    return tuple(
        _count(bone, part, labels, [case for case in cases if _part(case) == part and bone in (ALL, _bone(case))])
        for bone in bones
        for part in present
    )


def show_mura(mura: Mura, out: Path) -> None:
    """Print the counts and what was left out, as tables on standard output."""
    counts = count_cases(mura.cases)
    labels = list(counts[0].studies)
    columns = ("Bone", "Part", *(f"Studies, {label}" for label in labels), *(f"Films, {label}" for label in labels),
               "Patients")  # fmt: skip
    rows = [
        (each.bone, each.part, *map(str, each.studies.values()), *map(str, each.films.values()), str(each.patients))
        for each in counts
    ]
    show_table(f"Studies, films and patients in {mura.root.name}", columns, rows)
    if mura.broken:
        shown = [(image.name, image.reason) for image in mura.broken[:SHOWN]]
        show_table(f"Broken images, left out ({len(mura.broken)})", ("Image", "Reason"), shown)
    for line in remarks(mura):
        click.echo(line)
    click.echo(f"written: {out}")


def remarks(mura: Mura) -> list[str]:
    """What whoever trains on this must know, a line each."""
    found = []
    if mura.only_train:
        found.append("valid/ was not read: there is no published test part, and no figure compares with published ones")
    if mura.broken:
        found.append(f"left out because they cannot be read: {counted(len(mura.broken), 'image')}")
    if mura.lost_studies:
        found.append(f"studies without a readable image, left out: {', '.join(mura.lost_studies)}")
    if mura.hidden:
        found.append(f"skipped: {counted(mura.hidden, 'hidden file')}")
    singles = sum(count == 1 for count in _films_by_study(mura.cases).values())
    if singles:
        found.append(f"with one film only: {counted(singles, 'study', 'studies')}")
    return found


def to_dict(mura: Mura, out: Path) -> dict[str, Any]:
    """The counts and what was left out, as JSON values."""
    return {
        "csv": str(out),
        "root": str(mura.root),
        "label_source": mura.label_source,
        "only_train": mura.only_train,
        "counts": [asdict(count) for count in count_cases(mura.cases)],
        "broken": [vars(image) for image in mura.broken],
        "lost_studies": list(mura.lost_studies),
        "hidden": mura.hidden,
        "remarks": remarks(mura),
    }


def _count(bone: str, part: str, labels: Sequence[str], cases: Sequence[Case]) -> Count:
    return Count(
        bone=bone,
        part=part,
        studies={label: len({case.study for case in cases if case.label == label}) for label in labels},
        films={label: sum(case.label == label for case in cases) for label in labels},
        patients=len({case.patient for case in cases}),
    )


def _films_by_study(cases: Sequence[Case]) -> dict[str | None, int]:
    found: dict[str | None, int] = {}
    for case in cases:
        found[case.study] = found.get(case.study, 0) + 1
    return found


def _part(case: Case) -> str:
    return case.published_part or "train"


def _bone(case: Case) -> str:
    return case.bone or "unknown"
