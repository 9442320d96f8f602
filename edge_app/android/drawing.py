"""The app's icon and what is shown while it starts, drawn: a knee as a radiograph shows it, bone bright."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
Colour = tuple[int, int, int]

INK: Final[Colour] = (11, 90, 134)
"""Behind the icon: the colour of the app's buttons."""
BONE: Final[Colour] = (244, 245, 246)
ICON_PX: Final = 512
"""What stores ask for, and what Android before 8 shows."""
ADAPTIVE_PX: Final = 432
"""108 dp at the highest density; of the foreground only the middle 66 dp are sure to be seen."""
SAFE: Final = 66 / 108
PRESPLASH_PX: Final = 512


FINER: Final = 4
"""Shapes are drawn this much larger than they are wanted, and reduced: smooth edges."""
ROUNDING: Final = 0.035
"""The radius of their corners, to the height of the knee."""
FEMUR: Final = (
    *((0.38, 0.05), (0.62, 0.05), (0.64, 0.2), (0.76, 0.31), (0.75, 0.4), (0.61, 0.43)),
    *((0.5, 0.37), (0.39, 0.43), (0.25, 0.4), (0.24, 0.31), (0.36, 0.2)),
)
TIBIA: Final = (
    *((0.25, 0.54), (0.44, 0.54), (0.5, 0.51), (0.56, 0.54), (0.75, 0.54), (0.74, 0.62)),
    *((0.63, 0.74), (0.61, 0.95), (0.39, 0.95), (0.37, 0.74), (0.26, 0.62)),
)
"""Outlines of the bones, (across, down) in the unit square."""


def draw_images() -> dict[str, bytes]:
    """Every picture of the project as PNG, by its name: icon, the two layers of the adaptive one, and presplash."""
    return {
        "icons/icon.png": _png(_icon(ICON_PX)),
        "icons/foreground.png": _png(_coloured(_knee(ADAPTIVE_PX, SAFE * 0.84), BONE)),
        "icons/background.png": _png(_coloured(np.ones((ADAPTIVE_PX, ADAPTIVE_PX), np.float32), INK)),
        "icons/presplash.png": _png(_coloured(_knee(PRESPLASH_PX, 0.5), INK)),
        "res/drawable-night/presplash.png": _png(_coloured(_knee(PRESPLASH_PX, 0.5), BONE)),
    }


def draw_icon(side_px: int, *, is_whole: bool = False) -> bytes:
    """The icon as PNG; `is_whole` is a full square, of which a launcher may cut off all but the middle four fifths."""
    if not is_whole:
        return _png(_icon(side_px))
    knee = _knee(side_px, 0.56)[..., None]
    colours = np.rint(np.array(INK, np.float32) * (1 - knee) + np.array(BONE, np.float32) * knee)
    return _png(np.dstack([colours, np.full((side_px, side_px), 255)]).astype(np.uint8))


def _icon(side_px: int) -> npt.NDArray[np.uint8]:
    """The knee on a square with round corners, outside of which nothing covers what is behind."""
    knee, ground = _knee(side_px, 0.74)[..., None], _rounded(side_px)
    colours = np.array(INK, np.float32) * (1 - knee) + np.array(BONE, np.float32) * knee
    return np.dstack([np.rint(colours), np.rint(ground * 255)]).astype(np.uint8)


def _knee(side_px: int, scale: float) -> Plane:
    """How much of each pixel the bones cover, 0 to 1, with the knee `scale` as tall as the picture."""
    large = np.zeros((side_px * FINER, side_px * FINER), np.uint8)
    height = side_px * FINER * scale
    for outline in (FEMUR, TIBIA):
        corners = np.rint((np.array(outline) - 0.5) * height + side_px * FINER / 2).astype(np.int32)
        cv2.fillPoly(large, [corners], 255)
        cv2.polylines(large, [corners], isClosed=True, color=255, thickness=round(2 * ROUNDING * height))
    return _reduced(large, side_px)


def _rounded(side_px: int, radius: float = 0.2) -> Plane:
    """How much of each pixel a square with round corners covers, as large as the picture."""
    large, edge = np.zeros((side_px * FINER, side_px * FINER), np.uint8), round(side_px * FINER * radius)
    last = side_px * FINER - 1
    cv2.rectangle(large, (edge, 0), (last - edge, last), 255, cv2.FILLED)
    cv2.rectangle(large, (0, edge), (last, last - edge), 255, cv2.FILLED)
    for across in (edge, last - edge):
        for down in (edge, last - edge):
            cv2.circle(large, (across, down), edge, 255, cv2.FILLED)
    return _reduced(large, side_px)


def _reduced(large: npt.NDArray[np.uint8], side_px: int) -> Plane:
    means = large.reshape(side_px, FINER, side_px, FINER).mean(axis=(1, 3), dtype=np.float32)
    return np.asarray(means / 255, np.float32)


def _coloured(covered: Plane, colour: Colour) -> npt.NDArray[np.uint8]:
    plain = np.broadcast_to(np.array(colour, np.uint8), (*covered.shape, 3))
    return np.dstack([plain, np.rint(covered * 255).astype(np.uint8)])


def _png(rgba: npt.NDArray[np.uint8]) -> bytes:
    """PNG of (height, width, 4): red, green, blue and how much of what is behind is covered."""
    bgra = np.ascontiguousarray(rgba[..., [2, 1, 0, 3]])
    return cv2.imencode(".png", bgra, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()
