"""Lossless JPEG frames of X-ray machines, which are decoded by numpy alone on a phone."""

from collections.abc import Iterator

import numpy as np

from osteo_edge.errors import RadiographError
from osteo_edge.raster.damage import DamagedImageError, UnsupportedImageError
from osteo_edge.raster.plain import lossless_jpeg as lossless
from osteo_edge.raster.plain.lossless_jpeg import Samples, decode_lossless_jpeg
from tests.fuzz.drawn import film
from tests.osteo_edge.raster.lossless import lossless_jpeg

STRETCH_BITS, STRETCHES, STEPS = 2**8, 2**6, 2**4
"""So that as small a file has several parts of several stretches, and takes no longer than it must."""


def read(data: bytes) -> Samples:
    lossless.STRETCH_BITS, lossless.STRETCHES, lossless.STEPS = STRETCH_BITS, STRETCHES, STEPS
    try:
        return decode_lossless_jpeg(data)
    except (DamagedImageError, UnsupportedImageError) as error:
        raise RadiographError("refused") from error


def seeds() -> Iterator[bytes]:
    grey = film(40, 36)
    yield lossless_jpeg(grey.astype(np.uint16) * 16, 12)
    yield lossless_jpeg(grey, 8)
    yield lossless_jpeg(grey.astype(np.uint16) * 256, 16, shift=2)
