"""Round weights to int8 so that the layer's output changes least, before the converter rounds them to nearest.

Rounding each weight to the nearest step is not what loses least: the inputs of a layer are correlated, so the error of
one weight can be made good by the others (optimal brain quantization, Frantar and Alistarh 2022; the order and the
Cholesky form are those of GPTQ, Frantar et al. 2023). What is left of each channel's mean error goes into the bias
(Nagel et al. 2019). On MobileNetV2 0.35 this takes most of what int8 weights cost; `docs/results.md` has the figures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.convert.graph import walk
from osteo_edge.convert.keras import load_tensorflow
from osteo_edge.preprocessing import InputSpec, Pixels, normalize

Floats = npt.NDArray[np.float64]
STEPS = 127
CLIPS = 0.5 ** np.arange(0.0, 10.5, 0.5)
"""Shares of the largest weight of a channel, 1 first, at which its weights may be clipped."""
DAMPING = 0.01
BATCH = 8
MAX_PLACES = 6000


@dataclass(frozen=True, eq=False)
class Moments:
    """Of a layer's input patches: `second` is (groups, taps, taps), `mean` is (groups, taps).

    A depthwise layer has one group a channel, any other layer one group.
    """

    second: Floats
    mean: Floats


def compensate(
    model: Any,
    planes: Pixels,
    spec: InputSpec,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Put the weights of every convolution on its int8 grid, in place, in the order of the network.

    Each layer is rounded for the inputs that the already rounded layers before it give. The largest weight of each
    output channel stays, so the converter finds the same grid and changes nothing more. `planes` are prepared training
    images, (n, height, width) in [0, 1].
    """
    tensor = normalize(np.asarray(planes), spec)
    targets: dict[str, Floats] = {}
    walk(model, tensor, before=lambda layer, inputs: targets.update(_channel_means(layer, inputs)))

    def round_layer(layer: Any, inputs: Any) -> None:
        if _is_convolution(layer):
            on_progress(len(rounded), len(targets))
            _round_layer(layer, _moments(layer, inputs), targets[layer.name])
            rounded.append(layer.name)

    rounded: list[str] = []
    walk(model, tensor, before=round_layer)
    on_progress(len(rounded), len(targets))


def round_columns(weights: Floats, second: Floats) -> Floats:
    """Round (taps, outputs) weights to the int8 grid of each column, given the inputs' second moments (taps, taps).

    The error of each tap is passed on to the taps that are still to be rounded, strongest input first.
    """
    weights = clip_columns(weights, np.diag(second))
    step = np.abs(weights).max(axis=0) / STEPS
    step[step == 0] = 1.0
    order = np.argsort(-np.diag(second), kind="stable")
    left = weights[order].copy()
    largest = np.abs(left).argmax(axis=0)
    originals = left.copy()
    upper = np.linalg.cholesky(np.linalg.inv(_damped(second[np.ix_(order, order)]))).T
    rounded = np.zeros_like(left)
    for tap in range(len(left)):
        rounded[tap] = np.clip(np.rint(left[tap] / step), -STEPS, STEPS) * step
        stays = largest == tap
        rounded[tap, stays] = originals[tap, stays]
        error = (left[tap] - rounded[tap]) / upper[tap, tap]
        left[tap + 1 :] -= np.outer(upper[tap, tap + 1 :], error)
    return rounded[np.argsort(order)]


def clip_columns(weights: Floats, power: Floats) -> Floats:
    """Clip each column of (taps, outputs) weights where rounding it then loses least; `power` is that of each input.

    A weight for an input that hardly ever fires may be a thousand times the others, and would leave them no steps.
    """
    best, least = weights, np.full(weights.shape[1], np.inf)
    for share in CLIPS:
        limit = share * np.abs(weights).max(axis=0)
        clipped = np.clip(weights, -limit, limit)
        step = np.where(limit > 0, limit, 1.0) / STEPS
        loss = power @ np.square(np.rint(clipped / step) * step - weights)
        best, least = np.where(loss < least, clipped, best), np.minimum(loss, least)
    return best


def _damped(second: Floats) -> Floats:
    return second + np.eye(len(second)) * (DAMPING * np.mean(np.diag(second)) + 1e-8)


