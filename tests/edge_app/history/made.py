"""Screenings to keep, each with its film, as the tests of the history and of the screens make them."""

import sqlite3
from dataclasses import replace
from typing import Any

from osteo_edge.edge_app.history.entry import Entry, new_id
from osteo_edge.edge_app.history.images import Picture
from osteo_edge.edge_app.history.invented import INVENTED
from osteo_edge.edge_app.history.store import History, Record


def make_entry(**changes: Any) -> Entry:
    """An entry of its own id, with changes; `code` is that of the patient."""
    patient = replace(INVENTED.patient, code=changes.pop("code", INVENTED.patient.code))
    own: dict[str, Any] = {"id": new_id(), "patient": patient}
    return replace(INVENTED, **own | changes)


def make_record(film: bytes = b"a film", overlay: bytes | None = None, **changes: Any) -> Record:
    """An entry with its images."""
    image, drawn = Picture(film, ".jpg"), None if overlay is None else Picture(overlay, ".png")
    hashes = {"image_sha256": image.sha256, "overlay_sha256": None if drawn is None else drawn.sha256}
    return Record(make_entry(**hashes | changes), image, drawn)


def connection_of(history: History) -> sqlite3.Connection:
    """The connection of an open history, to do what another program might."""
    with history._database.reading("it cannot be read") as connection:
        return connection
