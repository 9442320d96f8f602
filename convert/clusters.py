"""Networks whose weights share a few values: what makes their files pack small must not be lost on conversion."""

from dataclasses import replace
from typing import Any

import numpy as np

from osteo_edge.convert.recipe import Recipe

MOST_VALUES = 256
FEWEST_WEIGHTS = 4 * MOST_VALUES
"""A kernel with fewer weights has few values anyway."""


def shares_values(model: Any) -> bool:
    """Whether most weights of convolutions lie in kernels of `MOST_VALUES` different values at most.

    The first convolution, the depthwise ones and the head keep their own values when a network is clustered.
    """
    kernels = [layer.get_weights()[0] for layer in model.layers if type(layer).__name__ == "Conv2D"]
    large = [kernel for kernel in kernels if kernel.size >= FEWEST_WEIGHTS]
    sharing = sum(kernel.size for kernel in large if np.unique(kernel).size <= MOST_VALUES)
    return bool(2 * sharing > sum(kernel.size for kernel in large))


def for_shared_values(recipe: Recipe) -> Recipe:
    """The recipe without the steps that would give every weight a value of its own."""
    return replace(recipe, equalize=False, rescale=False, compensate=False)
