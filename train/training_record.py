"""What a bundle records of the training that made it: the settings, the course of the fit, the machine and the time."""

import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

import numpy as np

from osteo_edge.strict import to_dict
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.distillation import HALF_AND_HALF
from osteo_edge.train.distribution import StrategyName
from osteo_edge.train.fitting import Fit
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.pipeline import usable_cores
from osteo_edge.train.recipes.presets import PRESETS
from osteo_edge.train.training_copy import computes_in_float16


@dataclass(frozen=True)
class Reading:
    """How many images were read and prepared, and how long that took."""

    images: int
    seconds: float


def describe_training(
    config: TrainConfig, recipe: str, strategy: StrategyName, fitted: Fit, reading: Reading, n_train: int
) -> dict[str, Any]:
    """All of a training run as plain JSON; `n_train` is the number of training images."""
    return {
        "train": to_dict(config),
        "recipe": {"name": recipe, "source": PRESETS[recipe].source},
        "best_epoch": fitted.best_epoch,
        "interrupted": fitted.interrupted,
        "learning_rate": fitted.learning_rate,
        "validation_losses": _finite(fitted.validation_losses),
        "training_losses": _finite(epoch.training_loss for epoch in fitted.epochs),
        "environment": describe_environment(config, strategy),
        "timing": describe_timing(fitted, reading, n_train),
    }


def describe_refit(config: TrainConfig, fitted: Fit, *, distilled: bool) -> dict[str, Any]:
    """The course of a fit that went on from a trained network, as plain JSON."""
    return {
        "distillation": asdict(HALF_AND_HALF) if distilled else None,
        "best_epoch": fitted.best_epoch,
        "interrupted": fitted.interrupted,
        "validation_losses": _finite(fitted.validation_losses),
        "epoch_seconds": _epoch_seconds(fitted),
        "environment": describe_environment(config, "none"),
    }


def describe_timing(fitted: Fit, reading: Reading, n_train: int) -> dict[str, Any]:
    """Seconds of each stage with the images that it had, and the share of each epoch that was spent waiting for data.

    "head" is the features that were not in the cache yet, and the logistic regression on them; both None where there
    was none.
    """
    head = fitted.head
    return {
        "seconds": {
            "read": _rounded(reading.seconds),
            "head": None if head is None else _rounded(head.seconds),
            "fit": _rounded(sum(epoch.working_s + epoch.waiting_s for epoch in fitted.epochs)),
        },
        "features_per_second": None if head is None else head.features_per_second,
        "images": {"read": reading.images, "train": n_train},
        "epoch_seconds": _epoch_seconds(fitted),
        "waiting_share": [_rounded(epoch.waiting_share) for epoch in fitted.epochs],
    }


def describe_environment(config: TrainConfig, strategy: StrategyName) -> dict[str, Any]:
    """The machine and the versions that the training ran on."""
    tensorflow, _ = load_tensorflow()
    gpus = tensorflow.config.list_physical_devices("GPU")
    names = [tensorflow.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus]
    return {
        "python": platform.python_version(),
        "tensorflow": tensorflow.__version__,
        "tf_keras": metadata.version("tf-keras"),
        "processor": platform.processor() or platform.machine(),
        "cores": usable_cores(),
        "gpus": names,
        "strategy": strategy,
        "float16": computes_in_float16(config),
    }


def _epoch_seconds(fitted: Fit) -> list[float]:
    return [_rounded(epoch.working_s + epoch.waiting_s) for epoch in fitted.epochs]


def _finite(losses: Iterable[float]) -> list[float]:
    """JSON has no infinity."""
    return [round(loss, 6) for loss in losses if np.isfinite(loss)]


def _rounded(value: float) -> float:
    return round(value, 4)
