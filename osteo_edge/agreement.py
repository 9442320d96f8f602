"""How alike two models answer on the same cases: a compressed one beside the float one that it stands in for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from osteo_edge import metrics
from osteo_edge.answers import Answers, Bools, Floats, Indices
from osteo_edge.intervals import Estimate, as_share, estimate, paired_difference


@dataclass(frozen=True)
class Paired:
    """One measure of both models on the same cases; `difference` is `after` less `before`, on the same draws."""

    before: Estimate
    after: Estimate
    difference: Estimate


@dataclass(frozen=True)
class Agreement:
    """How alike two models answer.

    Differences are of calibrated probabilities, over all labels. A decision is whether the score reaches the model's
    own threshold. `aurocs` are by question; the calibration error is that of the score.
    """

    largest_difference: float
    mean_difference: float
    decisions: Estimate
    aurocs: dict[str, Paired]
    calibration_error: Paired


def measure_agreement(before: Answers, after: Answers) -> Agreement:
    """Compare the answers of two models on the same cases in the same order; intervals are 95 %, over groups.

    What the cases do not define, the AUROC where one class is missing for instance, is NaN.
    """
    differences = np.abs(after.probabilities - before.probabilities)
    aurocs = {question.name: _paired(metrics.auroc, before, after, question.labels) for question in before.questions}
    return Agreement(
        largest_difference=float(differences.max()),
        mean_difference=float(differences.mean()),
        decisions=_decisions(before, after),
        aurocs=aurocs,
        calibration_error=_paired(metrics.calibration_error, before, after, before.positive_labels),
    )


def _decisions(before: Answers, after: Answers) -> Estimate:
    """The share of the cases that both models decide alike; Wilson's interval where all or none are.

    Models that tell bones apart do so only where they take a film for the same bone.
    """
    alike = (_referred(before) == _referred(after)) & (before.bone == after.bone)
    found = estimate(lambda cases: metrics.share(alike[cases]), alike.size, groups=before.groups)
    return as_share(found, before.groups)


def _referred(answers: Answers) -> Bools:
    _, score = answers.asked(answers.positive_labels)
    return np.asarray(score >= answers.threshold)


def _paired(
    metric: Callable[[Bools, Floats], float], before: Answers, after: Answers, labels: tuple[str, ...]
) -> Paired:
    first, second = (partial(_on, metric, *answers.asked(labels)) for answers in (after, before))
    found = paired_difference(first, second, before.truth.size, groups=before.groups)
    return Paired(before=found[1], after=found[0], difference=found[2])


def _on(metric: Callable[[Bools, Floats], float], positive: Bools, score: Floats, cases: Indices) -> float:
    return metric(positive[cases], score[cases])
