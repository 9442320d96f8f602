"""Conformal prediction sets: the labels that a film may have, so many that the true one is among them often enough.

Split conformal prediction (Vovk et al. 2005; Papadopoulos et al. 2002) with the least ambiguous sets (LAC, Sadinle et
al. 2019): a label is in the set where its calibrated probability reaches a limit, which is chosen on films that the
network was not fitted on. Over films like these, each drawn on its own, the true label is in the set in at least the
share asked for, whatever the model is worth: a poor model gives larger sets, not less coverage.

It is a promise over many films, not about one; and films of one group are alike, and validation chose the temperature
and the best epoch too, so that it is measured on other films here and not taken on trust.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge import metrics
from osteo_edge.answers import Answers, Bools, Floats, Indices
from osteo_edge.intervals import REPLICATES, Estimate, as_share, estimate_many

COVERAGE = 0.9
"""The share of the films whose set is to hold the true label."""


@dataclass(frozen=True)
class SetFigures:
    """What sets by one rule are worth on films that it was not fitted on.

    `limits` are the probabilities that put a label in the set. `coverage` is the share of the films whose set holds
    their label, `by_label` that among the films of each label; `size` is the mean number of labels in a set, `sizes`
    are how many films have a set of each number of labels, from none to all.
    """

    name: str
    limits: dict[str, float]
    coverage: Estimate
    size: Estimate
    by_label: dict[str, Estimate]
    sizes: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        by_label = {label: found.to_dict() for label, found in self.by_label.items()}
        shares = {"coverage": self.coverage.to_dict(), "mean_size": self.size.to_dict(), "coverage_by_label": by_label}
        return {"rule": self.name, "limits": self.limits, **shares, "films_by_size": list(self.sizes)}


@dataclass(frozen=True)
class PredictionSets:
    """Both rules, fitted on `n_fitted` films of a part of the split: one limit for all labels, and one for each."""

    asked: float
    part: str
    n_fitted: int
    figures: tuple[SetFigures, ...]

    def to_dict(self) -> dict[str, Any]:
        """The sets for machines."""
        facts = {"coverage_asked_for": self.asked, "fitted_on": self.part, "fitted_films": self.n_fitted}
        return {**facts, "rules": [figures.to_dict() for figures in self.figures]}


def fit_limit(probability: Floats, coverage: float) -> float:
    """The probability that puts a label in the set, by the probabilities of the true labels of n films, (n,).

    The highest that the share ceil((n + 1) * coverage) / n of them reach, the finite-sample quantile of Vovk et al.
    (2005); 0, which every label reaches, where n is too small for the coverage.

    >>> fit_limit(np.array([0.2, 0.4, 0.6, 0.8]), 0.6)
    0.4
    """
    left_out = int(np.floor((probability.size + 1) * (1 - coverage) + 1e-9))
    return float(np.sort(probability)[min(left_out, probability.size) - 1]) if left_out else 0.0


def fit_limits(probabilities: Floats, truth: Indices, coverage: float = COVERAGE) -> Floats:
    """One limit for all labels, (labels,): the share of all films is as asked, that of a label may be lower."""
    of_truth = probabilities[np.arange(truth.size), truth]
    return np.full(probabilities.shape[1], fit_limit(of_truth, coverage))


def fit_limits_by_label(probabilities: Floats, truth: Indices, coverage: float = COVERAGE) -> Floats:
    """A limit for each label, (labels,), so that the share is as asked among the films of each (Vovk 2012)."""
    labels = range(probabilities.shape[1])
    return np.array([fit_limit(probabilities[truth == label, label], coverage) for label in labels])


def prediction_sets(probabilities: Floats, limits: Floats) -> Bools:
    """Which labels are in each film's set, (n, labels); all, where the model gave no number."""
    return ~(probabilities < limits)


def measure_sets(
    answers: Answers, fitted_on: Answers, part: str, coverage: float = COVERAGE, *, replicates: int = REPLICATES
) -> PredictionSets:
    """Fit both rules on one part's answers and measure them on another's; intervals are over groups."""
    known = fitted_on.probabilities, fitted_on.truth, coverage
    rules = {"one limit": fit_limits(*known), "a limit for each label": fit_limits_by_label(*known)}
    figures = (_measure(name, limits, answers, replicates) for name, limits in rules.items())
    return PredictionSets(coverage, part, int(fitted_on.truth.size), tuple(figures))


def _measure(name: str, limits: Floats, answers: Answers, replicates: int) -> SetFigures:
    sets = prediction_sets(answers.probabilities, limits)
    truth, groups, n = answers.truth, answers.groups, answers.truth.size
    covered, size = sets[np.arange(n), truth], sets.sum(axis=1)
    own = [truth == number for number in range(len(answers.labels))]

    def values(cases: Indices) -> list[float]:
        by_label = (metrics.share(covered[cases][shown[cases]]) for shown in own)
        return [metrics.share(covered[cases]), float(np.mean(size[cases])), *by_label]

    coverage, mean_size, *by_label = estimate_many(values, n, groups=groups, replicates=replicates)
    return SetFigures(
        name=name,
        limits=_named(answers.labels, limits),
        coverage=as_share(coverage, groups),
        size=mean_size,
        by_label={
            label: as_share(found, groups[shown])
            for label, found, shown in zip(answers.labels, by_label, own, strict=True)
        },
        sizes=tuple(int(count) for count in np.bincount(size, minlength=len(answers.labels) + 1)),
    )


def _named(labels: Sequence[str], limits: npt.NDArray[Any]) -> dict[str, float]:
    return {label: float(limit) for label, limit in zip(labels, limits, strict=True)}
