"""The whole screening flow: an image file in, an answer out, with its reasons and what it took."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError, MissingExtraError, RadiographError
from osteo_edge.evidence import evidence_of as evidence_of
from osteo_edge.findings import findings_of
from osteo_edge.manifest import Calibration, Decision, Manifest
from osteo_edge.preprocessing import Pixels
from osteo_edge.radiograph import Radiograph, read_radiograph
from osteo_edge.reading import Reader, Reading, read_film, timed
from osteo_edge.routing import (
    Route,
    answered,
    disagreement,
    doubt,
    given_bone,
    head_places,
    named_head,
    route,
    route_words,
)
from osteo_edge.runtime import Interpreter, Prediction
from osteo_edge.verdict import warning
from osteo_edge.wording import (
    COMPARISON_USE,
    FAILED_CHECK,
    SEVERITIES,
    Finding,
    Outcome,
    Severity,
    advice,
    headline,
    probability_in_words,
    severity_words,
)

Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Answer:
    """What a model answers, for one film or for those of a study together.

    `score` is the calibrated probability of the positive labels together, `probabilities` that of each: the rest is not
    shown, since a high number beside a name like "normal" would read as a rule-out. `finding` is what a positive answer
    speaks of. `warnings` are of the model, whatever it answers, or that a film is unlike those that it learned from.

    Of a model that tells bones apart, `bone` is the one whose head answered, and `probabilities` are of its labels;
    `bone_found` is the most probable one and `bone_probability` how probable it is; `bone_given` is what the user
    named. Where it is not clear which bone it is no head answers, and there is neither score nor probability.
    """

    outcome: Outcome
    score: float | None
    probabilities: dict[str, float]
    reasons: tuple[str, ...]
    model_sha256: str
    intended_use: str
    taken_at: str
    runtime: str
    warnings: tuple[str, ...] = ()
    finding: Finding = "density"
    bone: str | None = None
    bone_found: str | None = None
    bone_probability: float | None = None
    bone_given: str | None = None

    @property
    def headline(self) -> str:
        return headline(self.outcome, self.finding)

    @property
    def advice(self) -> str:
        return advice(self.outcome, self.finding)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be shown below the headline: warnings, why, and what to do."""
        return (*self.warnings, *self.reasons, self.advice)


