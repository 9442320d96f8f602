"""Measure a bundle on labelled cases, beside what the patients' age and weight alone would have told."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge import metrics
from osteo_edge.dataset import Case
from osteo_edge.errors import DatasetError, RadiographError
from osteo_edge.manifest import Manifest
from osteo_edge.metrics import Estimate
from osteo_edge.preprocessing import to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.runtime import Interpreter
from osteo_edge.screening import calibrated, decide, score_of

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Groups = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Predictions:
    """Calibrated probabilities, (n, labels), of the cases that could be read; `groups` are those of the split."""

    cases: tuple[Case, ...]
    groups: Groups
    probabilities: Floats
    skipped: tuple[str, ...]

    def truth(self, labels: Sequence[str]) -> npt.NDArray[np.intp]:
        return np.array([labels.index(case.label) for case in self.cases], np.intp)


@dataclass(frozen=True)
class Question:
    """A two-class question to the model, such as "osteoporosis against the rest"."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Rival:
    """What one number about the patient reaches on the cases where it is known, and the model on the same cases.

    `difference` is the model's AUROC less the rival's, paired.
    """

    question: str
    name: str
    auroc: Estimate
    model_auroc: Estimate
    difference: Estimate

    @property
    def verdict(self) -> str:
        """In words, whether the image tells more than the number."""
        if not self.difference.low > 0:
            return f"the model does not beat {self.name}"
        return f"the model beats {self.name}"


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


