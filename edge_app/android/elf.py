"""What a native library says of itself: only its ELF header and its program headers are read (elf(5))."""

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

MAGIC: Final = b"\x7fELF"
LOAD: Final = 1
"""The type of a segment that is mapped into memory."""
MACHINES: Final = {3: "x86", 40: "armeabi-v7a", 62: "x86_64", 183: "arm64-v8a"}
"""Android's names of the processors, by ELF's numbers."""
MAX_HEADERS: Final = 1000
MAX_OFFSET: Final = 1 << 20
"""Where the program headers may begin at most: they stand at the start of every library."""


@dataclass(frozen=True)
class Layout:
    """The bits of a library's addresses, Android's name of its processor or "?", and its segments' alignment in bytes.

    `alignment` is the smallest one of the segments that are mapped; 0 where the offset of one does not agree with its
    own address, since it can then not be mapped by pages of that size.
    """

    bits: int
    abi: str
    alignment: int


def read_layout(file: BinaryIO) -> Layout | None:
    """Read the headers from a file's start; None for what is no ELF file, `ValueError` for one that is damaged."""
    head = file.read(64)
    if not head.startswith(MAGIC):
        return None
    try:
        bits, order = {1: 32, 2: 64}[head[4]], {1: "<", 2: ">"}[head[5]]
        (machine,) = struct.unpack_from(f"{order}H", head, 18)
        wide = bits == 64
        (offset,) = struct.unpack_from(f"{order}{'Q' if wide else 'I'}", head, 32 if wide else 28)
        size, count = struct.unpack_from(f"{order}2H", head, 54 if wide else 42)
        alignments = [_alignment(data, order, wide=wide) for data in _headers(file, head, offset, size, count)]
    except (KeyError, IndexError, struct.error) as error:
        raise ValueError("its ELF header is damaged") from error
    mapped = [alignment for alignment in alignments if alignment is not None]
    if not mapped:
        raise ValueError("it has no segment to map")
    return Layout(bits, MACHINES.get(machine, "?"), min(mapped))


def _headers(file: BinaryIO, head: bytes, offset: int, size: int, count: int) -> list[bytes]:
    """The program headers; the file need not be seekable, as in an archive."""
    if not (len(head) == 64 and 52 <= offset <= MAX_OFFSET and 32 <= size <= 256 and 0 < count <= MAX_HEADERS):
        raise ValueError("its ELF header is damaged")
    data = head + file.read(offset + size * count - len(head))
    if len(data) < offset + size * count:
        raise ValueError("it is cut off")
    return [data[offset + size * number : offset + size * (number + 1)] for number in range(count)]


def _alignment(header: bytes, order: str, *, wide: bool) -> int | None:
    """The alignment of a segment that is mapped, 0 for one that contradicts itself; None for any other segment."""
    (kind,) = struct.unpack_from(f"{order}I", header)
    if kind != LOAD:
        return None
    offset, address = (
        struct.unpack_from(f"{order}2Q", header, 8) if wide else struct.unpack_from(f"{order}2I", header, 4)
    )
    (alignment,) = struct.unpack_from(f"{order}{'Q' if wide else 'I'}", header, 48 if wide else 28)
    return int(alignment) if alignment > 1 and (address - offset) % alignment == 0 else 0
