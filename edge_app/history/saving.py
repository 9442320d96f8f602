"""A screening becomes an entry of the history, with its film and its overlay."""

import math

from osteo_edge.edge_app.demo_bundle import is_demo
from osteo_edge.edge_app.history.entry import Entry, Patient, new_id
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.images import Picture
from osteo_edge.edge_app.history.store import Record
from osteo_edge.manifest import Decision, Manifest
from osteo_edge.radiograph import Pixels, Radiograph
from osteo_edge.raster import statistics
from osteo_edge.screening import Screening
from osteo_edge.version import VERSION
from osteo_edge.wording import severity_words


def record_of(
    screening: Screening,
    radiograph: Radiograph,
    manifest: Manifest,
    image: Picture,
    *,
    kept: Picture | None = None,
    overlay: Picture | None = None,
    patient: Patient | None = None,
    note: str = "",
) -> Record:
    """What to save of a screening by the model of `manifest`; `image` is the film's file as it was screened,
    and `kept` what is kept of it, if that is another file.

    A number that the model could not give is left out. Raises `HistoryError` where the file is another than the one
    that was screened.
    """
    if image.sha256 != screening.image_sha256:
        raise HistoryError(f"{screening.image}: changed since it was screened; screen it again")
    stored = kept or image
    decision = _decision(screening, manifest)
    score = screening.score
    entry = Entry(
        id=new_id(),
        taken_at=screening.taken_at,
        patient=patient or Patient(),
        outcome=screening.outcome,
        probabilities={label: value for label, value in screening.probabilities.items() if math.isfinite(value)},
        score=score if score is not None and math.isfinite(score) else None,
        threshold=decision.threshold,
        abstain_low=decision.abstain_low,
        abstain_high=decision.abstain_high,
        reasons=(*screening.reasons, *_grade(screening)),
        warnings=screening.warnings,
        image_sha256=stored.sha256,
        overlay_sha256=None if overlay is None else overlay.sha256,
        model_name=manifest.name,
        model_sha256=screening.model_sha256,
        intended_use=screening.intended_use,
        is_demo=is_demo(manifest),
        finding=screening.finding,
        bone=screening.bone,
        software=f"osteo-edge {VERSION}",
        milliseconds=dict(screening.stage_ms),
        note=note,
        dxa=None,
        t_score=None,
        image_stats=image_stats(radiograph.pixels),
        film_sha256=None if stored.sha256 == image.sha256 else image.sha256,
    )
    return Record(entry, stored, overlay)


def _decision(screening: Screening, manifest: Manifest) -> Decision:
    """What the answer was decided by: of a model of several bones that of the bone that it was given for."""
    heads = () if manifest.router is None else manifest.router.heads
    return next((head.decision for head in heads if head.bone == screening.bone), manifest.decision)


def _grade(screening: Screening) -> tuple[str, ...]:
    """The unsupervised grade with what it is not, which is kept with the reasons, and shown wherever they are."""
    return () if screening.severity is None else (severity_words(screening.severity),)


def image_stats(pixels: Pixels) -> dict[str, float]:
    """Mean and contrast (standard deviation) of the pixels of a film in [0, 1], to see drift by.

    >>> import numpy as np
    >>> image_stats(np.array([[0.0, 0.5], [0.5, 1.0]], np.float32))
    {'mean': 0.5, 'contrast': 0.3536}
    """
    mean, deviation = statistics.mean_and_deviation(pixels)
    return {"mean": round(mean, 4), "contrast": round(deviation, 4)}
