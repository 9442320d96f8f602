"""Make a data set CSV from class folders and a publisher's patient sheet."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from osteo_edge.dataset import MAX_AGE_YEARS, MAX_WEIGHT_KG, Case, normalize_sex, read_dataset
from osteo_edge.errors import DatasetError
from osteo_edge.table import Row, Table, read_table, write_table

COLUMNS = ("path", "label", "patient", "age", "sex", "weight", "label_source")
ALIASES = {
    "patient": ("patient id", "patient_id", "patientid", "patient", "id"),
    "age": ("age", "age (years)"),
    "sex": ("gender", "sex"),
    "weight": ("weight", "weight (kg)", "weight_kg"),
}


@dataclass(frozen=True)
class Joined:
    """Every image, with what its sheet says where it has a line there; and how many images and lines found none."""

    cases: tuple[Case, ...]
    matched: int
    images_without_line: int
    lines_without_image: int

    @property
    def counts(self) -> dict[str, int]:
        return {key: value for key, value in asdict(replace(self, cases=())).items() if key != "cases"}


def join(images: Path, sheet: Path, *, id_column: str | None = None) -> Joined:
    """Match each image with the line of `sheet` whose id is the image's file name without suffix, in any case.

    The id is in `id_column`, or else in the first column called Patient Id, Patient or Id; age (years), sex or gender
    and weight (kg) are found likewise. The label stays the class folder's; the id becomes the patient. Raises
    `DatasetError`, also where no image matches.
    """
    dataset = read_dataset(images)
    table = read_table(sheet)
    columns = {name: _find(table, aliases) for name, aliases in ALIASES.items()}
    columns["patient"] = _id_column(table, id_column) if id_column else columns["patient"]
    if columns["patient"] is None:
        raise DatasetError(f"{sheet}: has no column called patient id, patient or id; name the one with the ids")
    lines = _by_id(table, columns["patient"])
    cases = tuple(_fill(case, table, lines.get(case.path.stem.lower()), columns) for case in dataset.cases)
    stems = {case.path.stem.lower() for case in cases}
    matched = sum(case.path.stem.lower() in lines for case in cases)
    if matched == 0:
        example = f"{cases[0].path.stem} is no {columns['patient']}"
        raise DatasetError(f"{sheet}: no image has a line here ({example}, for instance); name the column with the ids")
    return Joined(cases, matched, len(cases) - matched, len(lines.keys() - stems))


def write_joined(
    images: Path, sheet: Path, out: Path, *, id_column: str | None = None, label_source: str = ""
) -> dict[str, int]:
    """Join, and write the data set CSV in one step, with paths relative to it; returns what `Joined.counts` says.

    `label_source` says what decided the labels (DXA, QUS, ...) and goes into every line.
    """
    joined = join(images, sheet, id_column=id_column)
    folder = out.parent.resolve()
    write_table(out, COLUMNS, ((*_line(case, folder), label_source) for case in joined.cases))
    return joined.counts


def _find(table: Table, aliases: Sequence[str]) -> str | None:
    return next((alias for alias in aliases if alias in table.columns), None)


def _id_column(table: Table, name: str) -> str:
    if name.lower() not in table.columns:
        raise DatasetError(f"{table.path}: has no column {name!r}; it has {', '.join(table.columns)}")
    return name.lower()


def _by_id(table: Table, column: str) -> dict[str, Row]:
    lines: dict[str, Row] = {}
    for row in table.rows:
        patient = table.text(row, column)
        if patient is None:
            continue
        first = lines.setdefault(patient.lower(), row)
        if first.cells != row.cells:
            raise table.error(row, f"{patient} stands on line {first.line} with other values; keep one of them")
    return lines


def _fill(case: Case, table: Table, row: Row | None, columns: dict[str, str | None]) -> Case:
    if row is None:
        return case
    return replace(
        case,
        patient=table.text(row, columns["patient"]),
        age=table.number(row, columns["age"], most=MAX_AGE_YEARS),
        sex=normalize_sex(table.text(row, columns["sex"])),
        weight=table.number(row, columns["weight"], most=MAX_WEIGHT_KG),
    )


def _line(case: Case, folder: Path) -> tuple[str, ...]:
    """The cells of one image, empty where nothing is known."""
    path = Path(os.path.relpath(case.path.resolve(), folder)).as_posix()
    covariates = (case.patient, case.age, case.sex, case.weight)
    return (path, case.label, *("" if value is None else str(value) for value in covariates))
