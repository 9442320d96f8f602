"""The whole screening flow: an image file in, an answer out, with its reasons and what it took."""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError, MissingExtraError, RadiographError
from osteo_edge.familiarity import unfamiliar
from osteo_edge.gate import knee_rejections, rejections
from osteo_edge.layout import Layout, from_canvas
from osteo_edge.manifest import Calibration, Decision, Manifest
from osteo_edge.preprocessing import Pixels, lay_out, to_tensor
from osteo_edge.radiograph import Radiograph, read_radiograph
from osteo_edge.routing import Route, doubt, given_bone, route
from osteo_edge.runtime import Interpreter, Prediction
from osteo_edge.verdict import warning
from osteo_edge.wording import (
    ADVICE,
    FAILED_CHECK,
    HEADLINES,
    SEVERITIES,
    Outcome,
    Severity,
    probability_in_words,
    severity_words,
)

MAX_EVIDENCE_SIDE_PX = 512

Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Screening:
    """One answer.

    `score` is the calibrated probability of the positive labels together, `probabilities` that of each: the rest is not
    shown, since a high number beside a name like "normal" would read as a rule-out. `evidence` has the image's aspect,
    at most 512 pixels on a side, and is in [0, 1] relative to the strongest region of this image, or None. Rejected
    images have neither. `severity` is the unsupervised grade of a referred image, where the model gives one.
    `warnings` are of the model, whatever it answers, or that the film is unlike those that it learned from.
    """

    image: Path
    outcome: Outcome
    score: float | None
    probabilities: dict[str, float]
    reasons: tuple[str, ...]
    evidence: Pixels | None
    image_sha256: str
    model_sha256: str
    intended_use: str
    taken_at: str
    runtime: str
    stage_ms: dict[str, float] = field(default_factory=dict)
    severity: Severity | None = None
    warnings: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        return HEADLINES[self.outcome]

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be shown below the headline: warnings, why, what to do, and the grade with what it is not."""
        grade = () if self.severity is None else (severity_words(self.severity),)
        return (*self.warnings, *self.reasons, ADVICE[self.outcome], *grade)

    def to_dict(self) -> dict[str, Any]:
        """The screening for machines, without the picture."""
        left_out = {"evidence", "image"}
        plain = {name: value for name, value in vars(self).items() if name not in left_out}
        grade = None if self.severity is None else severity_words(self.severity)
        words = {"headline": self.headline, "advice": ADVICE[self.outcome], "severity_words": grade}
        texts = {"reasons": list(self.reasons), "warnings": list(self.warnings)}
        return {"image": str(self.image), **words, **plain, **texts}


@dataclass(frozen=True)
class Failure:
    """An image that could not be read, and the line that says why."""

    image: Path
    error: str


def screen_all(
    paths: Iterable[Path], bundle: Bundle, interpreter: Interpreter, *, force: bool = False, any_film: bool = False
) -> Iterator[tuple[Radiograph, Screening] | Failure]:
    """Screen image files one by one; one that cannot be read becomes a `Failure` and does not stop the others.

    Raises `BundleError` at once for a model that failed its check after conversion, unless `force`. `any_film` is that
    of `screen`.
    """
    require_passed(bundle, force)
    return (_screen_or_fail(path, bundle, interpreter, any_film) for path in paths)


def screen(
    path: Path, bundle: Bundle, interpreter: Interpreter, *, force: bool = False, any_film: bool = False
) -> tuple[Radiograph, Screening]:
    """Screen one image file; the pixels come back too, for whoever wants to draw on them.

    Raises `RadiographError` for a file that is no readable radiograph, and `BundleError` for a model that failed its
    check after conversion; with `force` it answers, and the answer carries a warning. With `any_film` a film that is
    unlike those that the model learned from is answered too, with a warning: to try a model out on a drawn one.
    """
    require_passed(bundle, force)
    manifest, stage_ms = bundle.manifest, dict[str, float]()
    with _timed(stage_ms, "read"):
        radiograph = read_radiograph(path)
    reasons = rejections(radiograph, manifest.gate)
    if reasons:
        return radiograph, _answer(radiograph, bundle, interpreter, "rejected", None, reasons, stage_ms)
    with _timed(stage_ms, "prepare"):
        layout = lay_out(radiograph.pixels, manifest.input)
        tensor = to_tensor(radiograph.pixels, manifest.input, layout)
    reasons = knee_rejections(layout)
    if reasons:
        return radiograph, _answer(radiograph, bundle, interpreter, "rejected", None, reasons, stage_ms)
    with _timed(stage_ms, "infer"):
        prediction = interpreter.run(tensor)
        reasons = unfamiliar(prediction.embedding, bundle)
    if reasons and not any_film:
        return radiograph, _answer(radiograph, bundle, interpreter, "rejected", None, reasons, stage_ms)
    with _timed(stage_ms, "map"):
        evidence = evidence_of(prediction, manifest, layout)
    outcome, why = answer_to(calibrated(prediction.logits, manifest.calibration), manifest)
    answer = _answer(radiograph, bundle, interpreter, outcome, prediction, (why,), stage_ms, evidence)
    return radiograph, replace(answer, warnings=(*answer.warnings, *reasons))


def require_passed(bundle: Bundle, force: bool) -> None:
    """Raise `BundleError` for a model that failed its check after conversion, unless `force`."""
    failed = warning(bundle.manifest.parity)
    if failed is not None and not force:
        raise BundleError(f"{bundle.path}: {failed} Take another bundle, or add --force to try this one out")


def _screen_or_fail(
    path: Path, bundle: Bundle, interpreter: Interpreter, any_film: bool
) -> tuple[Radiograph, Screening] | Failure:
    try:
        return screen(path, bundle, interpreter, force=True, any_film=any_film)
    except (RadiographError, MissingExtraError) as error:
        return Failure(path, str(error))


def calibrated(logits: npt.NDArray[Any], calibration: Calibration) -> Probabilities:
    """Softmax of logits / temperature over the last axis; float64, sums to 1."""
    scaled = logits.astype(np.float64) / calibration.temperature
    with np.errstate(invalid="ignore"):  # infinite logits give NaN, which `decide` knows
        exponentials = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def score_of(probabilities: Probabilities, manifest: Manifest) -> Any:
    """The summed probability of the positive labels, over the last axis: what the threshold is compared with."""
    places = [manifest.labels.index(label) for label in manifest.decision.positive_labels]
    return probabilities[..., places].sum(axis=-1)


def answer_to(probabilities: Probabilities, manifest: Manifest, found: Route | None = None) -> tuple[Outcome, str]:
    """The outcome for one film's calibrated probabilities, (labels,), and why in one clause.

    Of a model of several bones the head of the bone that the film shows answers, or the one of `found`, where that was
    worked out already or the user named the bone; no head where it is not clear which bone that is.
    """
    chosen = found or route(probabilities, manifest)
    unclear = doubt(probabilities, manifest) if chosen is not None and chosen.given is None else None
    if unclear is not None:
        return "uncertain", unclear
    answered = given_bone(probabilities, chosen, manifest)
    return decide(float(score_of(answered, manifest)), manifest.decision if chosen is None else chosen.head.decision)


def decide(score: float, decision: Decision) -> tuple[Outcome, str]:
    """The outcome for one score, and why in one clause; a model that gave no number has given no answer."""
    if not math.isfinite(score):
        return "uncertain", "the model gave no number for this image"
    low, threshold, high = decision.abstain_low, decision.threshold, decision.abstain_high
    digits = telling_digits(score, (low, threshold, high))
    in_words = partial(probability_in_words, digits=digits)
    number = f"score {in_words(score)}"
    if low <= score < high:
        return "uncertain", f"{number} lies between {low:.{digits}f} and {high:.{digits}f}"
    if score >= threshold:
        return "refer", f"{number} is at or above the threshold {threshold:.{digits}f}"
    return "no_finding", f"{number} is below the threshold {threshold:.{digits}f}"


def telling_digits(score: float, bounds: Sequence[float]) -> int:
    """Two decimals, or as many as it takes to see on which side of each bound the score lies.

    >>> telling_digits(0.5996, (0.4, 0.6))
    4
    """
    apart = (
        digits for digits in range(2, 9) if all(round(score, digits) != round(b, digits) for b in bounds if b != score)
    )
    return next(apart, 9)


def severity_of(prediction: Prediction) -> Severity | None:
    """The unsupervised grade that the model gives; None where it gives none, or no number."""
    if prediction.severity is None or not np.isfinite(prediction.severity).all():
        return None
    return SEVERITIES[int(prediction.severity.argmax())]


def evidence_of(prediction: Prediction, manifest: Manifest, layout: Layout) -> Pixels | None:
    """Where the model saw evidence for the positive labels: (height, width) in [0, 1], 1 in the strongest region.

    The film's shape, shrunk to `MAX_EVIDENCE_SIDE_PX`; 0 where the film lies nowhere on the canvas.

    The class-activation map (Zhou et al. 2016) of the positive labels less that of the others; below zero is cut.
    None where the model has no map, or no numbers in it.
    """
    if prediction.activation_map is None or not np.isfinite(prediction.activation_map).all():
        return None
    positive = [label in manifest.decision.positive_labels for label in manifest.labels]
    towards = prediction.activation_map[..., positive].max(axis=-1)
    against = prediction.activation_map[..., np.logical_not(positive)]
    net = towards - against.max(axis=-1) if against.shape[-1] else towards
    film = from_canvas(np.maximum(net, 0.0), layout, _fitted(layout.film))
    strongest = float(film.max())
    return film / np.float32(strongest) if strongest > 0 else film


def _fitted(shape: tuple[int, int]) -> tuple[int, int]:
    """The film's shape, shrunk to `MAX_EVIDENCE_SIDE_PX`: a map of a few cells gains nothing from ten megapixels."""
    scale = min(1.0, MAX_EVIDENCE_SIDE_PX / max(shape))
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _answer(
    radiograph: Radiograph,
    bundle: Bundle,
    interpreter: Interpreter,
    outcome: Outcome,
    prediction: Prediction | None,
    reasons: Sequence[str],
    stage_ms: dict[str, float],
    evidence: Pixels | None = None,
) -> Screening:
    manifest = bundle.manifest
    probabilities: dict[str, float] = {}
    score = None
    if prediction is not None:
        values = calibrated(prediction.logits, manifest.calibration)
        positive = manifest.decision.positive_labels
        probabilities = {label: float(values[manifest.labels.index(label)]) for label in positive}
        score = float(score_of(values, manifest))
    return Screening(
        image=radiograph.source.path,
        outcome=outcome,
        score=score,
        probabilities=probabilities,
        reasons=tuple(reasons),
        evidence=evidence,
        image_sha256=radiograph.sha256,
        model_sha256=manifest.model.sha256,
        intended_use=manifest.intended_use,
        taken_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        runtime=interpreter.name,
        stage_ms={stage: round(ms, 2) for stage, ms in stage_ms.items()},
        severity=severity_of(prediction) if prediction is not None and outcome == "refer" else None,
        warnings=() if warning(manifest.parity) is None else (FAILED_CHECK,),
    )


@contextmanager
def _timed(stage_ms: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    stage_ms[stage] = (time.perf_counter() - start) * 1000
