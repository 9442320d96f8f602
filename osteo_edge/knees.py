"""Find the knees on a film: places that look like a drawn knee, at many scales, of which one or two are kept.

It works on the film at 512 pixels, so that the time does not grow with the film.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osteo_edge.filters import Pixels
from osteo_edge.knee_matching import Place, propose, settle
from osteo_edge.knee_template import KneeTemplate, coarse_patch, load_template
from osteo_edge.raster import scaling

SEARCHED_PX = 512
"""The longest side of the film that is searched."""
WIDTHS = tuple(float(width) for width in np.geomspace(0.1, 0.5, 18))
"""The condyle widths that are tried, as shares of the film's longest side: 10 % from one to the next."""
PROPOSALS = 16
"""How many places are settled: most of the time goes into this."""
LEAST_SCORE = 0.93
"""A compromise between knees that are missed and other X-rays that are taken for one: it sorts out photographs and
blank films, but only some chests and wrists, and not lateral knees."""


@dataclass(frozen=True)
class Knee:
    """A knee on the film: (`x_px`, `y_px`) is the middle of its joint line, from the film's top left corner.

    `width_px` is that of the condyles. `score`, at most 2, is the sum of two correlations with the template.
    `fibula_right` says on which side of the film the fibula lies.
    """

    x_px: float
    y_px: float
    width_px: float
    score: float
    fibula_right: bool


def find_knees(pixels: Pixels) -> tuple[Knee, ...]:
    """One or two knees, left to right on the film, or none where nothing looks like one.

    `pixels` are (height, width) in [0, 1], bone bright. Made for frontal views. On a film of two knees the fibulas lie
    outside; of one knee, the side is read off its shape.
    """
    template, film = load_template(), _shrunk(pixels)
    places = [place for share in WIDTHS for place in propose(film, share * max(film.shape), template)]
    settled = sorted((settle(film, place, template) for place in _distinct(places)), reverse=True)
    pair = sorted(_pair(settled), key=lambda place: place.x)
    sides = (False, True) if len(pair) == 2 else tuple(_fibula_right(film, place, template) for place in pair)
    scale = max(pixels.shape) / max(film.shape)
    return tuple(
        Knee(place.x * scale, place.y * scale, place.width * scale, place.score, side)
        for place, side in zip(pair, sides, strict=True)
    )


def _shrunk(pixels: Pixels) -> Pixels:
    scale = min(1.0, SEARCHED_PX / max(pixels.shape))
    height, width = (max(1, round(side * scale)) for side in pixels.shape)
    return scaling.shrink(pixels, height, width)


def _distinct(places: Sequence[Place]) -> list[Place]:
    """The best places, without those that settling would bring to the same knee as a better one."""
    kept: list[Place] = []
    for place in sorted(places, reverse=True):
        if not any(_is_same(place, other) for other in kept):
            kept.append(place)
    return kept[:PROPOSALS]


def _is_same(place: Place, better: Place) -> bool:
    distance = math.hypot(place.x - better.x, place.y - better.y)
    return distance < 0.25 * better.width and abs(math.log(place.width / better.width)) < 0.15


def _pair(places: Sequence[Place]) -> list[Place]:
    """The best place, and the best one that can be the other knee beside it; nothing if the best is no knee."""
    if not places or places[0].score < LEAST_SCORE:
        return []
    best = places[0]
    return [best, *[place for place in places[1:] if _is_other_knee(place, best)][:1]]


def _is_other_knee(place: Place, best: Place) -> bool:
    beside = abs(place.x - best.x) > best.width and abs(place.y - best.y) < 0.6 * best.width
    alike = abs(math.log(place.width / best.width)) < 0.2 and place.score > 0.55 * best.score
    return beside and alike


def _fibula_right(film: Pixels, place: Place, template: KneeTemplate) -> bool:
    return bool((coarse_patch(film, place.x, place.y, place.width) * template.asymmetry).sum() > 0)
