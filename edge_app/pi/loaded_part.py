"""What of a shared library is loaded: the rest, names and lines for a debugger, takes a fifth of a kit on the device.

A 64-bit ELF file of little-endian numbers, as those for AArch64 are (System V ABI, chapters 4 and 5). Who loads it goes
by its segments; sections, which the header is made to say there are none of, are for linkers and debuggers.
"""

import struct
from typing import Final

MAGIC: Final = b"\x7fELF\x02\x01"
"""ELF, 64 bits, little-endian."""
SHARED: Final = 3
"""ET_DYN: a library, or a program that may lie anywhere."""
HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT: Final = struct.Struct("<IIQQQQQQ")


def loaded_part(data: bytes) -> bytes:
    """The bytes of a file up to the end of its last segment, if it is a shared library; else all of it.

    A library whose segments do not lie in the file as they should stays as it is.
    """
    if not data.startswith(MAGIC) or len(data) < HEADER.size:
        return data
    ident, kind, machine, version, entry, segments_at, _, flags, size, segment_size, count, *_ = HEADER.unpack_from(
        data
    )
    if kind != SHARED or segment_size != SEGMENT.size or not count or segments_at + count * segment_size > len(data):
        return data
    segments = [SEGMENT.unpack_from(data, segments_at + number * segment_size) for number in range(count)]
    end = max(segments_at + count * segment_size, *(offset + length for _, _, offset, _, _, length, *_ in segments))
    if end > len(data):
        return data
    header = HEADER.pack(
        ident, kind, machine, version, entry, segments_at, 0, flags, size, segment_size, count, 0, 0, 0
    )
    return header + data[HEADER.size : end]
