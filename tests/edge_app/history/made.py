"""Screenings to keep, each with its film, as the tests of the history and of the screens make them."""

from dataclasses import replace
from typing import Any

from osteo_edge.edge_app.history.entry import Entry, Patient, new_id
from osteo_edge.edge_app.history.images import Picture
from osteo_edge.edge_app.history.store import Record

TEMPLATE = Entry(
    id=32 * "0",
    taken_at="2026-03-04T05:06:07+00:00",
    patient=Patient("K-17", 63, "female", 58.5),
    outcome="refer",
    probabilities={"osteopenia": 0.3, "osteoporosis": 0.5},
    score=0.8,
    threshold=0.5,
    abstain_low=0.45,
    abstain_high=0.55,
    reasons=("score 0.80 is at or above the threshold 0.50",),
    warnings=(),
    image_sha256=64 * "0",
    overlay_sha256=None,
    model_name="knee",
    model_sha256=64 * "a",
    intended_use="Opportunistic screening",
    is_demo=False,
    finding="density",
    bone=None,
    software="osteo-edge 0.1.0",
    milliseconds={"read": 12.5, "infer": 80.0},
    note="",
    dxa=None,
    t_score=None,
    image_stats={"mean": 0.4, "contrast": 0.2},
)


def make_entry(**changes: Any) -> Entry:
    """An entry of its own id, with changes; `code` is that of the patient."""
    patient = replace(TEMPLATE.patient, code=changes.pop("code", TEMPLATE.patient.code))
    own: dict[str, Any] = {"id": new_id(), "patient": patient}
    return replace(TEMPLATE, **own | changes)


def make_record(film: bytes = b"a film", overlay: bytes | None = None, **changes: Any) -> Record:
    """An entry with its images."""
    image, drawn = Picture(film, ".jpg"), None if overlay is None else Picture(overlay, ".png")
    hashes = {"image_sha256": image.sha256, "overlay_sha256": None if drawn is None else drawn.sha256}
    return Record(make_entry(**hashes | changes), image, drawn)
