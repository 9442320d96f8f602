"""The results of a shard, read again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from osteo_edge.archive.arrow import parquet
from osteo_edge.archive.reasons import READ_ERRORS
from osteo_edge.errors import OsteoEdgeError


def read_part(part: Path, columns: Sequence[str]) -> Any:
    """Some columns of a part, a `pyarrow.Table`. OsteoEdgeError where it cannot be read, or lacks one of them."""
    try:
        with parquet().ParquetFile(part) as file:
            return file.read(list(columns), use_threads=False).select(list(columns))
    except (OSError, ValueError, KeyError) as error:  # pyarrow's own errors are among them
        raise OsteoEdgeError(f"{part}: cannot be read; remove this file and run the same command again") from error


def opened_in(part: Path, columns: Sequence[str]) -> Any:
    """The rows of a part whose films could be opened, a `pyarrow.Table` as `read_part` gives it."""
    table = read_part(part, columns)
    unread = READ_ERRORS.values()
    return table.filter([reason not in unread for reason in table.column("reason").to_pylist()])
