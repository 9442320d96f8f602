"""TIFF files (TIFF 6.0) of 8 or 16 bits, unsigned, in strips or tiles: Pillow reads few of them without libtiff."""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osteo_edge.raster.damage import DamagedImageError, UnsupportedImageError

Samples = npt.NDArray[Any]

KINDS = {1: "B", 3: "H", 4: "I"}
"""Bytes, short and long whole numbers."""
GREYS, COLOUR, PALETTE = (0, 1), 2, 3
NO_PREDICTOR, DIFFERENCES = 1, 2
SEPARATE_PLANES = 2
UNASSOCIATED = 2
"""Alpha that the colours have not been multiplied by (TIFF 6.0, section 18)."""
CLEAR, END, LARGEST_CODE_BITS = 256, 257, 12
READ = (256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 338)
MOST_VALUES = 1 << 22
"""The tags that are looked at, and how many values one may have: the rest may say anything, thousands of times."""


class _Page(NamedTuple):
    """What the first page says of itself; `across` and `down` are the sides of a strip or a tile."""

    height: int
    width: int
    channels: int
    dtype: npt.DTypeLike
    across: int
    down: int
    separate: bool
    predictor: int


def decode_tiff(data: bytes) -> tuple[Samples, int]:
    """The grey (height, width) or blue, green, red (height, width, 3) samples as stored, and the orientation.

    Alpha is dropped, and 0 stays 0 where it is white. Raises DamagedImageError, or UnsupportedImageError for kinds of
    samples and compression that are not read here.
    """
    order = "<" if data.startswith(b"II") else ">"
    tags = _tags(data, order)
    page, expand = _page(tags, order), _expander(tags)
    samples = np.zeros((page.height, page.width, page.channels), page.dtype)
    parts = _parts(tags, data)
    most = page.down * page.across * page.channels * samples.itemsize
    for place in _places(page):
        part = expand(next(parts, b""), most)
        _fill(samples, part, page, *place)  # nothing, where a part is missing, is too short
    photometric = tags[262][0]
    native = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    if photometric == PALETTE:
        table = (np.array(tags[320], np.uint16).reshape(3, 256) >> 8).astype(np.uint8)
        return table[::-1].T[native[..., 0]], tags.get(274, (1,))[0]
    if photometric == COLOUR and page.channels > 3 and tags.get(338) == (UNASSOCIATED,) and native.dtype == np.uint8:
        native = _laid_on_black(native)
    return (native[..., 2::-1] if photometric == COLOUR else native[..., 0]), tags.get(274, (1,))[0]


