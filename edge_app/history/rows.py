"""An entry as a row of the database, and back."""

import json
import sqlite3
from dataclasses import asdict, fields
from typing import Any

from osteo_edge.edge_app.history.entry import Entry, Patient

AS_JSON = ("probabilities", "reasons", "warnings", "milliseconds", "image_stats")
LISTS = ("reasons", "warnings")
OF_PATIENT = tuple(field.name for field in fields(Patient))
COLUMNS = tuple(name for field in fields(Entry) for name in (OF_PATIENT if field.name == "patient" else (field.name,)))
INSERT = f"""
    INSERT INTO entries ({", ".join(COLUMNS)}) VALUES ({", ".join(f":{name}" for name in COLUMNS)})
    ON CONFLICT (id) DO NOTHING"""


def to_row(entry: Entry) -> dict[str, Any]:
    """The columns of an entry."""
    plain = {field.name: getattr(entry, field.name) for field in fields(Entry) if field.name != "patient"}
    texts = {name: json.dumps(plain[name], ensure_ascii=False, allow_nan=False) for name in AS_JSON}
    return plain | texts | asdict(entry.patient)


def from_row(row: sqlite3.Row) -> Entry:
    """The entry of a row; `ValueError` where someone else wrote what is no entry."""
    plain = {name: row[name] for name in COLUMNS if name not in OF_PATIENT}
    for name in AS_JSON:
        plain[name] = json.loads(plain[name])
    plain |= {name: tuple(plain[name]) for name in LISTS} | {"is_demo": bool(plain["is_demo"])}
    return Entry(patient=Patient(**{name: row[name] for name in OF_PATIENT}), **plain)
