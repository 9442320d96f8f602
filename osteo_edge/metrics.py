"""What a screening model is measured by, each quantity once; NaN where the cases do not define one.

Two-class quantities take which cases are `positive`, and a score or which were `referred`; those over all classes take
class numbers (0 to `size` - 1). Their intervals are in `intervals`, whose names can be had here too.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.intervals import Bools, Floats, Indices
from osteo_edge.intervals import Estimate as Estimate
from osteo_edge.intervals import Interval as Interval
from osteo_edge.intervals import bootstrap as bootstrap
from osteo_edge.intervals import estimate as estimate
from osteo_edge.intervals import estimate_many as estimate_many
from osteo_edge.intervals import paired_difference as paired_difference
from osteo_edge.intervals import wilson as wilson

NAN = float("nan")
SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""What a probability of 0 counts as in the log loss, as in scikit-learn."""


def auroc(positive: Bools, score: Floats, strata: Indices | None = None) -> float:
    """Area under the receiver operating characteristic, ties counted half (Hanley and McNeil 1982).

    It is the share of pairs of a positive and a negative that are in order. With `strata`, whole numbers from 0, only
    pairs within one stratum are compared: scores of models fitted on different folds are not on one scale, and pooling
    them biases the area (Parker et al. 2007). NaN where there is no pair.

    >>> auroc(np.array([True, False, True, False]), np.array([0.9, 0.1, 0.4, 0.4]))
    0.875
    """
    positive = np.asarray(positive, bool)
    if strata is None:
        return _ratio(_in_order(positive, score), np.count_nonzero(positive) * np.count_nonzero(~positive))
    rank = np.unique(score, return_inverse=True)[1]
    n_pos, n_neg = (np.bincount(strata[of], minlength=strata.max(initial=0) + 1) for of in (positive, ~positive))
    of_different_strata = n_pos @ (np.cumsum(n_neg) - n_neg)  # all in order, as the strata are set one above the other
    return _ratio(_in_order(positive, strata * rank.size + rank) - of_different_strata, n_pos @ n_neg)


def counts_by_threshold(positive: Bools, score: Floats) -> tuple[Indices, Indices]:
    """True and false positives at each distinct score as threshold, the highest first."""
    order = np.argsort(-score)
    ordered, true = score[order], np.cumsum(np.asarray(positive, np.intp)[order])
    is_last = np.ones(ordered.shape, bool)
    is_last[:-1] = ordered[1:] != ordered[:-1]
    last = np.flatnonzero(is_last)
    return true[last], last + 1 - true[last]


def auprc(positive: Bools, score: Floats) -> float:
    """Area under the precision-recall curve as average precision, without interpolation (Davis and Goadrich 2006).

    Chance is the share of positive cases. NaN where one of the two classes is missing.
    """
    true, false = counts_by_threshold(positive, score)
    if not true.size or not true[-1] or not false[-1]:
        return NAN
    return float(np.sum(np.diff(true, prepend=0) * true / (true + false)) / true[-1])


def specificity_at(positive: Bools, score: Floats, sensitivity: float = 0.9) -> float:
    """The specificity at the highest threshold whose sensitivity is at least as asked."""
    true, false = counts_by_threshold(positive, score)
    if not true.size or not true[-1] or not false[-1]:
        return NAN
    reached = np.argmax(true >= sensitivity * true[-1] - 1e-9)
    return float(1 - false[reached] / false[-1])


def errors_covered(wrong: Bools, confidence: Floats) -> Floats:
    """How many of the k most confident cases are wrong, for k from 1 to n; (n,).

    Cases of one confidence come in no order: of them the mean over all orders counts.

    >>> errors_covered(np.array([True, False, True]), np.array([0.1, 0.5, 0.5]))
    array([0.5, 1. , 2. ])
    """
    false, right = counts_by_threshold(wrong, confidence)
    ends, errors = (np.concatenate([[0], counts]) for counts in (false + right, false))
    return np.asarray(np.interp(np.arange(1, np.size(wrong) + 1), ends, errors), np.float64)


def share(hits: Bools) -> float:
    """The share of true values; NaN for none at all."""
    return _ratio(np.count_nonzero(hits), np.size(hits))


def sensitivity(positive: Bools, referred: Bools) -> float:
    """The share of the positive cases that were referred."""
    return share(referred[positive])


def specificity(positive: Bools, referred: Bools) -> float:
    """The share of the negative cases that were not referred."""
    return share(~referred[~positive])


def predictive_values(sensitivity: float, specificity: float, prevalence: float) -> tuple[float, float]:
    """Positive and negative predictive value where `prevalence` of the people have the condition (Bayes).

    >>> ppv, npv = predictive_values(0.9, 0.8, 0.1)
    >>> round(ppv, 3), round(npv, 3)
    (0.333, 0.986)
    """
    true, false = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    missed, cleared = (1 - sensitivity) * prevalence, specificity * (1 - prevalence)
    return _ratio(true, true + false), _ratio(cleared, cleared + missed)


