"""A screening that nobody had, for measurements and tests."""

from typing import Final

from osteo_edge.edge_app.history.entry import Entry, Patient

INVENTED: Final = Entry(
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
"""Its id and its films are another's, for each that is made of it."""
