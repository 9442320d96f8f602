"""Recipes that train one network: each a set of changes to the default `TrainConfig`, with its source."""

from dataclasses import dataclass, field, replace
from typing import Any

from osteo_edge.train.config import TrainConfig

DEFAULT_RECIPE = "osteo-edge"
SHARED, SEPARATE = CASCADES = ("cascade-shared", "cascade-separate")
PLAIN_RECIPE = "fine-tuned"
"""The preset that a default `TrainConfig` already is."""


@dataclass(frozen=True)
class Preset:
    """A named way to train a network. `source` says where it was published."""

    title: str
    source: str
    changes: dict[str, Any] = field(default_factory=dict)

    def apply(self, config: TrainConfig) -> TrainConfig:
        """The configuration with the recipe's changes."""
        return replace(config, **self.changes)


PRESETS = {
    "osteo-edge": Preset(
        "Both knees cropped; MobileNetV2 features of three depths, by region, and a logistic regression",
        "this project",
        {
            "backbone": "mobilenet_v2",
            "region": "knees",
            "taps": (
                "block_10_expand_relu",
                "block_10_expand_relu^2",
                "block_13_expand_relu",
                "block_13_expand_relu^2",
                "block_13_expand_relu@3x2",
                "out_relu",
            ),
            "standardize": True,
            "trainable_layers": 0,
        },
    ),
    "fine-tuned": Preset(
        "MobileNetV2, a head on frozen features first, then all layers with batch normalization frozen",
        "Yosinski et al. 2014, How transferable are features in deep neural networks?",
        {"backbone": "mobilenet_v2"},
    ),
    "frozen-features": Preset(
        "MobileNetV2 features of ImageNet and a logistic regression",
        "Razavian et al. 2014, CNN features off-the-shelf: an astounding baseline for recognition",
        {"backbone": "mobilenet_v2", "trainable_layers": 0},
    ),
    "last-20": Preset(
        "EfficientNet-B0, all but the last 20 layers frozen, batch normalization frozen, Adam 1e-4",
        "Keras guide on fine-tuning EfficientNet (Fu 2020); Tan and Le 2019",
        {
            "backbone": "efficientnet_b0",
            "trainable_layers": 20,
            "freeze_batch_norm": True,
            "learning_rate": 1e-4,
            "schedule": "constant",
        },
    ),
    "cascade-shared": Preset(
        "A router and a head for each bone on one MobileNetV2: heads on frozen features first, then its last 40 layers",
        "this project",
        {
            "backbone": "mobilenet_v2",
            "trainable_layers": 40,
            "learning_rate": 3e-4,
            "epochs": 7,
            "patience": 7,
        },
    ),
    "cascade-separate": Preset(
        "A router and a network for each bone: EfficientNet-B0, all but the last 20 layers frozen, Adam 1e-4",
        "published bone-type and abnormality cascades on MURA",
        {
            "backbone": "efficientnet_b0",
            "trainable_layers": 20,
            "freeze_batch_norm": True,
            "learning_rate": 1e-4,
            "schedule": "constant",
        },
    ),
    "csp-darknet": Preset(
        "The classification form of YOLOv5-s, from scratch",
        "Wang et al. 2020, CSPNet; Ultralytics YOLOv5 v6.2",
        {"backbone": "csp_darknet", "weights": "none"},
    ),
    "custom-cnn": Preset(
        "A small network on grey input, from scratch",
        "this project, after LeCun et al. 1998",
        {"backbone": "custom_cnn", "weights": "none"},
    ),
    "two-stage": Preset(
        "Detection by a head on frozen features; for positives a grade that k-means found, not a clinical stage",
        "common in public student work; k-means by Lloyd 1982",
        {"backbone": "mobilenet_v2", "trainable_layers": 0, "severity": True},
    ),
    "late-fusion": Preset(
        "MobileNetV2 and EfficientNet-B0 side by side, one head on the features of both",
        "late fusion of networks, as reviewed by Ramachandram and Taylor 2017",
        {"backbone": "mobilenet_v2+efficientnet_b0", "trainable_layers": 0},
    ),
}
