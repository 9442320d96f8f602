"""Pictures seen from another side by numpy. A pixel's centre has whole coordinates; between them, values are bilinear.

Beyond its border a picture goes on as it ends.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Grey = npt.NDArray[Any]
Points = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
_Near = tuple[tuple[npt.NDArray[np.intp], ...], npt.NDArray[np.float32], npt.NDArray[np.float32]]

ROWS_AT_ONCE: Final = 32
"""Of the result: what lies between stays in the processor's cache, and small beside the picture."""


def homography(source: Points, target: Points) -> Matrix:
    """The matrix (3, 3) that takes four points, (4, 2) in x and y, to four others."""
    (x, y), (u, v) = np.asarray(source, np.float64).T, np.asarray(target, np.float64).T
    one, none = np.ones(4), np.zeros(4)
    across = np.stack([x, y, one, none, none, none, -x * u, -y * u], axis=1)
    down = np.stack([none, none, none, x, y, one, -x * v, -y * v], axis=1)
    solution = np.linalg.solve(np.concatenate([across, down]), np.concatenate([u, v]))
    return np.append(solution, 1.0).reshape(3, 3)


def warped(picture: Picture, matrix: Matrix, width: int, height: int) -> Picture:
    """A picture (rows, columns, 3) as `matrix` lays it, (height, width, 3)."""
    back = np.linalg.inv(matrix)
    result = np.empty((height, width, 3), np.uint8)
    columns = np.arange(width, dtype=np.float64)
    samples = picture.reshape(-1)
    for top in range(0, height, ROWS_AT_ONCE):
        rows = np.arange(top, min(height, top + ROWS_AT_ONCE), dtype=np.float64)[:, None]
        x, y, depth = (row[0] * columns + (row[1] * rows + row[2]) for row in back)
        near = _nearest(x / depth, y / depth, (picture.shape[0], picture.shape[1]), 3)
        for channel in range(3):
            result[top : top + ROWS_AT_ONCE, :, channel] = _mixed(samples[channel:], near) + np.float32(0.5)
    return result


def sampled(grey: Grey, x: Points, y: Points) -> Grey:
    """The values of `grey`, (rows, columns) float32, at the places of `x` and `y`, in their shape."""
    return _mixed(grey.reshape(-1), _nearest(x, y, (grey.shape[0], grey.shape[1]), 1))


def _nearest(x: Points, y: Points, shape: tuple[int, int], channels: int) -> _Near:
    """The four pixels around each place, and how far it is on from the left and the upper ones, in [0, 1)."""
    rows, columns = shape
    left, top = np.floor(x), np.floor(y)
    across, down = (x - left).astype(np.float32), (y - top).astype(np.float32)
    left, top = left.astype(np.intp), top.astype(np.intp)
    first, second = (np.clip(left + i, 0, columns - 1) * channels for i in (0, 1))
    upper, lower = (np.clip(top + i, 0, rows - 1) * (columns * channels) for i in (0, 1))
    return (upper + first, upper + second, lower + first, lower + second), across, down


def _mixed(samples: npt.NDArray[Any], near: _Near) -> npt.NDArray[np.float32]:
    places, across, down = near
    upper, right, lower, right_below = (samples[place].astype(np.float32) for place in places)
    for first, second, share in ((upper, right, across), (lower, right_below, across), (upper, lower, down)):
        second -= first
        second *= share
        first += second
    return upper
