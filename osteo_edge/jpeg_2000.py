"""What is no part of the picture in a JPEG 2000 codestream (ITU-T T.800, annex A): comments, and what follows it."""

import struct
from typing import Final

from osteo_edge.metadata import MetadataError

START: Final = b"\xff\x4f\xff\x51"
COMMENT, START_OF_TILE = 0xFF64, 0xFF90
END: Final = b"\xff\xd9"


def without_comments(codestream: bytes) -> bytes:
    """The codestream to its end, without the comments of its main header; `MetadataError` for what is none."""
    if not codestream.startswith(START):
        raise MetadataError("no JPEG 2000 codestream")
    kept, at = [codestream[:2]], 2
    while True:
        try:
            marker, length = struct.unpack_from(">HH", codestream, at)
        except struct.error as error:
            raise MetadataError("a JPEG 2000 codestream without a tile") from error
        if marker == START_OF_TILE:
            return b"".join((*kept, codestream[at : _end(codestream, at)]))
        if marker != COMMENT:
            kept.append(codestream[at : at + 2 + length])
        at += 2 + length


def _end(codestream: bytes, at: int) -> int:
    """Where a codestream ends whose first tile-part is at `at`; where its bytes do if the tile-parts do not lead there.

    Each says how long it is (Psot, A.4.2), but for the last one, which may leave it open with 0. Samples never look
    like the marker of the end (B.10.1).
    """
    while codestream.startswith(START_OF_TILE.to_bytes(2, "big"), at) and at + 12 <= len(codestream):
        (length,) = struct.unpack_from(">I", codestream, at + 6)
        if length == 0:
            break
        if length < 12:
            return len(codestream)
        at += length
    end = codestream.find(END, at)
    return len(codestream) if end < 0 else end + len(END)
