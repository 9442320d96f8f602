"""Every measure on all bootstrap draws at once, as array operations: for many contenders and repeats.

A draw is a weight for each case, how often it was drawn; the first column of every table of weights is 1 throughout,
so that the first value of every measure is that of the cases themselves. The measures and their names are those of
`osteo_edge.measuring`, but here every ranking compares cases within a stratum only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from osteo_edge.answers import Answers, Bools, Groups, Indices
from osteo_edge.intervals import REPLICATES, Estimate, Floats, draws, percentiles
from osteo_edge.metrics import SMALLEST_PROBABILITY

Values = dict[str, Floats]
"""A measure's value on the cases and then on each draw, (1 + replicates,), by name."""

BINS = 10
AT_SENSITIVITY = 0.9
BISECTIONS = 14
BLOCK = 1 << 18
"""Weights that are worked on at once: a megabyte, which a cache holds."""


def draw_weights(groups: Groups, replicates: int = REPLICATES, seed: int = 0) -> npt.NDArray[np.float32]:
    """How often each case counts, (cases, 1 + replicates): once, and then as drawn, whole groups at a time.

    Their sums are whole numbers too, which float32 holds exactly in half the memory.
    """
    n = groups.size
    drawn = [np.bincount(cases, minlength=n) for cases in draws(n, groups, replicates, seed)]
    return np.stack([np.ones(n), *drawn], axis=1).astype(np.float32)


def in_blocks(values: "Callable[[Drawn], Values]", answers: Answers, weights: npt.NDArray[np.float32]) -> Values:
    """`values` of the answers for all columns of `weights`, some columns at a time."""
    width = max(1, BLOCK // max(1, len(weights)))
    starts = range(0, weights.shape[1], width)
    found = [values(Drawn(answers, weights[:, start : start + width])) for start in starts]
    return {name: np.concatenate([block[name] for block in found]) for name in found[0]}


def to_estimate(values: Floats, n: int) -> Estimate:
    """The first value, with the 95 % interval of the others."""
    interval = percentiles(values[1:])
    return Estimate(float(values[0]), interval.low, interval.high, n)


class Drawn:
    """Answers with their weights, (cases, draws); rankings are made once for each set of labels."""

    def __init__(self, answers: Answers, weights: Floats) -> None:
        self.answers = answers
        self.weights = weights
        self.total: Floats = weights.sum(axis=0)
        self._rankings: dict[tuple[str, ...], Ranking] = {}

    def ranking(self, labels: tuple[str, ...]) -> "Ranking":
        if labels not in self._rankings:
            self._rankings[labels] = rank(self.answers, labels, self.weights)
        return self._rankings[labels]

    @cached_property
    def confusion(self) -> Floats:
        """Cases by true class and answered class, (labels, labels, draws)."""
        size = len(self.answers.labels)
        cells = np.eye(size * size)[self.answers.truth * size + self.answers.predicted]
        return np.asarray((cells.T @ self.weights).reshape(size, size, -1))


def screening_values(drawn: Drawn) -> Values:
    """The AUROC of both questions, sensitivity and specificity."""
    answers, weights = drawn.answers, drawn.weights
    positive, score = answers.asked(answers.positive_labels)
    referred = score >= answers.threshold
    areas = {f"AUROC {question.name}": drawn.ranking(question.labels).auroc for question in answers.questions}
    found, spared = (weights[cases].sum(axis=0) for cases in (positive & referred, ~positive & ~referred))
    of_positive = weights[positive].sum(axis=0)
    return areas | {
        "sensitivity": ratio(found, of_positive),
        "specificity": ratio(spared, drawn.total - of_positive),
    }


def headline_values(drawn: Drawn) -> Values:
    """The measures to be read first."""
    answers, table = drawn.answers, drawn.confusion
    majority = int(np.bincount(answers.truth, minlength=len(answers.labels)).argmax())
    return screening_values(drawn) | {
        "specificity at 90 % sensitivity": drawn.ranking(answers.positive_labels).specificity_at(AT_SENSITIVITY),
        "calibration error": _calibration_error(drawn),
        "balanced accuracy": _mean_of_known(_diagonal_over(table, table.sum(axis=1))),
        "accuracy": ratio(np.einsum("iib->b", table), drawn.total),
        "accuracy of the majority class": ratio(table[majority].sum(axis=0), drawn.total),
    }


def all_values(drawn: Drawn) -> Values:
    """Every measure, those to be read first first."""
    areas = {
        f"AUPRC {question.name}": drawn.ranking(question.labels).average_precision
        for question in drawn.answers.questions
    }
    return headline_values(drawn) | areas | _means(drawn) | _by_label(drawn)


@dataclass(frozen=True, eq=False)
class Ranking:
    """The positive cases among those of their stratum.

    All are weights, (positives, draws): the case's own, that of negatives that score lower and that do not score
    higher, of all negatives, and of positives that do not score lower.
    """

    weight: Floats
    lower: Floats
    not_higher: Floats
    negatives: Floats
    hits: Floats

    @property
    def auroc(self) -> Floats:
        """Pairs in order over pairs, ties counted half; as `metrics.auroc` with strata."""
        in_order = (self.weight * (self.lower + self.not_higher)).sum(axis=0) / 2
        return ratio(in_order, (self.weight * self.negatives).sum(axis=0))

    @property
    def average_precision(self) -> Floats:
        """The mean over the positive cases of the precision, in their stratum, with their score as threshold."""
        answered = self.hits + self.negatives - self.lower
        precision = self.hits / np.maximum(answered, 1)
        known = (self.weight * self.negatives).sum(axis=0) > 0
        return np.where(known, ratio((self.weight * precision).sum(axis=0), self.weight.sum(axis=0)), np.nan)

    def specificity_at(self, sensitivity: float) -> Floats:
        """The specificity where that share of the positive cases is found.

        Each positive case stands for the share of its stratum's negatives that do not score lower, its placement value
        (Pepe and Cai 2004); the quantile of these is 1 - specificity, and is found by bisection.
        """
        placed = self.weight * (self.negatives > 0)
        placement = 1 - self.lower / np.maximum(self.negatives, 1)
        needed = sensitivity * placed.sum(axis=0, dtype=np.float64) - 1e-9
        low, high = (np.full(needed.shape, end, placement.dtype) for end in (-1.0, 1.0))
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            enough = (placed * (placement <= middle)).sum(axis=0) >= needed
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        reached = np.where((placement <= high) & (placed > 0), placement, 0).max(axis=0, initial=0)
        return np.where(placed.sum(axis=0) > 0, 1 - reached, np.nan)


def rank(answers: Answers, labels: tuple[str, ...], weights: Floats) -> Ranking:
    """Rank the cases within their strata by the summed probability of `labels`."""
    positive, score = answers.asked(labels)
    strata = np.zeros(score.size, np.intp) if answers.strata is None else answers.strata
    order = np.lexsort((score, strata))
    positive, score, strata, ordered = positive[order], score[order], strata[order], weights[order]
    new_stratum = np.diff(strata, prepend=-1) != 0
    ends = (*_runs(new_stratum | (np.diff(score, prepend=np.nan) != 0)), *_runs(new_stratum))
    negatives, positives = _running(ordered[~positive]), _running(ordered[positive])
    before = np.concatenate([[0], np.cumsum(~positive)])
    first, end, start, stop = (before[places[positive]] for places in ends)
    own, own_stop = (places[positive] - before[places[positive]] for places in (ends[0], ends[3]))
    return Ranking(
        weight=ordered[positive],
        lower=negatives[first] - negatives[start],
        not_higher=negatives[end] - negatives[start],
        negatives=negatives[stop] - negatives[start],
        hits=positives[own_stop] - positives[own],
    )


def ratio(part: Floats, whole: Floats) -> Floats:
    """Element by element; NaN where the whole is 0."""
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole != 0))


