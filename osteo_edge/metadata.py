"""What is no picture leaves an image file: camera notes, places, names, comments, small copies. No pixel is touched.

Only what a decoder needs is copied, so what some program hides in a place of its own goes as well. How the picture is
turned stays, as the only note.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple
from zlib import crc32

from osteo_edge.raster.plain.exif import ORIENTATION, UPRIGHT, orientation_of

EXIF: Final = b"Exif\0\0"
JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
COMMENT, START_OF_SCAN, END_OF_IMAGE, JFIF, NOTES, HP, ADOBE = 0xFE, 0xDA, 0xD9, 0xE0, 0xE1, 0xE8, 0xEE
APPLICATION: Final = range(0xE0, 0xF0)
RESTARTS: Final = range(0xD0, 0xD8)
FIRST_MARKER: Final = 0x80
"""Below it, what follows 0xFF belongs to the coded samples (ITU-T T.81, B.1.1.2, and T.87, A.1)."""
JFIF_BYTES, ADOBE_BYTES = 14, 12
"""The fixed part of each; a small copy of the picture may follow in the first."""

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
PNG_CHUNKS: Final = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")

TIFF_TAGS: Final = frozenset(
    (256, 257, 258, 259, 262, 266, 274, 277, 278, 284, 292, 293, 317, 320, 322, 323, 338, 339, 347, 529, 530, 531, 532)
)
"""Sides, samples, compression, colours (TIFF 6.0); no text among them. Those of the places come besides."""
TIFF_PLACES: Final = ((273, 279), (324, 325))
"""Where the strips are and how long, or the tiles."""
TIFF_SIZES: Final = {1: 1, 3: 2, 4: 4, 5: 8, 7: 1}
"""Bytes a value, by kind: whole numbers, ratios and bytes."""
TIFF_LONG: Final = 4
COMPRESSION, AS_JPEG, JPEG_TABLES = 259, 7, 347

BMP_MASKED: Final = 3
BMP_MASKS_END: Final = 14 + 40 + 16
"""Where in a file header and colour description begin to say more than sizes and masks."""


class MetadataError(ValueError):
    """A file whose parts cannot be told apart."""


def without_metadata(data: bytes, file_format: str) -> bytes:
    """The same picture, "jpeg", "png", "tiff" or "bmp", with nothing but the picture and how it is turned.

    Decoded samples are the same, bit by bit. The file must be one that could be decoded; `MetadataError` where its
    parts cannot be told apart all the same.
    """
    try:
        return _CLEANERS[file_format](data)
    except (struct.error, LookupError, ValueError) as error:
        raise MetadataError("the parts of the file cannot be told apart") from error


def jpeg_without_metadata(data: bytes) -> bytes:
    """A JPEG stream with its tables, frame and scans, and with the orientation if it is not upright."""
    kept, orientation = [JPEG_START], UPRIGHT
    for marker, segment in _jpeg_segments(data):
        if marker == NOTES and segment.startswith(EXIF, 4) and orientation == UPRIGHT:
            orientation = orientation_of(segment[4 + len(EXIF) :])
        kept += _kept_segment(marker, segment)
    if orientation != UPRIGHT:
        notes = EXIF + _notes(orientation)
        at = 2 if len(kept) > 1 and kept[1].startswith(bytes((0xFF, JFIF))) else 1
        kept.insert(at, struct.pack(">BBH", 0xFF, NOTES, 2 + len(notes)) + notes)
    return b"".join((*kept, JPEG_END))


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and bytes of each segment up to the end of the image; those of a scan with the samples that follow."""
    at = 2
    while True:
        if data[at] != 0xFF:
            raise MetadataError("no marker where one must be")
        marker = data[at + 1]
        if marker == 0xFF:  # fills the space before a marker
            at += 1
            continue
        if marker == END_OF_IMAGE:
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if marker == START_OF_SCAN:
            end = _end_of_scan(data, end)
        yield marker, data[at:end]
        at = end


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the marker after the coded samples is."""
    while True:
        at = data.index(0xFF, at)
        following = data[at + 1]
        if following >= FIRST_MARKER and following not in RESTARTS and following != 0xFF:
            return at
        at += 1 if following == 0xFF else 2


def _kept_segment(marker: int, segment: bytes) -> list[bytes]:
    if marker == JFIF and segment.startswith(b"JFIF\0", 4):
        return [struct.pack(">BBH", 0xFF, JFIF, 2 + JFIF_BYTES) + segment[4 : 2 + JFIF_BYTES] + b"\0\0"]
    if marker == ADOBE and segment.startswith(b"Adobe", 4):
        return [struct.pack(">BBH", 0xFF, ADOBE, 2 + ADOBE_BYTES) + segment[4 : 4 + ADOBE_BYTES]]
    if marker == HP and segment.startswith(b"mrfx", 4):  # the colours of a JPEG-LS picture
        return [segment[:9]]
    return [] if marker == COMMENT or marker in APPLICATION else [segment]


def _notes(orientation: int) -> bytes:
    """Camera notes that say how the picture is turned, and nothing else (Exif 2.32, 4.6.4)."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, ORIENTATION, 3, 1, orientation, 0, 0)


