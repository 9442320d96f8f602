"""Image files made to fill the memory, to run for hours or to read beyond their end: each is one line, soon."""

import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.errors import RadiographError
from osteo_edge.image_header import MAX_SCANS, Header, check_fits, read_header
from osteo_edge.radiograph import check_size, decode, sniff_format
from osteo_edge.raster.damage import DamagedImageError
from osteo_edge.raster.plain.tiff import decode_tiff

PATH = Path("film")
MEMORY = 64 * 2**20
"""Bytes that a small hostile file may make us take."""


def problem_of(data: bytes) -> str:
    with pytest.raises(RadiographError) as caught:
        decode(data, PATH)
    message = str(caught.value)
    assert message.startswith("film: ")
    assert message.isprintable()
    return message


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Fail a test that takes more memory than `MEMORY` at any time."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY, f"{peak / 2**20:.0f} MiB"


def png(height: int, width: int, bits: int, kind: int, packed: bytes) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def tiff(tags: dict[int, tuple[int, ...]], strip: bytes, *, copies: int = 1) -> bytes:
    """A little-endian TIFF of long values whose only strip is at the end; each tag may stand there several times."""
    entries = sorted([*tags.items(), (273, (0,)), (279, (len(strip),))]) * copies
    body = 8 + 2 + 12 * len(entries) + 4
    packed, extra = b"", b""
    values_end = body + sum(4 * len(values) for _, values in entries if len(values) > 1)
    for tag, values in entries:
        content = struct.pack(f"<{len(values)}I", *((values_end,) if tag == 273 else values))
        where = content if len(values) == 1 else struct.pack("<I", body + len(extra))
        extra += content if len(values) > 1 else b""
        packed += struct.pack("<HHI", tag, 4, len(values)) + where
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed + bytes(4) + extra + strip


def of_side(side: int, compression: int) -> dict[int, tuple[int, ...]]:
    tags = {256: side, 257: side, 258: 8, 259: compression, 262: 1, 277: 1, 278: side}
    return {tag: (value,) for tag, value in tags.items()}


def jpeg(height: int, width: int, scans: int) -> bytes:
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\1\1\0\0\0\0" + b"\0"
    return b"\xff\xd8" + frame + scan * scans + b"\xff\xd9"


