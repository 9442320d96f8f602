"""A saved screening that the exporters' tests change to their needs."""

from collections.abc import Callable
from typing import Any

import pytest

from osteo_edge.edge_app.history.entry import Entry, Patient
from osteo_edge.wording import intended_use


@pytest.fixture
def make_entry() -> Callable[..., Entry]:
    """An entry of a referred film, with changes."""

    def make(**changes: Any) -> Entry:
        values: dict[str, Any] = {
            "id": "0123456789abcdef" * 2,
            "taken_at": "2026-01-31T09:30:00+00:00",
            "patient": Patient("K-0042", 71, "female", 52.5),
            "outcome": "refer",
            "probabilities": {"osteopenia": 0.42, "osteoporosis": 0.25},
            "score": 0.67,
            "threshold": 0.5,
            "abstain_low": 0.45,
            "abstain_high": 0.55,
            "reasons": ("score 0.67 is at or above the threshold 0.50",),
            "warnings": (),
            "image_sha256": "a" * 64,
            "overlay_sha256": "b" * 64,
            "model_name": "knee-int8",
            "model_sha256": "c" * 64,
            "intended_use": intended_use("DXA"),
            "is_demo": False,
            "finding": "density",
            "bone": None,
            "software": "osteo-edge 0.1.0",
            "milliseconds": {"infer": 41.5, "read": 12.0},
            "note": "",
            "dxa": None,
            "t_score": None,
            "image_stats": {"mean": 0.41, "contrast": 0.22},
        }
        return Entry(**{**values, **changes})

    return make
