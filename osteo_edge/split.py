"""The split file: which image is in which part, the one thing that every later number refers to."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path

from osteo_edge.dataset import PARTS as PARTS
from osteo_edge.dataset import Case, Dataset
from osteo_edge.errors import DatasetError
from osteo_edge.hashing import sha256_file
from osteo_edge.table import Row, Table, read_table, write_table

EXCLUDED = "excluded"
COLUMNS = ("path", "label", "group", "part", "sha256", "reason")


@dataclass(frozen=True)
class SplitRow:
    """One image: `group` is never in two parts, `reason` says why it is excluded.

    `sha256` is that of the file; empty only for an excluded file that cannot even be opened.
    """

    name: str
    label: str
    group: str
    part: str
    sha256: str
    reason: str = ""


@dataclass(frozen=True)
class Split:
    """Every image of a data set with its part, sorted by name."""

    rows: tuple[SplitRow, ...]

    def counts(self, part: str) -> dict[str, int]:
        """Images per label in one part, for every label of the split in alphabetical order."""
        labels = sorted({row.label for row in self.rows})
        return {label: sum(row.part == part and row.label == label for row in self.rows) for label in labels}


def write_split(split: Split, path: Path) -> None:
    """Write the split as CSV in one step, lines sorted by image so that equal splits are equal files."""
    write_table(path, COLUMNS, (astuple(row) for row in sorted(split.rows, key=lambda row: row.name)))


def read_split(path: Path) -> Split:
    """Read a split file strictly.

    Another header, an unknown part, a missing or extra reason, an image that stands twice and a group in two parts
    are a `DatasetError` that names the line. An excluded image may share its group with images of one part.
    """
    table = read_table(path)
    if table.columns != COLUMNS:
        raise DatasetError(f"{path}: is no split file: the header must be {','.join(COLUMNS)}; make it again")
    if not table.rows:
        raise DatasetError(f"{path}: lists no image; make the split again")
    rows = tuple(_split_row(table, row) for row in table.rows)
    _check_names(table, rows)
    _check_groups(table, rows)
    return Split(tuple(sorted(rows, key=lambda row: row.name)))


def select(dataset: Dataset, split: Split, part: str) -> tuple[Case, ...]:
    """The cases of one part, in the split's order.

    The whole split is checked, not the part alone: an image of any part that the data set lacks, or that stands
    under another label there, is a `DatasetError`; so is a patient or a study that the data set knows in two parts.
    Images that the split does not know stay out, and so do those whose labels were not asked for. Excluded images may
    be gone.
    """
    if part not in (*PARTS, EXCLUDED):
        raise ValueError(f"no part is called {part!r}")
    cases = {case.name: case for case in dataset.cases}
    wanted = [row for row in split.rows if row.name not in dataset.left_out]
    used = [row for row in wanted if row.part != EXCLUDED or part == EXCLUDED]
    missing = [row.name for row in used if row.name not in cases]
    if missing:
        raise _misfit(dataset, missing, "are not in the data set")
    relabelled = [row.name for row in used if row.label not in (cases[row.name].label, cases[row.name].listed_label)]
    if relabelled:
        raise _misfit(dataset, relabelled, "have another label there")
    for kind in ("patient", "study"):
        _check_undivided(dataset, kind, [(cases[row.name], row.part) for row in used if row.part != EXCLUDED])
    return tuple(cases[row.name] for row in used if row.part == part)


def changed_files(split: Split, sha256s: Mapping[str, str]) -> tuple[str, ...]:
    """The images whose files, known by name with the SHA-256 that they have now, the split was not made from.

    What the split says of copies, and so of its parts, holds for the files that it was made from alone.
    """
    return tuple(row.name for row in split.rows if sha256s.get(row.name, row.sha256) != row.sha256)


def changed_since(split: Split, cases: Iterable[Case]) -> tuple[str, ...]:
    """`changed_files` of these cases; each file is read for it. One that cannot be read is nobody's copy."""
    sha256s = dict[str, str]()
    for case in cases:
        with suppress(OSError):
            sha256s[case.name] = sha256_file(case.path)
    return changed_files(split, sha256s)


def changed_line(changed: Sequence[str], films: int) -> str:
    """One line about the films, of all that are measured on, that have changed since the split was made."""
    return (
        f"{len(changed)} of {films} films have changed since the split was made, the first of them {changed[0]}; "
        "the bundle may have learned from copies of them"
    )


def require_unchanged(split: Split, sha256s: Mapping[str, str]) -> None:
    """Raise `DatasetError` where figures of these files could not be trusted: see `changed_files`."""
    changed = changed_files(split, sha256s)
    if changed:
        raise DatasetError(f"{changed_line(changed, len(sha256s))}: put the former files back")


def _check_undivided(dataset: Dataset, kind: str, cases: list[tuple[Case, str]]) -> None:
    parts: dict[str, str] = {}
    for case, part in cases:
        name = getattr(case, kind)
        if name is not None and parts.setdefault(name, part) != part:
            raise DatasetError(
                f"{dataset.root}: the split has films of {kind} {name} in {parts[name]} and in {part}; it was made "
                f"without knowing the {kind}: make it again"
            )


def _misfit(dataset: Dataset, names: list[str], what: str) -> DatasetError:
    return DatasetError(
        f"{dataset.root}: images of the split {what} ({len(names)} in all, the first of them {names[0]}); use the data "
        "that the split was made from, or make it again"
    )


def _split_row(table: Table, row: Row) -> SplitRow:
    name, label, group, part, sha256, reason = (row.cells.get(column, "") for column in COLUMNS)
    if not (name and label and group):
        raise table.error(row, "path, label and group must not be empty; make the split again")
    if part not in (*PARTS, EXCLUDED):
        raise table.error(row, f"part {part!r} is none of {', '.join((*PARTS, EXCLUDED))}")
    if not re.fullmatch("[0-9a-f]{64}", sha256) and not (part == EXCLUDED and not sha256):
        raise table.error(row, f"sha256 {sha256!r} is not 64 hexadecimal digits; make the split again")
    if bool(reason) != (part == EXCLUDED):
        raise table.error(row, "an excluded image needs a reason, and no other may have one")
    return SplitRow(name, label, group, part, sha256, reason)


def _check_names(table: Table, rows: tuple[SplitRow, ...]) -> None:
    first_lines: dict[str, int] = {}
    for line, row in zip(table.rows, rows, strict=True):
        first = first_lines.setdefault(row.name, line.line)
        if first != line.line:
            raise table.error(line, f"{row.name} stands on line {first} already; remove one")


def _check_groups(table: Table, rows: tuple[SplitRow, ...]) -> None:
    parts: dict[str, str] = {}
    for line, row in zip(table.rows, rows, strict=True):
        if row.part != EXCLUDED and parts.setdefault(row.group, row.part) != row.part:
            raise table.error(
                line, f"group {row.group} is in {parts[row.group]} and in {row.part}; make the split again"
            )
