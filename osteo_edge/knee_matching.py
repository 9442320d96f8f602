"""Compare a film with the drawn knee by normalized cross-correlation: first the whole knee, then the joint line."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osteo_edge.filters import Pixels
from osteo_edge.knee_template import (
    COARSE_SIDE_PX,
    COARSE_WIDTH_PX,
    FINE_SPAN,
    FINE_SPAN_PX,
    KneeTemplate,
    coarse_features,
    cut,
    fine_features,
)
from osteo_edge.raster import matching, scaling, smoothing, tones

BORDER_PX = 24
"""How far the film is continued at the coarse scale, so that a joint near its edge can be met."""
CLEARANCE_WIDTHS = (0.4, 0.3)
"""How far from the film's edge, down and across, a joint must lie."""
COARSE_FLOOR, FINE_FLOOR = 0.15, 0.3
"""The least deviation that a patch of film counts with: noise in a flat patch is no likeness."""
LEAST_COARSE_SCORE = 0.2
PROPOSALS_PER_WIDTH, APART_PX = 6, 10
FINE_STEP, FINE_STEPS = 0.08, 2
"""The widths that are tried about a proposal's: the step between their logarithms, and how many up and down."""
FINE_FIELD_PX = 126
FINE_REACH_PX = (24, 12)


class Place(NamedTuple):
    """Where a knee may be: how like one it is, the middle of its joint line and its width, in the film's pixels."""

    score: float
    x: float
    y: float
    width: float


def propose(film: Pixels, width: float, template: KneeTemplate) -> Iterator[Place]:
    """The places on the film most like a knee of one width, best first; the score is at most 1."""
    scale = COARSE_WIDTH_PX / width
    height, width_px = (max(1, round(side * scale)) for side in film.shape)
    scaled = (scaling.shrink if scale < 1 else scaling.enlarge)(film, height, width_px)
    likeness, offset = _coarse_likeness(scaled, template), COARSE_SIDE_PX // 2 - BORDER_PX
    for _ in range(PROPOSALS_PER_WIDTH if likeness.size else 0):
        score, row, column = matching.highest(likeness)
        if score < LEAST_COARSE_SCORE:
            return
        yield Place(score, (column + offset) / scale, (row + offset) / scale, width)
        top, left = max(0, row - APART_PX), max(0, column - APART_PX)
        likeness[top : row + APART_PX + 1, left : column + APART_PX + 1] = -1


def settle(film: Pixels, place: Place, template: KneeTemplate) -> Place:
    """Move and scale the place to where the joint line fits best, and add that correlation to its score."""
    widths = [place.width * math.exp(FINE_STEP * step) for step in range(-FINE_STEPS, FINE_STEPS + 1)]
    found = [_fit_joint(film, place, width, template) for width in widths]
    best = max(range(len(found)), key=lambda number: found[number].score)
    top = _peak([fit.score for fit in found], best)
    return found[best]._replace(width=widths[0] * math.exp(FINE_STEP * top))


def _coarse_likeness(scaled: Pixels, template: KneeTemplate) -> Pixels:
    """The correlation at every place; -1 where no joint can be: off the limb or at the film's edge."""
    bordered = scaling.continue_edges(scaled, top=BORDER_PX, bottom=BORDER_PX, left=BORDER_PX, right=BORDER_PX)
    if min(bordered.shape) < COARSE_SIDE_PX:
        return np.empty((0, 0), np.float32)
    likeness = _correlate(coarse_features(bordered), template.coarse, COARSE_FLOOR)
    half, (rows, columns) = COARSE_SIDE_PX // 2, likeness.shape
    limb = _limb(scaled, bordered)[half : half + rows, half : half + columns]
    down, across = (
        _clear(places, side, widths)
        for places, side, widths in zip(likeness.shape, scaled.shape, CLEARANCE_WIDTHS, strict=True)
    )
    likeness[~(limb & down[:, np.newaxis] & across)] = -1
    return likeness


def _limb(scaled: Pixels, bordered: Pixels) -> npt.NDArray[np.bool_]:
    """Where the film is brighter around than Otsu's threshold (Otsu 1979)."""
    grey = (scaled * 255).astype(np.uint8)
    return smoothing.box_mean(bordered, 16, 24) > tones.otsu(grey) / 255


def _clear(places: int, side: int, widths: float) -> npt.NDArray[np.bool_]:
    """Which of the places along one axis lie clear of the film's edge."""
    middle, clearance = np.arange(places) + COARSE_SIDE_PX // 2 - BORDER_PX, widths * COARSE_WIDTH_PX
    return np.asarray((middle >= clearance) & (middle <= side - clearance))


def _fit_joint(film: Pixels, place: Place, width: float, template: KneeTemplate) -> Place:
    """The place moved to where the joint line fits best, at one width."""
    pixel = FINE_SPAN * width / FINE_SPAN_PX
    field = fine_features(cut(film, place.x, place.y, FINE_FIELD_PX * pixel, FINE_FIELD_PX))
    likeness = _correlate(field, template.fine, FINE_FLOOR)
    row, column = (side // 2 for side in likeness.shape)
    down, across = FINE_REACH_PX
    near = likeness[row - down : row + down + 1, column - across : column + across + 1]
    score, y, x = matching.highest(near)
    right, below = _peak(near[y], x) - across, _peak(near[:, x], y) - down
    return Place(place.score + score, place.x + right * pixel, place.y + below * pixel, width)


def _correlate(plane: Pixels, patch: Pixels, floor: float) -> Pixels:
    """Normalized cross-correlation wherever the patch fits, as if the plane deviated by `floor` at least."""
    rows, columns = patch.shape
    products = matching.covariance(plane, patch)
    mean, square = (smoothing.box_mean(values, rows, columns) for values in (plane, plane * plane))
    deviation = np.sqrt(np.maximum(square - mean * mean, floor**2))
    top, left = rows // 2, columns // 2
    deviation = deviation[top : top + products.shape[0], left : left + products.shape[1]]
    return np.asarray(products / (rows * columns * patch.std() * deviation), np.float32)


def _peak(values: Sequence[float] | Pixels, highest: int) -> float:
    """Where a smooth curve through the values is highest: the top of the parabola around the highest of them.

    >>> _peak([0.0, 1.0, 2.0, 2.0], 2)
    2.5
    """
    if highest in (0, len(values) - 1):
        return highest
    before, top, after = (float(value) for value in values[highest - 1 : highest + 2])
    bend = before - 2 * top + after
    return highest + (before - after) / (2 * bend) if bend else highest
