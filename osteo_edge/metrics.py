"""What a screening model is measured by: each quantity defined once, each with its 95 % interval and its n."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]
Indices = npt.NDArray[np.intp]

Z_95 = 1.959964
REPLICATES = 2000


@dataclass(frozen=True)
class Interval:
    """A 95 % interval; both ends are NaN where the data cannot give one."""

    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval and the number of cases behind it."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        if np.isnan(self.value):
            return f"not defined (n = {self.n})"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] (n = {self.n})"

    def to_dict(self) -> dict[str, float | int]:
        return asdict(self)


def auroc(positive: Bools, score: Floats) -> float:
    """Area under the receiver operating characteristic, ties counted half (Hanley and McNeil 1982).

    NaN where one of the two classes is missing.

    >>> auroc(np.array([True, False, True, False]), np.array([0.9, 0.1, 0.4, 0.4]))
    0.875
    """
    positive = np.asarray(positive, bool)
    n_pos = int(positive.sum())
    n_neg = positive.size - n_pos
    if n_pos == 0 or n_neg == 0:
        return float("nan")
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    mid_ranks = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = mid_ranks[inverse][positive].sum()
    return float((rank_sum - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg))


def share(hits: Bools) -> float:
    """The share of true values; NaN for none at all."""
    return float(np.mean(hits)) if np.size(hits) else float("nan")


def sensitivity(positive: Bools, referred: Bools) -> float:
    """The share of the positive cases that were referred."""
    return share(referred[positive])


def specificity(positive: Bools, referred: Bools) -> float:
    """The share of the negative cases that were not referred."""
    return share(~referred[~positive])


def balanced_accuracy(truth: Indices, predicted: Indices) -> float:
    """The mean of the recalls of the classes that occur in `truth`; both are class numbers."""
    recalls = [share(predicted[truth == label] == label) for label in np.unique(truth)]
    return float(np.mean(recalls)) if recalls else float("nan")


def brier(positive: Bools, probability: Floats) -> float:
    """The mean squared distance of a probability from what came true (Brier 1950); 0 is best."""
    return float(np.mean((probability - positive) ** 2)) if np.size(positive) else float("nan")


def calibration_error(positive: Bools, probability: Floats, *, bins: int = 10) -> float:
    """Expected calibration error over equally wide bins (Naeini et al. 2015); 0 is best."""
    if not np.size(positive):
        return float("nan")
    which = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [
        np.sum(inside) * abs(np.mean(probability[inside]) - np.mean(positive[inside]))
        for inside in (which == number for number in range(bins))
        if inside.any()
    ]
    return float(np.sum(gaps) / positive.size)


def wilson(hits: Bools) -> Estimate:
    """A share with its Wilson score interval (Wilson 1927), which stays honest at 0 and 1 and for few cases."""
    n = int(np.size(hits))
    if n == 0:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    p, z2 = share(hits), Z_95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return Estimate(p, max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half)), n)


def bootstrap(
    metric: Callable[[Indices], float],
    n: int,
    *,
    groups: npt.NDArray[Any] | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Interval:
    """The 2.5 and 97.5 percentiles of `metric` over cases drawn with replacement, whole groups at a time.

    `metric` takes the numbers of the drawn cases (0 to n - 1, repeated where drawn repeatedly). Draws on which it is
    NaN, one class missing for instance, are left out.
    """
    values = np.array([metric(drawn) for drawn in _draws(n, groups, replicates, seed)])
    values = values[~np.isnan(values)]
    if values.size == 0:
        return Interval(float("nan"), float("nan"))
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(float(low), float(high))


def estimate(
    metric: Callable[[Indices], float],
    n: int,
    *,
    groups: npt.NDArray[Any] | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Estimate:
    """`metric` over all n cases with its bootstrap interval over groups."""
    interval = bootstrap(metric, n, groups=groups, replicates=replicates, seed=seed)
    return Estimate(metric(np.arange(n)), interval.low, interval.high, n)


def _draws(n: int, groups: npt.NDArray[Any] | None, replicates: int, seed: int) -> Iterator[Indices]:
    """The numbers of the drawn cases, once a replicate; nothing where there are no cases."""
    rng = np.random.default_rng(seed)
    names = np.arange(n) if groups is None else groups
    _, group_of, sizes = np.unique(names, return_inverse=True, return_counts=True)
    by_group = np.argsort(group_of, kind="stable")
    starts = np.cumsum(sizes) - sizes
    for _ in range(replicates if n else 0):
        drawn = rng.integers(0, sizes.size, sizes.size)
        lengths = sizes[drawn]
        shifts = starts[drawn] - (np.cumsum(lengths) - lengths)
        yield by_group[np.repeat(shifts, lengths) + np.arange(lengths.sum())]
