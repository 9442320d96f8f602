"""Fit a network to int8: ranges for its activations, then weights that make good what rounding them loses.

The network runs on training images twice at once, as it is and in int8, layer by layer. Each convolution is given the
weights that, from the rounded inputs that it will really see, come closest to the outputs that it gave before: a ridge
regression towards the old weights (asymmetric calibration, Li et al. 2025, arXiv 2504.02692). Then they are rounded
(`rounding`), and what is left of each channel's mean error goes into the bias (Nagel et al. 2019). So the errors of
one layer are not handed on to the next as they are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.convert.activation_layout import activation_of
from osteo_edge.convert.graph import call, readers_of, traverse
from osteo_edge.convert.keras import load_tensorflow
from osteo_edge.convert.ranges import VALUES, Activation, Ends
from osteo_edge.convert.rounding import round_columns
from osteo_edge.preprocessing import InputSpec, Pixels, normalize

Floats = npt.NDArray[np.float64]
Choose = Callable[[Activation], Ends]

STEPS = 255
RIDGE = 0.01
"""The weight of staying with the old weights, relative to the mean power of the inputs."""
HEAD_RIDGE = 0.3
"""The same for a head: weights of thousands of inputs that themselves were held small, on few images."""
PLACES_PER_TAP = 4
"""Below so many places for each weight of an output channel, weights are rounded but not refitted."""
CANCELLED = 1e-5
"""The share of the inputs' power below which centring them leaves rounding errors of 32-bit products."""
BATCH = 8
MAX_PLACES, MAX_PLACES_DEPTHWISE = 6000, 1500
"""Places that are looked at in each batch of images."""
TRANSPARENT = ("ZeroPadding2D", "Reshape", "Flatten", "Dropout", "SpatialDropout2D", "MaxPooling2D")
"""Layers whose outputs have the range of their inputs."""
SIGMOID_ENDS = (0.0, 255 / 256)
"""What the runtimes prescribe for the output of a sigmoid."""
GATE_END = 8.0
"""A sigmoid's input beyond this changes its int8 output no more."""
SHARES = 0.85 ** np.arange(0.0, 12.0)
"""Shares of the extremes at which the range of a swish's input is tried."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Of a layer's centred input patches, rounded ones and with them those as they are: (groups, taps, taps) each.

    A depthwise layer has one group a channel, any other layer one group. `places` were seen.
    """

    rounded: Floats
    crossed: Floats
    places: int


