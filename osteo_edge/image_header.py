"""What the header of an image file claims, read before anything is decoded: its size, its bits, which end is white."""

import struct
from pathlib import Path
from typing import NamedTuple

from osteo_edge.errors import RadiographError

EXPORT_HINT = "export the radiograph as PNG or DICOM"
MAX_SCANS = 100
"""Of a progressive JPEG: each is decoded over all pixels again. Encoders write about ten."""
MOST_BITS_PER_BYTE = {"png": 8 * 1032, "bmp": 8, "tiff": 8 * 2731}
"""How far a byte of a file expands: by deflate (RFC 1951: 258 bytes of 2 bits), not at all, and by LZW of 12 bits."""
MOST_JPEG_PIXELS_PER_BYTE = 512
"""A block of 64 pixels takes a bit at least (ITU-T T.81, F.1.2)."""


class Header(NamedTuple):
    """Sides in pixels as stored, before EXIF orientation, and bits a sample.

    `white_is_zero_at` is set where a TIFF says that 0 is white: the offset in the file of that value's low byte.
    """

    height: int
    width: int
    bits: int
    white_is_zero_at: int | None = None


def read_header(data: bytes, path: Path, file_format: str) -> Header:
    """Read the header of a file in one of `FORMATS`; `path` only names it in errors.

    The size is what the file claims and may be anything. Raises RadiographError for a header that is cut short or
    contradicts itself, and for a kind of the format that is not read here.
    """
    try:
        return _READERS[file_format](data)
    except (struct.error, LookupError) as error:
        raise damaged(path, file_format) from error
    except ValueError as error:
        raise RadiographError(f"{path}: {error}") from error


def check_fits(header: Header, data: bytes, path: Path, file_format: str) -> None:
    """Raise RadiographError for a file that is too short for what it claims: no room is made for that."""
    pixels, size_bytes = header.height * header.width, len(data)
    if file_format == "jpeg":
        fits = pixels <= MOST_JPEG_PIXELS_PER_BYTE * size_bytes
    else:
        bits = 1 if file_format == "bmp" else header.bits
        fits = pixels * bits <= MOST_BITS_PER_BYTE[file_format] * size_bytes
    if not fits or (file_format == "png" and not _has_all_chunks(data)):
        raise damaged(path, file_format)


def damaged(path: Path, file_format: str) -> RadiographError:
    """The error for a file that is cut short or altered."""
    problem = f"the {file_format.upper()} data are damaged or incomplete; copy or export the file again"
    return RadiographError(f"{path}: {problem}")


def _png_header(data: bytes) -> Header:
    """Read IHDR, which must come first (ISO/IEC 15948, 11.2.2)."""
    width, height, bits = struct.unpack_from(">IIB", data, 16)
    return Header(height, width, bits)


def _has_all_chunks(data: bytes) -> bool:
    """Whether every chunk up to the last lies in the file; OpenCV 5 makes room for the length that one claims."""
    at = 8
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        at += 12 + length
        if kind == b"IEND":
            return bool(at <= len(data))
    return False


def _jpeg_header(data: bytes) -> Header:
    """Read the frame header and look for the end marker (ITU-T T.81, B); OpenCV 4.9 fills a cut file with grey."""
    at, header = 2, None
    while data[at + 1] != 0xDA:
        marker, length = struct.unpack_from(">BH", data, at + 1)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            bits, height, width = struct.unpack_from(">BHH", data, at + 4)
            header = Header(height, width, bits)
        at += 1 if marker == 0xFF else 2 + length  # 0xFF fills the space before a marker
    if data.count(b"\xff\xda") > MAX_SCANS:
        raise ValueError(f"more than {MAX_SCANS} scans in one JPEG file; {EXPORT_HINT}")
    if header is None or data.find(b"\xff\xd9", at) < 0:
        raise IndexError("no frame header or no end marker")
    if header.bits != 8:
        raise ValueError(f"{header.bits}-bit JPEG files are not supported; {EXPORT_HINT}")
    return header


def _bmp_header(data: bytes) -> Header:
    """Read the Windows DIB header, where a negative height means rows from the top."""
    header_bytes, width, height, _, _, compression = struct.unpack_from("<IiiHHI", data, 14)
    if header_bytes < 40 or compression not in (0, 3):
        raise ValueError(f"compressed and OS/2 BMP files are not supported; {EXPORT_HINT}")
    return Header(abs(height), width, 8)


def _tiff_header(data: bytes) -> Header:
    """Read the first page's tags (TIFF 6.0, section 8); later pages may only be reduced copies of it."""
    order = "<" if data.startswith(b"II") else ">"
    pages = _tiff_pages(data, order)
    tags = pages[0]
    reduced = [bool(page.get(254, (0, 0))[0] & 1) for page in pages]
    if reduced[0] or not all(reduced[1:]):
        raise ValueError(f"a TIFF of {len(pages)} pages; export one radiograph a file")
    bits, sample_format = tags.get(258, (1, 0))[0], tags.get(339, (1, 0))[0]
    if bits not in (8, 16) or sample_format != 1:
        raise ValueError(f"TIFF samples of {bits} bits, format {sample_format}; export 8 or 16 bits, unsigned")
    photometric, at = tags[262]
    return Header(tags[257][0], tags[256][0], bits, at + (order == ">") if photometric == 0 else None)


def _tiff_pages(data: bytes, order: str) -> list[dict[int, tuple[int, int]]]:
    """Return for each page: tag -> (first value, its offset in the file), of the short and long tags."""
    pages: dict[int, dict[int, tuple[int, int]]] = {}
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    while at and at not in pages and len(pages) < 64:
        pages[at] = {}
        (count,) = struct.unpack_from(f"{order}H", data, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, values = struct.unpack_from(f"{order}HHI", data, entry)
            if kind in (3, 4):
                inline = values * (2 if kind == 3 else 4) <= 4
                where = entry + 8 if inline else struct.unpack_from(f"{order}I", data, entry + 8)[0]
                pages[at][tag] = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, where)[0], where
        (at,) = struct.unpack_from(f"{order}I", data, at + 2 + 12 * count)
    return list(pages.values())


_READERS = {"png": _png_header, "jpeg": _jpeg_header, "bmp": _bmp_header, "tiff": _tiff_header}
FORMATS = tuple(_READERS)
