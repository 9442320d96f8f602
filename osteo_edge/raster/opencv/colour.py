"""Colours become grey, and grey colours."""

from typing import Any, Final, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
_Sample = TypeVar("_Sample", np.uint8, np.uint16)

_COLOUR_MAPS: Final[dict[str, int]] = {
    "viridis": cv2.COLORMAP_VIRIDIS,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "jet": cv2.COLORMAP_JET,
}


def luminance(picture: npt.NDArray[_Sample]) -> npt.NDArray[_Sample]:
    """The brightness (ITU-R BT.601) of blue, green, red (height, width, 3)."""
    grey: Any = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return np.asarray(grey, picture.dtype)


def mean_chroma(picture: npt.NDArray[_Sample]) -> float:
    """The mean over the pixels of the largest less the smallest of the three channels."""
    blue, green, red = cv2.split(picture)
    spread = cv2.subtract(cv2.max(cv2.max(blue, green), red), cv2.min(cv2.min(blue, green), red))
    return float(cv2.mean(spread)[0])


def to_rgb(picture: Picture) -> Picture:
    """Blue, green, red in the order red, green, blue, contiguous; and the other way round."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def to_ycrcb(picture: Picture) -> Picture:
    """Blue, green, red as brightness and two differences of colour, red's and blue's (ITU-R BT.601, full range)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YCrCb), np.uint8)


def from_ycrcb(picture: Picture) -> Picture:
    """Back from `to_ycrcb`."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_YCrCb2BGR), np.uint8)


def coloured(levels: Picture, colour_map: str) -> Picture:
    """Each of the levels (height, width) in its colour: blue, green, red, of "viridis", "cividis" or "jet"."""
    return np.asarray(cv2.applyColorMap(levels, _COLOUR_MAPS[colour_map]), np.uint8)
