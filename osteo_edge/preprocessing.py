"""Radiograph pixels to network input: the one place where an image is prepared, in training and on the device."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from osteo_edge.filters import Filter, apply_filters
from osteo_edge.filters import Pixels as Pixels
from osteo_edge.knees import find_knees
from osteo_edge.layout import Layout, Placement, cut_out, lay_out_film, lay_out_knees
from osteo_edge.raster import scaling

Tensor = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Normalization:
    """What the network was trained on: value = pixel * scale + offset, for pixels in [0, 1], one of each a channel."""

    scale: tuple[float, ...]
    offset: tuple[float, ...]


MOBILENET = Normalization(scale=(2.0, 2.0, 2.0), offset=(-1.0, -1.0, -1.0))
GREY = Normalization(scale=(2.0,), offset=(-1.0,))

STRETCH_PERCENTILES = (1.0, 99.0)


@dataclass(frozen=True)
class InputSpec:
    """All that is needed to prepare an image for one network; part of the bundle.

    `resize` "letterbox" scales the image to fit, keeps its aspect and centres it on black. "knees" puts a square around
    each knee side by side on the canvas, meant to be twice as wide as high, and stretches the contrast of each.
    `filters` are applied to each scaled part, in their order. A grey image is repeated over `channels`.
    """

    height: int
    width: int
    channels: Literal[1, 3] = 3
    resize: Literal["letterbox", "knees"] = "letterbox"
    filters: tuple[Filter, ...] = ()
    normalization: Normalization = MOBILENET

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            if not 1 <= getattr(self, name) <= 4096:
                raise ValueError(f"{name} must lie between 1 and 4096, not {getattr(self, name)}")
        if self.resize == "knees" and self.width < 2:
            raise ValueError('width must be at least 2 for resize "knees", which puts two knees side by side')
        for name in ("scale", "offset"):
            if len(getattr(self.normalization, name)) != self.channels:
                raise ValueError(f"normalization.{name} must hold one number for each of {self.channels} channels")


def lay_out(pixels: Pixels, spec: InputSpec) -> Layout:
    """What of the image lies where on the network's canvas; for "knees", this is where they are looked for."""
    film, canvas = (pixels.shape[0], pixels.shape[1]), (spec.height, spec.width)
    return lay_out_film(film, canvas) if spec.resize == "letterbox" else lay_out_knees(film, find_knees(pixels), canvas)


def to_plane(pixels: Pixels, spec: InputSpec, layout: Layout | None = None) -> Pixels:
    """Draw the image on the network's canvas, filtered: (spec.height, spec.width) in [0, 1].

    `layout` is that of `lay_out`, where it is known already. The filters see each part of the film alone: the canvas
    around it would give them an edge that is none.
    """
    layout = layout or lay_out(pixels, spec)
    plane = np.zeros(layout.canvas, np.float32)
    for placement in layout.placements:
        part, box = _scaled(pixels, placement), placement.target
        part = _stretched(part) if spec.resize == "knees" else part
        plane[box.top : box.top + box.height, box.left : box.left + box.width] = apply_filters(part, spec.filters)
    return plane


def normalize(planes: Pixels, spec: InputSpec) -> Tensor:
    """Planes (n, height, width) in [0, 1] to the tensor (n, height, width, channels) that the network takes."""
    tensor = np.empty((*planes.shape, spec.channels), np.float32)
    pairs = zip(spec.normalization.scale, spec.normalization.offset, strict=True)
    for channel, (scale, offset) in enumerate(pairs):  # nine times as fast as broadcasting over so short an axis
        tensor[..., channel] = planes * np.float32(scale) + np.float32(offset)
    return tensor


def to_tensor(pixels: Pixels, spec: InputSpec, layout: Layout | None = None) -> Tensor:
    """Resize, normalize and add the batch and channel axes.

    `pixels` are (height, width) in [0, 1], bone bright; the result is float32 (1, spec.height, spec.width, channels)
    in the range that the network was trained on. `layout` is that of `lay_out`, where it is known already.

    >>> to_tensor(np.ones((8, 6), np.float32), InputSpec(4, 4)).shape
    (1, 4, 4, 3)
    """
    return normalize(to_plane(pixels, spec, layout)[np.newaxis], spec)


def _scaled(pixels: Pixels, placement: Placement) -> Pixels:
    """The placement's part of the film at its size on the canvas.

    Area averaging when shrinking, so that a 10-megapixel film does not alias; bilinear when enlarging.
    """
    part, target = cut_out(pixels, placement.source), placement.target
    shrinks = target.height <= part.shape[0] and target.width <= part.shape[1]
    scaled = (scaling.shrink if shrinks else scaling.enlarge)(part, target.height, target.width)
    return np.ascontiguousarray(scaled[:, ::-1]) if placement.mirrored else scaled


def _stretched(part: Pixels) -> Pixels:
    """The contrast between the part's 1st and 99th percentile made 0 to 1: a knee looks alike on a dark film."""
    low, high = np.percentile(part, STRETCH_PERCENTILES)
    return np.asarray(np.clip((part - low) / (high - low + 1e-6), 0, 1), np.float32)
