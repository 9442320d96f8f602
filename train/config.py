"""What a training run is told; recorded whole in the bundle that it writes."""

from dataclasses import dataclass
from typing import Literal

from osteo_edge.filters import Filter

KNEE_LABELS = ("normal", "osteopenia", "osteoporosis")
ALPHAS = (0.35, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class TrainConfig:
    """One training run of a network.

    `labels`: the first is the reference class, the others are positive. With `heads`, which are bones, each label
    begins with its bone ("elbow abnormal"), and the first of each bone is a reference class. `backbone` is a name of
    `osteo_edge.train.backbones.BACKBONES`, or several joined with "+", whose last feature maps are then put side by
    side; `alpha` is MobileNetV2's width. `weights` is "imagenet" (Keras downloads them), "none" (from scratch), the
    path of a local Keras `.h5` without top, or a list such as "mobilenet_v2=a.h5,efficientnet_b0=b.h5,none", in which
    an entry without a name is for every other backbone. `region` and `filters` become part of the input spec: "knees"
    crops each film to its knees, side by side. `taps` are layers of the backbone whose outputs the head sees in place
    of the last one (`osteo_edge.train.taps`); with `severity` the network also grades what is positive
    (`osteo_edge.train.two_stage`).

    The fit: from given weights a logistic regression on frozen features comes first, on features brought to one scale
    where `standardize`; then the last `trainable_layers`
    layers of the backbone are fitted (0: none, None: all), with batch normalization as it came where
    `freeze_batch_norm`. `epochs` bounds that; early stopping ends it after `patience` epochs without a better
    validation loss. `learning_rate` None is 2e-3 from scratch and 1e-4 otherwise. `focal_gamma` is for the focal loss
    (Lin et al. 2017), `mixup` the alpha of its beta distribution (Zhang et al. 2018; 0: off).
    """

    labels: tuple[str, ...] = KNEE_LABELS
    heads: tuple[str, ...] = ()
    backbone: str = "mobilenet_v2"
    alpha: float = 1.0
    weights: str = "imagenet"
    side_px: int = 224
    region: Literal["film", "knees"] = "film"
    filters: tuple[Filter, ...] = ()
    taps: tuple[str, ...] = ()
    standardize: bool = False
    severity: bool = False
    trainable_layers: int | None = None
    freeze_batch_norm: bool = True
    epochs: int = 20
    patience: int = 6
    batch_size: int = 16
    learning_rate: float | None = None
    schedule: Literal["cosine", "constant", "plateau"] = "cosine"
    loss: Literal["cross_entropy", "focal"] = "cross_entropy"
    focal_gamma: float = 2.0
    class_weights: bool = True
    label_smoothing: float = 0.0
    mixup: float = 0.0
    augmentation: Literal["none", "standard", "strong"] = "standard"
    dropout: float = 0.2
    mixed_precision: bool = False
    target_sensitivity: float = 0.9
    abstain_sensitivity: float = 0.97
    calibration_images: int = 128
    parity_images: int = 64
    seed: int = 0

    @property
    def positive_labels(self) -> tuple[str, ...]:
        references = [next(label for label in self.labels if label.startswith(f"{bone} ")) for bone in self.heads]
        return tuple(label for label in self.labels if label not in (references or self.labels[:1]))

    @property
    def from_scratch(self) -> bool:
        return self.weights == "none"
