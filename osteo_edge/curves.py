"""Curves for reports: receiver operating characteristic, precision-recall, reliability, decision, risk-coverage."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from osteo_edge import metrics
from osteo_edge.intervals import REPLICATES, Bools, Floats, Groups, Indices, draws


@dataclass(frozen=True, eq=False)
class Reliability:
    """What was predicted and what came true, for each bin with cases: means, shares and cases, (bins,) each."""

    predicted: Floats
    observed: Floats
    n: Indices


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit at each threshold, (thresholds,) each; referring nobody is worth 0 everywhere."""

    thresholds: Floats
    model: Floats
    refer_all: Floats


def roc_curve(positive: Bools, score: Floats) -> tuple[Floats, Floats]:
    """1 - specificity and sensitivity from the strictest threshold to the loosest, from (0, 0) to (1, 1).

    An axis whose class is missing is NaN throughout.
    """
    true, false = (np.concatenate([[0], counts]) for counts in metrics.counts_by_threshold(positive, score))
    return _over_last(false), _over_last(true)


def pr_curve(positive: Bools, score: Floats) -> tuple[Floats, Floats]:
    """Recall and precision at each distinct score as threshold, from the strictest to the loosest.

    NaN throughout where there is no positive case.
    """
    true, false = metrics.counts_by_threshold(positive, score)
    precision = true / np.maximum(true + false, 1)
    return _over_last(true), precision if true.size and true[-1] else np.full(true.shape, np.nan)


def roc_on_grid(positive: Bools, score: Floats, grid: Floats) -> Floats:
    """The sensitivity reached at each 1 - specificity of `grid`, in [0, 1]; (grid,)."""
    x, y = roc_curve(positive, score)
    if np.isnan(x).any() or np.isnan(y).any():
        return np.full(grid.shape, np.nan)
    return y[np.searchsorted(x, grid, side="right") - 1]


def pr_on_grid(positive: Bools, score: Floats, grid: Floats) -> Floats:
    """The precision at the strictest threshold that reaches each recall of `grid`, in [0, 1]; (grid,)."""
    x, y = pr_curve(positive, score)
    if not x.size or np.isnan(x).any():
        return np.full(grid.shape, np.nan)
    return y[np.searchsorted(x, grid, side="left")]


def reliability(positive: Bools, probability: Floats, bins: int = 10) -> Reliability:
    """The reliability diagram over equally wide bins of the probability (Naeini et al. 2015); empty bins are left out.

    The gaps, weighted by the cases, are `metrics.calibration_error`.
    """
    counts, expected, seen = metrics.sums_by_bin(positive, probability, bins)
    filled = counts > 0
    return Reliability(expected[filled] / counts[filled], seen[filled] / counts[filled], counts[filled])


def decision_curve(positive: Bools, probability: Floats, thresholds: Floats | None = None) -> DecisionCurve:
    """Net benefit over thresholds below 1, of the model and of referring everybody (Vickers and Elkin 2006).

    The default thresholds are 0.01, 0.02 to 0.99.
    """
    limits = np.arange(1, 100) / 100 if thresholds is None else thresholds
    everybody = np.ones(np.shape(probability))

    def along(of_whom: Floats) -> Floats:
        return np.array([metrics.net_benefit(positive, of_whom, float(limit)) for limit in limits])

    return DecisionCurve(limits, along(probability), along(everybody))


def risk_coverage(wrong: Bools, confidence: Floats) -> tuple[Floats, Floats]:
    """Coverage and risk of the k most confident cases, k from 1 to n (El-Yaniv and Wiener 2010); (n,) each.

    Coverage is the share of all cases, risk the share of these k that are `wrong`.
    """
    covered = np.arange(1, np.size(wrong) + 1)
    return covered / max(1, covered.size), metrics.errors_covered(wrong, confidence) / covered


def at_coverage(risk: Floats, grid: Floats) -> Floats:
    """The risk of a risk-coverage curve, (n,), at each coverage of `grid`, above 0 and at most 1; (grid,).

    Of the fewest most confident cases that are such a share; NaN where there is no case.
    """
    if not risk.size:
        return np.full(grid.shape, np.nan)
    fewest = np.ceil(grid * risk.size - 1e-9).astype(np.intp)
    return np.asarray(risk[np.maximum(1, fewest) - 1], np.float64)


def bootstrap_band(
    curve: Callable[[Indices], Floats],
    n: int,
    *,
    groups: Groups | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> tuple[Floats, Floats]:
    """The pointwise 2.5 and 97.5 percentiles of a curve on a fixed grid, whole groups drawn with replacement.

    `curve` takes the numbers of the drawn cases and gives (grid,); draws on which it is NaN are left out. A band is
    pointwise: the whole curve leaves it more often than 5 times in 100.
    """
    values = np.array([curve(np.arange(n)), *(curve(drawn) for drawn in draws(n, groups, replicates, seed))])
    known = values[1:][~np.isnan(values[1:]).any(axis=1)]
    if not known.size:
        return np.full(values.shape[1], np.nan), np.full(values.shape[1], np.nan)
    low, high = np.percentile(known, [2.5, 97.5], axis=0)
    return low, high


def _over_last(counts: Indices) -> Floats:
    """Counts as shares of the last one, NaN where that is 0."""
    return counts / counts[-1] if counts.size and counts[-1] else np.full(counts.shape, np.nan)
