"""What is fitted on validation alone: the temperature, and the operating point with its abstain band."""

from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.manifest import Calibration, Decision
from osteo_edge.train.config import TrainConfig

Floats = npt.NDArray[np.floating[Any]]
TEMPERATURE_BOUNDS = (0.05, 20.0)
FITTED_ON = "validation"


def fit_temperature(logits: Floats, classes: npt.NDArray[np.intp]) -> Calibration:
    """The temperature with the lowest cross-entropy (Guo et al. 2017); logits are (n, labels)."""
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        scaled = logits.astype(np.float64) / np.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(classes.size), classes]))

    found = minimize_scalar(loss, bounds=tuple(np.log(TEMPERATURE_BOUNDS)), method="bounded")
    return Calibration("temperature", float(np.exp(found.x)), FITTED_ON)


def choose_decision(scores: Floats, positive: npt.NDArray[np.bool_], config: TrainConfig) -> Decision:
    """The highest threshold that reaches the target sensitivity, and an abstain band below it.

    The band ends where `config.abstain_sensitivity` is reached: a score in it is too low to refer and too close to
    those of true cases to be called no finding. So of these positive cases no more than 1 - `abstain_sensitivity` get
    no finding, which is the rate of error that the band is chosen for (`osteo_edge.abstaining.stated_miss`).
    """
    threshold = highest_threshold(scores, positive, config.target_sensitivity)
    low = highest_threshold(scores, positive, config.abstain_sensitivity)
    return Decision(
        positive_labels=config.positive_labels,
        threshold=threshold,
        target_sensitivity=config.target_sensitivity,
        abstain_low=min(low, threshold),
        abstain_high=threshold,
        chosen_on=FITTED_ON,
    )


def highest_threshold(scores: Floats, positive: npt.NDArray[np.bool_], target: float) -> float:
    """The highest threshold at which at least `target` of the positive cases score as much or more.

    It lies half-way down to the next lower score, so that rounding on another runtime moves no case across it.

    >>> highest_threshold(np.array([0.2, 0.6, 0.8]), np.array([False, True, True]), 0.9)
    0.4
    """
    of_positives = np.sort(scores[positive])[::-1]
    needed = int(np.ceil(target * of_positives.size - 1e-9))
    at = of_positives[max(1, needed) - 1]
    below = scores[scores < at]
    return float((at + (below.max() if below.size else 0.0)) / 2)
