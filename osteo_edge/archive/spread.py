"""How values lie, kept as counts in bins so fine that quantiles are right to 0.5 %: memory does not grow with them."""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

FINEST: Final = 1e-5
"""Values well below this are told apart no better than by it."""
STEP: Final = 0.01
PLACES: Final = 3300
"""Bins on either side of 0: the last one begins at 2e9."""


class Spread:
    """Counts of real numbers in bins that are 1 % wide, of both signs; not-a-number counts as no value."""

    def __init__(self) -> None:
        self.n = 0
        self.total = 0.0
        self.low = math.inf
        self.high = -math.inf
        self._counts = np.zeros(2 * PLACES + 1, np.int64)

    def add(self, values: npt.NDArray[Any]) -> None:
        """Count the values."""
        found = np.asarray(values, np.float64)
        found = found[np.isfinite(found)]
        if not found.size:
            return
        self.n += found.size
        self.total += float(found.sum())
        self.low, self.high = min(self.low, float(found.min())), max(self.high, float(found.max()))
        places = np.rint(np.sign(found) * np.log1p(np.abs(found) / FINEST) / STEP)
        places = np.clip(places, -PLACES, PLACES).astype(np.int64) + PLACES
        self._counts += np.bincount(places, minlength=self._counts.size)

    @property
    def mean(self) -> float:
        """The mean, NaN of no values."""
        return self.total / self.n if self.n else math.nan

    def quantile(self, share: float) -> float:
        """The value below which that share of them lies, right to 0.5 %; NaN of no values."""
        if not self.n:
            return math.nan
        place = int(np.searchsorted(self._counts.cumsum(), max(1, math.ceil(share * self.n)))) - PLACES
        value = math.copysign(FINEST * math.expm1(abs(place) * STEP), place)
        return min(max(value, self.low), self.high)
