"""Pictures seen from another side by OpenCV. A pixel's centre has whole coordinates; between them, values are bilinear.

Beyond its border a picture goes on as it ends.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Grey = npt.NDArray[Any]
Points = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]


def homography(source: Points, target: Points) -> Matrix:
    """The matrix (3, 3) that takes four points, (4, 2) in x and y, to four others."""
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    return np.asarray(matrix, np.float64)


def warped(picture: Picture, matrix: Matrix, width: int, height: int) -> Picture:
    """A picture (rows, columns, 3) as `matrix` lays it, (height, width, 3)."""
    warp = cv2.warpPerspective(
        picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warp, np.uint8)


def sampled(grey: Grey, x: Points, y: Points) -> Grey:
    """The values of `grey`, (rows, columns) float32, at the places of `x` and `y`, in their shape."""
    columns, rows = x.astype(np.float32), y.astype(np.float32)
    return np.asarray(cv2.remap(grey, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
