"""Filters that bring out edges, and the contrast of small areas."""

from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.raster.plain.components import labels
from osteo_edge.raster.plain.smoothing import mirrored

Pixels = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], np.float32)
SHALLOW, STEEP = 13_573, 79_109
"""The tangents of 22.5 and 67.5 degrees in steps of 1 / 2^15."""


def correlate(pixels: Pixels, kernel: Pixels) -> Pixels:
    """The sum of products of the kernel and what lies around each sample; mirrored about the outermost samples.

    Of a kernel (rows, columns), (rows // 2, columns // 2) lies on the sample.
    """
    rows, columns = kernel.shape
    around = mirrored(pixels, rows // 2, (rows - 1) // 2, axis=0)
    return _correlated(mirrored(around, columns // 2, (columns - 1) // 2, axis=1), kernel)


def sobel(pixels: Pixels) -> tuple[Pixels, Pixels]:
    """Sobel's gradient of 3 x 3, across and down: 4 for a step of 1; mirrored about the outermost samples."""
    return correlate(pixels, SOBEL), correlate(pixels, SOBEL.T)


def laplacian(pixels: Pixels) -> Pixels:
    """The sum of the four neighbours less four times the sample; mirrored about the outermost samples."""
    return correlate(pixels, LAPLACIAN)


def canny(grey: Grey, low: float, high: float) -> Grey:
    """255 on edges as thin as one sample, else 0 (Canny 1986): from steps above `high`, along those above `low`.

    A step is the length of Sobel's gradient of 3 x 3, so that black beside white has 4 * 255.
    """
    around = np.pad(grey, 1, "edge").astype(np.int32)
    across, down = (_correlated(around, kernel.astype(np.int32)) for kernel in (SOBEL, SOBEL.T))
    steps = across * across + down * down
    ridges = _ridges(steps, across, down) & (steps > int(low * low))
    strong = ridges & (steps > int(high * high))
    parts = labels(ridges.astype(np.uint8))
    kept = np.zeros(int(parts.max(initial=0)) + 1, np.uint8)
    kept[parts[strong]] = 255
    return np.asarray(kept[parts] * ridges, np.uint8)


def even_out(grey: Grey, clip: float, tiles: int) -> Grey:
    """Contrast-limited adaptive histogram equalization (Zuiderveld 1994) on `tiles` x `tiles` areas."""
    height, width = grey.shape
    if height % tiles or width % tiles:  # as OpenCV does: both sides, if either, by a whole tile where it fits
        whole = mirrored(grey, 0, tiles - height % tiles, axis=0)
        whole = mirrored(whole, 0, tiles - width % tiles, axis=1)
    else:
        whole = grey
    rows, columns = whole.shape[0] // tiles, whole.shape[1] // tiles
    areas = whole.reshape(tiles, rows, tiles, columns).swapaxes(1, 2)
    tables = np.array([[_equalizing(area, clip) for area in line] for line in areas], np.float32)
    (above, below, down), (left, right, across) = _neighbours(height, rows, tiles), _neighbours(width, columns, tiles)
    above, below, down = above[:, np.newaxis], below[:, np.newaxis], down[:, np.newaxis]
    upper = tables[above, left, grey] * (1 - across) + tables[above, right, grey] * across
    lower = tables[below, left, grey] * (1 - across) + tables[below, right, grey] * across
    return np.rint(upper * (1 - down) + lower * down).astype(np.uint8)


def _correlated(around: npt.NDArray[Any], kernel: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The sum of products wherever the kernel fits."""
    height, width = (side - part + 1 for side, part in zip(around.shape, kernel.shape, strict=True))
    summed = np.zeros((height, width), around.dtype)
    for (row, column), weight in np.ndenumerate(kernel):
        if weight:
            summed += around[row : row + height, column : column + width] * weight
    return summed


def _ridges(steps: npt.NDArray[np.int32], across: npt.NDArray[np.int32], down: npt.NDArray[np.int32]) -> Any:
    """Where no neighbour in the direction of the gradient, to the nearest 45 degrees, has a larger step."""
    height, width = steps.shape
    around = np.pad(steps, 1)

    def beside(row: int, column: int) -> npt.NDArray[np.int32]:
        return around[1 + row : 1 + row + height, 1 + column : 1 + column + width]

    x, y = np.abs(across).astype(np.int64), np.abs(down).astype(np.int64) << 15
    level, upright = y < x * SHALLOW, y > x * STEEP
    rising = (across ^ down) < 0
    horizontal = (steps > beside(0, -1)) & (steps >= beside(0, 1))
    vertical = (steps > beside(-1, 0)) & (steps >= beside(1, 0))
    falls = (steps > beside(-1, -1)) & (steps > beside(1, 1))
    rises = (steps > beside(-1, 1)) & (steps > beside(1, -1))
    return np.where(level, horizontal, np.where(upright, vertical, np.where(rising, rises, falls)))


def _equalizing(area: Grey, clip: float) -> npt.NDArray[np.float32]:
    """The table that makes the area's levels equally frequent, none counted more than `clip` times the mean."""
    counts = np.bincount(area.ravel(), minlength=256)
    limit = max(1, int(clip * area.size / 256))
    excess = int(np.maximum(counts - limit, 0).sum())
    counts = np.minimum(counts, limit) + excess // 256
    left_over = excess % 256
    if left_over:
        counts[:: max(1, 256 // left_over)][:left_over] += 1
    table = counts.cumsum().astype(np.float32) * np.float32(255 / area.size)  # in 32 bits, as OpenCV's
    return np.asarray(np.rint(table).clip(0, 255), np.float32)


def _neighbours(
    side: int, part: int, tiles: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """For each sample along a side: the areas whose middles lie before and after it, and how far it is between them."""
    places = np.arange(side, dtype=np.float32) * np.float32(1 / part) - np.float32(0.5)
    before = np.floor(places).astype(np.intp)
    share = (places - before).astype(np.float32)
    return before.clip(0), (before + 1).clip(max=tiles - 1), share
