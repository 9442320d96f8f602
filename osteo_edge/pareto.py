"""What to choose from when small, fast and right are wanted at once: the Pareto front, and the smallest within bounds.

A model is off the front if another is at least as good in every respect and better in one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Bound = Literal["size", "AUROC", "latency"]
TOLERANCE = 1e-9
"""Differences of AUROCs are sums of floats: 0.95 less 0.94 is not above 0.01."""
SAME_LATENCY = 1.05
"""Ratios nearer than this differ by chance as often as not."""


@dataclass(frozen=True)
class Point:
    """One model: the bytes of its file, its latency (in any unit), and the AUROC that it loses on its worst question.

    A negative `auroc_drop` is a gain.
    """

    name: str
    size_bytes: int
    latency: float
    auroc_drop: float

    @property
    def costs(self) -> tuple[float, float, float]:
        """All that should be low."""
        return self.size_bytes, self.latency, self.auroc_drop


@dataclass(frozen=True)
class Bounds:
    """The largest file, in bytes, the largest loss of AUROC and, unless None, the longest latency that are accepted."""

    size_bytes: int
    auroc_drop: float
    latency: float | None = None


@dataclass(frozen=True)
class Nearest:
    """What there is if one bound is given up: each the best in that respect of those within the others, or None."""

    if_larger: Point | None
    if_less_accurate: Point | None
    if_slower: Point | None


def dominates(one: Point, other: Point) -> bool:
    """Whether `one` is nowhere worse and somewhere better.

    Latencies less than `SAME_LATENCY` apart count as the same: measured again, the order may be the other.

    >>> dominates(Point("a", 10, 1.02, 0.0), Point("b", 20, 1.0, 0.0))
    True
    """
    smaller, better = other.size_bytes - one.size_bytes, other.auroc_drop - one.auroc_drop
    if smaller < 0 or better < 0 or one.latency > other.latency * SAME_LATENCY:
        return False
    return smaller > 0 or better > 0 or one.latency * SAME_LATENCY < other.latency


def front_of(points: Iterable[Point]) -> tuple[Point, ...]:
    """The points that no other dominates, smallest file first."""
    known = tuple(points)
    kept = (point for point in known if not any(dominates(other, point) for other in known))
    return tuple(sorted(kept, key=lambda point: point.costs))


def smallest_within(points: Iterable[Point], bounds: Bounds) -> Point | None:
    """The smallest file that meets all bounds, the faster of two that are equally small; None if there is none."""
    meeting = (point for point in points if not broken_by(point, bounds))
    return min(meeting, key=lambda point: point.costs, default=None)


def nearest_to(points: Iterable[Point], bounds: Bounds) -> Nearest:
    """What comes nearest to the bounds from each side, where none meets them."""
    known = tuple(points)

    def best(given_up: Bound, key: Callable[[Point], float]) -> Point | None:
        allowed = (point for point in known if broken_by(point, bounds) <= {given_up})
        return min(allowed, key=lambda point: (key(point), *point.costs), default=None)

    return Nearest(
        if_larger=best("size", lambda point: point.size_bytes),
        if_less_accurate=best("AUROC", lambda point: point.auroc_drop),
        if_slower=best("latency", lambda point: point.latency),
    )


def broken_by(point: Point, bounds: Bounds) -> frozenset[Bound]:
    """The bounds that a model does not meet."""
    broken: dict[Bound, bool] = {
        "size": point.size_bytes > bounds.size_bytes,
        "AUROC": point.auroc_drop > bounds.auroc_drop + TOLERANCE,
        "latency": bounds.latency is not None and point.latency > bounds.latency,
    }
    return frozenset(bound for bound, is_broken in broken.items() if is_broken)
