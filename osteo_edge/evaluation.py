"""Measure a bundle on labelled cases, beside what the patients' age and weight alone would have told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osteo_edge import metrics
from osteo_edge.alarms import find_alarms
from osteo_edge.answers import Answers
from osteo_edge.dataset import Case
from osteo_edge.errors import DatasetError, RadiographError
from osteo_edge.familiarity import FilmStatistics
from osteo_edge.intervals import Estimate, wilson
from osteo_edge.manifest import Manifest
from osteo_edge.measuring import measure_answers
from osteo_edge.preprocessing import Pixels, to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.reading import timed
from osteo_edge.rivals import Rival as Rival
from osteo_edge.rivals import compare_rivals
from osteo_edge.routing import head_places, thresholds
from osteo_edge.runtime import Interpreter
from osteo_edge.screening import answer_to, calibrated
from osteo_edge.second_look import look_again
from osteo_edge.subgroups import Subgroup, measure_subgroups

Floats = npt.NDArray[np.float64]
Groups = npt.NDArray[np.str_]

REFUSED = "refused as unlike the training films"
"""The share of the cases that screening would refuse for that; they are measured all the same."""


@dataclass(frozen=True, eq=False)
class SecondLooks:
    """Calibrated probabilities of every version of each film, (n, versions, labels) (`osteo_edge.second_look`).

    `first_ms` is what preparing and answering each film itself took, `again_ms` what all its versions took, (n,) each,
    in milliseconds.
    """

    probabilities: Floats
    first_ms: Floats
    again_ms: Floats


@dataclass(frozen=True, eq=False)
class Predictions:
    """Calibrated probabilities, (n, labels), of the cases that could be read; `groups` are those of the split.

    `distances` are those from the films that the model learned from, (n,), where the bundle knows these. `looks` are
    there where a second look was asked for. `sha256s` are those of the files, n of them, where they were read for this.
    """

    cases: tuple[Case, ...]
    groups: Groups
    probabilities: Floats
    skipped: tuple[str, ...]
    distances: Floats | None = None
    looks: SecondLooks | None = None
    sha256s: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, str]:
        """The SHA-256 of each case's file, by the case's name."""
        return {case.name: sha256 for case, sha256 in zip(self.cases, self.sha256s, strict=True)}

    def truth(self, labels: Sequence[str]) -> npt.NDArray[np.intp]:
        return np.array([labels.index(case.label) for case in self.cases], np.intp)


@dataclass(frozen=True)
class Evaluation:
    """All that was measured on one set of cases."""

    part: str
    counts: dict[str, int]
    outcomes: dict[str, int]
    confusion: tuple[tuple[int, ...], ...]
    estimates: dict[str, Estimate]
    rivals: tuple[Rival, ...]
    skipped: tuple[str, ...]
    subgroups: tuple[Subgroup, ...] = ()
    alarms: tuple[str, ...] = ()
    """Reasons not to believe the figures, one sentence each."""
    headline: tuple[str, ...] = ()
    """The names of the estimates to be read first."""


def predict(
    cases: Sequence[Case],
    groups: Sequence[str],
    manifest: Manifest,
    interpreter: Interpreter,
    *,
    known: FilmStatistics | None = None,
    second_look: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Predictions:
    """Run the bundle on every case; one that cannot be read is skipped and listed, none readable is an error.

    The input gate is not asked: these are known to be what the model is for. With the statistics of the `known` films,
    how far each lies from them is kept beside its answer; with `second_look`, what its versions are answered.
    """
    found: list[tuple[int, _Answered]] = []
    skipped: list[str] = []
    sha256s: list[str] = []
    for number, case in enumerate(cases):
        try:
            film = read_radiograph(case.path)
        except RadiographError as error:
            skipped.append(str(error))
        else:
            found.append((number, _answer(film.pixels, manifest, interpreter, second_look)))
            sha256s.append(film.sha256)
        on_progress(number + 1, len(cases))
    if not found:
        raise DatasetError(f"none of {len(cases)} images can be measured" + (f": {skipped[0]}" if skipped else ""))
    kept, answers = [number for number, _ in found], [answer for _, answer in found]
    given = [answer.embedding for answer in answers if answer.embedding is not None]
    return Predictions(
        cases=tuple(cases[i] for i in kept),
        groups=np.array([groups[i] for i in kept]),
        probabilities=np.stack([answer.probabilities for answer in answers]),
        skipped=tuple(skipped),
        distances=None if known is None or not given else known.distances(np.stack(given)),
        looks=_second_looks(answers),
        sha256s=tuple(sha256s),
    )


class _Answered(NamedTuple):
    """What a bundle gave for one film, and what its versions were answered, (versions, labels), where asked for."""

    probabilities: Floats
    embedding: npt.NDArray[np.float32] | None
    looks: Floats | None
    stage_ms: dict[str, float]


def _answer(pixels: Pixels, manifest: Manifest, interpreter: Interpreter, second_look: bool) -> _Answered:
    stage_ms: dict[str, float] = {}
    with timed(stage_ms, "first"):
        prediction = interpreter.run(to_tensor(pixels, manifest.input))
    with timed(stage_ms, "again"):
        looks = look_again(pixels, manifest, interpreter) if second_look else None
    return _Answered(calibrated(prediction.logits, manifest.calibration), prediction.embedding, looks, stage_ms)


def _second_looks(answers: Sequence[_Answered]) -> SecondLooks | None:
    looks = [answer.looks for answer in answers if answer.looks is not None]
    if not looks:
        return None
    times = (np.array([answer.stage_ms[stage] for answer in answers]) for stage in ("first", "again"))
    return SecondLooks(np.stack(looks), *times)


def evaluate(
    predictions: Predictions,
    manifest: Manifest,
    part: str,
    *,
    prevalence: float | None = None,
    baselines: Mapping[str, Estimate] | None = None,
) -> Evaluation:
    """Every metric with its 95 % interval and n, the subgroups, and the rivals where the cases carry age and weight.

    With a `prevalence`, between 0 and 1, the predictive values there too. `baselines` are the AUROC by what tells the
    labels without the bone, such as the image size: they are only looked at for alarms.
    """
    answers = answers_of(predictions, manifest)
    estimates, headline = measure_answers(answers, prevalence)
    if predictions.distances is not None and manifest.familiarity is not None:
        estimates[REFUSED] = wilson(~(predictions.distances <= manifest.familiarity.threshold))
    outcomes = [answer_to(row, manifest)[0] for row in predictions.probabilities]
    confusion = metrics.confusion(answers.truth, answers.predicted, len(manifest.labels))
    return Evaluation(
        part=part,
        counts={label: int((answers.truth == number).sum()) for number, label in enumerate(manifest.labels)},
        outcomes={outcome: outcomes.count(outcome) for outcome in ("refer", "uncertain", "no_finding")},
        confusion=tuple(tuple(int(cell) for cell in row) for row in confusion),
        estimates=estimates,
        rivals=compare_rivals(predictions.cases, answers),
        skipped=predictions.skipped,
        subgroups=measure_subgroups(predictions.cases, answers),
        alarms=find_alarms(estimates, manifest.data.label_source, baselines),
        headline=headline,
    )


def measure(
    truth: npt.NDArray[np.intp],
    probabilities: Floats,
    labels: Sequence[str],
    positive_labels: Sequence[str],
    threshold: float | Floats,
    groups: Groups,
    strata: npt.NDArray[np.intp] | None = None,
    prevalence: float | None = None,
) -> dict[str, Estimate]:
    """What `evaluate` estimates, of probabilities from anywhere; `measuring.measure_answers` says more.

    `truth` are class numbers, (n,); `probabilities` calibrated, (n, labels); `threshold` is one for all or one a case,
    (n,); `strata` are fold numbers, (n,): scores of different folds are not compared with each other.
    """
    limits = np.broadcast_to(np.asarray(threshold, np.float64), np.shape(truth))
    answers = Answers(truth, probabilities, tuple(labels), tuple(positive_labels), limits, groups, strata)
    return measure_answers(answers, prevalence)[0]


def answers_of(predictions: Predictions, manifest: Manifest) -> Answers:
    """The predictions beside the truth, at the threshold of the decision that is made of each."""
    return Answers(
        truth=predictions.truth(manifest.labels),
        probabilities=predictions.probabilities,
        labels=manifest.labels,
        positive_labels=manifest.decision.positive_labels,
        threshold=thresholds(predictions.probabilities, manifest),
        groups=predictions.groups,
        heads=head_places(manifest),
    )


def to_dict(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation for machines."""
    plain = {
        "estimates": {name: estimate.to_dict() for name, estimate in evaluation.estimates.items()},
        "rivals": [rival.to_dict() for rival in evaluation.rivals],
        "subgroups": [subgroup.to_dict() for subgroup in evaluation.subgroups],
    }
    return {**vars(evaluation), **plain}
