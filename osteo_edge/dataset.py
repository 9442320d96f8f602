"""A labelled data set: a folder of class folders, or a CSV file that lists its images."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from osteo_edge.errors import DatasetError
from osteo_edge.table import Row, Table, read_columns, read_table

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".dcm", ".dicom"})
SEXES = {"m": "male", "f": "female"}
PARTS = ("train", "validation", "test")
MAX_AGE_YEARS = 130
MAX_WEIGHT_KG = 500
"""What the app's form takes, too: more is of another unit, or a slip."""
SHARED_BY_STUDY = ("label", "bone", "patient", "published_part")


@dataclass(frozen=True)
class Case:
    """One labelled image and what is known about its patient; None where it is not known."""

    path: Path
    name: str
    """The path relative to the data set's root, with slashes: what a split file knows the image by."""
    label: str
    patient: str | None = None
    age: float | None = None
    """Years."""
    sex: str | None = None
    weight: float | None = None
    """Kilograms."""
    bone: str | None = None
    """The region that the film shows: elbow, wrist, ..."""
    study: str | None = None
    """The films of one region on one occasion, which share their label; its name is the study's alone."""
    published_part: str | None = None
    """One of `PARTS`, where the publisher of the data set has divided it."""
    listed_label: str | None = None
    """The label as the data set has it, where `label` names the bone too."""


@dataclass(frozen=True)
class Dataset:
    """Labelled images, sorted by name; every name stands once.

    `label_source` says what decided the labels (DXA, QUS, phantom, ...) where the data set itself says so. `left_out`
    are the names of images that the data set has under labels that were not asked for.
    """

    name: str
    root: Path
    cases: tuple[Case, ...]
    label_source: str | None = None
    left_out: frozenset[str] = frozenset()

    @property
    def counts(self) -> dict[str, int]:
        """Images per label, labels in alphabetical order."""
        return dict(sorted(Counter(case.label for case in self.cases).items()))

    @property
    def left_out_line(self) -> str:
        """One line about the images whose labels were not asked for, a misspelt one too; empty where there are none."""
        if not self.left_out:
            return ""
        labels = ", ".join(self.counts)
        return (
            f"Left out {len(self.left_out)} of {len(self.left_out) + len(self.cases)} images, which have other labels "
            f"than {labels}; the first of them is {min(self.left_out)}."
        )


def read_dataset(path: Path, *, labels: Sequence[str] | None = None) -> Dataset:
    """List the images of a data set; none of them is opened.

    `path` is one of

    - a folder of class folders: the label is the folder that holds the image, or, where `labels` are given, the
      nearest folder above it that is called like one of them in any case;
    - a CSV file with the columns `path` (relative to the file) and `label`, and, where known, `patient`, `age`
      (years), `sex` and `weight` (kg), `bone`, `study` and `published_part`, and `label_source`, the same on every
      line; other columns are ignored. The films of a study share label, bone, patient and published part;
    - a folder that directly holds exactly one such CSV file, which is then read, so that what it knows of the
      patients is not lost. A split file (with a column `part`) does not count.

    With `labels`, images of other labels are left out; a label may name a bone too ("elbow abnormal"), and then the
    images of that bone with the label "abnormal" get it. Hidden files and files that are no images by their suffix
    are skipped. Raises `DatasetError`.
    """
    table = _find_table(path)
    cases = list(_cases_in_table(table) if table else _cases_in_folders(path, labels))
    everything = {case.name for case in cases}
    if labels is not None:
        cases = _choose(path, cases, labels)
    check_spelling(path, "labels", {case.label for case in cases})
    check_spelling(path, "bones", {case.bone for case in cases if case.bone is not None})
    root = table.path.parent if table else path
    name = path.resolve().name if path.is_dir() else path.stem
    source = _label_source(table) if table else None
    left_out = frozenset(everything - {case.name for case in cases})
    return Dataset(name, root, tuple(sorted(cases, key=lambda case: case.name)), source, left_out)


def _find_table(path: Path) -> Table | None:
    if path.is_file() and path.suffix.lower() == ".csv":
        return _require_columns(read_table(path))
    if not path.is_dir():
        raise DatasetError(f"{path}: no such folder or CSV file; give a folder of class folders or a CSV file")
    files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".csv" and _lists_images(file))
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise DatasetError(f"{path}: more than one CSV file lists images ({names}); name the one to read")
    return _require_columns(read_table(files[0])) if files else None


def _lists_images(file: Path) -> bool:
    columns = set() if _is_hidden(file.name) else set(read_columns(file))
    return {"path", "label"} <= columns and "part" not in columns


def _require_columns(table: Table) -> Table:
    missing = [column for column in ("path", "label") if column not in table.columns]
    if missing:
        found = ", ".join(table.columns) or "nothing"
        raise DatasetError(f"{table.path}: has no column {' and no column '.join(missing)} (found: {found}); add it")
    if not table.rows:
        raise DatasetError(f"{table.path}: lists no image; add a line for each")
    return table


