"""Image files become samples, and samples image files, by Pillow and numpy."""

import struct
from io import BytesIO
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile

from osteo_edge.raster.damage import DamagedImageError, UnsupportedImageError
from osteo_edge.raster.plain.jpeg import decode_jpeg
from osteo_edge.raster.plain.png import SIGNATURE as PNG
from osteo_edge.raster.plain.png import decode_png
from osteo_edge.raster.plain.png import encode_png as encode_png
from osteo_edge.raster.plain.scaling import shrink
from osteo_edge.raster.plain.tiff import decode_tiff

Samples = npt.NDArray[Any]
Picture = npt.NDArray[np.uint8]
ShrunkBy = Literal[1, 2, 4, 8]

JPEG, BMP, TIFF = b"\xff\xd8\xff", b"BM", (b"II*\0", b"MM\0*")


def decode(data: bytes, *, white_is_zero_at: int | None = None) -> Samples:
    """The grey (height, width) or blue, green, red (height, width, 3) samples of a file, uint8 or uint16.

    The picture is turned as EXIF says, and alpha is dropped. The file is a PNG, JPEG, BMP or TIFF whose header has been
    read; `white_is_zero_at` is that of `image_header.Header`, and such samples are given as they are stored, 0 white.
    Raises DamagedImageError where anything of the picture is missing, UnsupportedImageError where this form of the
    decoders cannot read it.
    """
    try:
        return np.ascontiguousarray(_turned(*_decoded(data)))
    except (DamagedImageError, UnsupportedImageError, MemoryError):
        raise
    except Exception as error:  # a damaged file makes Pillow raise nearly anything
        raise DamagedImageError from error


def decode_photo(data: bytes, shrunk_by: ShrunkBy = 1) -> Picture:
    """A photo of any format that can be read here, (height, width, 3) in blue, green, red, turned as EXIF says.

    It comes with its sides divided by `shrunk_by`; a JPEG is never whole in memory then. Damage that leaves a picture
    is let pass. Raises DamagedImageError where there is none.
    """
    try:
        if data.startswith(JPEG):
            photo = _turned(*decode_jpeg(data, shrunk_by=shrunk_by, lenient=True))
        else:
            whole = _turned(*_decoded(data))
            photo = shrink(_in_8_bits(whole), *(-(-side // shrunk_by) for side in whole.shape[:2]))
    except MemoryError:
        raise
    except Exception as error:  # a damaged file makes Pillow raise nearly anything
        raise DamagedImageError from error
    return np.ascontiguousarray(photo if photo.ndim == 3 else np.stack([photo] * 3, axis=-1), np.uint8)


def decode_grey_png(data: bytes) -> Picture | None:
    """The samples of a grey 8-bit PNG file, as `encode_png` writes them; None for any other file."""
    if not data.startswith(PNG) or data[24:26] != b"\x08\0":
        return None
    try:
        return np.asarray(decode(data), np.uint8)
    except DamagedImageError:
        return None


def encode_jpeg(picture: Picture, quality: int) -> bytes:
    """A grey (height, width) or blue, green, red (height, width, 3) picture as a JPEG file; `quality` is 0 to 100."""
    file = BytesIO()
    shown = picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., ::-1])
    Image.fromarray(shown).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return file.getvalue()


def _decoded(data: bytes) -> tuple[Samples, int]:
    """The samples as stored, and their EXIF orientation."""
    if data.startswith(JPEG):
        return decode_jpeg(data)
    if data.startswith(PNG):
        return decode_png(data)
    if data.startswith(TIFF):
        return decode_tiff(data)
    if data.startswith(BMP):
        return _decoded_bmp(data), 1
    raise DamagedImageError


def _decoded_bmp(data: bytes) -> Samples:
    start, width, height, bits = struct.unpack_from("<I4xii2xH", data, 10)
    if bits == 16:
        raise UnsupportedImageError("16-bit BMP")
    if start + (width * bits + 31) // 32 * 4 * abs(height) > len(data):
        raise DamagedImageError
    with BmpImageFile(BytesIO(data)) as image:
        samples = np.asarray(image if image.mode == "L" else image.convert("RGB"))
    return samples if samples.ndim == 2 else samples[..., ::-1]


def _in_8_bits(samples: Samples) -> Picture:
    return samples if samples.dtype == np.uint8 else (samples >> 8).astype(np.uint8)


def _turned(samples: Samples, orientation: int) -> Samples:
    """The samples as EXIF's orientation says they are seen (Exif 2.32, 4.6.4)."""
    if orientation in (5, 6, 7, 8):
        samples = samples.swapaxes(0, 1)
    mirrored, upside_down = {2: (1, 0), 3: (1, 1), 4: (0, 1), 6: (1, 0), 7: (1, 1), 8: (0, 1)}.get(orientation, (0, 0))
    return samples[:: -1 if upside_down else 1, :: -1 if mirrored else 1]
