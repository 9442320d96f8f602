"""Outlines, polygons and lines by numpy. Points are (n, 2), x and y in pixels; a polygon closes by itself."""

import math
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Mask = npt.NDArray[np.uint8]

WELSCH_PX: Final = 2.9846
"""The distance at which a point's weight has fallen to 1/e: 95 % as efficient as least squares on normal noise."""
STARTS, START_POINTS, MAX_STEPS = 20, 10, 30
STEADY: Final = 0.01
"""Radians that a line turns, and pixels that it moves, from which on it is there."""

_Numbers = npt.NDArray[np.float64]
_Lines = tuple[_Numbers, _Numbers, _Numbers, _Numbers]
"""dx, dy, x and y of several lines."""


def area(polygon: Points) -> float:
    """The area that a polygon encloses, whichever way round it goes."""
    points = np.asarray(polygon, np.float64)
    return abs(float(_cross(points, np.roll(points, -1, axis=0)).sum())) / 2


def is_convex(polygon: Points) -> bool:
    """Whether a polygon turns the same way at all of its corners, so that one of four is convex."""
    points = np.asarray(polygon, np.float64)
    sides = np.roll(points, -1, axis=0) - points
    turns = _cross(sides, np.roll(sides, -1, axis=0))
    return bool(turns.min() > 0 or turns.max() < 0)


def distance_inside(polygon: Points, x: float, y: float) -> float:
    """How far within a polygon a point lies: the distance to its nearest side, negative outside."""
    starts = np.asarray(polygon, np.float64)
    sides, to_point = np.roll(starts, -1, axis=0) - starts, np.array([x, y]) - starts
    along = (sides * to_point).sum(axis=1) / np.maximum((sides * sides).sum(axis=1), 1e-12)
    nearest = to_point - np.clip(along, 0, 1)[:, None] * sides
    distance = float(np.sqrt((nearest * nearest).sum(axis=1)).min())
    ends_y = starts[:, 1] + sides[:, 1]
    passes = (starts[:, 1] > y) != (ends_y > y)
    height = np.where(passes, sides[:, 1], 1.0)
    crosses = passes & (x < starts[:, 0] + (y - starts[:, 1]) / height * sides[:, 0])
    return distance if crosses.sum() % 2 else -distance


def simplified(polygon: Points, share: float) -> Points:
    """A polygon of some of its points, from which the others lie at most `share` of its length around away.

    After Douglas and Peucker 1973, Algorithms for the reduction of the number of points, Cartographica 10(2).
    """
    points = np.asarray(polygon, np.float64)
    sides = np.roll(points, -1, axis=0) - points
    reach = share * float(np.hypot(sides[:, 0], sides[:, 1]).sum())
    first, last = _ends_for(points)
    if math.dist(points[first], points[last]) <= reach:
        return points[first : first + 1]
    turned = np.roll(points, -first, axis=0)
    half = (last - first) % len(points)
    kept = [*_kept(turned[: half + 1], reach), *_kept(np.concatenate([turned[half:], turned[:1]]), reach)]
    return _without_flat_corners(np.array(kept), reach)


def fitted_line(points: Points) -> _Numbers:
    """The line (x, y, dx, dy) through points, of which those far off count for next to nothing (Welsch's weights).

    From several starts it is improved step by step, and of all lines on the way that one is taken to which the
    distances are the smallest in sum, as OpenCV does it.
    """
    middle = np.mean(points, axis=0)
    x, y = (np.asarray(points, np.float64) - middle).T
    lines, before = _through(x, y, _starts(len(points))), None
    least, found = math.inf, np.array([*middle, 1.0, 0.0])
    for _ in range(MAX_STEPS):
        if before is not None:
            moving = _moving(lines, before)
            if not moving.any():
                break
            lines = lines[0][moving], lines[1][moving], lines[2][moving], lines[3][moving]
        dx, dy, at_x, at_y = lines
        off = np.abs(dy[:, None] * (x - at_x[:, None]) - dx[:, None] * (y - at_y[:, None]))
        sums = off.sum(axis=1)
        best = int(sums.argmin())
        if sums[best] < least:
            least = float(sums[best])
            found = np.array([at_x[best] + middle[0], at_y[best] + middle[1], dx[best], dy[best]])
        lines, before = _through(x, y, np.exp(-((off / WELSCH_PX) ** 2))), lines
    return found


