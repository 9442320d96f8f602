"""Figures of a whole picture, taken without a second copy of it."""

import math

import numpy as np
import numpy.typing as npt

from osteo_edge.raster.plain.bands import bands

Pixels = npt.NDArray[np.float32]


def mean_and_deviation(pixels: Pixels) -> tuple[float, float]:
    """The mean and the standard deviation of a picture (height, width)."""
    mean = math.fsum(float(pixels[band].sum(dtype=np.float64)) for band in bands(*pixels.shape)) / pixels.size
    squares = (float(np.square(pixels[band] - np.float32(mean)).sum(dtype=np.float64)) for band in bands(*pixels.shape))
    return mean, math.sqrt(math.fsum(squares) / pixels.size)


def squared_difference(first: Pixels, second: Pixels) -> float:
    """The sum of the squares of how two pictures of one shape differ."""
    pairs = ((first[band], second[band]) for band in bands(*first.shape))
    return math.fsum(float(np.square(one - other).sum(dtype=np.float64)) for one, other in pairs)


def channel_means(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """The mean of each of the three channels."""
    columns = np.zeros(picture.shape[1:], np.int64)
    for band in bands(len(picture), picture[0].size):
        columns += picture[band].sum(axis=0, dtype=np.uint32)
    return np.asarray(columns.sum(axis=0) / (picture.shape[0] * picture.shape[1]))
