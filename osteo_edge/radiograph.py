"""An image file becomes a Radiograph: grey, float32 in [0, 1], bone bright, whatever the file stored.

pydicom is needed by `osteo_edge.dicom` alone, which is imported when a DICOM file is met.
Nothing is decoded before the size that the file's own header claims has been found acceptable.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.errors import RadiographError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.image_header import EXPORT_HINT, FORMATS, check_fits, damaged, read_header
from osteo_edge.raster import codec, colour
from osteo_edge.raster.damage import DamagedImageError, UnsupportedImageError, refusing_reports

Pixels = npt.NDArray[np.float32]

MIN_SIDE_PX = 32
MAX_SIDE_PX = 16_384
MAX_PIXELS = 100_000_000
MAX_FILE_BYTES = 512 * 2**20
SNIFFED_BYTES = 132

_SIGNATURES = (
    (128, b"DICM", "dicom"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"BM", "bmp"),
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (0, b"GIF8", "GIF"),
    (8, b"WEBP", "WebP"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftyp", "HEIC"),
    (0, b"%PDF", "PDF"),
    (0, b"PK\3\4", "ZIP"),
    (0, b"II+\0", "BigTIFF"),
    (0, b"MM\0+", "BigTIFF"),
    (4, b"jP  \r\n", "JPEG 2000"),
)


@dataclass(frozen=True)
class Source:
    """Where a radiograph came from and how it was stored; no patient data.

    `height` and `width` are those of the pixels, after EXIF orientation. `bits` are the stored bits a sample.
    `chroma` is the mean over the pixels of (largest - smallest colour channel), in [0, 1]: 0 for a grey image.
    `modality`, `body_part` and `view_position` are DICOM's codes ("DX", "KNEE", "AP"), where the file has them.
    """

    path: Path
    format: str
    height: int
    width: int
    bits: int
    chroma: float
    modality: str | None = None
    body_part: str | None = None
    view_position: str | None = None


@dataclass(frozen=True, eq=False)
class Radiograph:
    """Pixels (height, width) in [0, 1], bone bright; and the SHA-256 of the file that they were read from."""

    pixels: Pixels
    sha256: str
    source: Source


def read_radiograph(path: Path) -> Radiograph:
    """Read a PNG, JPEG, BMP, TIFF or DICOM file; the content decides which, not the name.

    The grey values are linear in the stored ones, and nothing is clipped or rounded to 8 bits, except by the window
    that a DICOM file asks for. Raises RadiographError for what is no readable single image of an acceptable size,
    and MissingExtraError where DICOM needs a package that is not installed.
    """
    return decode(read_bytes(path), path)


def decode(data: bytes, path: Path) -> Radiograph:
    """Decode the bytes of a file; `path` only names it in errors and in the source."""
    file_format = sniff_format(data, path)
    if file_format == "dicom":
        from osteo_edge.dicom import decode_dicom

        pixels, source = decode_dicom(data, path)
    else:
        pixels, source = _decode_raster(data, path, file_format)
    return Radiograph(pixels, sha256_bytes(data), source)


def sniff_format(data: bytes, path: Path) -> str:
    """Tell "png", "jpeg", "bmp", "tiff" or "dicom" from the first `SNIFFED_BYTES` of a file, or from all of it.

    Raises RadiographError for any other format, named if it is a known one, and for no bytes at all. Only a DICOM file
    that lacks its preamble is known by the suffix of `path`.
    """
    if not data:
        raise RadiographError(f"{path}: the file is empty; copy or export it again")
    for offset, signature, name in _SIGNATURES:
        if data.startswith(signature, offset):
            if name not in ("dicom", *FORMATS):
                raise RadiographError(f"{path}: {name} files are not supported; {EXPORT_HINT}")
            return name
    if path.suffix.lower() in (".dcm", ".dicom"):
        return "dicom"
    raise RadiographError(f"{path}: not a PNG, JPEG, BMP, TIFF or DICOM file, whatever its name; {EXPORT_HINT}")


def check_size(height: int, width: int, path: Path) -> None:
    """Raise RadiographError unless the sides, in pixels, are those of a radiograph; call it before decoding."""
    if min(height, width) < MIN_SIDE_PX:
        problem = f"too small for a radiograph (at least {MIN_SIDE_PX} pixels a side); {EXPORT_HINT} at full size"
    elif max(height, width) > MAX_SIDE_PX or height * width > MAX_PIXELS:
        problem = f"too large (at most {MAX_SIDE_PX} a side and {MAX_PIXELS // 10**6} megapixels); export it smaller"
    else:
        return
    raise RadiographError(f"{path}: {width} x {height} pixels is {problem}")


def grey_and_chroma(samples: npt.NDArray[Any], full_scale: int) -> tuple[npt.NDArray[Any], float]:
    """Reduce uint8 or uint16 (height, width, 3) in BGR order to luminance (ITU-R BT.601) and the mean chroma."""
    return colour.luminance(samples), colour.mean_chroma(samples) / full_scale


@contextmanager
def refusing_damage(path: Path, file_format: str) -> Iterator[None]:
    """Raise RadiographError if a native decoder reports damage on file descriptor 2 while the block runs."""
    try:
        with refusing_reports():
            yield
    except DamagedImageError as error:
        raise damaged(path, file_format) from error


def read_bytes(path: Path) -> bytes:
    """The bytes of a file; RadiographError for a folder, for what cannot be read, and beyond `MAX_FILE_BYTES`."""
    try:
        if path.is_dir():
            raise RadiographError(f"{path}: is a folder; name an image file")
        if path.stat().st_size > MAX_FILE_BYTES or not path.is_file():
            raise RadiographError(f"{path}: not a file of at most {MAX_FILE_BYTES // 2**20} MiB; {EXPORT_HINT}")
        return path.read_bytes()
    except PermissionError as error:
        raise RadiographError(f"{path}: may not be read; ask its owner for permission") from error
    except OSError as error:
        problem = f"cannot be read ({error.strerror or error}); check the name and the disk"
        raise RadiographError(f"{path}: {problem}") from error


def _decode_raster(data: bytes, path: Path, file_format: str) -> tuple[Pixels, Source]:
    header = read_header(data, path, file_format)
    check_size(header.height, header.width, path)
    check_fits(header, data, path, file_format)
    samples = _decode_samples(data, path, file_format, header.white_is_zero_at)
    full_scale = _full_scale(samples)
    grey, chroma = grey_and_chroma(samples, full_scale) if samples.ndim == 3 else (samples, 0.0)
    pixels = np.divide(grey, np.float32(full_scale), dtype=np.float32)
    if header.white_is_zero_at is not None:
        np.subtract(np.float32(1), pixels, out=pixels)
    height, width = pixels.shape
    return pixels, Source(path, file_format, height, width, header.bits, chroma)


def _decode_samples(data: bytes, path: Path, file_format: str, white_is_zero_at: int | None) -> npt.NDArray[Any]:
    """The grey (height, width) or BGR (height, width, 3) uint8 or uint16 samples, turned as EXIF says."""
    try:
        return codec.decode(data, white_is_zero_at=white_is_zero_at)
    except DamagedImageError as error:
        raise damaged(path, file_format) from error
    except UnsupportedImageError as error:
        name = str(error)
        raise RadiographError(f"{path}: {name} files are not supported; {EXPORT_HINT}") from error


def _full_scale(samples: npt.NDArray[Any]) -> int:
    """Return the value that means full brightness: of 16 bits, only those in use count, so 12-bit data is not dark.

    >>> _full_scale(np.array([0, 3000], np.uint16))
    4095
    """
    if samples.dtype == np.uint8:
        return 255
    return int(2 ** max(8, int(samples.max()).bit_length()) - 1)
