"""Radiograph pixels to network input: the one place where an image is prepared, in training and on the device."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from osteo_edge.filters import Filter, apply_filters
from osteo_edge.filters import Pixels as Pixels

Tensor = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Normalization:
    """What the network was trained on: value = pixel * scale + offset, for pixels in [0, 1], one of each a channel."""

    scale: tuple[float, ...]
    offset: tuple[float, ...]


MOBILENET = Normalization(scale=(2.0, 2.0, 2.0), offset=(-1.0, -1.0, -1.0))
GREY = Normalization(scale=(2.0,), offset=(-1.0,))


@dataclass(frozen=True)
class InputSpec:
    """All that is needed to prepare an image for one network; part of the bundle.

    `resize` "letterbox" scales the image to fit, keeps its aspect and centres it on black. `filters` are applied to the
    scaled image, in their order. A grey image is repeated over `channels`.
    """

    height: int
    width: int
    channels: Literal[1, 3] = 3
    resize: Literal["letterbox"] = "letterbox"
    filters: tuple[Filter, ...] = ()
    normalization: Normalization = MOBILENET

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            if not 1 <= getattr(self, name) <= 4096:
                raise ValueError(f"{name} must lie between 1 and 4096, not {getattr(self, name)}")
        for name in ("scale", "offset"):
            if len(getattr(self.normalization, name)) != self.channels:
                raise ValueError(f"normalization.{name} must hold one number for each of {self.channels} channels")


@dataclass(frozen=True)
class Box:
    """Where the scaled image lies on the canvas, in canvas pixels."""

    top: int
    left: int
    height: int
    width: int


def letterbox(height: int, width: int, spec: InputSpec) -> Box:
    """The largest centred box of the image's aspect on the network's canvas.

    >>> letterbox(1000, 500, InputSpec(224, 224))
    Box(top=0, left=56, height=224, width=112)
    """
    scale = min(spec.height / height, spec.width / width)
    inner_height = min(spec.height, max(1, round(height * scale)))
    inner_width = min(spec.width, max(1, round(width * scale)))
    return Box((spec.height - inner_height) // 2, (spec.width - inner_width) // 2, inner_height, inner_width)


def to_plane(pixels: Pixels, spec: InputSpec) -> Pixels:
    """Place the image on the network's canvas, filtered: (spec.height, spec.width) in [0, 1].

    Area averaging when shrinking, so that a 10-megapixel film does not alias; bilinear when enlarging. The filters
    see the film alone: the canvas around it would give them an edge that is none.
    """
    height, width = pixels.shape
    box = letterbox(height, width, spec)
    shrinks = box.height <= height and box.width <= width
    scaled = cv2.resize(pixels, (box.width, box.height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    plane = np.zeros((spec.height, spec.width), np.float32)
    plane[box.top : box.top + box.height, box.left : box.left + box.width] = apply_filters(scaled, spec.filters)
    return plane


def normalize(planes: Pixels, spec: InputSpec) -> Tensor:
    """Planes (n, height, width) in [0, 1] to the tensor (n, height, width, channels) that the network takes."""
    scale, offset = np.float32(spec.normalization.scale), np.float32(spec.normalization.offset)
    return np.asarray(planes[..., np.newaxis] * scale + offset, np.float32)


def to_tensor(pixels: Pixels, spec: InputSpec) -> Tensor:
    """Resize, normalize and add the batch and channel axes.

    `pixels` are (height, width) in [0, 1], bone bright; the result is float32 (1, spec.height, spec.width, channels)
    in the range that the network was trained on.

    >>> to_tensor(np.ones((8, 6), np.float32), InputSpec(4, 4)).shape
    (1, 4, 4, 3)
    """
    return normalize(to_plane(pixels, spec)[np.newaxis], spec)


def from_canvas(canvas: Pixels, height: int, width: int, spec: InputSpec) -> Pixels:
    """Bring a picture of the canvas, of any resolution, back onto the (height, width) image that lies in its letterbox.

    For drawing an activation map over the film that it belongs to; bilinear.
    """
    box = letterbox(height, width, spec)
    rows, columns = canvas.shape
    to_y, to_x = rows / spec.height, columns / spec.width
    step_y, step_x = box.height / height * to_y, box.width / width * to_x
    start_y, start_x = box.top * to_y + step_y / 2 - 0.5, box.left * to_x + step_x / 2 - 0.5
    place_of = np.array([[step_x, 0.0, start_x], [0.0, step_y, start_y]])  # on the canvas, of a pixel of the image
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    film = cv2.warpAffine(canvas, place_of, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(film, np.float32)
