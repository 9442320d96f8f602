"""Figures of a whole picture, taken without a second copy of it."""

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.float32]


def mean_and_deviation(pixels: Pixels) -> tuple[float, float]:
    """The mean and the standard deviation of a picture (height, width)."""
    mean, deviation = cv2.meanStdDev(pixels)
    return float(mean[0, 0]), float(deviation[0, 0])


def squared_difference(first: Pixels, second: Pixels) -> float:
    """The sum of the squares of how two pictures of one shape differ."""
    return cv2.norm(first, second, cv2.NORM_L2SQR)


def channel_means(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """The mean of each of the three channels."""
    return np.array(cv2.mean(picture)[:3])
