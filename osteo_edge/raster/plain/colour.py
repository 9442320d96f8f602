"""Colours become grey, and grey colours, in whole numbers as OpenCV reckons them."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from osteo_edge.raster.plain.bands import bands
from osteo_edge.raster.plain.colour_maps import colours_of

Picture = npt.NDArray[np.uint8]
_Sample = TypeVar("_Sample", np.uint8, np.uint16)

LUMINANCE, LUMINANCE_BITS = (3735, 19235, 9798), 15
"""Of blue, green and red: ITU-R BT.601 in steps of 1 / 2^15."""
BRIGHTNESS, YCRCB_BITS = (1868, 9617, 4899), 14
"""The same in steps of 1 / 2^14, as OpenCV reckons where the differences of colour are kept, too."""
RED_SHARE, BLUE_SHARE = 11_682, 9241
RED_BACK, BLUE_BACK, GREEN_BACK = 22_987, 29_049, (-11_698, -5636)
MIDDLE = 128
"""No difference."""


def luminance(picture: npt.NDArray[_Sample]) -> npt.NDArray[_Sample]:
    """The brightness (ITU-R BT.601) of blue, green, red (height, width, 3)."""
    grey = np.empty(picture.shape[:2], picture.dtype)
    for band in bands(len(picture), picture[0].size):
        grey[band] = _weighted(picture[band].astype(np.int32), LUMINANCE, LUMINANCE_BITS)
    return grey


def mean_chroma(picture: npt.NDArray[_Sample]) -> float:
    """The mean over the pixels of the largest less the smallest of the three channels."""
    total = 0
    for band in bands(len(picture), picture[0].size):
        blue, green, red = (picture[band, :, channel] for channel in range(3))
        largest, smallest = np.maximum(np.maximum(blue, green), red), np.minimum(np.minimum(blue, green), red)
        total += int((largest - smallest).sum(dtype=np.int64))
    return float(total / (picture.shape[0] * picture.shape[1]))


def to_rgb(picture: Picture) -> Picture:
    """Blue, green, red in the order red, green, blue, contiguous; and the other way round."""
    return np.ascontiguousarray(picture[..., ::-1])


def to_ycrcb(picture: Picture) -> Picture:
    """Blue, green, red as brightness and two differences of colour, red's and blue's (ITU-R BT.601, full range)."""
    converted = np.empty_like(picture)
    for band in bands(len(picture), picture[0].size):
        samples = picture[band].astype(np.int32)
        bright = _weighted(samples, BRIGHTNESS, YCRCB_BITS)
        red = _rounded((samples[..., 2] - bright) * RED_SHARE, YCRCB_BITS) + MIDDLE
        blue = _rounded((samples[..., 0] - bright) * BLUE_SHARE, YCRCB_BITS) + MIDDLE
        converted[band] = np.stack([bright, red, blue], axis=-1).clip(0, 255)
    return converted


def from_ycrcb(picture: Picture) -> Picture:
    """Back from `to_ycrcb`."""
    converted = np.empty_like(picture)
    for band in bands(len(picture), picture[0].size):
        bright, red, blue = np.moveaxis(picture[band].astype(np.int32), -1, 0)
        red, blue = red - MIDDLE, blue - MIDDLE
        channels = (
            bright + _rounded(blue * BLUE_BACK, YCRCB_BITS),
            bright + _rounded(red * GREEN_BACK[0] + blue * GREEN_BACK[1], YCRCB_BITS),
            bright + _rounded(red * RED_BACK, YCRCB_BITS),
        )
        converted[band] = np.stack(channels, axis=-1).clip(0, 255)
    return converted


def coloured(levels: Picture, colour_map: str) -> Picture:
    """Each of the levels (height, width) in its colour: blue, green, red, of "viridis", "cividis" or "jet"."""
    return colours_of(colour_map)[levels]


def _weighted(samples: npt.NDArray[Any], weights: tuple[int, int, int], bits: int) -> npt.NDArray[Any]:
    blue, green, red = (samples[..., channel] * weight for channel, weight in enumerate(weights))
    return _rounded(blue + green + red, bits)


def _rounded(samples: npt.NDArray[Any], bits: int) -> npt.NDArray[Any]:
    """Divided by 2 to the power of `bits`, to the nearest whole number."""
    return (samples + (1 << (bits - 1))) >> bits