def _round_kernel(layer: Any, kernel: Pixels, moments: Moments) -> Pixels:
    if _is_depthwise(layer):
        flat = kernel.reshape(-1, kernel.shape[2]).astype(np.float64)
        columns = [round_columns(flat[:, [channel]], moments.second[channel]) for channel in range(flat.shape[1])]
        return np.hstack(columns).reshape(kernel.shape).astype(np.float32)
    flat = kernel.reshape(-1, kernel.shape[3]).astype(np.float64)
    return round_columns(flat, moments.second[0]).reshape(kernel.shape).astype(np.float32)


def _correct_bias(layer: Any, kernel: Pixels, moments: Moments, target: Floats) -> None:
    """Shift the bias, or that of the batch normalization behind, until the channel means are the old ones."""
    error = target - _weighted_means(layer, kernel, moments.mean)
    if layer.use_bias:
        layer.set_weights([kernel, error.astype(np.float32)])
        return
    norm = _batch_norm_behind(layer)
    if norm is not None:
        gamma, beta, mean, variance = norm.get_weights()
        shift = error * gamma / np.sqrt(variance + norm.epsilon)
        norm.set_weights([gamma, beta + shift.astype(np.float32), mean, variance])


def _channel_means(layer: Any, inputs: Any) -> dict[str, Floats]:
    """The mean of each output channel before the layer's own activation, if it has one."""
    if not _is_convolution(layer):
        return {}
    kernel, *bias = layer.get_weights()
    parts = [inputs[start : start + BATCH] for start in range(0, len(inputs), BATCH)]
    means = [_patches(layer, part).numpy().mean(axis=1, dtype=np.float64) * len(part) for part in parts]
    return {layer.name: _weighted_means(layer, kernel, sum(means) / len(inputs)) + sum(bias)}


def _weighted_means(layer: Any, kernel: Pixels, mean: Floats) -> Floats:
    """What `kernel` makes of mean patches, (groups, taps), for each output channel."""
    flat = kernel.reshape(mean.shape[1], -1).astype(np.float64)
    return np.asarray((mean.T * flat).sum(axis=0) if _is_depthwise(layer) else mean[0] @ flat)


def _round_layer(layer: Any, moments: Moments, target: Floats) -> None:
    kernel, *rest = layer.get_weights()
    rounded = _round_kernel(layer, kernel, moments)
    layer.set_weights([rounded, *rest])
    _correct_bias(layer, rounded, moments, target)


def _moments(layer: Any, inputs: Any) -> Moments:
    second, mean = np.zeros(()), np.zeros(())
    for start in range(0, len(inputs), BATCH):
        batch = inputs[start : start + BATCH]
        rows, share = _patches(layer, batch).numpy(), len(batch) / len(inputs)
        second, mean = second + share * _second_moment(rows), mean + share * rows.mean(axis=1, dtype=np.float64)
    return Moments(second, mean)


def _patches(layer: Any, inputs: Any) -> Any:
    """What each output place sees: (groups, places, taps)."""
    tensorflow, _ = load_tensorflow()
    height, width = layer.kernel_size
    sizes, strides = [1, height, width, 1], [1, *layer.strides, 1]
    seen = tensorflow.image.extract_patches(inputs, sizes, strides, [1, 1, 1, 1], layer.padding.upper())
    channels = inputs.shape[-1]
    if _is_depthwise(layer):
        return tensorflow.transpose(tensorflow.reshape(seen, (-1, height * width, channels)), (2, 0, 1))
    return tensorflow.reshape(seen, (1, -1, height * width * channels))


def _second_moment(rows: Pixels) -> Floats:
    """Of (groups, places, taps), from places drawn at random where there are more than enough."""
    if rows.shape[1] > MAX_PLACES:
        rows = rows[:, np.random.default_rng(0).choice(rows.shape[1], MAX_PLACES, replace=False)]
    return np.asarray(np.matmul(rows.transpose(0, 2, 1), rows) / rows.shape[1], np.float64)


def _is_convolution(layer: Any) -> bool:
    return type(layer).__name__ in ("Conv2D", "DepthwiseConv2D")


def _is_depthwise(layer: Any) -> bool:
    return type(layer).__name__ == "DepthwiseConv2D"


def _batch_norm_behind(layer: Any) -> Any:
    behind = [node.outbound_layer for node in layer.outbound_nodes]
    norms = [found for found in behind if type(found).__name__ == "BatchNormalization"]
    return norms[0] if norms else None
