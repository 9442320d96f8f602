"""A benchmark report as versioned JSON, raw values included; reports of older schema versions still load."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from osteo_edge.benchmarks.measuring.results import SCHEMA, Report
from osteo_edge.console import without_nan
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.strict import FieldError, from_dict, to_dict
from osteo_edge.writing import write_whole

DECIMALS: Final = 4
"""Of raw times in milliseconds: a tenth of a microsecond, about what the clock can tell."""

Document = dict[str, Any]
UPGRADES: dict[int, Callable[[Document], Document]] = {}
"""By schema version: what makes a document of the next version of one. A new version adds its line here."""


def write_report_file(report: Report, path: Path) -> Path:
    """Write the report whole or not at all. `OsteoEdgeError` if it cannot be written."""
    text = json.dumps(to_document(report), separators=(",", ":"), allow_nan=False)
    return write_whole(path, f"{text}\n".encode(), "the report")


def to_document(report: Report) -> Document:
    """The report as JSON values: raw times to 0.0001 ms, null for what is not defined."""
    document: Document = without_nan(_rounded(to_dict(report)))
    return document


def read_report_file(path: Path) -> Report:
    """Read a report of this or an older schema version.

    `OsteoEdgeError` if the file cannot be read, is no report, is of a newer version or is damaged.
    """
    document = _load(path)
    try:
        return from_dict(Report, upgrade(document, path))
    except FieldError as error:
        raise OsteoEdgeError(f"{path}: is damaged ({error}); use a report as `bench` wrote it") from error


def upgrade(document: Document, path: Path) -> Document:
    """The document in the current schema; `OsteoEdgeError` if its version is not known here."""
    version = document.get("schema")
    if isinstance(version, bool) or not isinstance(version, int) or "measurements" not in document:
        raise OsteoEdgeError(f"{path}: is no benchmark report; give the report.json that `bench --out` wrote")
    if version > SCHEMA:
        raise OsteoEdgeError(
            f"{path}: is of schema {version}, newer than {SCHEMA}, the newest known here; update osteo-edge"
        )
    while version < SCHEMA:
        if version not in UPGRADES:
            raise OsteoEdgeError(f"{path}: is of schema {version}, which never was; use a report as `bench` wrote it")
        document = {**UPGRADES[version](document), "schema": version + 1}
        version += 1
    return document


def _load(path: Path) -> Document:
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise OsteoEdgeError(f"{path}: cannot be read ({error.strerror}); give a report.json of `bench`") from error
    except (ValueError, RecursionError) as error:
        raise OsteoEdgeError(f"{path}: is no JSON, or a broken one ({error}); give a report.json of `bench`") from error
    return found if isinstance(found, dict) else {}


def _rounded(value: Any, name: str = "") -> Any:
    """The same values with raw times, which are lists named in milliseconds, rounded."""
    if isinstance(value, dict):
        return {key: _rounded(item, key) for key, item in value.items()}
    if isinstance(value, list):
        is_raw = name.endswith("_ms")
        return [round(item, DECIMALS) if is_raw else _rounded(item) for item in value]
    return value
