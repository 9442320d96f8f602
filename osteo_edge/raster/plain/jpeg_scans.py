"""Where the samples of a JPEG file lie (ITU-T T.81, annex B), and the parts of them that begin anew, as files.

A decoder that meets damage goes on at the next restart marker, and nothing is seen of it at the end of the file. So
that every part can be looked at alone, it is given the headers of a picture that has nothing else.
"""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from osteo_edge.raster.damage import DamagedImageError

MOST_PARTS, LARGEST_SIDE_PX = 4096, 65_500
BLOCK_PX = 8
NOTES = 0xE1
_END_OF_SCAN = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
_RESTART = re.compile(rb"\xff+([\xd0-\xd7])")


class Scan(NamedTuple):
    """The only scan of a file: where its samples begin and end, and where restart markers between them do."""

    start: int
    end: int
    restarts: tuple[tuple[int, int], ...]


class _Headers(NamedTuple):
    """What stands before a scan: where the frame header and the restart interval lie, and where the samples begin."""

    frame: int
    interval: int | None
    start: int


def only_scan(data: bytes) -> Scan | None:
    """The scan of a file that has but one; None for a file of several scans, as a progressive one is.

    Raises DamagedImageError for restart markers that do not follow on each other.
    """
    start = _headers(data).start
    end = _END_OF_SCAN.search(data, start)
    if end is None or not end.group().endswith(b"\xd9"):
        return None
    found = [*_RESTART.finditer(data, start, end.start())]
    if any(marker.group(1)[0] & 7 != number % 8 for number, marker in enumerate(found)):
        raise DamagedImageError
    return Scan(start, end.start(), tuple(marker.span() for marker in found))


def followed_by(data: bytes, filling: bytes) -> bytes:
    """A file of several scans, each followed by bytes that no decoder looks at, unless it lacks some of the scan's own.

    What follows the last end marker falls away.
    """
    pieces, at = [data[:2]], 2
    while (marker := data[at + 1]) != 0xD9:
        after = at + (1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big"))
        pieces.append(data[at:after])
        if marker == 0xDA:
            end = _END_OF_SCAN.search(data, after)
            if end is None:
                raise DamagedImageError
            pieces += [data[after : end.start()], filling]
            after = end.end() - 2
        at = after
    return b"".join([*pieces, b"\xff\xd9"])


def without_notes(data: bytes) -> tuple[bytes, bytes]:
    """The file without the segments of a camera's notes, and the first such segment's Exif notes, if any."""
    at, kept, left_out, notes = 2, 0, list[bytes](), b""
    while (marker := data[at + 1]) != 0xDA:
        after = at + (1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big"))
        if marker == NOTES:
            left_out.append(data[kept:at])
            kept, content = after, data[at + 4 : after]
            notes = notes or (content[6:] if content.startswith(b"Exif\0\0") else b"")
        at = after
    return (b"".join([*left_out, data[kept:]]) if left_out else data), notes


def parts(data: bytes, scan: Scan) -> Iterator[bytes]:
    """Each stretch between restart markers as a file of its own; none where they are too many to look at, or too long.

    Raises DamagedImageError where there are more or fewer of them than the picture has.
    """
    headers = _headers(data)
    if headers.interval is None or len(scan.restarts) > MOST_PARTS:
        return
    interval = int.from_bytes(data[headers.interval : headers.interval + 2], "big")
    down, across, count = _units(data, headers.frame)
    if not interval or interval * across > LARGEST_SIDE_PX:
        return
    if len(scan.restarts) != math.ceil(count / interval) - 1:
        raise DamagedImageError
    before = bytearray(data[: scan.start])
    before[headers.interval : headers.interval + 2] = bytes(2)
    starts, ends = [scan.start, *(end for _, end in scan.restarts)], [*(start for start, _ in scan.restarts), scan.end]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        width = min(interval, count - number * interval) * across
        before[headers.frame + 1 : headers.frame + 5] = down.to_bytes(2, "big") + width.to_bytes(2, "big")
        yield bytes(before) + data[start:end] + b"\xff\xd9"


def _headers(data: bytes) -> _Headers:
    at, frame, interval = 2, 0, None
    while (marker := data[at + 1]) != 0xDA:
        if marker == 0xDD:
            interval = at + 4
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            frame = at + 4
        at += 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return _Headers(frame, interval, at + 2 + int.from_bytes(data[at + 2 : at + 4], "big"))


def _units(data: bytes, frame: int) -> tuple[int, int, int]:
    """The height and the width of the unit that samples are coded in, and how many of them the picture has."""
    height, width = (int.from_bytes(data[frame + at : frame + at + 2], "big") for at in (1, 3))
    factors = data[frame + 7 : frame + 6 + 3 * data[frame + 5] : 3]
    if len(factors) == 1:
        down = across = BLOCK_PX
    else:
        down, across = (
            BLOCK_PX * max(factor & 15 for factor in factors),
            BLOCK_PX * max(factor >> 4 for factor in factors),
        )
    return down, across, math.ceil(height / down) * math.ceil(width / across)
