"""What a recipe is: a way from labelled images to probabilities that cross-validation can compare with others."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from osteo_edge.console import Advance
from osteo_edge.preprocessing import InputSpec
from osteo_edge.train.labelled import Labelled

Logits = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fold:
    """What a recipe is given: images to fit on, images to choose on, and images to answer for.

    A recipe looks at no label of `test`. The three are views of the same prepared images.
    """

    train: Labelled
    validation: Labelled
    test: Labelled
    seed: int


@dataclass(frozen=True, eq=False)
class Answers:
    """What a recipe answers: uncalibrated logits, (n, labels), for the fold's validation and test images.

    `held_out` are logits for the train images followed by the validation images, each answered by a model that was
    fitted without it (inner cross-validation), for stacking; None where that costs too much, and validation alone
    must do. `losses` are learning curves by name, one value an epoch, where there are epochs.
    """

    validation: Logits
    test: Logits
    held_out: Logits | None = None
    losses: dict[str, tuple[float, ...]] = field(default_factory=dict)


class Recipe(Protocol):
    """A way to a classifier; made once for a comparison, so that it can keep what all folds share."""

    @property
    def spec(self) -> InputSpec:
        """How the images are to be prepared."""

    def describe(self) -> dict[str, Any]:
        """All that decides its answers beside the data, as plain JSON: what a stored fold is told by."""

    def answer(self, fold: Fold, *, on_progress: Advance) -> Answers:
        """Fit on the fold and answer; the same fold gives the same answers."""
