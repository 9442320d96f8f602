"""Grey levels: 256 of them from a picture in [0, 1], how often each occurs, and other ones in their place."""

import numpy as np
import numpy.typing as npt

from osteo_edge.raster.plain.bands import bands

Pixels = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]

_SMALLEST = float(np.finfo(np.float32).eps)


def to_8_bit(pixels: Pixels) -> Grey:
    """Pixels in [0, 1] as grey levels of 0 to 255, rounded to the nearest; what lies beyond is cut off there."""
    grey = np.empty(pixels.shape, np.uint8)
    for band in bands(len(pixels), pixels[:1].size):
        levels = pixels[band] * np.float32(255)
        grey[band] = np.rint(levels, out=levels).clip(0, 255, out=levels)
    return grey


def histogram(grey: Grey) -> npt.NDArray[np.float32]:
    """How many samples have each of the 256 grey levels."""
    counts = np.zeros(256, np.intp)
    for band in bands(*grey.shape):
        counts += np.bincount(grey[band].ravel(), minlength=256)
    return counts.astype(np.float32)


def otsu(grey: Grey) -> int:
    """The grey level up to which a picture is dark, the rest bright (Otsu 1979)."""
    shares = (histogram(grey) / grey.size).astype(np.float64)
    dark = shares.cumsum()
    bright = 1 - dark
    moment = (shares * np.arange(256)).cumsum()
    parts = (np.minimum(dark, bright) >= _SMALLEST) & (np.maximum(dark, bright) <= 1 - _SMALLEST)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = dark * bright * (moment / dark - (moment[-1] - moment) / bright) ** 2
    return int(np.where(parts, between, 0).argmax())


def look_up(picture: Grey, table: Grey) -> Grey:
    """Each level in the place of which the table has another: (256,), or (256, channels) with one for each channel."""
    if table.ndim == 1:
        return table[picture]
    return np.stack([table[picture[..., channel], channel] for channel in range(table.shape[1])], axis=-1)
