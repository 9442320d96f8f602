"""The ranges in which a network's tensors are rounded to int8, chosen on images so that rounding loses least.

From the least to the greatest value is too wide for networks with a swish: on EfficientNet-B0 a few values are twenty
times the others, and leave these but a few of the 256 steps.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.preprocessing import InputSpec, Pixels, Tensor, normalize
from osteo_edge.train.int8_rounding import SATURATED, SIGMOID, STEPS, Ends
from osteo_edge.train.int8_tensors import SIGMOIDS, activation_of, ends_in_sigmoid, is_written, read_by
from osteo_edge.train.keras import load_tensorflow

Values = npt.NDArray[np.float32]
SHARES = tuple(0.9**power for power in range(12))
"""Of an end, at which a range may be clipped."""
ROUNDS = 2
SAMPLES = 1024
"""Values that are drawn from each tensor for an image."""
BATCH = 8
SMALLEST_WIDTH = 1e-6


@dataclass(frozen=True)
class TensorRanges:
    """The ranges of a network's tensors: of the image, of the outputs of layers, and of what comes before the sigmoid
    in layers that end in one; the latter two by the layer's name."""

    image: Ends
    outputs: Mapping[str, Ends]
    before_sigmoid: Mapping[str, Ends]


def choose_ranges(
    model: Any,
    planes: Pixels,
    spec: InputSpec,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> TensorRanges:
    """The range of each tensor for `planes`, prepared training images (n, height, width) in [0, 1]. Each holds 0.

    What only a sigmoid or swish reads ends where these saturate: all beyond is rounded to the same.
    """
    _, keras = load_tensorflow()
    written = [layer for layer in model.layers if is_written(layer)]
    inner = [layer for layer in model.layers if ends_in_sigmoid(layer)]
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    outputs = [copy.get_layer(layer.name).output for layer in written]
    reads = [*map(read_by, written), *map(activation_of, inner)]
    before = [_before_activation(copy.get_layer(layer.name)) for layer in inner]
    found = _draw(keras.Model(copy.input, [*outputs, *before]), planes, spec, on_progress)
    ends = [choose_range(values, read) for values, read in zip(found, reads, strict=True)]
    chosen = {layer.name: ends.pop(0) for layer in written}
    outer = {layer.name: SIGMOID for layer in written if activation_of(layer) == "sigmoid"}
    return TensorRanges(_of_images(planes, spec), chosen | outer, {layer.name: ends.pop(0) for layer in inner})


def choose_range(values: Values, activation: str = "linear") -> Ends:
    """The range at which clipping and rounding the values lose least, in mean squares (Nagel et al. 2021, section 3.1).

    `activation` is what alone reads them; "sigmoid" and "swish" saturate.

    >>> choose_range(np.append(np.tile(np.linspace(0, 1, 1000, dtype=np.float32), 1000), np.float32(3)))[1] < 2
    True
    """
    values = _unsaturated(values, activation)
    low, high = float(values.min(initial=0.0)), float(values.max(initial=SMALLEST_WIDTH))
    for _ in range(ROUNDS):
        high = min((high * share for share in SHARES), key=lambda end: _loss(values, low, end))
        low = min((low * share for share in SHARES), key=lambda end: _loss(values, end, high)) if low else low
    return low, max(high, low + SMALLEST_WIDTH)


def _loss(values: Values, low: float, high: float) -> float:
    step = (high - low) / STEPS
    if step <= 0:
        return float("inf")
    stepped = np.rint((np.clip(values, low, high) - low) / step) * step + low
    return float(np.mean(np.square(stepped - values)))


def _unsaturated(values: Values, activation: str) -> Values:
    """The values, clipped where the activation saturates, and a step more: int8 moves 0 onto a step."""
    if activation not in SIGMOIDS:
        return values
    end = SATURATED + float(np.ptp(values)) / STEPS
    return np.clip(values, -end, end if activation == "sigmoid" else None)


def _before_activation(layer: Any) -> Any:
    """What the layer gives without its activation."""
    linear = type(layer).from_config({**layer.get_config(), "activation": "linear", "name": f"{layer.name}_linear"})
    output = linear(layer.input)
    linear.set_weights(layer.get_weights())
    return output


def _of_images(planes: Pixels, spec: InputSpec) -> Ends:
    """From the least to the greatest value: that is what an image's tensor gets in conversion."""
    lows, highs = zip(*((float(batch.min()), float(batch.max())) for batch in _batches(planes, spec)), strict=True)
    return min(0.0, *lows), max(SMALLEST_WIDTH, *highs)


def _batches(planes: Pixels, spec: InputSpec) -> Iterator[Tensor]:
    for start in range(0, len(planes), BATCH):
        yield normalize(planes[start : start + BATCH], spec)


def _draw(model: Any, planes: Pixels, spec: InputSpec, on_progress: Callable[[int, int], None]) -> list[Values]:
    """Values of each of the model's outputs, drawn at random for each image, the same in each run."""
    tensorflow, _ = load_tensorflow()

    def draw(images: Any, seed: Any) -> list[Any]:
        return [_some(tensor, images.shape[0], seed) for tensor in model(images, training=False)]

    traced, drawn = tensorflow.function(draw), []
    for number, images in enumerate(_batches(planes, spec)):
        drawn.append([values.numpy() for values in traced(images, tensorflow.constant(number))])
        on_progress(min((number + 1) * BATCH, len(planes)), len(planes))
    return [np.concatenate(batches) for batches in zip(*drawn, strict=True)]


def _some(tensor: Any, images: int, seed: Any) -> Any:
    tensorflow, _ = load_tensorflow()
    shape, flat = (images * SAMPLES,), tensorflow.reshape(tensor, (-1,))
    places = tensorflow.random.stateless_uniform(shape, (seed, 0), 0, tensorflow.size(flat), tensorflow.int32)
    return tensorflow.gather(flat, places)
