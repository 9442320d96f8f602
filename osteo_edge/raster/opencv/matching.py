"""Where in a picture something like a smaller one lies."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]


class Peak(NamedTuple):
    """The largest value, and the place of its first occurrence by rows."""

    value: float
    row: int
    column: int


def covariance(plane: Plane, patch: Plane) -> Plane:
    """The sum of products with the patch less its mean, wherever the patch fits on the plane."""
    return np.asarray(cv2.matchTemplate(plane, patch, cv2.TM_CCOEFF), np.float32)


def highest(plane: Plane) -> Peak:
    """The highest place of a plane."""
    _, value, _, (column, row) = cv2.minMaxLoc(plane)
    return Peak(value, row, column)
