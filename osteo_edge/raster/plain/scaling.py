"""Pictures in another size or another place: each sample is a weighted sum of a few, first across and then down."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from osteo_edge.raster.plain.bands import bands

Matrix = npt.NDArray[np.float64]
_Sample = TypeVar("_Sample", np.uint8, np.float32)
_Places = npt.NDArray[np.intp]
_Weights = npt.NDArray[np.float32]
_Taps = tuple[_Places, _Weights]
"""What the samples along one axis are made of: places (taps, samples), and their weights."""
_Combine = Callable[[npt.NDArray[Any], _Taps], npt.NDArray[np.float32]]

LEAST_COVER = 1e-3
"""Of a sample."""
HALF = 2
"""Samples to a block's side, which OpenCV has a way of its own for."""
CUBIC = -0.75
"""The slope of the cubic at its second sample (Keys 1981 has -0.5; this is OpenCV's)."""


def shrink(picture: npt.NDArray[_Sample], height: int, width: int) -> npt.NDArray[_Sample]:
    """The picture, (height, width) or (height, width, channels), at a size that is no larger: the mean of each area."""
    if picture.shape[:2] == (height, width):
        return picture.copy()
    if picture.shape[0] % height == 0 and picture.shape[1] % width == 0:
        return _mean_of_blocks(picture, height, width)
    return _resampled(picture, _areas(picture.shape[0], height), _areas(picture.shape[1], width), _summed)


def enlarge(picture: npt.NDArray[_Sample], height: int, width: int) -> npt.NDArray[_Sample]:
    """The picture at any other size, interpolated between its four nearest samples; shrunk so, it would alias."""
    down, across = (
        _between((np.arange(there) + 0.5) * (here / there) - 0.5, here)
        for here, there in zip(picture.shape, (height, width), strict=False)
    )
    return _resampled(picture, down, across, _stepped)


def continue_edges(
    picture: npt.NDArray[_Sample], *, top: int, bottom: int, left: int, right: int
) -> npt.NDArray[_Sample]:
    """The picture with so many rows and columns more at each side, which repeat its outermost ones."""
    return np.pad(picture, ((top, bottom), (left, right), *[(0, 0)] * (picture.ndim - 2)), "edge")


def warp(
    picture: npt.NDArray[np.float32],
    matrix: Matrix,
    height: int,
    width: int,
    *,
    way: Literal["linear", "cubic"] = "linear",
    from_target: bool = False,
) -> npt.NDArray[np.float32]:
    """The picture (height, width) scaled and moved by a 2 x 3 matrix; beyond its edge its outermost samples go on.

    The matrix takes x and y, from the middle of the first sample, to the result; or back if it is `from_target`. It
    must neither turn nor shear.
    """
    if matrix[0, 1] or matrix[1, 0]:
        raise ValueError("the matrix turns or shears the picture")
    taps = _between if way == "linear" else _cubic
    across, down = (
        taps(_sources(scale, shift, there, from_target=from_target), here)
        for scale, shift, there, here in (
            (matrix[0, 0], matrix[0, 2], width, picture.shape[1]),
            (matrix[1, 1], matrix[1, 2], height, picture.shape[0]),
        )
    )
    return _resampled(picture, down, across, _summed)


def _sources(scale: float, shift: float, there: int, *, from_target: bool) -> npt.NDArray[np.floating[Any]]:
    """Where along one axis each of `there` samples comes from."""
    places = np.arange(there)
    return places * scale + shift if from_target else (places - shift) / scale


def _scale(here: int, there: int) -> float:
    return 1 / (there / here)  # rounded twice, as OpenCV does


def _areas(here: int, there: int) -> _Taps:
    """Every sample that a stretch of `here` / `there` samples covers, by how much of it is covered.

    What is hardly covered does not count, nor does the rest make up for it, as OpenCV has it.
    """
    scale = _scale(here, there)
    starts = np.arange(there) * scale
    ends, widths = starts + scale, np.minimum(scale, here - starts)
    last = np.minimum(np.floor(ends), here - 1)
    first = np.minimum(np.ceil(starts), last)
    before, after = first - starts, np.minimum(np.minimum(ends - last, 1), widths)
    leads = before > LEAST_COVER
    places = first - leads + np.arange(int((last - first).max()) + 2)[:, np.newaxis]
    covered = np.where(places < first, before, np.where(places < last, 1, np.where(places > last, 0, after)))
    covered[(places == last) & (ends - last <= LEAST_COVER)] = 0
    return places.astype(np.intp).clip(max=here - 1), (covered / widths).astype(np.float32)