def fit_int8(
    model: Any,
    planes: Pixels,
    spec: InputSpec,
    choose: Choose | None,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Ends]:
    """Put the weights of every convolution on its int8 grid, in place, and return the ranges of int8 activations.

    `model` is laid out (`activation_layout.lay_out`). `planes` are prepared training images, (n, height, width) in
    [0, 1]. `choose` gives the range of a tensor; without it activations stay as they are and no range is returned.
    Ranges are by the name of the layer that writes the tensor. The largest weight of each output channel stays, so a
    converter finds the same grid and changes nothing more.
    """
    readers, ends = readers_of(model), dict[str, Ends]()
    total = sum(map(_is_convolution, model.layers))
    done = 0

    def step(layer: Any, inputs: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        nonlocal done
        floats, rounded = ([pair[side] for pair in inputs] for side in (0, 1))
        expected, behind = call(layer, floats), readers[id(layer.output)]
        if _is_convolution(layer):
            on_progress(done, total)
            ridge = HEAD_RIDGE if _is_head(layer, model) else RIDGE
            _refit(layer, floats[0], rounded[0], behind, ridge)
            done += 1
        found = _without_mean_error(layer, expected, call(layer, rounded))
        if choose is not None and _is_rounded(layer, behind):
            ends[layer.name] = _ends(layer, found, behind, choose)
            found = round_to(found, ends[layer.name])
        return expected, found

    tensor = normalize(np.asarray(planes), spec)
    traverse(model, (tensor, tensor), step)
    on_progress(done, total)
    return ends


def round_to(values: Any, ends: Ends) -> Any:
    """Values, any shape, as int8 over the range holds them: 256 steps, one of them exactly 0."""
    tensorflow, _ = load_tensorflow()
    low, high = ends
    scale = (high - low) / STEPS
    zero = round(-low / scale)
    return (tensorflow.clip_by_value(tensorflow.round(values / scale) + zero, 0.0, float(STEPS)) - zero) * scale


def _ends(layer: Any, values: Any, behind: list[Any], choose: Choose) -> Ends:
    if activation_of(layer) == "sigmoid":
        return SIGMOID_ENDS
    found = _observed(np.asarray(values))
    gates = [reader for reader in behind if type(reader).__name__ == "Lambda"]
    if type(layer).__name__ == "Lambda":
        low, high = choose(found)
        return max(low, -GATE_END), min(high, GATE_END)
    if any(activation_of(reader) == "sigmoid" for reader in behind) or gates:
        return _ends_behind_swish(found, lambda rows: np.asarray(gates[0](rows)) if gates else rows)
    return choose(found)


def _observed(values: Pixels) -> Activation:
    """Of a tensor over many images: its extremes, and places drawn from all, all channels of each."""
    rows = values.reshape(-1, values.shape[-1])
    number = max(1, VALUES // rows.shape[1])
    if len(rows) > number:
        rows = rows[np.random.default_rng(0).choice(len(rows), number, replace=False)]
    return Activation(float(values.min()), float(values.max()), rows)


def _ends_behind_swish(values: Activation, gate: Callable[[Any], Any]) -> Ends:
    """The range of a swish's input at which its output has the least squared error."""
    rows = values.rows
    share = 1 / (1 + np.exp(-np.clip(gate(rows), -GATE_END, GATE_END)))
    best, least = (values.low, values.high), np.inf
    for below in SHARES:
        for above in SHARES:
            ends = (min(values.low * below, -1e-6), max(values.high * above, 1e-6))
            loss = np.mean(np.square((_rounded(rows, ends) - rows) * share))
            if loss < least:
                best, least = ends, loss
    return best


def _rounded(rows: Any, ends: Ends) -> Any:
    low, high = ends
    scale = np.float32((high - low) / STEPS)
    zero = np.rint(-low / scale)
    return (np.clip(np.rint(rows / scale) + zero, 0, STEPS) - zero) * scale


def _is_rounded(layer: Any, behind: list[Any]) -> bool:
    """Whether the output is a tensor of the converted network: not one that is fused with what reads it."""
    kind = type(layer).__name__
    if kind in TRANSPARENT:
        return False
    fused = ("ReLU",) if kind == "BatchNormalization" else ("ReLU", "BatchNormalization")
    if kind in ("Conv2D", "DepthwiseConv2D", "BatchNormalization") and len(behind) == 1:
        reader = behind[0]
        return not (type(reader).__name__ in fused or activation_of(reader) in ("relu", "relu6"))
    return True


def _without_mean_error(layer: Any, expected: Any, found: Any) -> Any:
    """Put the mean error of each channel into the layer's bias, if it has one."""
    kind = type(layer).__name__
    axes = tuple(range(len(found.shape) - 1))
    error = np.asarray(expected - found).mean(axis=axes, dtype=np.float64).astype(np.float32)
    if kind == "BatchNormalization":
        gamma, beta, mean, variance = layer.get_weights()
        layer.set_weights([gamma, beta + error, mean, variance])
    elif _is_convolution(layer) and layer.use_bias:
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel, bias + error])
    else:
        return found
    return found + error


def _refit(layer: Any, floats: Any, rounded: Any, behind: list[Any], ridge: float) -> None:
    """Give the layer weights for its rounded inputs, on the int8 grid."""
    has_bias = layer.use_bias or any(type(reader).__name__ == "BatchNormalization" for reader in behind)
    moments = _moments(layer, floats, rounded, centred=has_bias)
    kernel, *bias = layer.get_weights()
    layer.set_weights([_fitted(layer, kernel, moments, ridge), *bias])


def _fitted(layer: Any, kernel: Pixels, moments: Moments, ridge: float) -> Pixels:
    groups, taps, _ = moments.rounded.shape  # a convolution has one group, a depthwise many
    weights = np.moveaxis(kernel.reshape(taps, groups, -1).astype(np.float64), 1, 0)
    found = fit_columns(weights, moments.rounded, moments.crossed, moments.places, ridge)
    return np.moveaxis(found, 0, 1).reshape(kernel.shape).astype(np.float32)


