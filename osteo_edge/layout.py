"""Where the parts of a film lie on a network's canvas, and how a map of the canvas is brought back onto the film."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osteo_edge.filters import Pixels
from osteo_edge.knees import Knee
from osteo_edge.raster import scaling

CROP_WIDTHS = 1.5
"""The side of the square around a knee, in condyle widths: femur and tibia without the shafts."""

Shape = tuple[int, int]


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class Placement:
    """One rectangle of the film and the rectangle of the canvas that it is scaled to.

    `source` may reach beyond the film. `target` lies in `panel`, the part of the canvas that is kept for this placement
    alone. `mirrored` flips left and right.
    """

    source: Box
    target: Box
    panel: Box
    mirrored: bool = False

    def matrix(self) -> npt.NDArray[np.float64]:
        """The 2 x 3 matrix from film to canvas; a pixel spans from its number to the next, its middle is at a half."""
        down, across = self.target.height / self.source.height, self.target.width / self.source.width
        top, left = self.target.top - down * self.source.top, self.target.left - across * self.source.left
        if self.mirrored:
            across, left = -across, 2 * self.target.left + self.target.width - left
        return np.array([[across, 0, left], [0, down, top]])


@dataclass(frozen=True)
class Layout:
    """What of a film (height, width) lies where on a canvas (height, width), in pixels.

    `knees` are those that were found; None where none were looked for.
    """

    film: Shape
    canvas: Shape
    placements: tuple[Placement, ...]
    knees: tuple[Knee, ...] | None = None


def lay_out_film(film: Shape, canvas: Shape) -> Layout:
    """The whole film, as large as the canvas allows, in its middle."""
    return Layout(film, canvas, (_whole(film, Box(0, 0, *canvas)),))


def lay_out_knees(film: Shape, knees: Sequence[Knee], canvas: Shape) -> Layout:
    """A square around each knee, 1.5 condyle widths, in the canvas's left and right half, the fibula on the right.

    One knee fills both halves, so that what is averaged over the canvas is its own; with no knee the whole film does.
    """
    height, middle = canvas[0], canvas[1] // 2
    panels = Box(0, 0, height, middle), Box(0, middle, height, canvas[1] - middle)
    if not knees:
        return Layout(film, canvas, tuple(_whole(film, panel) for panel in panels), ())
    placements = tuple(_around(knee, panel) for knee, panel in zip((knees[0], knees[-1]), panels, strict=True))
    return Layout(film, canvas, placements, tuple(knees))


def fit(shape: Shape, panel: Box) -> Box:
    """The largest box of the aspect of `shape`, (height, width), that lies centred in the panel.

    >>> fit((1000, 500), Box(0, 0, 224, 224))
    Box(top=0, left=56, height=224, width=112)
    """
    scale = min(panel.height / shape[0], panel.width / shape[1])
    height, width = (
        min(room, max(1, round(side * scale))) for room, side in zip((panel.height, panel.width), shape, strict=True)
    )
    return Box(panel.top + (panel.height - height) // 2, panel.left + (panel.width - width) // 2, height, width)


def cut_out(pixels: Pixels, box: Box) -> Pixels:
    """The box of the film; beyond the film its outermost pixels go on."""
    height, width = pixels.shape
    bottom, right = box.top + box.height, box.left + box.width
    inside = pixels[max(box.top, 0) : min(bottom, height), max(box.left, 0) : min(right, width)]
    above, below, before, after = (max(reach, 0) for reach in (-box.top, bottom - height, -box.left, right - width))
    if not (above or below or before or after):
        return inside
    return scaling.continue_edges(inside, top=above, bottom=below, left=before, right=after)


def from_canvas(canvas: Pixels, layout: Layout, shape: Shape | None = None) -> Pixels:
    """Bring a picture of the canvas, of any resolution, back onto the film: (height, width) or another `shape` of it.

    For drawing an activation map over the film that it belongs to; bilinear. Where placements overlap the larger value
    counts, and film that lies nowhere on the canvas gets 0.
    """
    shape = shape or layout.film
    film = np.full(shape, -np.inf, np.float32)
    for placement in layout.placements:
        np.maximum(film, _brought_back(canvas, placement, layout, shape), out=film)
    return np.where(np.isneginf(film), np.float32(0), film)


def _whole(film: Shape, panel: Box) -> Placement:
    return Placement(Box(0, 0, *film), fit(film, panel), panel)


def _around(knee: Knee, panel: Box) -> Placement:
    side = max(1, round(CROP_WIDTHS * knee.width_px))
    source = Box(round(knee.y_px - side / 2), round(knee.x_px - side / 2), side, side)
    return Placement(source, fit((side, side), panel), panel, mirrored=not knee.fibula_right)


def _brought_back(canvas: Pixels, placement: Placement, layout: Layout, shape: Shape) -> Pixels:
    """The film at `shape` as this placement shows it, minus infinity where it shows nothing of it."""
    per_pixel = np.divide(canvas.shape, layout.canvas)  # cells of the picture, down and across
    cells, corner = _panel_of(canvas, placement.panel, layout.canvas)
    step = np.divide(layout.film, shape)
    matrix = placement.matrix()
    matrix[:, 2] += matrix[:, :2] @ (step[::-1] / 2)
    matrix[:, :2] *= step[::-1]
    matrix *= per_pixel[::-1, np.newaxis]
    matrix[:, 2] -= np.add(corner[::-1], 0.5)
    film = scaling.warp(cells, matrix, *shape, from_target=True)
    return np.where(_shown(placement.source, layout.film, shape), film, np.float32(-np.inf)).astype(np.float32)


def _panel_of(canvas: Pixels, panel: Box, size: Shape) -> tuple[Pixels, Shape]:
    """The cells of a picture of the canvas that the panel touches, and the first one's row and column."""
    (rows, columns), (height, width) = canvas.shape, size
    top, left = panel.top * rows // height, panel.left * columns // width
    bottom = -(-(panel.top + panel.height) * rows // height)
    right = -(-(panel.left + panel.width) * columns // width)
    return np.ascontiguousarray(canvas[top:bottom, left:right]), (top, left)


def _shown(source: Box, film: Shape, shape: Shape) -> npt.NDArray[np.bool_]:
    """Which pixels of the film at `shape` lie in the box."""
    y, x = ((np.arange(there) + 0.5) * side / there for side, there in zip(film, shape, strict=True))
    rows = (y >= source.top) & (y < source.top + source.height)
    columns = (x >= source.left) & (x < source.left + source.width)
    return np.asarray(rows[:, np.newaxis] & columns)
