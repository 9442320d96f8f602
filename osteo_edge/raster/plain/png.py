"""PNG files by Pillow, whose checksums are compared here, since Pillow does not compare those of the samples."""

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from osteo_edge.raster.damage import DamagedImageError
from osteo_edge.raster.plain.exif import orientation_of

Samples = npt.NDArray[Any]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY_ALPHA, COLOUR_ALPHA = 4, 6
"""Colour types of ISO/IEC 15948, 11.2.2."""


def decode_png(data: bytes) -> tuple[Samples, int]:
    """The grey (height, width) or blue, green, red (height, width, 3) samples as stored, and the EXIF orientation.

    They are uint8, or uint16 where the file has 16 bits. Alpha is dropped. Raises DamagedImageError.
    """
    _check(data)
    bits, kind = data[24:26]
    if bits == 16 and kind == GREY_ALPHA:
        samples, orientation = _decoded(_as_colour_alpha(data))
        return samples[..., 0].astype(np.uint16) << 8 | samples[..., 1], orientation
    if bits == 16 and kind & 2:
        (high, orientation), (low, _) = _decoded(data, ";16B"), _decoded(data, ";16L")
        return high[..., 2::-1].astype(np.uint16) << 8 | low[..., 2::-1], orientation
    samples, orientation = _decoded(data)
    if samples.ndim == 3:
        samples = samples[..., 2::-1] if samples.shape[2] > 2 else samples[..., 0]
    return samples, orientation


def _decoded(data: bytes, half: str = "") -> tuple[Samples, int]:
    """The samples in red, green, blue; of 16 bits in colour one half, which Pillow calls the byte order."""
    with PngImageFile(BytesIO(data)) as image:
        if half:
            image.tile = [tile._replace(args=image.mode + half) for tile in image.tile]
        image.load()
        orientation = orientation_of(image.info.get("exif", b"").removeprefix(b"Exif\0\0"))
        if image.mode == "P":
            return _looked_up(np.asarray(image), image.getpalette() or []), orientation
        return np.asarray(image.convert("L") if image.mode == "1" else image), orientation


def _looked_up(places: Samples, palette: list[int]) -> Samples:
    table = np.zeros((256, 3), np.uint8)
    table[: len(palette) // 3] = np.reshape(palette, (-1, 3))
    return table[places]


def _check(data: bytes) -> None:
    """Go through the chunks to the last one, and compare the checksums of those without which there is no picture."""
    at, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        critical = not kind[0] & 0x20
        if critical and zlib.crc32(data[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise DamagedImageError
        at = end + 4


def _as_colour_alpha(data: bytes) -> bytes:
    """The file of grey and alpha in 16 bits as if it held four samples of 8 bits: as many bytes to each pixel."""
    header = data[12:24] + bytes((8, COLOUR_ALPHA)) + data[26:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def encode_png(picture: npt.NDArray[np.uint8]) -> bytes:
    """A grey (height, width) or blue, green, red (height, width, 3) picture as a PNG file."""
    file = BytesIO()
    shown = picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., ::-1])
    Image.fromarray(shown).save(file, "PNG", compress_level=1)
    return file.getvalue()
