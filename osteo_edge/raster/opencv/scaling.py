"""Pictures in another size or another place."""

from typing import Any, Literal, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
_Sample = TypeVar("_Sample", np.uint8, np.float32)


def shrink(picture: npt.NDArray[_Sample], height: int, width: int) -> npt.NDArray[_Sample]:
    """The picture, (height, width) or (height, width, channels), at a size that is no larger: the mean of each area."""
    return _resized(picture, height, width, cv2.INTER_AREA)


def enlarge(picture: npt.NDArray[_Sample], height: int, width: int) -> npt.NDArray[_Sample]:
    """The picture at any other size, interpolated between its four nearest samples; shrunk so, it would alias."""
    return _resized(picture, height, width, cv2.INTER_LINEAR)


def continue_edges(
    picture: npt.NDArray[_Sample], *, top: int, bottom: int, left: int, right: int
) -> npt.NDArray[_Sample]:
    """The picture with so many rows and columns more at each side, which repeat its outermost ones."""
    around: Any = cv2.copyMakeBorder(picture, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return np.asarray(around, picture.dtype)


def warp(
    picture: npt.NDArray[np.float32],
    matrix: Matrix,
    height: int,
    width: int,
    *,
    way: Literal["linear", "cubic"] = "linear",
    from_target: bool = False,
) -> npt.NDArray[np.float32]:
    """The picture (height, width) moved by an affine 2 x 3 matrix; beyond its edge its outermost samples go on.

    The matrix takes x and y, from the middle of the first sample, to the result; or back if it is `from_target`.
    """
    flags = cv2.INTER_LINEAR if way == "linear" else cv2.INTER_CUBIC
    if from_target:
        flags |= cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(picture, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _resized(picture: npt.NDArray[_Sample], height: int, width: int, way: int) -> npt.NDArray[_Sample]:
    resized: Any = cv2.resize(picture, (width, height), interpolation=way)
    return np.asarray(resized, picture.dtype)