def _cases_in_table(table: Table) -> list[Case]:
    first_lines: dict[str, int] = {}
    cases = []
    for row in table.rows:
        case = _case(table, row)
        if case.name in first_lines:
            raise table.error(row, f"{case.name} stands on line {first_lines[case.name]} already; remove one")
        first_lines[case.name] = row.line
        cases.append(case)
    missing = [case for case in cases if not case.path.is_file()]
    if missing:
        first = missing[0]
        raise DatasetError(
            f"{table.path}: {len(missing)} of {len(cases)} images are not there, the first of them {first.name} "
            f"(line {first_lines[first.name]}); paths are relative to the CSV file"
        )
    _check_studies(table, cases)
    return cases


def _check_studies(table: Table, cases: Sequence[Case]) -> None:
    first: dict[str, tuple[Row, Case]] = {}
    for row, case in zip(table.rows, cases, strict=True):
        line, other = first.setdefault(case.study, (row, case)) if case.study is not None else (row, case)
        for column in SHARED_BY_STUDY:
            own, others = getattr(case, column), getattr(other, column)
            if own != others:
                raise table.error(
                    row,
                    f"study {case.study} has the {column} {own or 'unknown'} here and {others or 'unknown'} on line "
                    f"{line.line}; films of one study share it: correct one of the lines",
                )


def _label_source(table: Table) -> str | None:
    sources = {source for row in table.rows if (source := table.text(row, "label_source")) is not None}
    if len(sources) > 1:
        raise DatasetError(
            f"{table.path}: names more than one label_source ({', '.join(sorted(sources))}); labels from different "
            "sources are not one data set: keep one of them"
        )
    return next(iter(sources), None)


def _case(table: Table, row: Row) -> Case:
    path, label = row.cells.get("path", ""), row.cells.get("label", "")
    if not path or not label:
        raise table.error(row, f"the {'label' if path else 'path'} is empty; fill it in or remove the line")
    name = PurePosixPath(os.path.normpath(path)).as_posix()
    return Case(
        path=table.path.parent / name,
        name=name,
        label=label,
        patient=table.text(row, "patient"),
        age=table.number(row, "age", most=MAX_AGE_YEARS),
        sex=normalize_sex(table.text(row, "sex")),
        weight=table.number(row, "weight", most=MAX_WEIGHT_KG),
        bone=table.text(row, "bone"),
        study=table.text(row, "study"),
        published_part=_published_part(table, row),
    )


def _published_part(table: Table, row: Row) -> str | None:
    part = table.text(row, "published_part")
    if part is not None and part not in PARTS:
        raise table.error(row, f"published_part {part!r} is none of {', '.join(PARTS)}; correct it or leave it empty")
    return part


def normalize_sex(text: str | None) -> str | None:
    """`male` and `female` for the usual ways to write them, other words in lower case.

    >>> normalize_sex("F")
    'female'
    """
    return None if text is None else SEXES.get(text.lower(), text.lower())


def _cases_in_folders(root: Path, labels: Sequence[str] | None) -> list[Case]:
    names = sorted(path.relative_to(root).as_posix() for path in _images(root))
    if not names:
        kinds = " ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
        raise DatasetError(f"{root}: holds no image ({kinds}); give a folder of class folders or a CSV file")
    loose = [name for name in names if "/" not in name]
    if loose and labels is None:
        where = "there are no class folders" if len(loose) == len(names) else "these images lie outside them"
        raise DatasetError(
            f"{root}: {where} ({len(loose)} in all, the first of them {loose[0]}); put each image into the folder of "
            "its class"
        )
    return [Case(root / name, name, _folder_label(name, labels)) for name in names]


def _folder_label(name: str, labels: Sequence[str] | None) -> str:
    """The label by folder; "" where no folder above the image is called like one of `labels`."""
    folders = PurePosixPath(name).parts[:-1]
    if labels is None:
        return folders[-1]
    known = {label.lower() for label in labels}
    return next((folder for folder in reversed(folders) if folder.lower() in known), "")


def _images(root: Path) -> Iterator[Path]:
    """Every image below a folder, through links to folders too, each real folder once."""
    seen = set()
    for folder, subfolders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        subfolders[:] = sorted(name for name in subfolders if not _is_hidden(name)) if real not in seen else []
        if real not in seen:
            yield from (Path(folder, name) for name in files if _is_image(name))
        seen.add(real)


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _is_image(name: str) -> bool:
    return not _is_hidden(name) and Path(name).suffix.lower() in IMAGE_SUFFIXES


def _choose(path: Path, cases: list[Case], labels: Sequence[str]) -> list[Case]:
    """The cases of the wanted labels, spelled as wanted."""
    wanted = {label.lower(): label for label in labels}
    chosen = []
    for case in cases:
        of_bone = f"{case.bone} {case.label}".lower()
        if case.label.lower() in wanted:
            chosen.append(replace(case, label=wanted[case.label.lower()]))
        elif case.bone is not None and of_bone in wanted:
            chosen.append(replace(case, label=wanted[of_bone], listed_label=case.label))
    if not chosen:
        found = sorted({case.label for case in cases if case.label})
        hint = f"found: {', '.join(found)}" if found else "no folder is called so"
        raise DatasetError(f"{path}: no image has one of the labels {', '.join(labels)} ({hint})")
    return chosen


def check_spelling(path: Path, what: str, names: set[str]) -> None:
    """`DatasetError` where two names differ in case only."""
    spellings: dict[str, str] = {}
    for name in sorted(names):
        other = spellings.setdefault(name.lower(), name)
        if other != name:
            raise DatasetError(f"{path}: the {what} {other!r} and {name!r} differ in case only; spell them alike")