def filled(shape: tuple[int, int], polygon: Points) -> Mask:
    """A mask (height, width) of ones on a convex polygon and on the pixels that its sides run through."""
    corners = np.rint(polygon)
    rows = np.arange(shape[0], dtype=np.float64)[:, None]
    starts, ends = corners, np.roll(corners, -1, axis=0)
    starts, ends = np.where(starts[:, 1:] <= ends[:, 1:], (starts, ends), (ends, starts))
    top, bottom = starts[:, 1], ends[:, 1]
    slope = (ends[:, 0] - starts[:, 0]) / np.maximum(bottom - top, 1)
    # Where a side enters and leaves each row: a steep one has one pixel there, a level one all between its ends.
    half = np.where(np.abs(slope) > 1, 0.5, 0.0)
    enters = starts[:, 0] + slope * (np.clip(rows - half, top, bottom) - top)
    leaves = starts[:, 0] + slope * (np.clip(rows + half, top, bottom) - top)
    leaves = np.where(top == bottom, ends[:, 0], leaves)
    meets = (top <= rows) & (rows <= bottom)
    left = np.where(meets, np.minimum(enters, leaves), np.inf).min(axis=1, keepdims=True)
    right = np.where(meets, np.maximum(enters, leaves), -np.inf).max(axis=1, keepdims=True)
    columns = np.arange(shape[1])
    return np.asarray((columns >= np.rint(left)) & (columns <= np.rint(right)), np.uint8)


def _cross(first: Points, second: Points) -> _Numbers:
    return np.asarray(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])


def _ends_for(points: Points) -> tuple[int, int]:
    """Two points far from each other: three times the one that is farthest from the one before."""
    first, last = 0, 0
    for _ in range(3):
        first, last = last, int(((points - points[last]) ** 2).sum(axis=1).argmax())
    return first, last


def _kept(points: Points, reach: float) -> list[Points]:
    """The points that are needed from the first to the last, the last left out."""
    along = points[-1] - points[0]
    inner = points[1:-1] - points[0]
    off = np.abs(inner[:, 1] * along[0] - inner[:, 0] * along[1])
    if not off.size or off.max() <= reach * math.hypot(*along):
        return [points[0]]
    farthest = int(off.argmax()) + 1
    return [*_kept(points[: farthest + 1], reach), *_kept(points[farthest:], reach)]


def _without_flat_corners(points: Points, reach: float) -> Points:
    """Without the corners that lie within 0.7 of the reach of the line between those beside them, one after another."""
    kept, before, i = list[Points](), points[-1], 0
    while i < len(points):
        corner, after = points[i], points[(i + 1) % len(points)]
        along = after - before
        off = abs(float((corner - before) @ np.array([along[1], -along[0]])))
        flat = off * off <= 0.5 * reach * reach * float(along @ along) and bool(np.all(along != 0))
        if flat and float((corner - before) @ (after - corner)) >= 0 and len(points) - i + len(kept) > 2:
            kept.append(after)
            before, i = after, i + 2
        else:
            kept.append(corner)
            before, i = corner, i + 1
    return np.array(kept)


@cache
def _starts(count: int) -> _Numbers:
    """Weights (starts, count) of 1 for ten random points, and 0: by OpenCV's multiply-with-carry (Marsaglia)."""
    weights, state = np.zeros((STARTS, count)), 2**64 - 1
    for chosen in weights:
        while chosen.sum() < min(count, START_POINTS):
            state = (state % 2**32 * 4_164_903_690 + (state >> 32)) % 2**64
            chosen[state % 2**32 % count] = 1
    return weights


def _through(x: _Numbers, y: _Numbers, weights: _Numbers) -> _Lines:
    """For each row of weights the line with the smallest weighted sum of squared distances."""
    shares = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    at_x, at_y = shares @ x, shares @ y
    xx, xy, yy = shares @ (x * x) - at_x * at_x, shares @ (x * y) - at_x * at_y, shares @ (y * y) - at_y * at_y
    angles = np.arctan2(2 * xy, xx - yy) / 2
    return np.cos(angles), np.sin(angles), at_x, at_y


def _moving(lines: _Lines, before: _Lines) -> npt.NDArray[np.bool_]:
    dx, dy, x, y = lines
    was_dx, was_dy, was_x, was_y = before
    turned = np.arccos(np.clip(dx * was_dx + dy * was_dy, -1, 1))
    return (turned >= STEADY) | (np.maximum(np.abs(x - was_x), np.abs(y - was_y)) >= STEADY)
