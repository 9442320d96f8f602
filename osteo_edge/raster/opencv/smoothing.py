"""Each sample from those around it; beyond the edge the picture is mirrored about its outermost samples."""

from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
_Sample = TypeVar("_Sample", np.uint8, np.float32)


def gaussian(picture: npt.NDArray[_Sample], sigma: float) -> npt.NDArray[_Sample]:
    """Blurred by a Gaussian of `sigma` pixels, cut off at 3 sigma in uint8 and at 4 in float32."""
    blurred: Any = cv2.GaussianBlur(picture, (0, 0), sigma)
    return np.asarray(blurred, picture.dtype)


def box_mean(picture: npt.NDArray[_Sample], rows: int, columns: int) -> npt.NDArray[_Sample]:
    """The mean of `rows` x `columns`, of which sample (rows // 2, columns // 2) is the one that it is taken for."""
    mean: Any = cv2.blur(picture, (columns, rows))
    return np.asarray(mean, picture.dtype)


def dilate(grey: Grey, side: int) -> Grey:
    """The largest value of the square around each sample; what lies beyond the edge does not count."""
    return np.asarray(cv2.dilate(grey, np.ones((side, side), np.uint8)), np.uint8)


def erode(grey: Grey, side: int) -> Grey:
    """The smallest value of the square around each sample; what lies beyond the edge does not count."""
    return np.asarray(cv2.erode(grey, np.ones((side, side), np.uint8)), np.uint8)
