"""What a training run is told; recorded whole in the bundle that it writes."""

from dataclasses import dataclass
from typing import Literal

KNEE_LABELS = ("normal", "osteopenia", "osteoporosis")
ALPHAS = (0.35, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class TrainConfig:
    """One training run.

    `weights` is "imagenet" (Keras downloads them), "none" (from scratch) or the path of a local Keras `.h5` without
    top. The first of `labels` is the reference class, the others are positive. `epochs` bounds the fit of the whole
    network; early stopping ends it sooner.
    """

    labels: tuple[str, ...] = KNEE_LABELS
    backbone: Literal["mobilenet_v2"] = "mobilenet_v2"
    alpha: float = 1.0
    weights: str = "imagenet"
    side_px: int = 224
    epochs: int = 20
    batch_size: int = 16
    learning_rate_scratch: float = 2e-3
    learning_rate_fine_tune: float = 1e-4
    dropout: float = 0.2
    patience: int = 6
    target_sensitivity: float = 0.9
    abstain_sensitivity: float = 0.97
    calibration_images: int = 128
    parity_images: int = 64
    seed: int = 0

    @property
    def from_scratch(self) -> bool:
        return self.weights == "none"
