"""The history as a table that spreadsheets and statistics programs open."""

import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from osteo_edge.durable import remove_partials, sync_names
from osteo_edge.edge_app.dxa import dxa_words
from osteo_edge.edge_app.history.entry import Entry
from osteo_edge.edge_app.ost import ost_of
from osteo_edge.wording import headline
from osteo_edge.writing import replacing

Cell = str | int | float | None

BYTE_ORDER_MARK = "\ufeff"
COLUMNS: dict[str, Callable[[Entry], Cell]] = {
    "id": lambda entry: entry.id,
    "taken_at": lambda entry: entry.taken_at,
    "patient_code": lambda entry: entry.patient.code,
    "age_years": lambda entry: entry.patient.age_years,
    "sex": lambda entry: entry.patient.sex,
    "weight_kg": lambda entry: entry.patient.weight_kg,
    "ost_index": lambda entry: _ost_index(entry),
    "outcome": lambda entry: entry.outcome,
    "outcome_in_words": lambda entry: headline(entry.outcome, entry.finding),
    "finding": lambda entry: entry.finding,
    "bone": lambda entry: entry.bone,
    "is_demo": lambda entry: entry.is_demo,
    "warnings": lambda entry: " | ".join(entry.warnings),
    "score": lambda entry: entry.score,
    "threshold": lambda entry: entry.threshold,
    "abstain_low": lambda entry: entry.abstain_low,
    "abstain_high": lambda entry: entry.abstain_high,
    "reasons": lambda entry: " | ".join(entry.reasons),
    "dxa": lambda entry: entry.dxa,
    "dxa_in_words": lambda entry: dxa_words(entry.dxa, entry.t_score),
    "t_score": lambda entry: entry.t_score,
    "decided": lambda entry: entry.decided,
    "override_reason": lambda entry: entry.override_reason,
    "note": lambda entry: entry.note,
    "image_sha256": lambda entry: entry.image_sha256,
    "film_sha256": lambda entry: entry.film_sha256,
    "overlay_sha256": lambda entry: entry.overlay_sha256,
    "model_name": lambda entry: entry.model_name,
    "model_sha256": lambda entry: entry.model_sha256,
    "intended_use": lambda entry: entry.intended_use,
    "software": lambda entry: entry.software,
}
"""What every entry has; the columns of its labels, image statistics and stages follow."""
_FORMULA = re.compile(r"""(^|[;,|"'] ?)(?=[=+\-@＝＋－＠])""")


def write_csv(path: Path, entries: Iterable[Entry]) -> Path:
    """Write every field of every entry, a row each; `OsteoEdgeError` if the file cannot be written.

    RFC 4180 in UTF-8, with a byte order mark: without one, Excel takes accented letters for others, and pandas and R
    skip it. Numbers are plain, a field that is not known is empty, and texts are `guarded` and on one line, so the
    table is for reading and counting; what restores a history is the backup.
    """
    kept = tuple(entries)
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerows(_rows(kept))
    remove_partials(path.parent, is_shared=True)
    with replacing(path, "the table") as partial, partial.open("wb") as file:
        file.write((BYTE_ORDER_MARK + text.getvalue()).encode())
        file.flush()
        os.fsync(file.fileno())
    sync_names(path)
    return path


def _ost_index(entry: Entry) -> int | None:
    """The patient's index; None where it is not known, and beside an answer that is not about bone density."""
    ost = ost_of(entry.patient) if entry.finding == "density" else None
    return None if ost is None else ost.index


def guarded(text: str) -> str:
    """A text on one line that no spreadsheet takes for a formula, in any of its cells.

    After OWASP's "CSV injection": an apostrophe goes before a sign that would begin one, also where a spreadsheet
    that divides at another sign than the comma would begin a cell.

    >>> guarded('=HYPERLINK("http://x")'), guarded("pain since\\n2 weeks; @home")
    ('\\'=HYPERLINK("http://x")', "pain since 2 weeks; '@home")
    """
    return _FORMULA.sub(r"\1'", " ".join(text.split()))


def _rows(entries: Sequence[Entry]) -> Iterator[list[Cell]]:
    """The header, then the entries; a label, a stage or a statistic that any entry has gets its column."""
    labels = sorted({label for entry in entries for label in entry.probabilities})
    stages = sorted({stage for entry in entries for stage in entry.milliseconds})
    statistics = sorted({name for entry in entries for name in entry.image_stats})
    header = [*COLUMNS, *_named("probability", labels), *_named("image", statistics), *_named("ms", stages)]
    yield [guarded(name) for name in header]
    for entry in entries:
        probabilities = [entry.probabilities.get(label) for label in labels]
        figures = [entry.image_stats.get(name) for name in statistics]
        times = [entry.milliseconds.get(stage) for stage in stages]
        fixed = [column(entry) for column in COLUMNS.values()]
        cells: list[Cell] = [*fixed, *probabilities, *figures, *times]
        yield [guarded(cell) if isinstance(cell, str) else cell for cell in cells]


def _named(prefix: str, names: Sequence[str]) -> list[str]:
    return [f"{prefix}_{name}" for name in names]