def _laid_on_black(samples: Samples) -> Samples:
    """Each channel times alpha: what OpenCV's library does to colours of 8 bits, and to nothing else."""
    wide = samples.astype(np.uint16)
    return ((wide[..., :3] * wide[..., 3:4] + 127) // 255).astype(np.uint8)


def _tags(data: bytes, order: str) -> dict[int, tuple[int, ...]]:
    """The whole numbers of the first page, by their tag."""
    tags = {}
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(f"{order}HHI", data, entry)
        if kind in KINDS and tag in READ:
            if values > MOST_VALUES:
                raise DamagedImageError
            form = f"{order}{values}{KINDS[kind]}"
            inline = struct.calcsize(form) <= 4
            where = entry + 8 if inline else struct.unpack_from(f"{order}I", data, entry + 8)[0]
            if struct.calcsize(form) > len(data):
                raise DamagedImageError
            tags[tag] = struct.unpack_from(form, data, where)
    return tags


def _page(tags: dict[int, tuple[int, ...]], order: str) -> _Page:
    height, width, bits, channels = tags[257][0], tags[256][0], tags[258], tags.get(277, (1,))[0]
    photometric, predictor = tags[262][0], tags.get(317, (NO_PREDICTOR,))[0]
    needed = {COLOUR: 3}.get(photometric, 1)
    if photometric not in (*GREYS, COLOUR, PALETTE) or (photometric == PALETTE and bits[0] != 8):
        raise UnsupportedImageError(f"TIFF (photometric interpretation {photometric})")
    if predictor not in (NO_PREDICTOR, DIFFERENCES):
        raise UnsupportedImageError(f"TIFF (predictor {predictor})")
    if (order_of_bits := tags.get(266, (1,))[0]) != 1 or len(set(bits)) > 1:
        raise UnsupportedImageError(f"TIFF (fill order {order_of_bits}, bits {sorted(set(bits))})")
    if not needed <= channels <= 8:
        raise DamagedImageError
    down, across = (tags[323][0], tags[322][0]) if 324 in tags else (min(tags.get(278, (height,))[0], height), width)
    if not (0 < down <= 2 * height + 64 and 0 < across <= 2 * width + 64):
        raise DamagedImageError
    dtype = np.dtype(np.uint8 if bits[0] == 8 else np.uint16).newbyteorder(order)  # type: ignore[arg-type]
    return _Page(height, width, channels, dtype, across, down, tags.get(284, (1,))[0] == SEPARATE_PLANES, predictor)


def _parts(tags: dict[int, tuple[int, ...]], data: bytes) -> Iterator[bytes]:
    """The strips or tiles as they are stored."""
    offsets, counts = (tags[324], tags[325]) if 324 in tags else (tags[273], tags.get(279, ()))
    for offset, count in zip(offsets, counts or [len(data)] * len(offsets), strict=True):
        if offset + (count if counts else 0) > len(data):
            raise DamagedImageError
        yield data[offset : offset + count]


def _places(page: _Page) -> Iterator[tuple[int, int, slice]]:
    """The top, the left and the channels of each strip or tile."""
    planes = [slice(plane, plane + 1) for plane in range(page.channels)] if page.separate else [slice(None)]
    for plane in planes:
        for top in range(0, page.height, page.down):
            for left in range(0, page.width, page.across):
                yield top, left, plane


def _fill(samples: Samples, part: bytes, page: _Page, top: int, left: int, plane: slice) -> None:
    channels = 1 if page.separate else page.channels
    is_tile = page.across != page.width
    rows = page.down if is_tile else min(page.down, page.height - top)
    wanted = rows * page.across * channels
    if len(part) < wanted * samples.itemsize:
        raise DamagedImageError
    found = np.frombuffer(part, samples.dtype, wanted).reshape(rows, page.across, channels)
    if page.predictor == DIFFERENCES:
        native = found.astype(found.dtype.newbyteorder("="))
        found = np.cumsum(native, axis=1, dtype=native.dtype)
    target = samples[top : top + rows, left : left + page.across, plane]
    target[...] = found[: target.shape[0], : target.shape[1]]


def _expander(tags: dict[int, tuple[int, ...]]) -> Callable[[bytes, int], bytes]:
    """What makes the bytes of a strip or tile of the stored ones, and no more than it is told."""
    compression = tags.get(259, (1,))[0]
    if compression not in _EXPANDERS:
        raise UnsupportedImageError(f"TIFF (compression {compression})")
    return _EXPANDERS[compression]


def _as_stored(part: bytes, most: int) -> bytes:
    return part[:most]


def _inflated(part: bytes, most: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(part, most + 1)
    except zlib.error as error:
        raise DamagedImageError from error
    if not inflater.eof:
        raise DamagedImageError
    return inflated


def _without_runs(part: bytes, most: int) -> bytes:
    """Expand PackBits (TIFF 6.0, section 9)."""
    expanded, at = bytearray(), 0
    while at < len(part) and len(expanded) < most:
        count = part[at]
        if count < 128:
            expanded += part[at + 1 : at + 2 + count]
            at += 2 + count
        else:
            if count > 128:
                expanded += part[at + 1 : at + 2] * (257 - count)
            at += 2
    return bytes(expanded)


def _without_repetitions(part: bytes, most: int) -> bytes:
    """Expand LZW (TIFF 6.0, section 13), whose codes grow by a bit one code before they must."""
    expanded, words, bits = bytearray(), _FIRST_WORDS.copy(), 9
    held = held_bits = 0
    last = b""
    for byte in part:
        held = (held << 8) | byte
        held_bits += 8
        if held_bits < bits:
            continue
        held_bits -= bits
        code = held >> held_bits
        held &= (1 << held_bits) - 1
        if code == END or len(expanded) >= most:
            return bytes(expanded)
        if code == CLEAR:
            words, bits, last = _FIRST_WORDS.copy(), 9, b""
            continue
        if last:
            if code > len(words):
                raise DamagedImageError
            words.append(last + (words[code] if code < len(words) else last)[:1])
        elif code >= CLEAR:
            raise DamagedImageError
        last = words[code]
        expanded += last
        if len(words) >= (1 << bits) - 1:
            bits = min(bits + 1, LARGEST_CODE_BITS)
    return bytes(expanded)


_FIRST_WORDS = [bytes([value]) for value in range(256)] + [b"", b""]
_EXPANDERS: dict[int, Callable[[bytes, int], bytes]] = {
    1: _as_stored,
    5: _without_repetitions,
    8: _inflated,
    32946: _inflated,
    32773: _without_runs,
}
