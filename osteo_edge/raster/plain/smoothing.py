"""Each sample from those around it; beyond the edge the picture is mirrored about its outermost samples."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from osteo_edge.raster.plain.bands import bands

Grey = npt.NDArray[np.uint8]
_Sample = TypeVar("_Sample", np.uint8, np.float32)
_Floats = npt.NDArray[np.float32]


def gaussian(picture: npt.NDArray[_Sample], sigma: float) -> npt.NDArray[_Sample]:
    """Blurred by a Gaussian of `sigma` pixels, cut off at 3 sigma in uint8 and at 4 in float32."""
    in_8_bits = picture.dtype == np.uint8
    weights = _in_256ths(_gaussian_weights(sigma, 3)) if in_8_bits else _gaussian_weights(sigma, 4)
    reach = len(weights) - 1
    down = _symmetric_sum(mirrored(picture, reach, reach, axis=0).astype(np.float32, copy=False), weights)
    turned = mirrored(np.ascontiguousarray(down.swapaxes(0, 1)), reach, reach, axis=0)
    samples = _symmetric_sum(turned, weights).swapaxes(0, 1)
    return np.ascontiguousarray(np.floor(samples + np.float32(0.5)) if in_8_bits else samples, picture.dtype)


def box_mean(picture: npt.NDArray[_Sample], rows: int, columns: int) -> npt.NDArray[_Sample]:
    """The mean of `rows` x `columns`, of which sample (rows // 2, columns // 2) is the one that it is taken for."""
    mean = np.empty_like(picture)
    above, before = rows // 2, columns // 2
    for band in bands(picture.shape[0], picture[0].size):
        wanted = np.arange(band.start - above, band.stop + rows - 1 - above)
        around = picture[_mirrored_places(wanted, picture.shape[0])].astype(np.float32, copy=False)
        sums = mirrored(_running_sum(around, rows), before, columns - 1 - before, axis=1)
        means = _running_sum(sums.swapaxes(0, 1), columns).swapaxes(0, 1) / np.float32(rows * columns)
        mean[band] = np.rint(means) if picture.dtype == np.uint8 else means
    return mean


def dilate(grey: Grey, side: int) -> Grey:
    """The largest value of the square around each sample; what lies beyond the edge does not count."""
    return _extreme(_extreme(grey, side, np.maximum, 0).T, side, np.maximum, 0).T.copy()


def erode(grey: Grey, side: int) -> Grey:
    """The smallest value of the square around each sample; what lies beyond the edge does not count."""
    return _extreme(_extreme(grey, side, np.minimum, 255).T, side, np.minimum, 255).T.copy()


def mirrored(picture: npt.NDArray[Any], before: int, after: int, *, axis: int) -> npt.NDArray[Any]:
    """The picture with so many samples more along an axis, as a mirror at its outermost samples would show them.

    >>> mirrored(np.array([1, 2, 3]), 2, 1, axis=0).tolist()
    [3, 2, 1, 2, 3, 2]
    """
    here = picture.shape[axis]
    return np.take(picture, _mirrored_places(np.arange(-before, here + after), here), axis=axis)


def _mirrored_places(places: npt.NDArray[np.intp], here: int) -> npt.NDArray[np.intp]:
    period = max(1, 2 * (here - 1))
    folded = np.abs(places) % period
    return np.minimum(folded, period - folded) if here > 1 else np.zeros_like(places)


@cache
def _gaussian_weights(sigma: float, sigmas: int) -> tuple[float, ...]:
    """The weights of the middle sample and of those to one side of it."""
    reach = (round(sigma * sigmas * 2 + 1) | 1) // 2
    bell = [math.exp(-(step**2) / (2 * sigma**2)) for step in range(reach + 1)]
    whole = 2 * sum(bell) - bell[0]
    return tuple(weight / whole for weight in bell)


@cache
def _in_256ths(weights: tuple[float, ...]) -> tuple[float, ...]:
    """Weights as OpenCV has them for uint8: whole 256ths, each of which makes up for what those outside of it lack."""
    shares, lack = list[int](), 0.0
    for weight in weights[:0:-1]:
        wanted = 256 * weight + lack
        shares.append(round(wanted))
        lack = wanted - shares[-1]
    return tuple(share / 256 for share in (256 - 2 * sum(shares), *reversed(shares)))


def _symmetric_sum(mirrored_rows: _Floats, weights: tuple[float, ...]) -> _Floats:
    """The weighted sums of each row and of those as far above and below; `len(weights) - 1` at either end fall away."""
    reach, height = len(weights) - 1, len(mirrored_rows) - 2 * (len(weights) - 1)
    summed = np.empty((height, *mirrored_rows.shape[1:]), np.float32)
    for band in bands(height, mirrored_rows[0].size):
        total, top, bottom = summed[band], band.start + reach, band.stop + reach
        np.multiply(mirrored_rows[top:bottom], np.float32(weights[0]), out=total)
        pair = np.empty_like(total)
        for step, weight in enumerate(weights[1:], 1):
            above, below = mirrored_rows[top - step : bottom - step], mirrored_rows[top + step : bottom + step]
            np.add(above, below, out=pair)
            pair *= np.float32(weight)
            total += pair
    return summed


def _running_sum(rows: _Floats, count: int) -> _Floats:
    """The sum of each `count` rows on end, made of sums of 1, 2, 4 ... rows."""
    sums, window, total, summed = rows, 1, None, 0
    places = len(rows) - count + 1
    while True:
        if count & window:
            part = sums[summed : summed + places]
            total = part if total is None else total + part
            summed += window
        if summed == count and total is not None:
            return total
        sums = sums[:-window] + sums[window:]
        window *= 2


def _extreme(grey: Grey, side: int, larger: Callable[..., Any], outside: int) -> Grey:
    """The extreme of each `side` rows on end, by windows that double in size."""
    before = side // 2
    around = np.pad(grey, ((before, side - 1 - before), (0, 0)), constant_values=outside)
    window = 1
    while window < side:
        step = min(window, side - window)
        around = larger(around[:-step], around[step:])
        window += step
    return around
