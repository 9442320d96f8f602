"""How alike the activation maps of two models are, image by image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osteo_edge.runtime import Floats, Prediction


@dataclass(frozen=True)
class MapCorrelation:
    """Pearson's correlation over the places of the activation map, each label's own mean taken out.

    So it asks where the evidence lies, not how much of it there is. `n` are the images whose maps are not flat; without
    any the others are NaN.
    """

    median: float
    worst: float
    n: int


def correlate(expected: Sequence[Prediction], found: Sequence[Prediction]) -> MapCorrelation | None:
    """Compare the maps of the same images; None where a model has none, or the two have maps of different shapes."""
    values = [_correlation(*pair) for pair in zip(expected, found, strict=True)]
    known = [value for value in values if value is not None and not np.isnan(value)]
    if None in values:
        return None
    if not known:
        return MapCorrelation(float("nan"), float("nan"), 0)
    return MapCorrelation(float(np.median(known)), min(known), len(known))


def _correlation(expected: Prediction, found: Prediction) -> float | None:
    first, second = expected.activation_map, found.activation_map
    if first is None or second is None or first.shape != second.shape:
        return None
    one, other = _centred(first), _centred(second)
    size = np.sqrt(np.sum(one * one) * np.sum(other * other))
    return float(np.sum(one * other) / size) if size > 0 else float("nan")


def _centred(activation_map: Floats) -> Floats:
    values = activation_map.astype(np.float64)
    return np.asarray(values - values.mean(axis=(0, 1)))