def _runs(starts: Bools) -> tuple[Indices, Indices]:
    """For each place the first of its run and the end of it; `starts` marks the first of each."""
    run = np.cumsum(starts) - 1
    firsts = np.append(np.flatnonzero(starts), starts.size)
    return firsts[run], firsts[run + 1]


def _running(values: Floats) -> Floats:
    """Sums of the first 0, 1, ... rows; row by row, which is ten times as fast as `np.cumsum` over the first axis."""
    sums = np.zeros((len(values) + 1, values.shape[1]), values.dtype)
    for place, row in enumerate(values):
        np.add(sums[place], row, out=sums[place + 1])
    return sums


def _calibration_error(drawn: Drawn) -> Floats:
    positive, score = drawn.answers.asked(drawn.answers.positive_labels)
    which = np.minimum((score * BINS).astype(np.intp), BINS - 1)
    gaps = (np.eye(BINS)[which] * (score - positive)[:, None]).T @ drawn.weights
    return ratio(np.abs(gaps).sum(axis=0), drawn.total)


def _means(drawn: Drawn) -> Values:
    """Measures that are means over the cases, and Cohen's kappa."""
    answers = drawn.answers
    positive, score = answers.asked(answers.positive_labels)
    limit = np.minimum(answers.threshold, 1 - SMALLEST_PROBABILITY)
    of_truth = answers.probabilities[np.arange(answers.truth.size), answers.truth]
    by_case = {
        "Brier score": (score - positive) ** 2,
        "log loss": -np.log(np.maximum(of_truth, SMALLEST_PROBABILITY)),
        "net benefit": (score >= answers.threshold) * np.where(positive, 1.0, -limit / (1 - limit)),
    }
    sums = np.stack(list(by_case.values())) @ drawn.weights
    found = {name: ratio(values, drawn.total) for name, values in zip(by_case, sums, strict=True)}
    return found | {"Cohen's kappa": _kappa(drawn.confusion)}


def _kappa(table: Floats) -> Floats:
    total = table.sum(axis=(0, 1))
    chance = ratio((table.sum(axis=0) * table.sum(axis=1)).sum(axis=0), total**2)
    return ratio(ratio(np.einsum("iib->b", table), total) - chance, 1 - chance)


def _by_label(drawn: Drawn) -> Values:
    labels, table = drawn.answers.labels, drawn.confusion
    areas = {f"AUROC {label}": drawn.ranking((label,)).auroc for label in labels}
    found = areas | {"AUROC, macro": np.mean(list(areas.values()), axis=0)}
    answered, given = table.sum(axis=0), table.sum(axis=1)
    f1 = _diagonal_over(2 * table, answered + given)
    by_name = {"precision": _diagonal_over(table, answered), "recall": _diagonal_over(table, given), "F1": f1}
    for name, values in by_name.items():
        found |= {f"{name} {label}": value for label, value in zip(labels, values, strict=True)}
    return found | {"F1, macro": _mean_of_known(f1)}


def _diagonal_over(table: Floats, whole: Floats) -> Floats:
    """(labels, draws)."""
    return ratio(np.einsum("iib->ib", table), whole)


def _mean_of_known(values: Floats) -> Floats:
    """The mean over the first axis of what is not NaN."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0).sum(axis=0), known.sum(axis=0))
