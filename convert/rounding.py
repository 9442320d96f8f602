"""Round weights to int8 so that a layer's output changes least, before the converter rounds them to nearest.

Rounding each weight to the nearest step is not what loses least: the inputs of a layer are correlated, so the error of
one weight can be made good by the others (optimal brain quantization, Frantar and Alistarh 2022; the order and the
Cholesky form are those of GPTQ, Frantar et al. 2023).
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
    """Round (taps, outputs) weights to the int8 grid of each column, given the inputs' second moments (taps, taps).

    The error of each tap is passed on to the taps that are still to be rounded, strongest input first. Zeros of pruned
    weights stay (as in SparseGPT, Frantar and Alistarh 2023), since they make the file pack smaller.
    """
    weights = clip_columns(weights, np.diag(second))
    step = np.abs(weights).max(axis=0) / STEPS
    step[step == 0] = 1.0
    order = np.argsort(-np.diag(second), kind="stable")
    left = weights[order].copy()
    largest = np.abs(left).argmax(axis=0)
    originals = left.copy()
    pruned = (left == 0) & (np.mean(left == 0) >= PRUNED_FROM)
    upper = np.linalg.cholesky(np.linalg.inv(_damped(second[np.ix_(order, order)]))).T
    rounded = np.zeros_like(left)
    for tap in range(len(left)):
        rounded[tap] = np.clip(np.rint(left[tap] / step), -STEPS, STEPS) * step
        stays = (largest == tap) | pruned[tap]
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
