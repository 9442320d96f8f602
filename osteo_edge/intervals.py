"""95 % intervals: Wilson's for a share, the bootstrap over groups for everything else."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]
Indices = npt.NDArray[np.intp]
Groups = npt.NDArray[Any]

Z_95 = 1.959964
REPLICATES = 2000


@dataclass(frozen=True)
class Interval:
    """A 95 % interval; both ends are NaN where the data cannot give one."""

    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval and the number of cases behind it; NaN where the cases do not define it."""

    UNDEFINED_IS_NULL: ClassVar = True

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


def wilson(hits: Bools) -> Estimate:
    """A share with its Wilson score interval (Wilson 1927), which stays honest at 0 and 1 and for few cases."""
    n = int(np.size(hits))
    value = float(np.mean(hits)) if n else float("nan")
    interval = wilson_interval(value, n)
    return Estimate(value, interval.low, interval.high, n)


def wilson_interval(share: float, n: int) -> Interval:
    """Wilson's interval of a share of `n` independent cases; NaN for none."""
    if n == 0:
        return Interval(float("nan"), float("nan"))
    z2 = Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Interval(max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def bootstrap(
    metric: Callable[[Indices], float],
    n: int,
    *,
    groups: Groups | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Interval:
    """The 2.5 and 97.5 percentiles of `metric` over cases drawn with replacement, whole groups at a time.

    `metric` takes the numbers of the drawn cases (0 to n - 1, repeated where drawn repeatedly). Draws on which it is
    NaN, one class missing for instance, are left out.
    """
    return percentiles(np.array([metric(drawn) for drawn in draws(n, groups, replicates, seed)]))


def estimate(
    metric: Callable[[Indices], float],
    n: int,
    *,
    groups: Groups | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Estimate:
    """`metric` over all n cases with its bootstrap interval over groups."""
    (found,) = estimate_many(lambda i: (metric(i),), n, groups=groups, replicates=replicates, seed=seed)
    return found


def estimate_many(
    metrics: Callable[[Indices], Sequence[float]],
    n: int,
    *,
    groups: Groups | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> list[Estimate]:
    """Like `estimate` for a function that gives several values at once: they share one set of draws."""
    values = metrics(np.arange(n))
    drawn = [metrics(cases) for cases in draws(n, groups, replicates, seed)]
    columns = np.array(drawn, np.float64).reshape(len(drawn), len(values)).T
    intervals = [percentiles(column) for column in columns]
    return [Estimate(float(value), found.low, found.high, n) for value, found in zip(values, intervals, strict=True)]


def paired_difference(
    first: Callable[[Indices], float],
    second: Callable[[Indices], float],
    n: int,
    *,
    groups: Groups | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> tuple[Estimate, Estimate, Estimate]:
    """Two metrics of the same cases, and the first less the second, all on the same draws."""

    def both(cases: Indices) -> tuple[float, float, float]:
        one, other = first(cases), second(cases)
        return one, other, one - other

    one, other, difference = estimate_many(both, n, groups=groups, replicates=replicates, seed=seed)
    return one, other, difference


def as_share(found: Estimate, groups: Groups) -> Estimate:
    """A bootstrap estimate as that of a share of the cases whose groups are given, which become its n.

    At 0 % and 100 %, and in a single group, every draw gives the same value, and the bootstrap interval would claim
    certainty: there it is Wilson's, with as many cases as there are groups.
    """
    n = int(np.size(groups))
    if n == 0 or found.low < found.high:
        return replace(found, n=n)
    interval = wilson_interval(found.value, np.unique(groups).size)
    return Estimate(found.value, interval.low, interval.high, n)


def draws(n: int, groups: Groups | None = None, replicates: int = REPLICATES, seed: int = 0) -> Iterator[Indices]:
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


def percentiles(values: Floats) -> Interval:
    """The 2.5 and 97.5 percentiles of the values that are not NaN."""
    known = values[~np.isnan(values)]
    if known.size == 0:
        return Interval(float("nan"), float("nan"))
    low, high = np.percentile(known, [2.5, 97.5])
    return Interval(float(low), float(high))
