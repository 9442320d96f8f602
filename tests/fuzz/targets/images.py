"""PNG, JPEG, BMP, TIFF and whatever else, read as a radiograph is: by OpenCV where it is installed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from osteo_edge.radiograph import Radiograph, decode
from tests.fuzz.drawn import image_files
from tests.fuzz.repaired import with_png_checksums

PATH = Path("film")


def read(data: bytes) -> Radiograph:
    radiograph = decode(with_png_checksums(data), PATH)
    require_pixels(radiograph)
    return radiograph


def require_pixels(radiograph: Radiograph) -> None:
    """Whatever the file, what comes of it is float32 in [0, 1] of the size that is said."""
    pixels, source = radiograph.pixels, radiograph.source
    assert pixels.dtype == np.float32, pixels.dtype
    assert pixels.shape == (source.height, source.width), pixels.shape
    assert np.isfinite(pixels).all(), "not all finite"
    assert 0 <= pixels.min() <= pixels.max() <= 1, (pixels.min(), pixels.max())


def seeds() -> Iterator[bytes]:
    yield from image_files()
