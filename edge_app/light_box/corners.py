"""Find the four corners of a film on a light box, or of the bright panel where no film stands out on it.

Bright areas at several levels give panels, darker areas on an evened-out panel give films. The sides of each candidate
are laid through the steepest brightness across them, and a candidate counts by how much of its sides is such an edge.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from osteo_edge.edge_app.light_box.edges import MIN_AREA_SHARE, Corners, Grey, Quadrangle, in_order, laid_on_edges
from osteo_edge.lettering import Picture
from osteo_edge.raster import colour, components, outlines, scaling, smoothing

Kind = Literal["film", "panel"]

WORK_SIDE_PX = 640
MIN_CONFIDENCE = 0.55
MIN_EMPTY_PANEL_CONFIDENCE = 0.8
"""Of a panel with no film found on it: else a leg on a film that fills the panel would do."""
MIN_THIRD_SIDE = 0.88
"""The share of a film's third-best side that is an edge; the fourth may end in the dark."""
PANEL_LEVELS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
FILM_LEVELS = (0.96, 0.93, 0.9, 0.85, 0.8, 0.7, 0.6)

_PAD_PX = 24


@dataclass(frozen=True, eq=False)
class Outline:
    """Where the film lies in a photo.

    `corners` are (4, 2), x and y in pixels of the photo, clockwise from the top left. `confidence` is the mean share
    of the two weaker sides that is a sharp edge, in [0, 1].
    """

    corners: Corners
    confidence: float
    kind: Kind


def find_film(photo: Picture) -> Outline | None:
    """The outline of the film in a photo (height, width, 3), uint8; None where none is found with confidence.

    A film on a larger panel goes before the panel. A photo that shows less than three sides of it gives None.
    """
    grey, scale = _small(photo)
    shape = (grey.shape[0] - 2 * _PAD_PX, grey.shape[1] - 2 * _PAD_PX)
    panels = [
        c for quad in _panel_quads(grey) if (c := laid_on_edges(grey, quad, None)) is not None and _is_bright_inside(c)
    ]
    panels = [c for c in panels if c.confidence >= MIN_CONFIDENCE and _cut_sides(c.corners, shape) <= 1]
    if not panels:
        return None
    panel = max(panels, key=lambda c: c.confidence * math.sqrt(c.area))
    film = _film_on(grey, panel, shape)
    if film is None and panel.confidence < MIN_EMPTY_PANEL_CONFIDENCE:
        return None
    best = panel if film is None else film
    return Outline(
        corners=(best.corners - _PAD_PX + 0.5) / scale - 0.5,
        confidence=best.confidence,
        kind="panel" if film is None else "film",
    )


def set_by_hand(corners: Corners) -> Outline:
    """The outline that the user has set, in any order of the corners; it counts as certain."""
    return Outline(in_order(corners), 1.0, "film")


