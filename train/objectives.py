"""What a fit minimizes and how fast: class weights, targets, mixup, losses and learning rates."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.preprocessing import Tensor
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.labelled import Classes

Targets = npt.NDArray[np.float32]
RATE_FROM_SCRATCH = 2e-3
RATE_FINE_TUNING = 1e-4
WARM_UP_FROM = 0.1
COSINE_FLOOR = 0.01
PLATEAU_EPOCHS = 2
PLATEAU_FACTOR = 0.5


def class_weights(classes: Classes, n_labels: int) -> dict[int, float]:
    """Weights that let each class count alike: n / (labels * n of the class)."""
    counts = np.bincount(classes, minlength=n_labels)
    return {number: float(classes.size / (n_labels * max(1, count))) for number, count in enumerate(counts)}


def label_targets(classes: Classes, n_labels: int, config: TrainConfig) -> Targets:
    """Targets (n, labels) for `classes`: smoothed one-hot rows (Szegedy et al. 2016), each times its class's weight.

    The weight lies in the target, so that mixup mixes it too.
    """
    hot = np.eye(n_labels)[classes]
    smoothed = (1 - config.label_smoothing) * hot + config.label_smoothing / n_labels
    weights = class_weights(classes, n_labels) if config.class_weights else dict.fromkeys(range(n_labels), 1.0)
    return np.asarray(smoothed * np.array([weights[int(number)] for number in classes])[:, np.newaxis], np.float32)


def mix(images: Tensor, targets: Targets, alpha: float, rng: np.random.Generator) -> tuple[Tensor, Targets]:
    """Each image and its target blended with another one of the batch, in one proportion (mixup, Zhang et al. 2018)."""
    share = np.float32(rng.beta(alpha, alpha))
    others = rng.permutation(len(images))
    return share * images + (1 - share) * images[others], share * targets + (1 - share) * targets[others]


def example_losses(targets: Any, logits: Any, config: TrainConfig) -> Any:
    """The loss of each example, tensors (n, labels) to (n,): cross-entropy, or the focal loss (Lin et al. 2017).

    The focal loss weighs each label's term with (1 - p) ** gamma, so that what is easy counts little.
    """
    tensorflow, _ = load_tensorflow()
    log_p = tensorflow.nn.log_softmax(logits)
    if config.loss == "focal":
        targets = targets * (1.0 - tensorflow.exp(log_p)) ** config.focal_gamma
    return -tensorflow.reduce_sum(targets * log_p, axis=-1)


def peak_rate(config: TrainConfig) -> float:
    """The learning rate that the schedule starts from or warms up to."""
    if config.learning_rate is not None:
        return config.learning_rate
    return RATE_FROM_SCRATCH if config.from_scratch else RATE_FINE_TUNING


def rate_at(step: int, steps: int, peak: float, config: TrainConfig, losses: Sequence[float]) -> float:
    """The learning rate of one step of a fit with `steps` in an epoch, after validation `losses` so far.

    "cosine" warms up over the first epoch and then falls to a hundredth (Loshchilov and Hutter 2017); "plateau" is
    halved each time the validation loss has not fallen for two epochs.
    """
    if config.schedule == "constant":
        return peak
    if config.schedule == "plateau":
        return peak * PLATEAU_FACTOR ** plateaus(losses)
    if step < steps:
        return peak * (WARM_UP_FROM + (1 - WARM_UP_FROM) * step / steps)
    done = min(1.0, (step - steps) / (steps * max(1, config.epochs)))
    return peak * (COSINE_FLOOR + (1 - COSINE_FLOOR) * 0.5 * (1 + math.cos(math.pi * done)))


def plateaus(losses: Sequence[float]) -> int:
    """How often the loss did not fall below its lowest for `PLATEAU_EPOCHS` epochs on end.

    >>> plateaus([1.0, 0.9, 0.95, 0.92, 0.8, 0.8, 0.8])
    2
    """
    best, waited, found = math.inf, 0, 0
    for loss in losses:
        waited = 0 if loss < best else waited + 1
        best = min(best, loss)
        if waited == PLATEAU_EPOCHS:
            found, waited = found + 1, 0
    return found
