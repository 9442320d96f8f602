"""What a bundle's manifest records of its evaluations, and which of it is for parts of the patients."""

from collections.abc import Iterator, Mapping

import numpy as np

from osteo_edge.evaluation import Evaluation
from osteo_edge.intervals import Estimate
from osteo_edge.manifest import Metric

BY_SUBGROUP = ("test",)
"""The parts that are recorded by subgroup: on validation the threshold was chosen."""
FEWEST = 10
"""Cases that a subgroup must have to be recorded."""


def recorded_metrics(evaluations: Mapping[str, Evaluation]) -> dict[str, Metric]:
    """The estimates of each part by name: "sensitivity, test"; of a subgroup, "sensitivity, test, sex female".

    Left out are subgroups of fewer than `FEWEST` cases, without a positive or a negative one, or of all cases, and
    what their cases do not define.
    """
    return {
        f"{name}, {where}": Metric(_number(found.value), _number(found.low), _number(found.high), found.n, part)
        for part, evaluation in evaluations.items()
        for where, estimates in _places(part, evaluation)
        for name, found in estimates.items()
    }


def _places(part: str, evaluation: Evaluation) -> Iterator[tuple[str, Mapping[str, Estimate]]]:
    """The part and its subgroups, as a metric's name calls them."""
    yield part, evaluation.estimates
    everyone = sum(evaluation.counts.values())
    for subgroup in evaluation.subgroups if part in BY_SUBGROUP else ():
        if FEWEST <= subgroup.n < everyone and not subgroup.too_few:
            known = {name: found for name, found in subgroup.estimates.items() if np.isfinite(found.value)}
            yield f"{part}, {subgroup.factor} {subgroup.value}", known


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
