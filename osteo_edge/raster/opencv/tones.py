"""Grey levels: 256 of them from a picture in [0, 1], how often each occurs, and other ones in their place."""

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]


def to_8_bit(pixels: Pixels) -> Grey:
    """Pixels in [0, 1] as grey levels of 0 to 255, rounded to the nearest; what lies beyond is cut off there."""
    return np.asarray(cv2.convertScaleAbs(pixels, alpha=255), np.uint8)


def histogram(grey: Grey) -> npt.NDArray[np.float32]:
    """How many samples have each of the 256 grey levels."""
    return np.asarray(cv2.calcHist([grey], [0], None, [256], [0, 256]), np.float32).ravel()


def otsu(grey: Grey) -> int:
    """The grey level up to which a picture is dark, the rest bright (Otsu 1979)."""
    return round(cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0])


def look_up(picture: Grey, table: Grey) -> Grey:
    """Each level in the place of which the table has another: (256,), or (256, channels) with one for each channel."""
    return np.asarray(cv2.LUT(picture, table if table.ndim == 1 else table[np.newaxis]), np.uint8)