@pytest.mark.parametrize(
    "data",
    [
        png(9_000, 9_000, 16, 6, zlib.compress(bytes(1000))),
        png(9_000, 9_000, 8, 0, b""),
        tiff(of_side(9_000, 8), zlib.compress(bytes(1000))),
        tiff(of_side(9_000, 5), b"\x80" * 1000),
        b"BM" + struct.pack("<I4xIIiiHHI", 200, 54, 40, 9_000, 9_000, 1, 24, 0).ljust(200, b"\0"),
        jpeg(9_000, 9_000, 1),
    ],
    ids=["png-16-bit-colour", "png", "tiff-deflate", "tiff-lzw", "bmp", "jpeg"],
)
@pytest.mark.usefixtures("little_memory")
def test_no_room_is_made_for_81_megapixels_of_a_file_that_cannot_hold_them(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decoded(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("osteo_edge.radiograph.codec.decode", decoded)
    assert "damaged or incomplete" in problem_of(data)


@pytest.mark.parametrize(
    ("file_format", "bits", "pixels_per_byte"),
    [("png", 1, 8256), ("png", 16, 516), ("tiff", 8, 2731), ("jpeg", 8, 512)],
)
def test_what_a_format_can_hold_at_its_best_is_let_pass(file_format: str, bits: int, pixels_per_byte: int) -> None:
    whole = png(1, 1, 8, 0, b"").ljust(1000, b"\0")
    header = Header(1000, pixels_per_byte, bits)
    check_fits(header, whole, PATH, file_format)
    with pytest.raises(RadiographError, match="damaged or incomplete"):
        check_fits(header, whole[:-1], PATH, file_format)


@pytest.mark.parametrize("length", [0x100, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_a_png_chunk_longer_than_the_file_reaches_no_decoder(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(png(64, 64, 8, 0, zlib.compress(bytes(65 * 64))))
    struct.pack_into(">I", data, data.index(b"IDAT") - 4, length)
    monkeypatch.setattr("osteo_edge.radiograph.codec.decode", None)
    assert "damaged or incomplete" in problem_of(bytes(data))


def test_a_blank_film_that_is_packed_as_small_as_it_can_be_is_still_read() -> None:
    blank = png(2_000, 2_000, 8, 0, zlib.compress(bytes(2_001 * 2_000), 9))
    assert len(blank) < 5_000
    assert not decode(blank, PATH).pixels.any()


def test_a_progressive_jpeg_of_thousands_of_scans_is_not_begun() -> None:
    assert f"more than {MAX_SCANS} scans" in problem_of(jpeg(4_000, 4_000, 5_000))


PACKED: dict[int, Callable[[], bytes]] = {
    8: lambda: zlib.compress(bytes(20 * 2**20)),
    32773: lambda: b"\x81\0" * (2**20),
    5: lambda: lzw_of_zeros(20_000),
}


def lzw_of_zeros(codes: int) -> bytes:
    """LZW whose every code is the longest word so far, and a byte more: n codes make n * n / 2 bytes."""
    bits, next_code, width = "", 258, 9
    for number in range(codes):
        if next_code >= 4093 or number == 0:
            bits += f"{256:0{width}b}"
            next_code, width = 258, 9
            bits += f"{0:09b}"
            continue
        bits += f"{next_code:0{width}b}"
        next_code += 1
        width = 9 + (next_code >= 511) + (next_code >= 1023) + (next_code >= 2047)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


@pytest.mark.parametrize("compression", PACKED, ids=["deflate", "packbits", "lzw"])
def test_a_strip_that_swells_is_not_unpacked_beyond_what_it_should_hold(compression: int) -> None:
    data = tiff(of_side(64, compression), PACKED[compression]())
    tracemalloc.start()
    try:
        samples = decode_tiff(data)[0]
    except DamagedImageError:
        samples = np.zeros((64, 64), np.uint8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert samples.shape == (64, 64)
    assert peak < 3 * len(data) + 2**20, f"{peak / 2**20:.1f} MiB of {len(data) / 2**20:.1f}"


def test_thousands_of_tags_that_all_point_to_the_same_values_are_not_read_each() -> None:
    tags = [*sorted(of_side(64, 1).items()), (279, (64 * 64,))]
    at, others = 8 + 2 + 12 * (len(tags) + 3_001) + 4, range(40_000, 43_000)
    entries = [struct.pack("<HHII", tag, 4, 1, *values) for tag, values in [*tags, (273, (at,))]]
    entries += [struct.pack("<HHII", tag, 4, 20_000, at) for tag in others]
    data = b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + bytes(4) + bytes(4 * 20_000)
    tracemalloc.start()
    samples = decode_tiff(data)[0]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert samples.shape == (64, 64)
    assert peak < 2**20


def test_more_values_than_a_picture_has_parts_are_damage() -> None:
    data = bytearray(tiff(of_side(64, 1), bytes(64 * 64)))
    at = data.index(struct.pack("<HH", 279, 4)) + 4
    struct.pack_into("<I", data, at, (1 << 22) + 1)
    with pytest.raises(DamagedImageError):
        decode_tiff(bytes(data))


def test_a_tiff_whose_pages_lead_in_a_circle_ends() -> None:
    data = bytearray(tiff(of_side(64, 1), bytes(64 * 64)))
    struct.pack_into("<I", data, 8 + 2 + 12 * 9, 8)
    assert decode(bytes(data), PATH).pixels.shape == (64, 64)


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a" + struct.pack("<HH", 60_000, 60_000),
        b"P7\nWIDTH 4294967295\nHEIGHT 4294967295\nDEPTH 4\nMAXVAL 255\nENDHDR\n",
        b"P5 65535 65535 255\n",
        b"\x1f\x8b\x08\0" + bytes(20),
        b"MZ" + bytes(200),
        b"\x7fELF" + bytes(200),
        b"%!PS-Adobe" + bytes(200),
        b"<svg onload='x'/>",
    ],
    ids=["gif", "pam", "pgm", "gzip", "windows-program", "linux-program", "postscript", "svg"],
)
def test_nothing_but_the_five_formats_reaches_a_decoder(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osteo_edge.radiograph.codec.decode", None)
    assert "not" in problem_of(data)


def test_the_size_is_looked_at_before_the_samples() -> None:
    data = png(60_000, 60_000, 8, 0, b"")
    header = read_header(data, PATH, sniff_format(data, PATH))
    with pytest.raises(RadiographError, match="too large"):
        check_size(header.height, header.width, PATH)
