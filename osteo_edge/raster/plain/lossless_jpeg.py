"""Lossless JPEG (ITU-T T.81, process 14), which X-ray machines store in DICOM, and Pillow does not read.

Where a code ends is known only once it has been read, so that codes follow on each other. They are read in many places
at once all the same: begun anywhere, reading falls into step with the true codes after a few of them (Klein and Wiseman
2003, Parallel Huffman decoding with applications to JPEG files, The Computer Journal 46(5)).

Beside the file and its samples some tens of megabytes are taken, whatever the file is.
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
STRETCHES = 512
"""As many are read at once."""
STEPS = 256
"""Codes that are read on end before it is looked which stretches are done."""
WALK_BITS = 1024
"""So much is looked at on the way into step, at a time."""
WINDOW_BITS = 16
"""The longest code."""
MARGIN_BYTES = 8
"""More than a code takes that begins in the last bit, with what follows it."""
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
    """A part of a stream of bits, of which any 16 can be read at once in many places."""

    def __init__(self, data: bytes) -> None:
        octets = np.frombuffer(data + b"\xff" * MARGIN_BYTES, np.uint8).astype(np.uint32)
        self._words = octets[:-3] << 24 | octets[1:-2] << 16 | octets[2:-1] << 8 | octets[3:]

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
    scan = data[frame.start : end.start()].replace(b"\xff\0", b"\xff")
    differences = _differences(scan, frame.codes, frame.height * frame.width).reshape(frame.height, frame.width)
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


def _differences(scan: bytes, codes: _Codes, count: int) -> Samples:
    """The first so many differences of a scan, in 16 bits without sign."""
    differences = np.empty(count, np.uint16)
    steps = (codes.lengths + np.where(codes.categories < WINDOW_BITS, codes.categories, 0)).astype(np.int32)
    steps[codes.lengths == 0] = 1  # no code: on the way into step that may be, on the true way it is damage
    first, place, done, part_bytes = 0, 0, 0, STRETCHES * STRETCH_BITS // 8
    while done < count:
        if first >= len(scan):
            raise DamagedImageError
        bits = _Bits(scan[first : first + part_bytes + MARGIN_BYTES])
        end = 8 * min(part_bytes, len(scan) - first)
        places = _places_of_codes(bits, steps, place, end)[: count - done]
        if not codes.lengths[bits.at(places)].all():
            raise DamagedImageError
        differences[done : done + len(places)] = _differences_at(bits, codes, places)
        done += len(places)
        place = int(places[-1] + steps[bits.at(places[-1:])][0]) if len(places) else place
        if done == count and place > 8 * (len(scan) - first):
            raise DamagedImageError
        first, place = first + part_bytes, place - 8 * part_bytes
    return differences


def _places_of_codes(bits: _Bits, steps: _Places, place: int, end: int) -> _Places:
    """Where the codes begin that follow on each other from a place on, up to an end, in bits of the part."""
    starts, found = np.arange(0, end, STRETCH_BITS, dtype=np.int32), [np.empty(0, np.int32)]
    for start, trail in zip(starts, _trails(bits, steps, starts), strict=True):
        stop = min(int(start) + STRETCH_BITS, end)
        walk = _until_in_step(bits, steps, place, stop, trail)
        trail = trail[np.searchsorted(trail, walk[-1]) : np.searchsorted(trail, stop)]
        found += [np.array(walk[:-1], np.int32), trail]
        place = int(trail[-1] + steps[bits.at(trail[-1:])][0]) if trail.size else walk[-1]
    return np.concatenate(found)


def _until_in_step(bits: _Bits, steps: _Places, place: int, stop: int, trail: _Places) -> list[int]:
    """The codes from a place on, one by one, up to the first that is on the trail, or after `stop`."""
    walk = [place]
    while place < stop:
        first, last = place, min(place + WALK_BITS, stop)
        lengths = steps[bits.at(np.arange(first, last, dtype=np.int32))].tolist()
        in_step = set(trail[slice(*np.searchsorted(trail, (first, last)))].tolist())
        while place < last:
            if place in in_step:
                return walk
            place += lengths[place - first]
            walk.append(place)
    return walk


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


def _differences_at(bits: _Bits, codes: _Codes, places: _Places) -> Samples:
    """The difference that follows the code at each place, in 16 bits without sign (T.81, H.1.2.2)."""
    window = bits.at(places)
    category = codes.categories[window].astype(np.int64)
    value = (bits.at(places + codes.lengths[window]) >> (WINDOW_BITS - category).astype(np.uint32)).astype(np.int64)
    below = (category > 0) & (value < 1 << np.maximum(category - 1, 0))
    value -= np.where(below, (1 << category) - 1, 0)
    return np.asarray(np.where(category == WINDOW_BITS, 1 << 15, value) & 0xFFFF, np.uint16)
