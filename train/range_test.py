"""Which learning rate to take: raise it over a short pass and see where the loss falls fastest (Smith 2017)."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from osteo_edge.console import Advance
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import InputSpec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import Network
from osteo_edge.train.pipeline import single_threaded_opencv, steps_per_epoch, training_batches
from osteo_edge.train.training_copy import open_copy

Floats = npt.NDArray[np.float64]
SMOOTHING = 0.9
DIVERGED = 4.0
"""A smoothed loss so many times the lowest ends the test."""


@dataclass(frozen=True, eq=False)
class RangeTest:
    """The rates that were tried, rising, and the smoothed loss of each; and the rate that they suggest."""

    rates: Floats
    losses: Floats
    suggested: float


def lr_range_test(
    network: Network,
    config: TrainConfig,
    spec: InputSpec,
    train: Labelled,
    *,
    lowest: float = 1e-6,
    highest: float = 0.1,
    steps: int = 60,
    on_progress: Advance,
) -> RangeTest:
    """Train a copy of the network for `steps` batches at rates that grow evenly in the logarithm; it stays as it is.

    Raises `OsteoEdgeError` if the loss is never a finite number.
    """
    tensorflow, _ = load_tensorflow()
    epochs = math.ceil(steps / steps_per_epoch(len(train), config.batch_size))
    batches = training_batches(train, spec, replace(config, epochs=epochs))
    copy = open_copy(network, config, tensorflow.distribute.get_strategy(), batches.element_spec)
    rates, losses = np.geomspace(lowest, highest, steps), list[float]()
    with single_threaded_opencv():
        for number, (rate, batch) in enumerate(zip(rates, batches, strict=False)):
            copy.set_rate(float(rate))
            losses.append(float(copy.step(*batch)))
            on_progress(number + 1, steps, stage="range test")
            if not math.isfinite(losses[-1]) or smooth(losses)[-1] > DIVERGED * smooth(losses).min():
                break
    kept = smooth([loss for loss in losses if math.isfinite(loss)])
    if kept.size < 3:
        raise OsteoEdgeError("the range test diverged at once; give a --learning-rate")
    return RangeTest(rates[: kept.size], kept, steepest(rates[: kept.size], kept))


def smooth(losses: list[float]) -> Floats:
    """The running mean that forgets exponentially, corrected for its start."""
    averaged, found = 0.0, []
    for number, loss in enumerate(losses, start=1):
        averaged = SMOOTHING * averaged + (1 - SMOOTHING) * loss
        found.append(averaged / (1 - SMOOTHING**number))
    return np.array(found)


def steepest(rates: Floats, losses: Floats) -> float:
    """The rate at which the loss falls fastest over the logarithm of the rate, before its lowest point.

    Slopes are taken over a quarter of the test, since those from one batch to the next are noise.
    """
    reach = max(1, losses.size // 8)
    middles = np.arange(reach, losses.size - reach)
    until = middles[middles <= max(reach, int(np.argmin(losses)))]
    slopes = losses[until + reach] - losses[until - reach]
    return float(rates[until[int(np.argmin(slopes))]])
