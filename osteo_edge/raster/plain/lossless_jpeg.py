"""Lossless JPEG (ITU-T T.81, process 14), which X-ray machines store in DICOM, and Pillow does not read.

Where a code ends is known only once it has been read, so that codes follow on each other. They are read in many places
at once all the same: begun anywhere, reading falls into step with the true codes after a few of them (Klein and Wiseman
2003, Parallel Huffman decoding with applications to JPEG files, The Computer Journal 46(5)).
"""

import re
import struct
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osteo_edge.raster.damage import DamagedImageError, UnsupportedImageError

Samples = npt.NDArray[np.uint16]
_Places = npt.NDArray[np.int32]

STRETCH_BITS = 2**14
"""Reading begins anew in every stretch of so many bits."""
STEPS = 256
"""Codes that are read on end before it is looked which stretches are done."""
MAX_SCAN_BYTES = 2**27
"""So that places in it, in bits, are numbers of 32 bits."""
WINDOW_BITS = 16
"""The longest code."""
_END_OF_SCAN = re.compile(rb"\xff+[^\x00\xff]")


class _Frame(NamedTuple):
    """What the headers say: bits a sample, sides, the shift of all samples, and the codes' lengths and categories."""

    bits: int
    height: int
    width: int
    shift: int
    codes: "_Codes"
    start: int


class _Codes(NamedTuple):
    """By the next 16 bits: the bits of the code, 0 where there is none, and those of the difference that follows it."""

    lengths: npt.NDArray[np.uint8]
    categories: npt.NDArray[np.uint8]


class _Bits:
    """A stream of bits, of which any 16 can be read at once in many places."""

    def __init__(self, data: bytes) -> None:
        octets = np.frombuffer(data + b"\xff" * 8, np.uint8).astype(np.uint32)
        self._words = octets[:-3] << 24 | octets[1:-2] << 16 | octets[2:-1] << 8 | octets[3:]
        self.count = 8 * len(data)

    def at(self, places: _Places) -> npt.NDArray[np.uint32]:
        """The 16 bits from each place on; past the end all are 1."""
        octets = np.minimum(places >> 3, len(self._words) - 1)
        return np.asarray((self._words[octets] << (places & 7).astype(np.uint32)) >> np.uint32(32 - WINDOW_BITS))


def decode_lossless_jpeg(data: bytes) -> Samples:
    """The samples (height, width) of a grey file, each predicted from its left neighbour (selection value 1).

    Raises DamagedImageError, and UnsupportedImageError for the kinds of lossless JPEG that are not read here.
    """
    try:
        frame = _read_headers(data)
    except (struct.error, LookupError, ValueError) as error:
        raise DamagedImageError from error
    end = _END_OF_SCAN.search(data, frame.start)
    if end is None or frame.height * frame.width > 8 * (end.start() - frame.start):
        raise DamagedImageError
    if end.start() - frame.start > MAX_SCAN_BYTES:
        raise UnsupportedImageError("lossless JPEG of such a size")
    bits = _Bits(data[frame.start : end.start()].replace(b"\xff\0", b"\xff"))
    places = _places_of_codes(bits, frame.codes, frame.height * frame.width)
    differences = _differences(bits, frame.codes, places).reshape(frame.height, frame.width)
    differences[:1, :1] += np.uint16(1 << (frame.bits - frame.shift - 1))
    np.cumsum(differences[:, 0], out=differences[:, 0])
    samples = np.cumsum(differences, axis=1, dtype=np.uint16, out=differences)
    return np.asarray(samples << np.uint16(frame.shift) if frame.shift else samples)


def _read_headers(data: bytes) -> _Frame:
    at, size, tables, restarts = 2, (0, 0, 0), dict[int, _Codes](), 0
    while True:
        marker, length = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        content, at = data[at + 4 : at + 2 + length], at + 2 + length
        if marker == 0xC3:
            size = struct.unpack_from(">BHH", content)
            if content[5] != 1:
                raise UnsupportedImageError("lossless JPEG in colour")
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            raise UnsupportedImageError("JPEG that is not lossless")
        elif marker == 0xC4:
            tables |= _read_tables(content)
        elif marker == 0xDD:
            (restarts,) = struct.unpack_from(">H", content)
        elif marker == 0xDA:
            table, (predictor, _, shift) = content[2] >> 4, content[3:6]
            if predictor != 1 or restarts:
                raise UnsupportedImageError("lossless JPEG of another prediction")
            bits, height, width = size
            if not (2 <= bits <= 16 and height and width and (shift & 15) < bits):
                raise DamagedImageError
            return _Frame(bits, height, width, shift & 15, tables[table], at)


