"""Is the picture itself good enough? Figures of a film, each of which a wrong or spoilt picture moves far out of range.

All but one are taken of the film at 512 pixels, shrunk once, so that the time hardly grows with the film.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osteo_edge.block_grid import block_contrast
from osteo_edge.filters import Pixels
from osteo_edge.raster import components, scaling, smoothing, statistics, tones

MEASURED_PX = 512
"""The longest side at which a film is measured."""
TONE_SHARE = 0.0005
"""A grey level counts as a tone if it has this share of the pixels, so that the rim of a drawn line does not."""
BRIGHTEST_SHARE = 0.001
EVEN_PX = 5
"""The side of the squares that are even, or not."""
SCREEN_GREYS = (103, 246)
"""Of 255: between the background of a film and pure white, which an over-exposed film has large areas of."""
PATCH_GREY, WHITE = 243, 253
FIELD_GREY = 0.9
"""Rows and columns at the border that are brighter on average lie beyond the X-ray beam, which is white on a film."""
MIDDLE = 0.7
"""The share of the field's sides that its middle has."""
MARGIN = 0.05
"""The width of the field's margin, as a share of the longest side."""
LEAST_DETAIL = 0.005
"""Of the contrast. Detail below it is rounding: what is left in a picture that is blurred past recognition."""

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ImageQuality:
    """What is measured of a picture: shares are of its area, greys lie in [0, 1].

    Its field is what is left without white borders, since a film is white where the beam was shut out.

    - `aspect`: the longer side over the shorter.
    - `tones`: how many of 256 grey levels the picture uses.
    - `smoothness`: the correlation of neighbouring pixels; near 1 in a film, 0 in noise, between them in print.
    - `even`: the share in which nothing differs from its neighbours; `screen`: that in which it is light grey, too.
    - `brightest`: the grey that one pixel in a thousand reaches.
    - `white`: the share of the field's middle that is pure white.
    - `side`: the grey of the field's left and right margin.
    - `relief`: the correlation of grey and detail in the field; positive for bright bone on an empty dark ground.
    - `patch`: the share of the largest even white part of the field that does not reach its border.
    - `detail`: the strength of detail of 1/256 of the longest side over that of 1/128, in the direction that has less.
    - `blocks`: the steps at the borders of a JPEG file's blocks over those within (`block_contrast`).
    """

    aspect: float
    tones: int
    smoothness: float
    even: float
    screen: float
    brightest: float
    white: float
    side: float
    relief: float
    patch: float
    detail: float
    blocks: float


def measure_quality(pixels: Pixels) -> ImageQuality:
    """Measure a picture, (height, width) in [0, 1], bone bright."""
    film = _shrunk(pixels, MEASURED_PX)
    grey = tones.to_8_bit(film)
    levels = tones.histogram(grey) / grey.size
    even, margin, field = _even(grey), max(1, round(MARGIN * max(film.shape))), _field(film)
    within, (low, high) = grey[field], SCREEN_GREYS
    return ImageQuality(
        aspect=max(pixels.shape) / min(pixels.shape),
        tones=int((levels >= TONE_SHARE).sum()),
        smoothness=_smoothness(film),
        even=float(even.mean()),
        screen=float((even & (grey >= low) & (grey <= high)).mean()),
        brightest=float(np.flatnonzero(levels[::-1].cumsum()[::-1] >= BRIGHTEST_SHARE)[-1]) / 255,
        white=float((_middle(within) >= WHITE).mean()),
        side=_median(np.concatenate([within[:, :margin], within[:, -margin:]], axis=1)) / 255,
        relief=_relief(_shrunk(film[field], MEASURED_PX // 4)),
        patch=_largest_part((even & (grey >= PATCH_GREY))[field]),
        detail=_detail(film),
        blocks=block_contrast(pixels),
    )


def _shrunk(pixels: Pixels, longest_px: int) -> Pixels:
    scale = min(1.0, longest_px / max(pixels.shape))
    height, width = (max(1, round(side * scale)) for side in pixels.shape)
    whole = max(1, max(pixels.shape) // longest_px)
    if whole > 1 and min(height, width) > whole:  # by a whole number first: four times as fast on a large film
        rows, columns = (side // whole for side in pixels.shape)
        pixels = scaling.shrink(pixels[: rows * whole, : columns * whole], rows, columns)
    return scaling.shrink(pixels, height, width)


def _field(film: Pixels) -> tuple[slice, slice]:
    """The rows and columns from the first that is not white to the last; all of them where there is none."""
    return _inside(film.mean(axis=1) < FIELD_GREY), _inside(film.mean(axis=0) < FIELD_GREY)


def _inside(dark: Mask) -> slice:
    found = np.flatnonzero(dark)
    return slice(int(found[0]), int(found[-1]) + 1) if found.size else slice(None)


def _middle(grey: Grey) -> Grey:
    down, across = (round(side * (1 - MIDDLE) / 2) for side in grey.shape)
    return grey[down : grey.shape[0] - down, across : grey.shape[1] - across]


def _median(grey: Grey) -> float:
    """The same as `np.median`, which loads all of `numpy.ma` first."""
    middle = [(grey.size - 1) // 2, grey.size // 2]
    return float(np.partition(grey, middle, axis=None)[middle].mean())


def _even(grey: Grey) -> Mask:
    """Where the square around a pixel differs by one grey level at most."""
    return np.asarray(smoothing.dilate(grey, EVEN_PX) - smoothing.erode(grey, EVEN_PX) <= 1)


def _smoothness(film: Pixels) -> float:
    across = statistics.squared_difference(film[:, 1:], film[:, :-1]) / film.size
    down = statistics.squared_difference(film[1:], film[:-1]) / film.size
    return 1 - (across + down) / (4 * float(film.var()) + 1e-9)


def _relief(film: Pixels) -> float:
    around = smoothing.gaussian(film, 1)
    detail = smoothing.gaussian(np.abs(film - around), 2)
    around, detail = around - around.mean(), detail - detail.mean()
    return float((around * detail).mean() / (around.std() * detail.std() + 1e-9))


def _largest_part(mask: Mask) -> float:
    """The share of the largest connected part that does not reach the border."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return 0.0
    x, y = columns[0], rows[0]
    part = mask[y : rows[-1] + 1, x : columns[-1] + 1].astype(np.uint8)
    left, top, width, height, area = components.sizes_and_boxes(part).T
    left, top = left + x, top + y
    clear = (left > 0) & (left + width < mask.shape[1]) & (top > 0) & (top + height < mask.shape[0])
    return float(area[clear].max(initial=0)) / mask.size


def _detail(film: Pixels) -> float:
    """After the blur measure of Crete et al. 2007: what a blur would take away, here at two scales."""
    fine, coarse = _shrunk(film, MEASURED_PX // 2), _shrunk(film, MEASURED_PX // 4)
    least = LEAST_DETAIL * float(film.std()) + 1e-6
    return min(_strength(fine, axis) / (_strength(coarse, axis) + least) for axis in (0, 1))


def _strength(film: Pixels, axis: int) -> float:
    """The root mean square of the second differences along the axis; 0 where there are none."""
    if film.shape[axis] < 3:
        return 0.0
    return float(np.sqrt(np.square(np.diff(film, 2, axis=axis)).mean()))