def net_benefit(positive: Bools, probability: Floats, threshold: float | Floats) -> float:
    """True less false positives per case, a false one weighing the odds of the threshold (Vickers and Elkin 2006).

    `threshold` is one for all or one for each case, below 1; referring nobody is worth 0.
    """
    limit = np.broadcast_to(np.asarray(threshold, np.float64), np.shape(probability))
    referred = probability >= limit
    harm = limit[referred & ~positive]
    if np.any(harm >= 1):
        return NAN
    return _ratio(np.count_nonzero(referred & positive) - np.sum(harm / (1 - harm)), np.size(positive))


def confusion(truth: Indices, predicted: Indices, size: int) -> npt.NDArray[np.intp]:
    """Cases by true class (rows) and answered class (columns), (size, size)."""
    return np.bincount(truth * size + predicted, minlength=size * size).reshape(size, size)


def precision(truth: Indices, predicted: Indices, size: int) -> Floats:
    """For each class the share of the cases answered so that are so, (size,)."""
    table = confusion(truth, predicted, size)
    return _ratios(table.diagonal(), table.sum(axis=0))


def recall(truth: Indices, predicted: Indices, size: int) -> Floats:
    """For each class the share of its cases that were answered so, (size,)."""
    table = confusion(truth, predicted, size)
    return _ratios(table.diagonal(), table.sum(axis=1))


def f1(truth: Indices, predicted: Indices, size: int) -> Floats:
    """For each class the harmonic mean of precision and recall (van Rijsbergen 1979), (size,).

    NaN for a class that neither occurs nor is answered.
    """
    table = confusion(truth, predicted, size)
    return _ratios(2 * table.diagonal(), table.sum(axis=0) + table.sum(axis=1))


def balanced_accuracy(truth: Indices, predicted: Indices) -> float:
    """The mean of the recalls of the classes that occur in `truth`."""
    return mean_of_known(recall(truth, predicted, _size(truth, predicted)))


def cohen_kappa(truth: Indices, predicted: Indices) -> float:
    """Agreement beyond that of chance, as a share of what there could be (Cohen 1960); unweighted."""
    table = confusion(truth, predicted, _size(truth, predicted))
    n = table.sum()
    chance = _ratio(table.sum(axis=0) @ table.sum(axis=1), n * n)
    return _ratio(_ratio(table.trace(), n) - chance, 1 - chance)


def log_loss(truth: Indices, probabilities: Floats) -> float:
    """The mean of -log(probability of the true class), in nats; `probabilities` are (n, classes), 0 is best."""
    if not truth.size:
        return NAN
    given = probabilities[np.arange(truth.size), truth]
    return float(-np.mean(np.log(np.maximum(given, SMALLEST_PROBABILITY))))


def brier(positive: Bools, probability: Floats) -> float:
    """The mean squared distance of a probability from what came true (Brier 1950); 0 is best."""
    return float(np.mean((probability - positive) ** 2)) if np.size(positive) else NAN


def calibration_error(positive: Bools, probability: Floats, *, bins: int = 10) -> float:
    """Expected calibration error over equally wide bins (Naeini et al. 2015); 0 is best."""
    _, expected, seen = sums_by_bin(positive, probability, bins)
    return _ratio(np.abs(expected - seen).sum(), np.size(positive))


def sums_by_bin(positive: Bools, probability: Floats, bins: int) -> tuple[Indices, Floats, Floats]:
    """For equally wide bins of the probability: cases, the sum of their probabilities, positive cases; (bins,)."""
    which = np.minimum((probability * bins).astype(np.intp), bins - 1)
    expected, seen = (np.asarray(np.bincount(which, of, bins), np.float64) for of in (probability, positive))
    return np.bincount(which, minlength=bins), expected, seen


def mean_of_known(values: Floats) -> float:
    """The mean of the values that are not NaN; NaN where all are."""
    known = values[~np.isnan(values)]
    return _ratio(known.sum(), known.size)


def _in_order(positive: Bools, score: Floats | Indices) -> float:
    """The number of pairs of a positive and a negative that are in order, ties counted half."""
    negatives, positives = np.sort(score[~positive]), np.sort(score[positive])
    below = negatives.searchsorted(positives, "left").sum()
    return float(below + negatives.searchsorted(positives, "right").sum()) / 2


def _size(truth: Indices, predicted: Indices) -> int:
    return int(max(truth.max(initial=0), predicted.max(initial=0))) + 1


def _ratio(part: Any, whole: Any) -> float:
    return float(part / whole) if whole else NAN


def _ratios(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
    found: Floats = np.divide(part, whole, out=np.full(part.shape, NAN), where=whole != 0)
    return found
