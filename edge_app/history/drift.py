"""Whether the films change over time: another X-ray machine, other settings, photographs instead of files.

The model was not made for films that look different, and nobody may notice the change on the wall. Each month is
compared with the site's first films by the rank-sum test (Mann and Whitney 1947): it asks only which films are, say,
brighter, whatever their distribution, and its statistic over the number of pairs is the chance that a film of that
month has a higher value than one of the first, 0.5 without drift.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from osteo_edge.answers import Floats
from osteo_edge.edge_app.history.entry import Entry
from osteo_edge.metrics import auroc

REFERENCE_FILMS = 50
SMALLEST_MONTH = 10
"""Films below which a month is not tested: the normal approximation of the rank sum is poor."""
LEVEL = 0.01
"""The chance of a false alarm over all months and statistics together."""
LARGE_CHANGE = 0.71
"""The chance of a higher value that counts as large: that of Cohen's d of 0.8 (McGraw and Wong 1992)."""


@dataclass(frozen=True)
class Month:
    """The films of one month, like "2026-03" (UTC), by one statistic, compared with the first films.

    `median` and the quartiles around it; `higher` is the chance that a film of this month has a higher value than one
    of the first films, ties counted half, and `p` the two-sided p value of 0.5. Both are None where the month is part
    of the reference or has too few films.
    """

    month: str
    n: int
    lower_quartile: float
    median: float
    upper_quartile: float
    higher: float | None
    p: float | None
    drifted: bool


@dataclass(frozen=True)
class Drift:
    """The months of one statistic (`Entry.image_stats`), the oldest first; `reference_n` first films they are held to.

    `reference_n` is 0 where there are not yet enough films to compare with; `reference_quartiles`, the lower and the
    upper one of those films, is then None.
    """

    statistic: str
    reference_n: int
    reference_quartiles: tuple[float, float] | None
    months: tuple[Month, ...]

    @property
    def drifted(self) -> bool:
        """Whether the newest month that was tested differs: an old change that went away needs no alarm."""
        tested = [month for month in self.months if month.p is not None]
        return bool(tested) and tested[-1].drifted


def measure_drift(entries: Iterable[Entry]) -> tuple[Drift, ...]:
    """Compare the films of each month with the first ones, for each statistic that the entries have.

    The reference are the site's first whole months with `REFERENCE_FILMS` films together. A month has drifted if its
    change is large (`LARGE_CHANGE`, either way) and unlikely by chance (`LEVEL`, shared among all tests after
    Bonferroni): with many films a test alone finds changes that no one needs to know of. A film that was screened
    twice counts once, when it came first. Rejected pictures, which may be of anything, and demonstrations are left out.
    """
    ordered = _films(entries)
    names = sorted({name for entry in ordered for name in entry.image_stats})
    series = {name: _by_month(ordered, name) for name in names}
    split = {name: _reference_months(months) for name, months in series.items()}
    tests = sum(
        values.size >= SMALLEST_MONTH for name in names for _, values in series[name][split[name] :] if split[name]
    )
    return tuple(_compare(name, series[name], split[name], LEVEL / max(1, tests)) for name in names)


def rank_sum_test(values: Floats, reference: Floats) -> tuple[float, float]:
    """The chance that a value is above one of the reference, and the two-sided p value of its being 0.5.

    Normal approximation with the correction for ties (Lehmann 1975, "Nonparametrics", section 1.4) and for continuity.

    >>> higher, p = rank_sum_test(np.array([4.0, 5.0, 6.0, 7.0]), np.array([1.0, 2.0, 3.0, 4.0]))
    >>> round(higher, 3), round(p, 3)
    (0.969, 0.042)
    """
    both = np.concatenate([values, reference])
    higher = auroc(np.arange(both.size) < values.size, both)
    n, pairs = both.size, values.size * reference.size
    ties = np.unique(both, return_counts=True)[1].astype(np.float64)
    variance = pairs / 12 * (n + 1 - float(np.sum(ties**3 - ties)) / (n * (n - 1)))
    if variance <= 0:  # all values are the same
        return higher, 1.0
    distance = max(0.0, abs(higher - 0.5) * pairs - 0.5)
    return higher, math.erfc(distance / math.sqrt(2 * variance))


def _films(entries: Iterable[Entry]) -> list[Entry]:
    """The first entry of each film of this site, the oldest first, in whatever order they come."""
    of_films = (e for e in entries if e.image_stats and e.outcome != "rejected" and not e.is_demo)
    films = dict[str, Entry]()
    for entry in sorted(of_films, key=lambda entry: (entry.taken_at, entry.id)):
        films.setdefault(entry.image_sha256, entry)
    return list(films.values())


def _by_month(films: Sequence[Entry], name: str) -> list[tuple[str, Floats]]:
    known = [(film.taken_at[:7], film.image_stats[name]) for film in films if name in film.image_stats]
    return [
        (month, np.array([value for _, value in of_month], np.float64))
        for month, of_month in groupby(known, key=lambda film: film[0])
    ]


def _reference_months(months: Sequence[tuple[str, Floats]]) -> int:
    """How many of the first months the reference takes; 0 where all together have too few films."""
    together = np.cumsum([values.size for _, values in months])
    enough = np.flatnonzero(together >= REFERENCE_FILMS)
    return int(enough[0]) + 1 if enough.size else 0


def _compare(name: str, months: Sequence[tuple[str, Floats]], first: int, level: float) -> Drift:
    reference = np.concatenate([values for _, values in months[:first]]) if first else np.zeros(0)
    described = [
        _describe(month, values, reference if first and number >= first else None, level)
        for number, (month, values) in enumerate(months)
    ]
    quartiles = (float(np.percentile(reference, 25)), float(np.percentile(reference, 75))) if first else None
    return Drift(name, int(reference.size), quartiles, tuple(described))


def _describe(month: str, values: Floats, reference: Floats | None, level: float) -> Month:
    lower, median, upper = (float(value) for value in np.percentile(values, [25, 50, 75]))
    if reference is None or values.size < SMALLEST_MONTH:
        return Month(month, values.size, lower, median, upper, higher=None, p=None, drifted=False)
    higher, p = rank_sum_test(values, reference)
    is_large = max(higher, 1 - higher) >= LARGE_CHANGE
    return Month(month, values.size, lower, median, upper, higher, p, drifted=is_large and p < level)