def _png_without_metadata(data: bytes) -> bytes:
    kept, orientation = list[bytes](), UPRIGHT
    for kind, chunk in _png_chunks(data):
        if kind == b"eXIf":
            orientation = orientation_of(chunk[8:-4].removeprefix(EXIF))
        elif kind in PNG_CHUNKS:
            kept.append(chunk)
    if orientation != UPRIGHT:
        notes = b"eXIf" + _notes(orientation)
        kept.insert(1, struct.pack(">I", len(notes) - 4) + notes + struct.pack(">I", crc32(notes)))
    return b"".join((PNG_SIGNATURE, *kept))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and bytes of each chunk to the last one; what follows that is no part of the picture."""
    at, kind = len(PNG_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at : at + 12 + length]
        at += 12 + length


class _Value(NamedTuple):
    """The value of a TIFF tag as it stands in the file, in the file's byte order."""

    kind: int
    length: int
    raw: bytes


def _tiff_without_metadata(data: bytes) -> bytes:
    """The first page; later ones may only be reduced copies of it."""
    order = "<" if data.startswith(b"II") else ">"
    found = _tiff_values(data, order)
    kept = {tag: value for tag, value in found.items() if tag in TIFF_TAGS}
    offsets_tag, lengths_tag = next((tags for tags in TIFF_PLACES if tags[0] in found), TIFF_PLACES[0])
    offsets, lengths = (_numbers(found[tag], order) for tag in (offsets_tag, lengths_tag))
    if sum(lengths) > len(data):
        raise MetadataError("strips that lie on each other")
    parts = [data[at : at + length] for at, length in zip(offsets, lengths, strict=True)]
    if _numbers(found[COMPRESSION], order) == (AS_JPEG,):
        parts = [jpeg_without_metadata(part) for part in parts]
        if JPEG_TABLES in kept:
            tables = jpeg_without_metadata(kept[JPEG_TABLES].raw)
            kept[JPEG_TABLES] = _Value(7, len(tables), tables)
    parts = [part + bytes(len(part) % 2) for part in parts]
    starts, at = list[int](), 8
    for part in parts:
        starts.append(at)
        at += len(part)
    kept[lengths_tag] = _longs(list(map(len, parts)), order)
    kept[offsets_tag] = _longs(starts, order)
    head = data[:4] + struct.pack(f"{order}I", at)
    return b"".join((head, *parts, _directory(kept, at, order)))


def _tiff_values(data: bytes, order: str) -> dict[int, _Value]:
    """The tags of the first page whose values are numbers or bytes."""
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    values = dict[int, _Value]()
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, length = struct.unpack_from(f"{order}HHI", data, entry)
        if kind in TIFF_SIZES:
            size = TIFF_SIZES[kind] * length
            where = entry + 8 if size <= 4 else struct.unpack_from(f"{order}I", data, entry + 8)[0]
            values[tag] = _Value(kind, length, data[where : where + size])
    return values


def _numbers(value: _Value, order: str) -> tuple[int, ...]:
    return struct.unpack(f"{order}{value.length}{'BHI'[(1, 3, 4).index(value.kind)]}", value.raw)


def _longs(numbers: list[int], order: str) -> _Value:
    return _Value(TIFF_LONG, len(numbers), struct.pack(f"{order}{len(numbers)}I", *numbers))


def _directory(values: dict[int, _Value], at: int, order: str) -> bytes:
    """The directory of the only page, which begins `at` bytes into the file, and the values that do not fit in it."""
    entries, beside = list[bytes](), b""
    beside_at = at + 2 + 12 * len(values) + 4
    for tag, value in sorted(values.items()):
        if len(value.raw) <= 4:
            place = value.raw.ljust(4, b"\0")
        else:
            place = struct.pack(f"{order}I", beside_at + len(beside))
            beside += value.raw + bytes(len(value.raw) % 2)
        entries.append(struct.pack(f"{order}HHI", tag, value.kind, value.length) + place)
    return b"".join((struct.pack(f"{order}H", len(entries)), *entries, bytes(4), beside))


def _bmp_without_metadata(data: bytes) -> bytes:
    """Header, colours and pixels at their places; what lies between and behind becomes 0 or is cut off."""
    (pixels_at,) = struct.unpack_from("<I", data, 10)
    header_bytes, width, height, _, bits, compression, _, _, _, colours = struct.unpack_from("<IiiHHIIiiI", data, 14)
    colours_at = 14 + header_bytes + (12 if header_bytes == 40 and compression == BMP_MASKED else 0)
    colours_end = colours_at + 4 * min(256, colours or (1 << bits if bits <= 8 else 0))
    end = pixels_at + (width * bits + 31) // 32 * 4 * abs(height)
    kept = bytearray(data[:end])
    kept[2:10] = struct.pack("<IHH", len(kept), 0, 0)
    for first, last in ((BMP_MASKS_END, 14 + header_bytes), (colours_end, pixels_at)):
        if first < last <= len(kept):
            kept[first:last] = bytes(last - first)
    return bytes(kept)


_CLEANERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "jpeg": jpeg_without_metadata,
    "png": _png_without_metadata,
    "tiff": _tiff_without_metadata,
    "bmp": _bmp_without_metadata,
}