def corners_to_start_from(shape: tuple[int, int]) -> Corners:
    """Corners for the user to move where none were found: a tenth within a photo of `shape` (height, width)."""
    height, width = shape
    return np.array([[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]) * (width - 1, height - 1)


def _small(photo: Picture) -> tuple[Grey, float]:
    """The photo in grey, shrunk and with a black border, so that a cut-off panel has an edge there, too."""
    scale = min(1.0, WORK_SIDE_PX / max(photo.shape[:2]))
    grey = colour.luminance(photo)
    height, width = max(1, round(grey.shape[0] * scale)), max(1, round(grey.shape[1] * scale))
    small = smoothing.gaussian(scaling.shrink(grey, height, width), 1.0)
    return (np.pad(small, _PAD_PX) / np.float32(255)).astype(np.float32), scale


def _panel_quads(grey: Grey) -> Iterator[Corners]:
    """Quadrangles about what is brighter than a level, for several levels below the brightest."""
    brightest = float(np.quantile(grey, 0.99))
    for level in PANEL_LEVELS:
        yield from _quads((grey > level * brightest).astype(np.uint8))


def _film_on(grey: Grey, panel: Quadrangle, shape: tuple[int, int]) -> Quadrangle | None:
    """What is darker than the panel around it, on as many sides as there is, and then the largest."""
    mask = smoothing.erode(outlines.filled((grey.shape[0], grey.shape[1]), panel.corners), 3)
    light = _light_of(grey, mask)
    if light is None:
        return None
    flat = grey / light
    films: list[tuple[int, float, Quadrangle]] = []
    for level in FILM_LEVELS:
        for quad in _quads(((flat < level) & (mask > 0)).astype(np.uint8)):
            film = laid_on_edges(grey, quad, panel)
            if film is None or film.confidence < MIN_CONFIDENCE or np.sort(film.support)[1] < MIN_THIRD_SIDE:
                continue
            if _cut_sides(film.corners, shape) > 1:
                continue
            lit = _lit_sides(film, light, panel)
            if lit:
                films.append((lit, film.confidence * math.sqrt(film.area), film))
    return max(films, key=lambda found: found[:2], default=(0, 0.0, None))[2]


def _light_of(grey: Grey, mask: npt.NDArray[np.uint8]) -> Grey | None:
    """The light of the panel: a parabola in x and y through what is brightest on it, in pixels of `grey`."""
    rows, columns = np.nonzero(mask)
    values = grey[rows, columns]
    if values.size < 400:
        return None
    y, x = rows / grey.shape[0] - 0.5, columns / grey.shape[1] - 0.5
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    keep = values >= np.quantile(values, 0.7)
    for _ in range(4):
        fit = np.linalg.lstsq(terms[keep], values[keep], rcond=None)[0]
        residuals = values - terms @ fit
        keep = residuals > -0.04
        if keep.sum() < 100:
            return None
    y_all, x_all = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]]
    y_all, x_all = y_all / grey.shape[0] - 0.5, x_all / grey.shape[1] - 0.5
    light = fit @ np.stack([np.ones_like(x_all), x_all, y_all, x_all**2, y_all**2, x_all * y_all]).reshape(6, -1)
    return np.asarray(np.maximum(light.reshape(grey.shape), 0.05), np.float32)


def _quads(mask: npt.NDArray[np.uint8]) -> Iterator[Corners]:
    """Quadrangles about the largest areas of a mask."""
    opened = smoothing.dilate(smoothing.erode(mask, 3), 3)
    closed = smoothing.erode(smoothing.dilate(opened, 9), 9)
    for hull in components.largest_hulls(closed, 2, MIN_AREA_SHARE * mask.size):
        for share in (0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08):
            polygon = outlines.simplified(hull, share)
            if len(polygon) == 4:
                yield in_order(polygon)
                break


def _is_bright_inside(candidate: Quadrangle) -> bool:
    return bool((candidate.inside > candidate.outside).sum() >= 3)


def _lit_sides(film: Quadrangle, light: Grey, panel: Quadrangle) -> int:
    """Beside how many sides the panel shines; 0 if another side is not the panel's own end, so that it is no film's."""
    lit = 0
    for i in range(4):
        middle = (film.corners[i] + film.corners[(i + 1) % 4]) / 2
        x, y = np.clip(np.rint(middle).astype(int), 0, (light.shape[1] - 1, light.shape[0] - 1))
        if film.outside[i] > 0.85 * light[y, x] and film.inside[i] < film.outside[i]:
            lit += 1
        elif abs(outlines.distance_inside(panel.corners, float(x), float(y))) > 8:
            return 0
    return lit


def _cut_sides(corners: Corners, shape: tuple[int, int]) -> int:
    """How many sides run along the border of the photo, whose size within the padding is `shape`."""
    height, width = shape
    middles = (corners + np.roll(corners, -1, axis=0)) / 2 - _PAD_PX
    gaps = np.stack([middles[:, 0], middles[:, 1], width - middles[:, 0], height - middles[:, 1]], axis=1)
    return int((gaps.min(axis=1) < 0.01 * max(shape)).sum())
