"""JPEG files by Pillow, which says nothing of damage: its decoder makes up the pixels that it could not read.

A sound scan ends with the last byte before the end marker, so that is where the decoder must ask for its last bytes. A
file of several scans is decoded with something else after each of them, and must not become another picture.
"""

from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL.JpegImagePlugin import JpegImageFile

from osteo_edge.raster.damage import DamagedImageError
from osteo_edge.raster.plain.exif import orientation_of
from osteo_edge.raster.plain.jpeg_scans import Scan, followed_by, only_scan, parts, without_notes

Samples = npt.NDArray[np.uint8]

AHEAD = b"\xff\0" * 8
"""What a decoder may fetch beyond the end of a scan before it needs it: 8 bytes of ones, which are no Huffman code."""
FILLINGS = bytes(64), b"\xff\0" * 64
"""What is read as one thing or as another, if it is read at all."""


class _WatchedFile(BytesIO):
    """A file without its end marker, read to the last byte but one first; `wanted_all` is set when that is not enough.

    `AHEAD` follows, which a decoder must not need; `wanted_more` is set when even that is not enough.
    """

    def __init__(self, data: bytes, end: int) -> None:
        super().__init__(data[:end] + AHEAD)
        self._nearly_all = end - 1
        self.wanted_all = self.wanted_more = False

    def read(self, size: int | None = -1, /) -> bytes:
        left = self._nearly_all - self.tell()
        if left > 0:
            return super().read(left if size is None or size < 0 else min(size, left))
        self.wanted_all = True
        read = super().read(size)
        self.wanted_more |= not read
        return read


def decode_jpeg(data: bytes, *, shrunk_by: int = 1, lenient: bool = False) -> tuple[Samples, int]:
    """The grey (height, width) or blue, green, red (height, width, 3) samples as stored, and the EXIF orientation.

    Shrunk by 1, 2, 4 or 8 while it is decoded. Raises DamagedImageError; `lenient` only where nothing can be decoded.
    """
    bare, notes = without_notes(data)
    scan = None if lenient else only_scan(bare)
    if scan is not None and scan.restarts:
        for part in parts(bare, scan):
            _decoded(part, only_scan(part))
    samples = _decoded(bare, scan, shrunk_by)
    if scan is None and not lenient:
        filled = (_decoded(followed_by(bare, filling), None) for filling in FILLINGS)
        if not all(np.array_equal(samples, other) for other in filled):
            raise DamagedImageError
    return samples, orientation_of(notes)


def _decoded(data: bytes, scan: Scan | None, shrunk_by: int = 1) -> Samples:
    file = BytesIO(data) if scan is None else _WatchedFile(data, scan.end)
    with JpegImageFile(file) as image:
        if shrunk_by > 1:
            image.draft(None, (image.width // shrunk_by, image.height // shrunk_by))
        samples = np.asarray(image)
    if isinstance(file, _WatchedFile) and (file.wanted_more or not file.wanted_all):
        raise DamagedImageError
    if image.mode == "CMYK":
        return _from_inverted_cmyk(samples)
    return samples[..., ::-1] if samples.ndim == 3 else samples


def _from_inverted_cmyk(samples: Samples) -> Samples:
    """Blue, green, red of cyan, magenta, yellow and black as Pillow gives them, by OpenCV's formula."""
    inks = 255 - samples.astype(np.int32)
    black = inks[..., 3:]
    return (black - ((255 - inks[..., 2::-1]) * black >> 8)).astype(np.uint8)