@dataclass(frozen=True, eq=False, kw_only=True)
class Screening(Answer):
    """The answer for one film.

    `evidence` has the image's aspect, at most 512 pixels on a side, and is in [0, 1] relative to the strongest region
    of this image, or None. Rejected images have none, and no score. `severity` is the unsupervised grade of a referred
    image, where the model gives one.
    """

    image: Path
    evidence: Pixels | None
    image_sha256: str
    stage_ms: dict[str, float] = field(default_factory=dict)
    severity: Severity | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be shown below the headline: as of any answer, and the grade with what it is not."""
        grade = () if self.severity is None else (severity_words(self.severity),)
        return (*super().notes, *grade)

    def to_dict(self) -> dict[str, Any]:
        """The screening for machines, without the picture."""
        left_out = {"evidence", "image"}
        plain = {name: value for name, value in vars(self).items() if name not in left_out}
        grade = None if self.severity is None else severity_words(self.severity)
        words = {"headline": self.headline, "advice": self.advice, "severity_words": grade}
        texts = {"reasons": list(self.reasons), "warnings": list(self.warnings)}
        return {"image": str(self.image), **words, **plain, **texts}


@dataclass(frozen=True)
class Failure:
    """An image that could not be read, and the line that says why."""

    image: Path
    error: str


def screen_all(
    paths: Iterable[Path],
    bundle: Bundle,
    interpreter: Interpreter,
    bone: str | None = None,
    *,
    force: bool = False,
    any_film: bool = False,
    read: Reader = read_radiograph,
) -> Iterator[tuple[Radiograph, Screening] | Failure]:
    """Screen image files one by one; one that cannot be read becomes a `Failure` and does not stop the others.

    Raises at once, before any file is read, for a model that failed its check after conversion, unless `force`, and
    for a `bone` that the model does not know. `bone`, `any_film` and `read` are those of `screen`.
    """
    require_screenable(bundle, bone, force)
    return (_screen_or_fail(path, bundle, interpreter, bone, any_film, read) for path in paths)


def screen(
    path: Path,
    bundle: Bundle,
    interpreter: Interpreter,
    bone: str | None = None,
    *,
    force: bool = False,
    any_film: bool = False,
    read: Reader = read_radiograph,
) -> tuple[Radiograph, Screening]:
    """Screen one image file; the pixels come back too, for whoever wants to draw on them.

    Raises `RadiographError` for a file that is no readable radiograph, and `BundleError` for a model that failed its
    check after conversion; with `force` it answers, and the answer carries a warning. With `any_film` a film that is
    unlike those that the model learned from is answered too, with a warning: to try a model out on a drawn one.

    A model that tells bones apart believes the user who names the `bone`; `OsteoEdgeError` if it does not know it.
    `read` opens and decodes the file.
    """
    require_screenable(bundle, bone, force)
    radiograph, film = read_film(path, bundle, interpreter, any_film=any_film, read=read)
    if film.prediction is None:
        return radiograph, _screening(rejection(film.rejected, bundle, interpreter, bone), film)
    answer = answer_films([film], bundle, interpreter, bone)
    film = held_to(answer, film)
    if film.prediction is None:
        return radiograph, _screening(rejection(film.rejected, bundle, interpreter, bone), film)
    with timed(film.stage_ms, "map"):
        evidence = evidence_for(answer, film, bundle.manifest)
    return radiograph, _screening(answer, film, evidence)


def require_screenable(bundle: Bundle, bone: str | None, force: bool) -> None:
    """Raise what `screen` raises for a model, whatever the film."""
    require_passed(bundle, force)
    require_for_patients(bundle.path, bundle.manifest)
    if bone is not None:
        named_head(bone, bundle.manifest)


def require_for_patients(path: Path, manifest: Manifest) -> None:
    """Raise `BundleError` for a model that is for comparison only."""
    if manifest.intended_use == COMPARISON_USE:
        raise BundleError(f"{path}: only for comparison with other models; take another one")


def require_passed(bundle: Bundle, force: bool) -> None:
    """Raise `BundleError` for a model that failed its check after conversion, unless `force`."""
    failed = warning(bundle.manifest.parity)
    if failed is not None and not force:
        raise BundleError(f"{bundle.path}: {failed} Take another bundle, or add --force to try this one out")


def _screen_or_fail(
    path: Path, bundle: Bundle, interpreter: Interpreter, bone: str | None, any_film: bool, read: Reader
) -> tuple[Radiograph, Screening] | Failure:
    try:
        return screen(path, bundle, interpreter, bone, force=True, any_film=any_film, read=read)
    except (RadiographError, MissingExtraError) as error:
        return Failure(path, str(error))


def answer_films(films: Sequence[Reading], bundle: Bundle, interpreter: Interpreter, bone: str | None = None) -> Answer:
    """The answer for films of one bone together: by the mean of their calibrated probabilities, of one film by its own.

    ValueError for a film that was rejected, and for none.
    """
    manifest = bundle.manifest
    values = np.stack([probabilities_of(film, manifest) for film in films])
    mean = values.mean(axis=0)
    chosen = route(mean, manifest, bone)
    unclear = None if bone is not None else disagreement(values, manifest) or doubt(mean, manifest)
    outcome, why = answer_to(mean, manifest, chosen) if unclear is None else ("uncertain", unclear)
    head = chosen.head if chosen is not None and unclear is None else None
    answers = head is not None or manifest.router is None
    positive = (manifest if head is None else head).decision.positive_labels if answers else ()
    given = given_bone(mean, chosen, manifest)
    return Answer(
        outcome=outcome,
        score=float(score_of(given, manifest)) if answers else None,
        probabilities={label: float(given[manifest.labels.index(label)]) for label in positive},
        reasons=(why,) if chosen is None or head is None else (route_words(chosen), why),
        bone=None if head is None else head.bone,
        bone_found=None if chosen is None else chosen.found,
        bone_probability=None if chosen is None else chosen.confidence,
        **_about(bundle, interpreter, bone if head is None else head.bone, bone, films),
    )


def held_to(answer: Answer, film: Reading) -> Reading:
    """The film, or as one that is rejected: where a head for bone density answered, and such a film is not fit for it.

    Of a model that looks for abnormalities too, which may be metal, white areas and long films pass at first.
    """
    if answer.bone is None or answer.finding != "density" or not film.unfit_for_density:
        return film
    return replace(film, rejected=film.unfit_for_density, prediction=None)


def rejection(reasons: Sequence[str], bundle: Bundle, interpreter: Interpreter, bone: str | None = None) -> Answer:
    """The answer where no film may be answered."""
    about = _about(bundle, interpreter, bone, bone)
    return Answer(outcome="rejected", score=None, probabilities={}, reasons=tuple(reasons), **about)


def _about(
    bundle: Bundle, interpreter: Interpreter, bone: str | None, given: str | None, films: Sequence[Reading] = ()
) -> dict[str, Any]:
    """What every answer says of its making; `bone` is the one that it is about, as far as that is known."""
    manifest = bundle.manifest
    of_model = () if warning(manifest.parity) is None else (FAILED_CHECK,)
    of_films = (text for film in films for text in film.warnings)
    return {
        "model_sha256": manifest.model.sha256,
        "intended_use": manifest.intended_use,
        "taken_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "runtime": interpreter.name,
        "warnings": tuple(dict.fromkeys((*of_model, *of_films))),
        "finding": finding_of(manifest, bone),
        "bone_given": given,
    }


def _screening(answer: Answer, film: Reading, evidence: Pixels | None = None) -> Screening:
    grade = None if film.prediction is None or answer.outcome != "refer" else severity_of(film.prediction)
    return Screening(
        **vars(answer),
        image=film.image,
        evidence=evidence,
        image_sha256=film.image_sha256,
        stage_ms=film.rounded_ms,
        severity=grade,
    )


def finding_of(manifest: Manifest, bone: str | None = None) -> Finding:
    """What a positive answer about a bone speaks of.

    Of no bone in particular: abnormality, where any head looks for that, since words about abnormalities mislead nobody
    of bone density, and others would the other way about.
    """
    if bone is not None:
        return named_head(bone, manifest).finding
    return "density" if findings_of(manifest) == ("density",) else "abnormality"


def probabilities_of(film: Reading, manifest: Manifest) -> Probabilities:
    """The calibrated probabilities that the model gave for a film, (labels,); ValueError for one that was rejected."""
    if film.prediction is None:
        raise ValueError(f"{film.image} was rejected")
    return calibrated(film.prediction.logits, manifest.calibration)


def calibrated(logits: npt.NDArray[Any], calibration: Calibration) -> Probabilities:
    """Softmax of logits / temperature over the last axis; float64, sums to 1."""
    scaled = logits.astype(np.float64) / calibration.temperature
    with np.errstate(invalid="ignore"):  # infinite logits give NaN, which `decide` knows
        exponentials = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def score_of(probabilities: Probabilities, manifest: Manifest) -> Any:
    """The summed probability of the positive labels, over the last axis: what the threshold is compared with.

    Of a model of several bones it is that of the likeliest bone's labels, given that it is that bone.
    """
    places = [manifest.labels.index(label) for label in manifest.decision.positive_labels]
    return answered(probabilities, head_places(manifest))[..., places].sum(axis=-1)


def answer_to(probabilities: Probabilities, manifest: Manifest, found: Route | None = None) -> tuple[Outcome, str]:
    """The outcome for one film's calibrated probabilities, (labels,), and why in one clause.

    Of a model of several bones the head of the bone that the film shows answers, or the one of `found`, where that was
    worked out already or the user named the bone; no head where it is not clear which bone that is.
    """
    chosen = found or route(probabilities, manifest)
    unclear = doubt(probabilities, manifest) if chosen is not None and chosen.given is None else None
    if unclear is not None:
        return "uncertain", unclear
    given = given_bone(probabilities, chosen, manifest)
    return decide(float(score_of(given, manifest)), manifest.decision if chosen is None else chosen.head.decision)


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


def evidence_for(answer: Answer, film: Reading, manifest: Manifest) -> Pixels | None:
    """Where the model saw evidence in a film for what the answer speaks of; None where no head gave that answer."""
    if film.prediction is None or film.layout is None or (manifest.router is not None and answer.bone is None):
        return None
    return evidence_of(film.prediction, manifest, film.layout, answer.bone)
