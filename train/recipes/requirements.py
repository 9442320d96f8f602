"""What a recipe needs of the weights and the images it is given, checked before it works for minutes."""

import numpy as np

from osteo_edge.errors import DatasetError, OsteoEdgeError
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import weights_for
from osteo_edge.train.recipes.presets import PLAIN_RECIPE


def has_given_weights(config: TrainConfig) -> bool:
    """Whether any backbone of the configuration has weights that were trained before."""
    return any(weights_for(config, name) != "none" for name in config.backbone.split("+"))


def require_given_weights(config: TrainConfig) -> None:
    """Raise `OsteoEdgeError` where a head alone would be fitted on features of networks that learned nothing."""
    if config.trainable_layers == 0 and not has_given_weights(config):
        raise OsteoEdgeError(
            f"{config.backbone}: the head alone is fitted, on features that weights none would leave random; "
            f"give --weights, or fit more than the head, as --recipe {PLAIN_RECIPE} does by itself"
        )


def require_every_label(part: Labelled, *, groups: int, purpose: str) -> None:
    """Raise `DatasetError` unless every label has at least so many groups of images in `part`."""
    for number, label in enumerate(part.labels):
        found = np.unique(part.groups[part.classes == number]).size
        if found < groups:
            raise DatasetError(
                f"{label}: {found} groups of images {purpose}, at least {groups} are needed; "
                "add images, ask for fewer folds, or leave the label out with --labels"
            )
