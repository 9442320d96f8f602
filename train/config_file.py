"""The settings of a training run: a recipe, changed by a TOML file, changed by the command line."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.filters import parse_filter
from osteo_edge.strict import FieldError, from_dict, to_dict
from osteo_edge.toml import read_toml
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.recipes.presets import PLAIN_RECIPE, PRESETS

BOUNDS: dict[str, tuple[float, float]] = {
    "alpha": (0.01, 2.0),
    "side_px": (16, 4096),
    "trainable_layers": (0, 100_000),
    "epochs": (0, 10_000),
    "patience": (1, 10_000),
    "batch_size": (1, 4096),
    "learning_rate": (1e-9, 10.0),
    "focal_gamma": (0.0, 10.0),
    "label_smoothing": (0.0, 0.9),
    "mixup": (0.0, 10.0),
    "dropout": (0.0, 0.95),
    "target_sensitivity": (0.01, 1.0),
    "abstain_sensitivity": (0.01, 1.0),
    "calibration_images": (1, 100_000),
    "parity_images": (1, 100_000),
    "seed": (0, 2**31 - 1),
}
"""The lowest and the highest value of each setting that is a number."""


def choose_config(recipe: str, file: Path | None, given: Mapping[str, Any]) -> TrainConfig:
    """The settings of a preset, changed by those in the TOML `file`, changed by `given`; fields not named stay.

    The taps of a preset are layers of its backbone: with another backbone they are left out. `OsteoEdgeError` for
    a preset that fits the head alone, but is given no weights for what is before it.
    """
    preset = PRESETS[recipe].apply(TrainConfig())
    config = replace(preset if file is None else read_config(file, preset), **given)
    if config.backbone != preset.backbone and config.taps == preset.taps:
        config = replace(config, taps=())
    if config.from_scratch and config.trainable_layers == preset.trainable_layers == 0:
        raise OsteoEdgeError(
            f"recipe {recipe}: fits the head alone, on features that weights none would leave random; "
            f"take --recipe {PLAIN_RECIPE} to train from scratch"
        )
    return config


def read_config(path: Path, base: TrainConfig) -> TrainConfig:
    """Change `base` by a TOML file whose keys are `TrainConfig`'s fields.

    Beside their own types, `trainable_layers = "all"` is understood, and a filter as on the command line:
    `filters = ["clahe:3"]`. `OsteoEdgeError` names the file and the key that is not as it should be.
    """
    found = read_toml(path)
    if "heads" in found:
        raise OsteoEdgeError(f"{path}: heads follow from the data; choose among its bones with --heads")
    try:
        return _checked(from_dict(TrainConfig, {**to_dict(base), **_spelled_out(found)}))
    except FieldError as error:
        raise OsteoEdgeError(f"{path}: {error}; osteo-edge train --help tells what there is") from error


def _spelled_out(found: dict[str, Any]) -> dict[str, Any]:
    """What TOML cannot say, or says more shortly, as the fields take it."""
    settings = dict(found)
    if settings.get("trainable_layers") == "all":
        settings["trainable_layers"] = None
    if isinstance(settings.get("filters"), list):
        settings["filters"] = [_filter(item) for item in settings["filters"]]
    return settings


def _filter(item: object) -> Any:
    try:
        return to_dict(parse_filter(item)) if isinstance(item, str) else item
    except ValueError as error:
        raise FieldError(f"filters: {error}") from error


def _checked(config: TrainConfig) -> TrainConfig:
    """Raise `FieldError` unless every number lies in its bounds."""
    for name, (low, high) in BOUNDS.items():
        value = getattr(config, name)
        if value is not None and not low <= value <= high:
            raise FieldError(f"{name} must lie between {low:g} and {high:g}, not {value:g}")
    return config
