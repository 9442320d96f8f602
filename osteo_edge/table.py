"""CSV tables: read with line numbers so that an error can name one, written whole or not at all."""

import csv
import math
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osteo_edge.durable import REMEDY
from osteo_edge.errors import DatasetError
from osteo_edge.targets import place_of, require_target

OTHER_SIGNS: Final = {";": "semicolons", "\t": "tabs"}
UNKNOWN = frozenset({"", "-", "?", "na", "n/a", "nan", "nil", "none", "null", "unknown"})


@dataclass(frozen=True)
class Row:
    """One line of a table: its number in the file (from 1) and its stripped cells by column."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Table:
    """A CSV file: `columns` are its header in lower case, in the file's order."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def text(self, row: Row, column: str | None) -> str | None:
        """The cell, or None where the column is missing or the cell stands for "not known"."""
        cell = row.cells.get(column, "") if column is not None else ""
        return None if cell.lower() in UNKNOWN else cell

    def number(self, row: Row, column: str | None, *, most: float = sys.float_info.max) -> float | None:
        """The cell as a number from 0 to `most`; None where it is not known."""
        cell = self.text(row, column)
        if cell is None:
            return None
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not 0 <= value <= most:
            allowed = f"of at least 0 and at most {most:g}" if most < sys.float_info.max else "of at least 0"
            raise self.error(row, f"{column} {cell!r} is not a number {allowed}; correct it or leave it empty")
        return value

    def error(self, row: Row, what: str) -> DatasetError:
        """An error that names the file and the line."""
        return DatasetError(f"{self.path}: line {row.line}: {what}")


def read_table(path: Path) -> Table:
    """Read a UTF-8 CSV file, with or without a byte order mark; empty lines are skipped.

    A line with more cells than the header is refused, since it means a comma that should have been quoted, and so is a
    column that is there twice, since nobody could tell which of them counts; missing cells at a line's end are empty.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}; check the name") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: is not UTF-8 CSV ({error}); save it again as such") from error
    columns = _columns(header)
    other = next((sign for sign in OTHER_SIGNS if len(columns) == 1 and sign in columns[0]), None)
    if other is not None:
        raise DatasetError(f"{path}: its columns stand apart by {OTHER_SIGNS[other]}; save it with commas")
    twice = [name for name, number in Counter(columns).items() if name and number > 1]
    if twice:
        raise DatasetError(f"{path}: has the column {twice[0]!r} twice; rename or remove one of them")
    return Table(path, columns, tuple(_row(path, columns, line, cells) for line, cells in lines))


def read_columns(path: Path) -> tuple[str, ...]:
    """The header alone, in lower case, of a CSV file that need not be readable otherwise; nothing where there is none.

    >>> read_columns(Path("missing.csv"))
    ()
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            return _columns(next(csv.reader(file), []))
    except (OSError, csv.Error):
        return ()


def require_place(path: Path, columns: Sequence[str]) -> None:
    """Raise `OsteoEdgeError` where `write_table` would destroy something; worth knowing before long work."""
    require_target(path, "the table", ",".join(columns).encode())


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file in one step: an interrupted run leaves the old file, or none, and never half of one.

    Raises `OsteoEdgeError` for a file that is there and is no such table, and `DatasetError` where the disk refuses it.
    """
    require_place(path, columns)
    try:
        place = place_of(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written: {error.strerror}; choose another place") from error
    try:
        with open(handle, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - a handle, not a path
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
        _put_in_place(Path(name), place)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written: {error.strerror}; {REMEDY}") from error
    finally:
        Path(name).unlink(missing_ok=True)


def _put_in_place(written: Path, place: Path) -> None:
    """Readable as a new file would be, and not for its owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    written.chmod(0o666 & ~mask)
    written.replace(place)


def _columns(header: list[str]) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in header)


def _row(path: Path, columns: tuple[str, ...], line: int, cells: list[str]) -> Row:
    if len(cells) > len(columns):
        raise DatasetError(
            f"{path}: line {line}: {len(cells)} cells under {len(columns)} columns; quote a cell that holds a comma"
        )
    named: dict[str, str] = {}
    for column, cell in zip(columns, cells, strict=False):
        named.setdefault(column, cell.strip())
    return Row(line, named)
