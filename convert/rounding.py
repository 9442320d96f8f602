"""Round weights to int8 so that a layer's output changes least, before the converter rounds them to nearest.

Rounding each weight to the nearest step is not what loses least: the inputs of a layer are correlated, so the error of
one weight can be made good by the others (optimal brain quantization, Frantar and Alistarh 2022; the order and the
Cholesky form are those of GPTQ, Frantar et al. 2023).

A depthwise layer has thousands of small problems, one a channel: leading axes of weights and moments are problems that
are solved side by side.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
STEPS = 127
CLIPS = 0.5 ** np.arange(0.0, 10.5, 0.5)
"""Shares of the largest weight of a channel, 1 first, at which its weights may be clipped."""
PRUNED_FROM = 0.2
"""Weights of which at least this share is zero were pruned."""
DAMPING = 0.01


def round_columns(weights: Floats, second: Floats) -> Floats:
    """Round (..., taps, outputs) weights to the int8 grid of each column, given the inputs' second moments.

    `second` is (..., taps, taps). The error of each tap is passed on to the taps that are still to be rounded,
    strongest input first. Zeros of pruned weights stay (as in SparseGPT, Frantar and Alistarh 2023), since they make
    the file pack smaller.
    """
    power = np.diagonal(second, axis1=-2, axis2=-1)
    weights = clip_columns(weights, power)
    step = np.abs(weights).max(axis=-2) / STEPS
    step[step == 0] = 1.0
    order = np.argsort(-power, axis=-1, kind="stable")[..., np.newaxis]
    left = np.take_along_axis(weights, order, axis=-2)
    largest = np.abs(left).argmax(axis=-2)
    originals = left.copy()
    pruned = (left == 0) & (np.mean(left == 0, axis=(-2, -1), keepdims=True) >= PRUNED_FROM)
    sorted_rows = np.take_along_axis(second, order, axis=-2)
    sorted_second = np.take_along_axis(sorted_rows, np.swapaxes(order, -2, -1), axis=-1)
    upper = np.swapaxes(np.linalg.cholesky(np.linalg.inv(_damped(sorted_second))), -2, -1)
    rounded = np.zeros_like(left)
    for tap in range(left.shape[-2]):
        nearest = np.clip(np.rint(left[..., tap, :] / step), -STEPS, STEPS) * step
        stays = (largest == tap) | pruned[..., tap, :]
        rounded[..., tap, :] = np.where(stays, originals[..., tap, :], nearest)
        error = (left[..., tap, :] - rounded[..., tap, :]) / upper[..., tap, tap, np.newaxis]
        left[..., tap + 1 :, :] -= upper[..., tap, tap + 1 :, np.newaxis] * error[..., np.newaxis, :]
    return np.take_along_axis(rounded, np.argsort(order, axis=-2), axis=-2)


def clip_columns(weights: Floats, power: Floats) -> Floats:
    """Clip each column of (..., taps, outputs) weights where rounding it then loses least.

    `power` is that of each input, (..., taps). A weight for an input that hardly ever fires may be a thousand times the
    others, and would leave them no steps.
    """
    largest = np.abs(weights).max(axis=-2, keepdims=True)
    best, least = weights, np.full(largest.shape, np.inf)
    for share in CLIPS:
        limit = share * largest
        clipped = np.clip(weights, -limit, limit)
        step = np.where(limit > 0, limit, 1.0) / STEPS
        loss = power[..., np.newaxis, :] @ np.square(np.rint(clipped / step) * step - weights)
        best, least = np.where(loss < least, clipped, best), np.minimum(loss, least)
    return best


def _damped(second: Floats) -> Floats:
    mean = np.mean(np.diagonal(second, axis1=-2, axis2=-1), axis=-1)[..., np.newaxis, np.newaxis]
    return np.asarray(second + np.eye(second.shape[-1]) * (DAMPING * mean + 1e-8), np.float64)
