"""results.csv: the films of a watched folder for people, one row a film, made from the ledger's lines."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path

from osteo_edge.durable import append_durably, cut_back
from osteo_edge.edge_app.exports.csv_file import BYTE_ORDER_MARK, guarded
from osteo_edge.edge_app.ledger import Line
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.wording import HEADLINES, headline

FILE_NAME = "results.csv"
COLUMNS = (
    "taken_at", "file", "outcome", "outcome_in_words", "score", "reasons", "warnings", "result", "overlay",
    "model_sha256", "image_sha256",
)  # fmt: skip
UNREADABLE = "Not readable: this image was not screened"
_SHA256 = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_END_OF_ROW = re.compile(rb",[0-9a-f]{64},[0-9a-f]{64}$")


def complete(path: Path, lines: Iterable[Line]) -> None:
    """Bring the table in step with the ledger: a row that a power cut has torn is cut off, missing ones are added.

    `OsteoEdgeError` if the file can be neither read nor written.
    """
    listed = _repair(path)
    for line in lines:
        if line.outcome != "seen_before" and line.sha256 not in listed:
            add(path, line)


def add(path: Path, line: Line) -> None:
    """Add the row of one film, with the header before it where the table is new or empty."""
    is_new = not path.is_file() or path.stat().st_size == 0
    text = io.StringIO(BYTE_ORDER_MARK if is_new else "", newline="")
    text.seek(0, io.SEEK_END)
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, _cells(line)] if is_new else [_cells(line)])
    append_durably(path, text.getvalue().encode("utf-8", "backslashreplace"), "the table of results")


def _cells(line: Line) -> tuple[str, ...]:
    """The hashes come last: a row that ends in two of them is whole."""
    finding = line.finding or "density"
    in_words = next((headline(outcome, finding) for outcome in HEADLINES if outcome == line.outcome), UNREADABLE)
    cells = (
        line.at,
        line.name,
        line.outcome,
        in_words,
        "" if line.score is None else f"{line.score:.4f}",
        " | ".join(line.reasons) if line.error is None else line.error,
        " | ".join(line.warnings),
        line.result or "",
        line.overlay or "",
        line.model_sha256,
        line.sha256,
    )
    return tuple(guarded(cell) for cell in cells)


def _repair(path: Path) -> set[str]:
    """The films in the table, after a torn last row was cut off; one that only lacks its end is given it."""
    try:
        data = path.read_bytes() if path.exists() else b""
        end = data.rfind(b"\n") + 1
        torn = data[end:]
        if _END_OF_ROW.search(torn):
            append_durably(path, b"\n", "the table of results")
        elif torn:
            cut_back(path, end)
            data = data[:end]
    except OSError as error:
        raise OsteoEdgeError(f"{path}: cannot be read ({error.strerror or error}); choose another --out") from error
    return {found.decode() for found in _SHA256.findall(data)}
