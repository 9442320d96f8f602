"""Where in a picture something like a smaller one lies, by the Fourier transform."""

from typing import NamedTuple

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
    shape = tuple(_fast_length(side) for side in plane.shape)
    rows, columns = (side - part + 1 for side, part in zip(plane.shape, patch.shape, strict=True))
    spectrum = np.fft.rfft2(plane, shape)
    spectrum *= np.conj(np.fft.rfft2(patch - patch.mean(), shape))
    return np.asarray(np.fft.irfft2(spectrum, shape)[:rows, :columns], np.float32)


def highest(plane: Plane) -> Peak:
    """The highest place of a plane."""
    row, column = divmod(int(plane.argmax()), plane.shape[1])
    return Peak(float(plane[row, column]), row, column)


def _fast_length(least: int) -> int:
    """The least length from `least` on that has no prime factor above 5, even so that the transform is real.

    >>> [_fast_length(length) for length in (7, 126, 128, 317)]
    [8, 128, 128, 320]
    """
    length = least + least % 2
    while _without_factors(length) > 1:
        length += 2
    return length


def _without_factors(length: int) -> int:
    for factor in (2, 3, 5):
        while length % factor == 0:
            length //= factor
    return length