def _read_tables(content: bytes) -> dict[int, _Codes]:
    """The Huffman tables of one segment, by their number (T.81, B.2.4.2 and annex C)."""
    tables = {}
    while content:
        number, counts = content[0] & 15, content[1:17]
        values, code = content[17 : 17 + sum(counts)], 0
        lengths, categories = (np.zeros(1 << WINDOW_BITS, np.uint8) for _ in range(2))
        if len(values) < sum(counts) or max(values, default=0) > WINDOW_BITS:
            raise DamagedImageError
        left = iter(values)
        for length, count in enumerate(counts, 1):
            for value in islice(left, count):
                first, last = (step << (WINDOW_BITS - length) for step in (code, code + 1))
                lengths[first:last], categories[first:last] = length, value
                code += 1
            code <<= 1
        tables[number] = _Codes(lengths, categories)
        content = content[17 + sum(counts) :]
    return tables


def _places_of_codes(bits: _Bits, codes: _Codes, count: int) -> _Places:
    """Where each of so many codes begins in the stream."""
    steps = (codes.lengths + np.where(codes.categories < WINDOW_BITS, codes.categories, 0)).astype(np.int32)
    steps[codes.lengths == 0] = 1  # no code: on the way into step that may be, on the true way it is damage
    starts = np.arange(0, bits.count, STRETCH_BITS, dtype=np.int32)
    found, place, left = list[_Places](), 0, count
    for start, trail in zip(starts, _trails(bits, steps, starts), strict=True):
        while left and place < start + STRETCH_BITS:
            index = int(np.searchsorted(trail, place))
            is_in_step = index < len(trail) and trail[index] == place
            part = trail[index : index + left] if is_in_step else np.array([place], np.int32)
            found.append(part)
            left -= len(part)
            place = int(part[-1] + steps[bits.at(part[-1:])[0]])
    places = np.concatenate(found)
    if len(places) < count or place > bits.count or not codes.lengths[bits.at(places)].all():
        raise DamagedImageError
    return places


def _trails(bits: _Bits, steps: _Places, starts: _Places) -> list[_Places]:
    """For each start the places that reading from it comes through, up to the end of its stretch."""
    parts: list[list[_Places]] = [[] for _ in starts]
    places, active = starts.copy(), np.arange(len(starts))
    while active.size:
        trail = np.empty((STEPS, active.size), np.int32)
        for row in trail:
            row[:] = places
            places = places + steps[bits.at(places)]
        for number, column in zip(active, np.ascontiguousarray(trail.T), strict=True):
            parts[number].append(column)
        going = places < starts[active] + STRETCH_BITS
        places, active = places[going], active[going]
    trails = (np.concatenate(part) for part in parts)
    return [trail[: np.searchsorted(trail, start + STRETCH_BITS)] for trail, start in zip(trails, starts, strict=True)]


def _differences(bits: _Bits, codes: _Codes, places: _Places) -> Samples:
    """The difference that follows each code, in 16 bits without sign (T.81, H.1.2.2)."""
    differences = np.empty(len(places), np.uint16)
    for first in range(0, len(places), 2**18):
        part = places[first : first + 2**18]
        window = bits.at(part)
        category = codes.categories[window].astype(np.int64)
        value = (bits.at(part + codes.lengths[window]) >> (WINDOW_BITS - category).astype(np.uint32)).astype(np.int64)
        below = (category > 0) & (value < 1 << np.maximum(category - 1, 0))
        value -= np.where(below, (1 << category) - 1, 0)
        differences[first : first + 2**18] = np.where(category == WINDOW_BITS, 1 << 15, value) & 0xFFFF
    return differences