def predict(
    cases: Sequence[Case],
    groups: Sequence[str],
    manifest: Manifest,
    interpreter: Interpreter,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Predictions:
    """Run the bundle on every case; one that cannot be read is skipped and listed, none readable is an error.

    The input gate is not asked: these are known to be what the model is for.
    """
    answers: list[tuple[int, Floats]] = []
    skipped: list[str] = []
    for number, case in enumerate(cases):
        try:
            tensor = to_tensor(read_radiograph(case.path).pixels, manifest.input)
        except RadiographError as error:
            skipped.append(str(error))
        else:
            answers.append((number, calibrated(interpreter.run(tensor).logits, manifest.calibration)))
        on_progress(number + 1, len(cases))
    if not answers:
        raise DatasetError(f"none of {len(cases)} images can be measured" + (f": {skipped[0]}" if skipped else ""))
    kept = [number for number, _ in answers]
    probabilities = np.stack([values for _, values in answers])
    return Predictions(
        tuple(cases[i] for i in kept), np.array([groups[i] for i in kept]), probabilities, tuple(skipped)
    )


def evaluate(predictions: Predictions, manifest: Manifest, part: str) -> Evaluation:
    """Every metric with its 95 % interval and n, and the rivals where the cases carry age and weight."""
    truth = predictions.truth(manifest.labels)
    scores = score_of(predictions.probabilities, manifest)
    outcomes = [decide(float(score), manifest.decision)[0] for score in scores]
    size = len(manifest.labels)
    confusion = np.zeros((size, size), int)
    np.add.at(confusion, (truth, predictions.probabilities.argmax(axis=1)), 1)
    return Evaluation(
        part=part,
        counts={label: int((truth == number).sum()) for number, label in enumerate(manifest.labels)},
        outcomes={outcome: outcomes.count(outcome) for outcome in ("refer", "uncertain", "no_finding")},
        confusion=tuple(tuple(int(cell) for cell in row) for row in confusion),
        estimates=_estimates(predictions, manifest, truth, scores),
        rivals=tuple(_rivals(predictions, manifest)),
        skipped=predictions.skipped,
    )


def questions(manifest: Manifest) -> tuple[Question, ...]:
    """Any positive label against the rest, and, where there are several, the last (the gravest) against the rest."""
    positive = manifest.decision.positive_labels
    anything = Question(" or ".join(positive), positive)
    return (anything,) if len(positive) == 1 else (anything, Question(positive[-1], positive[-1:]))


def ost_index(weight_kg: float, age_years: float) -> float:
    """The osteoporosis self-assessment tool's index, low in those at risk (Koh et al. 2001).

    >>> round(ost_index(60.0, 70.0), 6)
    -2.0
    """
    return 0.2 * (weight_kg - age_years)


def _estimates(
    predictions: Predictions, manifest: Manifest, truth: npt.NDArray[np.intp], scores: Floats
) -> dict[str, Estimate]:
    probabilities, groups, n = predictions.probabilities, predictions.groups, truth.size
    predicted = probabilities.argmax(axis=1)
    positive = np.isin(truth, [manifest.labels.index(label) for label in manifest.decision.positive_labels])
    referred = scores >= manifest.decision.threshold
    found = {
        f"AUROC {question.name}": _auroc_estimate(*_asked(predictions, manifest, question), groups)
        for question in questions(manifest)
    }
    majority = truth == np.bincount(truth).argmax()
    return found | {
        "sensitivity": metrics.wilson(referred[positive]),
        "specificity": metrics.wilson(~referred[~positive]),
        "accuracy": metrics.wilson(predicted == truth),
        "accuracy of the majority class": metrics.wilson(majority),
        "balanced accuracy": metrics.estimate(
            lambda i: metrics.balanced_accuracy(truth[i], predicted[i]), n, groups=groups
        ),
        "Brier score": metrics.estimate(lambda i: metrics.brier(positive[i], scores[i]), n, groups=groups),
        "calibration error": metrics.estimate(
            lambda i: metrics.calibration_error(positive[i], scores[i]), n, groups=groups
        ),
    }


def _asked(predictions: Predictions, manifest: Manifest, question: Question) -> tuple[Bools, Floats]:
    places = [manifest.labels.index(label) for label in question.labels]
    positive = np.isin(predictions.truth(manifest.labels), places)
    return positive, predictions.probabilities[:, places].sum(axis=1)


def _auroc_estimate(positive: Bools, score: Floats, groups: Groups) -> Estimate:
    return metrics.estimate(lambda i: metrics.auroc(positive[i], score[i]), positive.size, groups=groups)


def _rivals(predictions: Predictions, manifest: Manifest) -> Iterable[Rival]:
    for name, of_case in (("age alone", _age), ("the OST index", _ost)):
        known = [(number, of_case(case)) for number, case in enumerate(predictions.cases)]
        places = np.array([number for number, value in known if value is not None], np.intp)
        values = np.array([value for _, value in known if value is not None], np.float64)
        for question in questions(manifest):
            of_all, score_of_all = _asked(predictions, manifest, question)
            positive, score = of_all[places], score_of_all[places]
            if 0 < positive.sum() < positive.size:
                yield _compare(question.name, name, positive, score, values, predictions.groups[places])


def _compare(question: str, name: str, positive: Bools, model: Floats, rival: Floats, groups: Groups) -> Rival:
    def difference(i: npt.NDArray[np.intp]) -> float:
        return metrics.auroc(positive[i], model[i]) - metrics.auroc(positive[i], rival[i])

    return Rival(
        question=question,
        name=name,
        auroc=_auroc_estimate(positive, rival, groups),
        model_auroc=_auroc_estimate(positive, model, groups),
        difference=metrics.estimate(difference, positive.size, groups=groups),
    )


def _age(case: Case) -> float | None:
    return case.age


def _ost(case: Case) -> float | None:
    """Turned round, so that high means at risk, as for age and for the model."""
    return None if case.age is None or case.weight is None else -ost_index(case.weight, case.age)


def to_dict(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation for machines."""
    rivals = [
        {
            "question": rival.question,
            "name": rival.name,
            "auroc": rival.auroc.to_dict(),
            "model_auroc": rival.model_auroc.to_dict(),
            "difference": rival.difference.to_dict(),
            "verdict": rival.verdict,
        }
        for rival in evaluation.rivals
    ]
    estimates = {name: estimate.to_dict() for name, estimate in evaluation.estimates.items()}
    return {**vars(evaluation), "estimates": estimates, "rivals": rivals}