def _between(sources: npt.NDArray[np.floating[Any]], here: int) -> _Taps:
    """The two samples that each source lies between, by how near they are."""
    before = np.floor(sources)
    share = sources - before
    return _within(before, 2, 0, here), np.stack([1 - share, share]).astype(np.float32)


def _cubic(sources: npt.NDArray[np.floating[Any]], here: int) -> _Taps:
    """The four samples around each source, by the cubic of Keys 1981."""
    before = np.floor(sources)
    share = sources - before
    near, far = np.stack([share, 1 - share]), np.stack([share + 1, 2 - share])
    inner = ((CUBIC + 2) * near - (CUBIC + 3)) * near * near + 1
    outer = ((CUBIC * far - 5 * CUBIC) * far + 8 * CUBIC) * far - 4 * CUBIC
    weights = np.stack([outer[0], inner[0], inner[1], outer[1]])
    return _within(before, 4, 1, here), weights.astype(np.float32)


def _within(before: npt.NDArray[np.floating[Any]], taps: int, ahead: int, here: int) -> _Places:
    places = before.astype(np.intp) + (np.arange(taps) - ahead)[:, np.newaxis]
    return places.clip(0, here - 1)


def _resampled(picture: npt.NDArray[_Sample], down: _Taps, across: _Taps, combine: _Combine) -> npt.NDArray[_Sample]:
    """Rows combined across and then down, in OpenCV's order, so that means and steps are equal to the last bit."""
    height, _, *channels = picture.shape
    rows = np.empty((height, across[0].shape[1], *channels), np.float32)
    for band in bands(height, picture[0].size):
        turned = np.ascontiguousarray(picture[band].swapaxes(0, 1))
        rows[band] = combine(turned, across).swapaxes(0, 1)
    samples = combine(rows, down)
    return _rounded(samples, picture.dtype)


def _stepped(picture: npt.NDArray[Any], taps: _Taps) -> npt.NDArray[np.float32]:
    """Of two rows the first and a share of the step to the second, a band of them at a time.

    It is rounded once, as OpenCV 5 has it where Intel's IPP works for it.
    """
    (first, second), (_, shares) = taps
    flat = picture.reshape(picture.shape[0], -1)
    stepped = np.empty((len(first), flat.shape[1]), np.float32)
    for band in bands(*stepped.shape):
        start, end = (flat[places[band]].astype(np.float32, copy=False) for places in (first, second))
        step = (end - start).astype(np.float64)
        step *= shares[band, np.newaxis]
        step += start
        stepped[band] = step
    return stepped.reshape(-1, *picture.shape[1:])


def _summed(picture: npt.NDArray[Any], taps: _Taps) -> npt.NDArray[np.float32]:
    """The weighted sums of rows, a band of them at a time."""
    places, weights = taps
    flat = picture.reshape(picture.shape[0], -1)
    summed = np.empty((places.shape[1], flat.shape[1]), np.float32)
    for band in bands(*summed.shape):
        total = summed[band]
        np.multiply(flat[places[0, band]], weights[0, band, np.newaxis], out=total)
        for place, weight in zip(places[1:, band], weights[1:, band, np.newaxis], strict=True):
            total += flat[place] * weight
    return summed.reshape(-1, *picture.shape[1:])


def _mean_of_blocks(picture: npt.NDArray[_Sample], height: int, width: int) -> npt.NDArray[_Sample]:
    """The mean of each block of whole samples, four of which are added up at a time, as OpenCV does."""
    down, across = picture.shape[0] // height, picture.shape[1] // width
    places = [(row, column) for row in range(down) for column in range(across)]
    whole = len(places) // 4 * 4
    samples = np.empty((height, width, *picture.shape[2:]), np.float32)
    for band in bands(height, picture[:down].size):
        block = picture[band.start * down : band.stop * down].astype(np.float32)
        parts = [block[row::down, column::across] for row, column in places]
        total = np.zeros_like(parts[0])
        for first in range(0, whole, 4):
            one, two, three, four = parts[first : first + 4]
            total += (one + two) + (three + four) if down == across == HALF else one + two + three + four
        for part in parts[whole:]:
            total += part
        np.multiply(total, np.float32(1 / len(places)), out=samples[band])
    if down == across == HALF and picture.dtype == np.uint8:
        samples += np.float32(0.125)  # a half is rounded up
    return _rounded(samples, picture.dtype)


def _rounded(samples: npt.NDArray[np.float32], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    if dtype == np.uint8:
        np.clip(np.rint(samples, out=samples), 0, 255, out=samples)
    return samples.astype(dtype, copy=False)
