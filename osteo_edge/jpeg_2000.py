"""The comments of a JPEG 2000 codestream (ITU-T T.800, annex A), which are no part of the picture."""

import struct
from typing import Final

from osteo_edge.metadata import MetadataError

START: Final = b"\xff\x4f\xff\x51"
COMMENT, START_OF_TILE = 0xFF64, 0xFF90


def without_comments(codestream: bytes) -> bytes:
    """The codestream without the comments of its main header; `MetadataError` for what is none."""
    if not codestream.startswith(START):
        raise MetadataError("no JPEG 2000 codestream")
    kept, at = [codestream[:2]], 2
    while True:
        try:
            marker, length = struct.unpack_from(">HH", codestream, at)
        except struct.error as error:
            raise MetadataError("a JPEG 2000 codestream without a tile") from error
        if marker == START_OF_TILE:
            return b"".join((*kept, codestream[at:]))
        if marker != COMMENT:
            kept.append(codestream[at : at + 2 + length])
        at += 2 + length
