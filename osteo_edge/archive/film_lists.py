"""The films that a list names: a text file with a path a line, or a CSV or Parquet index with a column of paths.

Paths are relative to the folder of the list. They are read as they are needed; of those that were, a hash is held.
"./a.png" is "a.png" once more, and so is its absolute path; "b/../a.png" need not be, where b is a link.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path, PurePath
from typing import Any, Final

from osteo_edge.archive.arrow import parquet
from osteo_edge.errors import OsteoEdgeError

COLUMNS: Final = ("path", "image")
HASH_BYTES: Final = 12


def names_in_list(path: Path, left_out: Counter[str]) -> Iterator[str]:
    """The lines of a UTF-8 text file that are not empty."""
    with _reading(path, "UTF-8 text"), path.open(encoding="utf-8-sig") as file:
        yield from _each_once((line.rstrip("\r\n") for line in file), path.parent, left_out)


def names_in_table(path: Path, left_out: Counter[str]) -> Iterator[str]:
    """The column "path", or "image", of a CSV or Parquet file; other columns can be joined to the results by it."""
    cells = _parquet_cells(path) if path.suffix.lower() == ".parquet" else _csv_cells(path)
    yield from _each_once(cells, path.parent, left_out)


def _csv_cells(path: Path) -> Iterator[str]:
    with _reading(path, "UTF-8 CSV"), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        place, _ = _column(next(reader, []), path)
        for cells in reader:
            if any(cells):
                yield cells[place].strip() if place < len(cells) else ""


def _parquet_cells(path: Path) -> Iterator[str]:
    with _reading(path, "Parquet"), parquet().ParquetFile(path) as file:
        _, name = _column(file.schema_arrow.names, path)
        for batch in file.iter_batches(columns=[name]):
            cells: list[Any] = batch.column(0).to_pylist()
            for cell in cells:
                if not isinstance(cell, str | None):
                    raise OsteoEdgeError(f"{path}: its column {name!r} holds no text, but must hold paths")
                yield cell or ""


def _column(header: Iterable[str], path: Path) -> tuple[int, str]:
    """Where the column of the paths is, and what it is called."""
    named = [(name.strip().lower(), place, name) for place, name in enumerate(header)]
    found = [(place, name) for wanted in COLUMNS for lower, place, name in named if lower == wanted]
    if not found:
        raise OsteoEdgeError(
            f"{path}: has no column {' or '.join(COLUMNS)}; call the one of the films' paths so (in a CSV file, commas "
            "stand between columns)"
        )
    return found[0]


def _each_once(names: Iterable[str], folder: PurePath, left_out: Counter[str]) -> Iterator[str]:
    seen: set[bytes] = set()
    for name in names:
        key = blake2b(str(folder / name).encode("utf-8", "surrogateescape"), digest_size=HASH_BYTES).digest()
        if not name.strip():
            left_out["no_path"] += 1
        elif key in seen:
            left_out["listed_twice"] += 1
        else:
            seen.add(key)
            yield name


@contextmanager
def _reading(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # some of pyarrow's errors are among them, and have no reason of the system
        if error.errno is None:
            raise _damaged(path, what) from error
        raise OsteoEdgeError(f"{path}: cannot be read ({error.strerror}); check the disk and the permission") from error
    except (ValueError, csv.Error) as error:
        raise _damaged(path, what) from error


def _damaged(path: Path, what: str) -> OsteoEdgeError:
    return OsteoEdgeError(f"{path}: not readable as {what}; save it again as such")
