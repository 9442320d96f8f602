"""What a knee looks like to the finder: small patches that are compared with the film, and how they are cut from it.

The template is drawn (`osteo_edge.train.knee_template`); nothing in it comes from a patient. The two matching patches
are symmetric, so that a left and a right knee look alike; `asymmetry` tells them apart.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from osteo_edge.filters import Pixels
from osteo_edge.raster import scaling, smoothing

FILE = Path(__file__).with_name("knee_template.npz")

COARSE_WIDTH_PX = 32
"""The width of the condyles where the whole knee is compared."""
COARSE_SIDE_PX = 64
FINE_SPAN = 1.6
"""The side, in condyle widths, of the square from which the joint's patch is cut."""
FINE_SPAN_PX = 84
FINE_HEIGHT_PX, FINE_WIDTH_PX = 40, 64


@dataclass(frozen=True, eq=False)
class KneeTemplate:
    """`coarse` (64, 64) is the knee, 2 condyle widths square; `fine` (40, 64) the joint line, 52.5 pixels a width.

    `asymmetry` (64, 64) is by what a knee with its fibula on the right exceeds its mirror image, where the fibula lies.
    """

    coarse: Pixels
    fine: Pixels
    asymmetry: Pixels


@cache
def load_template() -> KneeTemplate:
    """The template that the package brings along."""
    with np.load(FILE) as stored:
        return KneeTemplate(**{name: stored[name].astype(np.float32) for name in ("coarse", "fine", "asymmetry")})


def cut(film: Pixels, x: float, y: float, side: float, size: int) -> Pixels:
    """The square of `side` film pixels around (x, y), sampled at (size, size); the film's edge goes on beyond it.

    (x, y) counts from the film's top left corner, so that the middle of its first pixel is (0.5, 0.5).
    """
    scale = size / side
    if scale < 0.8:  # less would alias
        film = smoothing.gaussian(film, 0.3 / scale)
    left, top = ((size - 1) / 2 - scale * (middle - 0.5) for middle in (x, y))
    place = np.array([[scale, 0, left], [0, scale, top]])
    return scaling.warp(film, place, size, size, way="linear" if scale < 1 else "cubic")


def even_out(plane: Pixels, mean_sigma: float, deviation_sigma: float, floor: float) -> Pixels:
    """Local contrast normalization: less the mean around each pixel, over the deviation around it plus `floor`."""
    centred = plane - smoothing.gaussian(plane, mean_sigma)
    spread = np.sqrt(np.maximum(smoothing.gaussian(centred * centred, deviation_sigma), 1e-8))
    return np.asarray(centred / (spread + np.float32(floor)), np.float32)


def coarse_features(plane: Pixels) -> Pixels:
    """A film on which condyles are 32 pixels wide, made comparable with `KneeTemplate.coarse`."""
    return even_out(plane, 6, 8, 0.05)


def coarse_patch(film: Pixels, x: float, y: float, width: float) -> Pixels:
    """The knee at (x, y), of condyles of `width`, made comparable with `coarse` and `asymmetry`."""
    return coarse_features(cut(film, x, y, width * COARSE_SIDE_PX / COARSE_WIDTH_PX, COARSE_SIDE_PX))


def fine_features(plane: Pixels) -> Pixels:
    """A piece of film on which condyles are 52.5 pixels wide, made comparable with `KneeTemplate.fine`."""
    return even_out(plane, 5, 10, 0.03)
