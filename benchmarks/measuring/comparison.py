"""Measure rivals side by side and compare their medians: raw values are kept, everything else is derived from them."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np

from osteo_edge.metrics import Estimate, estimate

T = TypeVar("T")


def interleave(
    measures: Mapping[str, Callable[[], T]],
    rounds: int,
    *,
    seed: int = 0,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, tuple[T, ...]]:
    """Take one value of each rival in every round, in random order, so that what else the machine does hits them all.

    The values are in the order of the rounds: those at one place belong together.
    """
    order, found = random.Random(seed), {name: list[T]() for name in measures}
    for done in range(rounds):
        for name in order.sample(list(measures), len(measures)):
            found[name].append(measures[name]())
        on_progress(done + 1, rounds)
    return {name: tuple(values) for name, values in found.items()}


def median_ratio(values: Sequence[float], reference: Sequence[float]) -> Estimate:
    """Median of `values` over median of `reference`, with its 95 % bootstrap interval over rounds.

    Both come from `interleave`; whole rounds are drawn, so a slow moment of the machine counts for both.

    >>> median_ratio([2.0, 2.0, 2.0], [1.0, 1.0, 1.0])
    Estimate(value=2.0, low=2.0, high=2.0, n=3)
    """
    if len(values) != len(reference):
        raise ValueError(f"{len(values)} values beside {len(reference)}: not measured in the same rounds")
    above, below = np.asarray(values, np.float64), np.asarray(reference, np.float64)
    return estimate(lambda rounds: float(np.median(above[rounds]) / np.median(below[rounds])), len(above))


@dataclass(frozen=True)
class Check:
    """A measured quantity and the bound that it is held to; the bound itself still passes."""

    name: str
    estimate: Estimate
    bound: Literal["at most", "at least"]
    limit: float

    @property
    def passed(self) -> bool:
        """Whether the value itself keeps the bound; NaN does not."""
        value = self.estimate.value
        return bool(value <= self.limit if self.bound == "at most" else value >= self.limit)

    @property
    def certain(self) -> bool:
        """Whether the whole interval lies on the value's side of the bound; if not, more values are needed."""
        low, high = self.estimate.low, self.estimate.high
        return bool(high <= self.limit or low >= self.limit)

    def __str__(self) -> str:
        verdict = "PASS" if self.passed else "FAIL"
        doubt = "" if self.certain else "; the interval reaches across the bound"
        return f"{verdict}  {self.name}: {self.estimate}, {self.bound} {self.limit:g}{doubt}"

    def to_dict(self) -> dict[str, Any]:
        """The check for machines, with its verdict."""
        bound = {"bound": self.bound, "limit": self.limit}
        verdict = {"passed": self.passed, "certain": self.certain}
        return {"name": self.name, **self.estimate.to_dict(), **bound, **verdict}
