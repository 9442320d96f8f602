"""Quadrangles whose sides are laid onto the edges beside them, and how much of each side is such an edge."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.raster import outlines, perspective

Corners = npt.NDArray[np.float64]
Grey = npt.NDArray[Any]

REACHES_PX = (12, 4)
"""How far beside a side its edge is looked for: first, and then again."""
MIN_STEP = 0.035
MIN_AREA_SHARE = 0.06
MAX_OWN_SUPPORT = 0.75
"""Of a film's side that is taken to be the panel's."""

_SAMPLES = 64


@dataclass(frozen=True, eq=False)
class Quadrangle:
    """A quadrangle, and for each side: the share that is an edge, and the brightness outside and inside of it."""

    corners: Corners
    support: npt.NDArray[np.float64]
    outside: npt.NDArray[np.float64]
    inside: npt.NDArray[np.float64]

    @property
    def area(self) -> float:
        return outlines.area(self.corners)

    @property
    def confidence(self) -> float:
        return float(np.sort(self.support)[:2].mean())


@dataclass(frozen=True, eq=False)
class _Side:
    """The line (x, y, dx, dy) of an edge, the share of it that is one, and the brightness outside and inside of it."""

    line: npt.NDArray[np.float64]
    support: float
    outside: float
    inside: float


def in_order(corners: npt.NDArray[Any]) -> Corners:
    """Four corners (4, 2) clockwise as seen in the photo, the one nearest to the photo's top left first.

    >>> in_order(np.array([[9, 9], [0, 9], [9, 0], [0, 0]])).tolist()
    [[0.0, 0.0], [9.0, 0.0], [9.0, 9.0], [0.0, 9.0]]
    """
    around = np.asarray(corners, np.float64) - np.mean(corners, axis=0)
    clockwise = np.asarray(corners, np.float64)[np.argsort(np.arctan2(around[:, 1], around[:, 0]))]
    return np.roll(clockwise, -int(clockwise.sum(axis=1).argmin()), axis=0)


def is_usable(corners: Corners) -> bool:
    """Whether the corners are those of a rectangle seen by a camera: convex, and no angle far from a right one."""
    if not outlines.is_convex(corners):
        return False
    before, after = np.roll(corners, 1, axis=0) - corners, np.roll(corners, -1, axis=0) - corners
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    if lengths.min() < 1:
        return False
    return bool(np.abs((before * after).sum(axis=1) / lengths).max() < math.cos(math.radians(50)))


def laid_on_edges(grey: Grey, corners: Corners, panel: Quadrangle | None) -> Quadrangle | None:
    """Move the sides onto the steepest edges beside them, first far, then near; None where no rectangle comes of it.

    `grey` is in [0, 1]. A panel is brighter inside; a film, where `panel` is given, outside, and where it ends with
    its panel, the panel's side is taken.
    """
    sides: list[_Side] = []
    for reach in REACHES_PX:
        if not is_usable(corners):
            return None
        sides = [_side(grey, corners[i], corners[(i + 1) % 4], reach, 1 if panel is None else -1) for i in range(4)]
        if panel is not None and reach == REACHES_PX[-1]:
            sides = [_shared(side, corners[i], corners[(i + 1) % 4], panel) for i, side in enumerate(sides)]
        crossings = [_crossing(sides[i - 1].line, sides[i].line) for i in range(4)]
        corners = np.array([old if new is None else new for new, old in zip(crossings, corners, strict=True)])
    if not is_usable(corners):
        return None
    support, outside, inside = np.array([(side.support, side.outside, side.inside) for side in sides]).T
    candidate = Quadrangle(corners, support, outside, inside)
    return candidate if candidate.area >= MIN_AREA_SHARE * grey.size else None


def _side(grey: Grey, start: Corners, end: Corners, reach: int, inward: int) -> _Side:
    """The edge beside a side: where brightness grows most steeply inwards (`inward` 1) or outwards (-1)."""
    profiles, points, normal = profiles_across(grey, start, end, reach, _SAMPLES)
    steps = inward * (profiles[:, 4:] - profiles[:, :-4])
    best = steps.argmax(axis=1)
    strength = steps[np.arange(_SAMPLES), best]
    found = points + (best + 2 - reach)[:, None] * normal
    sharp = strength >= MIN_STEP
    strongest = strength >= max(MIN_STEP, 0.5 * float(np.quantile(strength, 0.9)))
    chosen = found[strongest] if strongest.sum() >= 8 else np.stack([start, end])
    line = outlines.fitted_line(chosen)
    support = float(((_distances(found, line) < 1.6) & sharp).mean())
    return _Side(line, support, float(np.median(profiles[:, :2])), float(np.median(profiles[:, -2:])))


def _shared(side: _Side, start: Corners, end: Corners, panel: Quadrangle) -> _Side:
    """The side, or the panel's that runs along it, if no light is seen beside it: the film ends there, too."""
    if side.outside > 0.5 * panel.inside.max() and side.support > MAX_OWN_SUPPORT:
        return side
    for i in range(4):
        first, second = panel.corners[i], panel.corners[(i + 1) % 4]
        line = np.concatenate([first, (second - first) / np.linalg.norm(second - first)])
        if _distances(np.stack([start, end]), line).max() < 14:
            return replace(side, line=line, support=max(side.support, float(panel.support[i])))
    return side


def _distances(points: Corners, line: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.abs((points - line[:2]) @ np.array([-line[3], line[2]])))


def profiles_across(
    grey: Grey, start: Corners, end: Corners, reach: int, samples: int
) -> tuple[Grey, Corners, npt.NDArray[np.float64]]:
    """Brightness across a side from outside to inside, (samples, 2 * reach + 1), the points, and the inward normal.

    `start` to `end` is clockwise; the ends of the side are left out, where the neighbouring side's edge disturbs.
    """
    along = end - start
    normal = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-9)
    points = start + np.linspace(0.06, 0.94, samples)[:, None] * along
    places = points[:, None, :] + np.arange(-reach, reach + 1)[None, :, None] * normal
    return perspective.sampled(grey, places[..., 0], places[..., 1]), points, normal


def _crossing(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> Corners | None:
    """Where two lines (x, y, dx, dy) meet; None if they run side by side."""
    matrix = np.array([[first[2], -second[2]], [first[3], -second[3]]])
    if abs(np.linalg.det(matrix)) < 0.3:
        return None
    along = np.linalg.solve(matrix, second[:2] - first[:2])
    return np.asarray(first[:2] + along[0] * first[2:])
