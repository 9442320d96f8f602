"""Connected areas of a mask by numpy; pixels that meet at a corner are connected.

The pixels of a row that follow one another are a run; runs of neighbouring rows that touch are joined.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osteo_edge.raster.plain import outlines

Mask = npt.NDArray[np.uint8]
"""(height, width); what is not 0 counts."""
Labels = npt.NDArray[np.int32]
Points = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Runs:
    """Of each run the row, the first column, the column after the last, and the area, named by its first run.

    The runs of an area, and all of them to begin with, are sorted by row and column.
    """

    rows: Numbers
    starts: Numbers
    ends: Numbers
    areas: Numbers

    @property
    def firsts(self) -> Numbers:
        """Where the areas begin, if the runs are sorted by area."""
        return np.flatnonzero(np.diff(self.areas, prepend=-1))


def labels(mask: Mask) -> Labels:
    """The area of each pixel, (height, width): 0 where `mask` is 0, else a number from 1 on, in no certain order."""
    runs = _runs(mask != 0, touching_at_corners=True)
    names = np.unique(runs.areas, return_inverse=True)[1].reshape(-1) + 1
    steps = np.zeros((mask.shape[0], mask.shape[1] + 1), np.int32)
    steps[runs.rows, runs.starts] = names
    steps[runs.rows, runs.ends] = -names
    return np.cumsum(steps, axis=1, dtype=np.int32)[:, :-1]


def sizes_and_boxes(mask: Mask) -> Labels:
    """Left, top, width, height and number of pixels of each connected area, (n, 5), in no certain order."""
    runs = _by_area(_runs(mask != 0, touching_at_corners=True))
    firsts = runs.firsts
    if not firsts.size:
        return np.zeros((0, 5), np.int32)
    left, right = np.minimum.reduceat(runs.starts, firsts), np.maximum.reduceat(runs.ends, firsts)
    top, bottom = runs.rows[firsts], runs.rows[np.append(firsts[1:], len(runs.rows)) - 1] + 1
    sizes = np.add.reduceat(runs.ends - runs.starts, firsts)
    return np.stack([left, top, right - left, bottom - top, sizes], axis=1).astype(np.int32)


def largest_hulls(mask: Mask, count: int, least: float) -> list[Points]:
    """The convex hulls of the connected areas, the `count` largest first, that enclose at least `least` each.

    A hull is (n, 2), x and y of pixels, and what it encloses is measured between their centres. An area that lies in
    the hole of another does not count.
    """
    runs = _by_area(_runs(_without_holes(mask != 0), touching_at_corners=True))
    firsts = runs.firsts
    if not firsts.size:
        return []
    lasts = np.append(firsts[1:], len(runs.rows))
    columns = np.maximum.reduceat(runs.ends, firsts) - 1 - np.minimum.reduceat(runs.starts, firsts)
    boxes = columns * (runs.rows[lasts - 1] - runs.rows[firsts])
    found: list[tuple[float, Points]] = []
    for i in np.argsort(-boxes, kind="stable"):
        if boxes[i] < max(least, found[count - 1][0] if len(found) >= count else 0.0):
            break  # a hull is never larger than its box, nor are those that follow
        part = slice(firsts[i], lasts[i])
        hull = _hull(runs.rows[part], runs.starts[part], runs.ends[part] - 1)
        found = sorted([*found, (outlines.area(hull), hull)], key=lambda one: one[0], reverse=True)
    return [hull for area, hull in found[:count] if area >= least]


def _runs(mask: npt.NDArray[np.bool_], *, touching_at_corners: bool) -> _Runs:
    height, width = mask.shape
    edges = np.zeros((height, width + 2), np.bool_)
    edges[:, 1:-1] = mask
    places = np.flatnonzero(edges[:, 1:] != edges[:, :-1])  # the flat place of each start, and of each end
    starts, ends = places[::2], places[1::2]
    stride = width + 1
    rows = starts // stride
    reach = 0 if touching_at_corners else 1
    first = np.searchsorted(ends, starts + stride + reach)
    last = np.searchsorted(starts, ends + stride - reach, side="right")
    counts = np.maximum(last - first, 0)
    above = np.repeat(np.arange(len(starts)), counts)
    below = np.arange(len(above)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    return _Runs(rows, starts - rows * stride, ends - rows * stride, _joined(len(starts), above, below))


def _by_area(runs: _Runs) -> _Runs:
    order = np.argsort(runs.areas, kind="stable")
    return _Runs(runs.rows[order], runs.starts[order], runs.ends[order], runs.areas[order])


def _joined(count: int, above: Numbers, below: Numbers) -> Numbers:
    """For each run the first run of its area, where `above` and `below` are the pairs that touch."""
    parents = np.arange(count)
    while above.size:
        first, second = parents[above], parents[below]
        np.minimum.at(parents, np.maximum(first, second), np.minimum(first, second))
        while True:
            grandparents = parents[parents]
            if np.array_equal(grandparents, parents):
                break
            parents = grandparents
        apart = parents[above] != parents[below]
        above, below = above[apart], below[apart]
    return parents


def _without_holes(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """All but what of the ground is connected, by sides, with a border around the mask."""
    ground = np.ones((mask.shape[0] + 2, mask.shape[1] + 2), np.bool_)
    ground[1:-1, 1:-1] = ~mask
    runs = _runs(ground, touching_at_corners=False)
    outer = runs.areas == runs.areas[0]
    steps = np.zeros((ground.shape[0], ground.shape[1] + 1), np.int8)
    steps[runs.rows[outer], runs.starts[outer]] = 1
    steps[runs.rows[outer], runs.ends[outer]] = -1
    return np.asarray(np.cumsum(steps, axis=1, dtype=np.int8)[1:-1, 1:-2] == 0)


def _hull(rows: Numbers, left: Numbers, right: Numbers) -> Points:
    """The convex hull of the ends of runs, sorted by row; after Andrew 1979, Information Processing Letters 9(5)."""
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    y = rows[first]
    outer_left = list(zip(np.minimum.reduceat(left, first).tolist(), y.tolist(), strict=True))
    outer_right = list(zip(np.maximum.reduceat(right, first).tolist(), y.tolist(), strict=True))
    around = [*_bulging(outer_right), *_bulging(outer_left[::-1])]
    return np.array(list(dict.fromkeys(around)), np.float64)


def _bulging(chain: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The points of a chain at which it turns to the right hand as seen in the picture."""
    kept: list[tuple[int, int]] = []
    for point in chain:
        while len(kept) > 1 and _turn(kept[-2], kept[-1], point) <= 0:
            kept.pop()
        kept.append(point)
    return kept


def _turn(first: tuple[int, int], second: tuple[int, int], third: tuple[int, int]) -> int:
    return (second[0] - first[0]) * (third[1] - first[1]) - (second[1] - first[1]) * (third[0] - first[0])
