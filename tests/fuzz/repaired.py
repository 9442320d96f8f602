"""Checksums set right, so that damage reaches what lies behind them."""

import struct
import zlib

PNG = b"\x89PNG\r\n\x1a\n"


def with_png_checksums(data: bytes) -> bytes:
    """A PNG whose length is odd with the right checksum on each chunk; anything else as it is."""
    if not data.startswith(PNG) or len(data) % 2 == 0:
        return data
    repaired, at = bytearray(data), len(PNG)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            break
        struct.pack_into(">I", repaired, end, zlib.crc32(data[at + 4 : end]))
        at = end + 4
    return bytes(repaired)
