"""Image files become samples, and samples image files."""

from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from osteo_edge.raster.damage import DamagedImageError, refusing_reports

Samples = npt.NDArray[Any]
Picture = npt.NDArray[np.uint8]
ShrunkBy = Literal[1, 2, 4, 8]

_COLOURS: Final[dict[ShrunkBy, int]] = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


def decode(data: bytes, *, white_is_zero_at: int | None = None) -> Samples:
    """The grey (height, width) or blue, green, red (height, width, 3) samples of a file, uint8 or uint16.

    The picture is turned as EXIF says, and alpha is dropped. The file is a PNG, JPEG, BMP or TIFF whose header has been
    read; `white_is_zero_at` is that of `image_header.Header`, and such samples are given as they are stored, 0 white.
    Raises DamagedImageError where anything of the picture is missing, UnsupportedImageError where this form of the
    decoders cannot read it.
    """
    encoded = np.frombuffer(data, np.uint8)
    if white_is_zero_at is not None:  # OpenCV inverts 8 bits but not 16: tell it that 0 is black
        encoded = encoded.copy()
        encoded[white_is_zero_at] = 1
    try:
        with refusing_reports():
            samples = cv2.imdecode(encoded, cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)
    except cv2.error as error:
        raise DamagedImageError from error
    if samples is None or samples.dtype not in (np.uint8, np.uint16):
        raise DamagedImageError
    return samples


def decode_photo(data: bytes, shrunk_by: ShrunkBy = 1) -> Picture:
    """A photo of any format that can be read here, (height, width, 3) in blue, green, red, turned as EXIF says.

    It comes with its sides divided by `shrunk_by`; a JPEG is never whole in memory then. Damage that leaves a picture
    is let pass. Raises DamagedImageError where there is none.
    """
    try:
        photo = cv2.imdecode(np.frombuffer(data, np.uint8), _COLOURS[shrunk_by]) if data else None
    except cv2.error as error:
        raise DamagedImageError from error
    if photo is None:
        raise DamagedImageError
    return np.asarray(photo, np.uint8)


def decode_grey_png(data: bytes) -> Picture | None:
    """The samples of a grey 8-bit PNG file, as `encode_png` writes them; None for any other file."""
    grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if grey is None or grey.ndim != 2 or grey.dtype != np.uint8:
        return None
    return np.asarray(grey, np.uint8)


def encode_png(picture: Picture) -> bytes:
    """A grey (height, width) or blue, green, red (height, width, 3) picture as a PNG file."""
    return _encoded(".png", picture, [])


def encode_jpeg(picture: Picture, quality: int) -> bytes:
    """A grey (height, width) or blue, green, red (height, width, 3) picture as a JPEG file; `quality` is 0 to 100."""
    return _encoded(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])


def _encoded(suffix: str, picture: Picture, options: list[int]) -> bytes:
    encoded, data = cv2.imencode(suffix, picture, options)
    if not encoded:
        raise ValueError(f"OpenCV cannot write a {suffix} file of shape {picture.shape}")
    return data.tobytes()
