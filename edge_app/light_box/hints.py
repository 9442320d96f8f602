"""What is amiss with a photo of a film, each with the number that says so, to be mended before the screening."""

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from osteo_edge.edge_app.light_box.corners import Outline
from osteo_edge.edge_app.light_box.crop import SATURATED, crop_size, tilt
from osteo_edge.edge_app.light_box.edges import Corners, profiles_across
from osteo_edge.lettering import Picture
from osteo_edge.raster import colour, components, outlines, smoothing

HintId = Literal["glare", "blur", "dark", "tilt", "cut_off", "far"]

WORDS: Final[dict[HintId, str]] = {
    "glare": "Glare or too bright: switch off room lights, change the angle, and take the photo again",
    "blur": "Blurred: hold still, let the camera focus, and take the photo again",
    "dark": "Too dark: switch on the light box, and take the photo again",
    "tilt": "Tilted: hold the camera straight in front of the film",
    "cut_off": "Cut off: show the whole film with all four corners",
    "far": "Too far away: let the film fill the picture",
}
"""For the screens to translate."""

LIMITS: Final[dict[HintId, float]] = {
    "glare": 0.002,
    "blur": 0.008,
    "dark": 0.35,
    "tilt": 25.0,
    "cut_off": 0.0,
    "far": 448.0,
}

MIN_BLOB_SHARE: Final = 0.0005
_REACH_PX: Final = 24


@dataclass(frozen=True)
class Hint:
    """A property of the photo: its number, the limit, and whether the number is on the wrong side of it."""

    id: HintId
    value: float
    limit: float
    raised: bool


def hints(photo: Picture, outline: Outline) -> tuple[Hint, ...]:
    """All that is checked of a photo whose film lies at `outline`; show those that are `raised`.

    glare: the share of the film in saturated spots, which an over-exposed film gives, too. blur: the width of the
    sharpest of its edges as a share of its diagonal, the larger of the two directions. dark: the brightness in [0, 1]
    of the film's brightest hundredth, or its surroundings' if that is brighter. tilt: degrees from straight ahead.
    cut_off: corners at the photo's border or beyond it. far: pixels of the shorter side, of which a model takes 224.
    """
    shape = (photo.shape[0], photo.shape[1])
    sample = colour.luminance(np.ascontiguousarray(photo[:: max(1, shape[0] // 400), :: max(1, shape[1] // 400)]))
    values: dict[HintId, float] = {
        "glare": glare_share(photo, outline),
        "blur": edge_width(photo, outline),
        "dark": float(np.quantile(sample, 0.99)) / 255,
        "tilt": tilt(outline.corners, shape),
        "cut_off": float(corners_cut(outline, shape)),
        "far": float(min(crop_size(outline.corners, shape))),
    }
    below: tuple[HintId, ...] = ("dark", "far")
    return tuple(
        Hint(name, round(value, 4), LIMITS[name], value < LIMITS[name] if name in below else value > LIMITS[name])
        for name, value in values.items()
    )


def raised(found: tuple[Hint, ...]) -> tuple[HintId, ...]:
    """The ids of the hints that the user should see."""
    return tuple(hint.id for hint in found if hint.raised)


def corners_cut(outline: Outline, shape: tuple[int, int]) -> int:
    """How many corners lie at the border of a photo of `shape` (height, width), or beyond it."""
    height, width = shape
    x, y = outline.corners.T
    room = np.min([x, y, width - 1 - x, height - 1 - y], axis=0)
    return int((room < 0.005 * max(shape)).sum())


def glare_share(photo: Picture, outline: Outline) -> float:
    """The share of the film's area in spots where all colours are saturated; specks and the very edge do not count."""
    part, offset = _around(photo, outline.corners, 1)  # what lies further off tells nothing
    margin = max(3, round(0.01 * max(photo.shape[:2])))
    mask = smoothing.erode(outlines.filled((part.shape[0], part.shape[1]), outline.corners - offset), margin)
    area = max(1, int(np.count_nonzero(mask)))
    for i in range(3):
        mask &= part[..., i] >= SATURATED
    sizes = components.sizes_and_boxes(mask)[:, 4]
    return float(sizes[sizes >= MIN_BLOB_SHARE * area].sum()) / area


def edge_width(photo: Picture, outline: Outline) -> float:
    """How wide the film's own edges are: the step over the steepest slope, as a share of its diagonal.

    A film's edge is a sharp step, so that its width in the photo is the blur, whatever the film shows; a shaken camera
    blurs one direction, so that the wider pair of sides counts.
    """
    diagonal = float(np.linalg.norm(outline.corners[2] - outline.corners[0]))
    widths = []
    for i in range(4):
        ends = outline.corners[[i, (i + 1) % 4]]
        part, offset = _around(photo, ends, _REACH_PX + 8)
        bright = colour.luminance(np.ascontiguousarray(part)).astype(np.float32) / np.float32(255)
        grey = smoothing.gaussian(bright, 0.7)  # else the steepest slope is noise
        profiles, _, _ = profiles_across(grey, ends[0] - offset, ends[1] - offset, _REACH_PX, 64)
        profile = np.median(_aligned(profiles), axis=0)
        slope = float(np.abs(np.diff(profile)).max())
        step = abs(float(profile[:4].mean() - profile[-4:].mean()))
        widths.append(step / slope if slope > 0.005 and step > 0.05 else math.nan)
    pairs = [[w for w in (widths[i], widths[i + 2]) if not math.isnan(w)] for i in (0, 1)]
    known = [min(pair) for pair in pairs if pair]
    return max(known, default=0.0) / diagonal


def _around(photo: Picture, points: Corners, margin: int) -> tuple[Picture, npt.NDArray[np.intp]]:
    """The part of a photo that holds the points and a margin around them, and its first column and row.

    Beyond the photo there is nothing, but at least a margin of it is given.
    """
    size = np.array([photo.shape[1], photo.shape[0]])
    low = np.clip(np.floor(points.min(axis=0)).astype(np.intp) - margin, 0, np.maximum(0, size - margin))
    high = np.clip(np.ceil(points.max(axis=0)).astype(np.intp) + margin + 1, np.minimum(margin, size), size)
    return photo[low[1] : high[1], low[0] : high[0]], low


def _aligned(profiles: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The profiles, each moved by up to 5 pixels so that its steepest place, of width 3, is in the middle."""
    steps = np.abs(profiles[:, 3:] - profiles[:, :-3])
    middle = steps.shape[1] // 2
    shifts = steps[:, middle - 5 : middle + 6].argmax(axis=1) - 5
    return np.stack([np.roll(row, -shift) for row, shift in zip(profiles, shifts, strict=True)])[:, 5:-5]
