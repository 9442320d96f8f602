"""Make one data set CSV of two, so that one network learns from both."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from osteo_edge.dataset import Case, Dataset, check_spelling, read_dataset
from osteo_edge.errors import DatasetError
from osteo_edge.table import write_table

COLUMNS = ("path", "label", "bone", "patient", "study", "published_part", "age", "sex", "weight", "label_source")
DRAWN = "phantom"


def write_merged(first: Path, second: Path, out: Path, *, bone: str | None = None) -> dict[str, int]:
    """Write the images of both, in one step and with paths relative to `out`; returns how many come from which.

    `bone` is that of films which name none. Patients and studies of the second get its name before theirs, since two
    sets number theirs alike: sets that share patients are not for merging. What was published as test part stays so
    only where all films have a published part; else none has. Raises `DatasetError`, also where drawn films and others
    would come together.
    """
    if out.exists() and any(out.samefile(path) for path in (first, second) if path.exists()):
        raise DatasetError(f"{out}: is one of the data sets themselves; choose another --out")
    sets = [_with_bone(read_dataset(path), bone) for path in (first, second)]
    sets[1] = _renamed(sets[1])
    source = _joined_source(sets)
    cases = [case for dataset in sets for case in dataset.cases]
    if not all(case.published_part for case in cases):
        cases = [replace(case, published_part=None) for case in cases]
    check_spelling(out, "labels", {case.label for case in cases})
    check_spelling(out, "bones", {case.bone for case in cases if case.bone is not None})
    folder = out.parent.resolve()
    lines = [_line(case, folder, source) for case in cases]
    twice = len(lines) - len({line[0] for line in lines})
    if twice:
        raise DatasetError(f"{second}: {twice} of its images are those of {first}; name two different data sets")
    write_table(out, COLUMNS, lines)
    return {str(path): len(dataset.cases) for path, dataset in zip((first, second), sets, strict=True)}


def _with_bone(dataset: Dataset, bone: str | None) -> Dataset:
    nameless = [case for case in dataset.cases if case.bone is None]
    if nameless and bone is None:
        raise DatasetError(
            f"{dataset.root}: {len(nameless)} of {len(dataset.cases)} films name no bone; say which it is with --bone"
        )
    return replace(dataset, cases=tuple(replace(case, bone=case.bone or bone) for case in dataset.cases))


def _renamed(dataset: Dataset) -> Dataset:
    def named(value: str | None) -> str | None:
        return None if value is None else f"{dataset.name}: {value}"

    cases = (replace(case, patient=named(case.patient), study=named(case.study)) for case in dataset.cases)
    return replace(dataset, cases=tuple(cases))


def _joined_source(sets: list[Dataset]) -> str:
    """What decided the labels of each set, in one text; the same one once."""
    sources = [dataset.label_source or "not stated" for dataset in sets]
    if DRAWN in sources and set(sources) != {DRAWN}:
        raise DatasetError(
            f"{sets[0].root} and {sets[1].root}: drawn films (label_source phantom) do not go together with others"
        )
    if len(set(sources)) == 1:
        return sources[0]
    return "; ".join(f"{source} ({dataset.name})" for source, dataset in zip(sources, sets, strict=True))


def _line(case: Case, folder: Path, source: str) -> tuple[str, ...]:
    path = Path(os.path.relpath(case.path.resolve(), folder)).as_posix()
    known = (case.bone, case.patient, case.study, case.published_part, case.age, case.sex, case.weight)
    return (path, case.label, *("" if value is None else str(value) for value in known), source)


def lost_parts(first: Path, second: Path) -> Iterator[str]:
    """The data sets whose published parts a merged set cannot keep."""
    sets = {path: read_dataset(path).cases for path in (first, second)}
    if all(case.published_part for cases in sets.values() for case in cases):
        return
    yield from (str(path) for path, cases in sets.items() if any(case.published_part for case in cases))