def fit_columns(weights: Floats, rounded: Floats, crossed: Floats, places: int, ridge: float = RIDGE) -> Floats:
    """Weights (..., taps, outputs) on the int8 grid that make of rounded inputs what the old ones made of exact ones.

    `rounded` are the second moments of the rounded inputs, `crossed` those of rounded with exact ones, (..., taps,
    taps). Zeros stay.
    """
    taps = rounded.shape[-1]
    if places >= PLACES_PER_TAP * taps:
        power = np.mean(np.diagonal(rounded, axis1=-2, axis2=-1), axis=-1)
        stay = (ridge * power + 1e-12)[..., np.newaxis, np.newaxis]
        refitted = np.linalg.solve(rounded + stay * np.eye(taps), crossed @ weights + stay * weights)
        weights = np.where(weights == 0, 0.0, refitted)
    return round_columns(weights, rounded)


def _moments(layer: Any, floats: Any, rounded: Any, *, centred: bool) -> Moments:
    """Second moments over all images; about the mean if `centred`, which a bias makes good.

    Rows are shifted by the first images' mean first: where a mean is far above the variance, as behind a pooling, its
    square would leave nothing of the variance in single precision.
    """
    shifts: list[Any] = []
    second, crossed, means, places = np.zeros((1, 1, 1)), np.zeros((1, 1, 1)), np.zeros((2, 1, 1)), 0
    rng = np.random.default_rng(0)
    for start in range(0, len(rounded), BATCH):
        batches = [values[start : start + BATCH] for values in (floats, rounded)]
        plain, seen = _drawn([_patches(layer, batch) for batch in batches], rng)
        if centred:
            shifts = shifts or [rows.numpy().mean(axis=1, keepdims=True) for rows in (plain, seen)]
            plain, seen = plain - shifts[0], seen - shifts[1]
        share = len(batches[0]) / len(rounded)
        second, crossed = second + share * _mean_product(seen, seen), crossed + share * _mean_product(seen, plain)
        means = means + share * np.stack([rows.numpy().mean(axis=1, dtype=np.float64) for rows in (plain, seen)])
        places += seen.shape[1]
    if centred:
        lost = CANCELLED * np.trace(second, axis1=1, axis2=2) / second.shape[1]
        second = second - means[1][:, :, np.newaxis] * means[1][:, np.newaxis, :]
        second = second + lost[:, np.newaxis, np.newaxis] * np.eye(second.shape[1])
        crossed = crossed - means[1][:, :, np.newaxis] * means[0][:, np.newaxis, :]
    return Moments(second, crossed, places)


def _drawn(patches: list[Any], rng: np.random.Generator) -> list[Any]:
    """The same places of each, drawn at random where there are more than enough."""
    groups, places, _ = patches[0].shape
    enough = MAX_PLACES if groups == 1 else MAX_PLACES_DEPTHWISE
    if places <= enough:
        return patches
    tensorflow, _ = load_tensorflow()
    drawn = rng.choice(places, enough, replace=False)
    return [tensorflow.gather(rows, drawn, axis=1) for rows in patches]


def _mean_product(rows: Any, others: Any) -> Floats:
    """Of (groups, places, taps) with the like: (groups, taps, taps)."""
    tensorflow, _ = load_tensorflow()
    return np.asarray(tensorflow.matmul(rows, others, transpose_a=True).numpy() / rows.shape[1], np.float64)


def _patches(layer: Any, inputs: Any) -> Any:
    """What each output place sees: (groups, places, taps)."""
    tensorflow, _ = load_tensorflow()
    height, width = layer.kernel_size
    channels = inputs.shape[-1]
    if type(layer).__name__ == "Conv2D" and (height, width) == (1, 1) and tuple(layer.strides) == (1, 1):
        return tensorflow.reshape(inputs, (1, -1, channels))
    sizes, strides = [1, height, width, 1], [1, *layer.strides, 1]
    seen = tensorflow.image.extract_patches(inputs, sizes, strides, [1, 1, 1, 1], layer.padding.upper())
    if type(layer).__name__ == "DepthwiseConv2D":
        return tensorflow.transpose(tensorflow.reshape(seen, (-1, height * width, channels)), (2, 0, 1))
    return tensorflow.reshape(seen, (1, -1, height * width * channels))


def _is_head(layer: Any, model: Any) -> bool:
    """Whether the layer tells of labels: it has no more outputs than there are."""
    return type(layer).__name__ == "Conv2D" and layer.filters <= model.outputs[0].shape[-1]


def _is_convolution(layer: Any) -> bool:
    return type(layer).__name__ in ("Conv2D", "DepthwiseConv2D")
