"""What int8 inference does to values, for use in training: forwards they are rounded, backwards gradients pass through.

The straight-through estimator of Jacob et al. 2018 (arXiv 1712.05877). Ranges of activations are constants, and all
operators are ones that repeat exactly on every device.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from osteo_edge.preprocessing import Pixels
from osteo_edge.train.keras import load_tensorflow

Ends = tuple[float, float]
Kept = Literal["zeros", "shared values"]
STEPS = 255
SIGMOID: Ends = (0.0, STEPS / (STEPS + 1))
"""The range that TensorFlow Lite gives the output of every sigmoid."""
SATURATED = math.log(2 * (STEPS + 1) - 1)
"""Beyond this and its negative, 6.24, the sigmoid of a value is the last or the first of its steps."""
SMALLEST = 1e-12


def rounded(values: Any, ends: Ends) -> Any:
    """A tensor's values on the 256 steps of a range, clipped to it; no gradient passes where they are clipped."""
    tensorflow, _ = load_tensorflow()
    low, high = ends
    return tensorflow.quantization.fake_quant_with_min_max_args(values, low, high)


def rounded_activation(name: str, before: Ends | None) -> Callable[[Any], Any]:
    """A "sigmoid" or "swish" as TensorFlow Lite computes it, of values that it rounds to `before` first, if given.

    A swish is a sigmoid, which is rounded, and a product.
    """
    tensorflow, _ = load_tensorflow()

    def activate(values: Any) -> Any:
        given = values if before is None else rounded(values, before)
        sigmoid = rounded(tensorflow.sigmoid(given), SIGMOID)
        return given * sigmoid if name == "swish" else sigmoid

    return activate


@dataclass(frozen=True)
class OutputRounding:
    """Rounds a layer's output to a range; in training only that of the first half of the examples of a batch.

    The other half teaches the network to answer well without, too (after Fan et al. 2020, arXiv 2004.07320). Trained
    for int8 alone, EfficientNet-B0 makes good what rounding shifts, and then the plain network is shifted instead.
    """

    ends: Ends

    def build(self, shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """No variables: the range is fixed."""
        return {}

    def __call__(self, values: Any, training: bool, weights: Any = None) -> Any:
        if not training:
            return rounded(values, self.ends)
        tensorflow, _ = load_tensorflow()
        half = (tensorflow.shape(values)[0] + 1) // 2
        return tensorflow.concat([rounded(values[:half], self.ends), values[half:]], axis=0)


@dataclass(frozen=True, eq=False)
class KernelRounding:
    """Rounds a kernel symmetrically, with a scale for each of its output `channels`: one of the toolkit's quantizers.

    `keep` puts back what an earlier compression made of the kernel; `shares_values` if that is values that weights
    have in common.
    """

    channels: int
    keep: Callable[[Any], Any] = lambda kernel: kernel
    shares_values: bool = False

    def build(self, shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """No variables: a kernel's range is read off the kernel itself."""
        return {}

    def __call__(self, kernel: Any, training: bool, weights: Any = None) -> Any:
        tensorflow, _ = load_tensorflow()
        kept = self.keep(kernel)
        return kept + tensorflow.stop_gradient(self._on_grid(tensorflow.stop_gradient(kept)) - kept)

    def for_plain_network(self, kernel: Any) -> Pixels:
        """The trained kernel for a network that rounds nothing: rounded already, so that it answers nearly the same.

        Shared values stay as they are: each channel's scale would make another one of them.
        """
        kept = self.keep(kernel)
        return np.asarray(kept if self.shares_values else self._on_grid(kept))

    def _on_grid(self, kernel: Any) -> Any:
        tensorflow, _ = load_tensorflow()
        columns = tensorflow.reshape(kernel, (-1, self.channels))
        largest = tensorflow.maximum(tensorflow.reduce_max(tensorflow.abs(columns), axis=0), SMALLEST)
        stepped = tensorflow.quantization.fake_quant_with_min_max_vars_per_channel(
            columns, -largest, largest, narrow_range=True
        )
        return tensorflow.reshape(stepped, kernel.shape)


def kernel_rounding(kernel: Pixels, channels: int, kept: Kept | None) -> KernelRounding:
    """How a kernel is rounded while it is trained further; of it are `kept` its zeros, or the values that it shares."""
    tensorflow, _ = load_tensorflow()
    if kept is None:
        return KernelRounding(channels)
    if kept == "zeros":
        mask = tensorflow.constant(kernel != 0, kernel.dtype)
        return KernelRounding(channels, lambda weights: weights * mask)
    values, places = np.unique(kernel, return_inverse=True)
    groups = tensorflow.constant(places.reshape(kernel.shape))

    def share(weights: Any) -> Any:
        return tensorflow.gather(tensorflow.math.unsorted_segment_mean(weights, groups, values.size), groups)

    return KernelRounding(channels, share, shares_values=True)
