"""What the page keeps of a PNG, JPEG or BMP file is, byte for byte, what Python keeps of it."""

import base64
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from PIL import Image

from osteo_edge.metadata import MetadataError, without_metadata
from osteo_edge.radiograph import sniff_format
from tests.edge_app.web.parity_core import Core, text_of
from tests.osteo_edge.test_metadata import FILES, MARKER, WIDE, notes

DRAWN: Final = 60
"""Files of each format that are drawn, and as many that are damaged."""
PICTURES: Final = {name: data for name, data in FILES.items() if not name.startswith("tiff")}


def cleaned_alike(core: Core, data: bytes, file_format: str) -> bytes | None:
    """What both keep of a file; None where its parts cannot be told apart, by either."""
    try:
        expected = without_metadata(data, file_format)
    except MetadataError:
        expected = None
    found = core.ask("cleaned", text_of(data), file_format)
    assert (found if found is None else base64.b64decode(found)) == expected
    return expected


def picture(draw: np.random.Generator, mode: str = "L") -> Image.Image:
    height, width = draw.integers(8, 40, 2)
    shape = (height, width) if mode in "LP" else (height, width, 3)
    drawn = Image.fromarray(draw.integers(0, 256, shape, np.uint8))
    return drawn.convert("P") if mode == "P" else drawn


def saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def some(draw: np.random.Generator, parts: list[bytes]) -> bytes:
    """Some of the parts, in any order."""
    chosen = draw.permutation(len(parts))[: draw.integers(len(parts) + 1)]
    return b"".join(parts[place] for place in chosen)


def exif(draw: np.random.Generator) -> bytes:
    """Camera notes, of either byte order; some are damaged."""
    orientation = int(draw.integers(0, 10))
    little = struct.pack("<4sIHHHIHHI", b"II*\0", 8, 1, 0x112, 3, 1, orientation, 0, 0) + MARKER
    said = little if draw.random() < 0.5 else notes(orientation).tobytes().removeprefix(b"Exif\0\0")
    return said[: draw.integers(0, len(said))] if draw.random() < 0.2 else said


def drawn_jpeg(draw: np.random.Generator) -> bytes:
    """A JPEG of any kind with what cameras and programs put into it, before the tables and before each scan."""
    mode = str(draw.choice(["L", "RGB"]))
    options = {"progressive": bool(draw.random() < 0.4), "restart_marker_blocks": int(draw.integers(0, 4))}
    data = saved(picture(draw, mode), "JPEG", keep_rgb=mode == "RGB" and draw.random() < 0.3, **options)
    parts = [
        *(segment(0xE1, b"Exif\0\0" + exif(draw)) for _ in range(3)),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + MARKER),
        segment(0xE2, b"ICC_PROFILE\0\1\1" + MARKER),
        segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\1\x0a" + MARKER),
        segment(0xE0, b"JFXX\0\x10" + MARKER),
        segment(0xE8, b"mrfx" + b"\1" + MARKER),
        segment(0xED, b"Photoshop 3.0\0" + MARKER),
        segment(0xEE, b"Adobe\0\x64\0\0\0\0\1" + MARKER),
        segment(0xFE, MARKER),
        segment(0xFE, b""),
        b"\xff" * int(draw.integers(1, 4)),
    ]
    within = some(draw, [segment(0xFE, MARKER), segment(0xE1, b"Exif\0\0" + exif(draw)), b"\xff"])
    return data[:2] + some(draw, parts) + data[2:].replace(b"\xff\xda", within + b"\xff\xda") + some(draw, [MARKER])


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content


def drawn_png(draw: np.random.Generator) -> bytes:
    """A PNG of any kind with texts, profiles, notes and private chunks between those of the picture."""
    image = picture(draw, str(draw.choice(["L", "RGB", "P"])))
    if image.mode == "L" and draw.random() < 0.5:
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    data = saved(image, "PNG", **({"transparency": 0} if image.mode == "P" else {}))
    parts = [
        chunk(b"tEXt", b"Patient\0" + MARKER),
        chunk(b"zTXt", b"Name\0\0" + zlib.compress(MARKER)),
        chunk(b"iTXt", b"Name\0\0\0\0\0" + MARKER),
        chunk(b"iCCP", MARKER + b"\0\0" + zlib.compress(MARKER)),
        chunk(b"tIME", struct.pack(">HBBBBB", 2026, 1, 2, 3, 4, 5)),
        chunk(b"prVt", MARKER),
        *(chunk(b"eXIf", exif(draw)) for _ in range(2)),
        chunk(b"eXIf", b"Exif\0\0" + exif(draw)),
    ]
    first, last = data.index(b"IDAT") - 4, data.index(b"IEND") - 4
    return data[:first] + some(draw, parts) + data[first:last] + some(draw, parts) + data[last:] + some(draw, [MARKER])


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def drawn_bmp(draw: np.random.Generator) -> bytes:
    """A BMP of any header, palette and direction, with something in the header, before the pixels and behind them."""
    bits, header_bytes = int(draw.choice([8, 24, 32])), int(draw.choice([40, 108, 124]))
    width, height = map(int, draw.integers(8, 40, 2))
    rows = draw.bytes((width * bits + 31) // 32 * 4 * height)
    colours = int(draw.choice([0, 17, 256])) if bits == 8 else 0
    signed_height = height * int(draw.choice([-1, 1]))
    said = struct.pack("<IiiHHIIiiII", header_bytes, width, signed_height, 1, bits, 0, 0, 7, 7, colours, 0)
    header = said + (bytes(16) + 10 * MARKER)[: header_bytes - len(said)]
    before = draw.bytes(4 * (colours or 256)) * (bits == 8) + some(draw, [MARKER])
    at = 14 + len(header) + len(before)
    file_header = struct.pack("<2sIHHI", b"BM", at + len(rows), *draw.integers(0, 99, 2), at)
    return file_header + header + before + rows + some(draw, [MARKER])


@pytest.mark.parametrize("name", PICTURES)
def test_what_is_kept_of_a_file_is_the_same(core: Core, name: str) -> None:
    data = PICTURES[name]
    assert cleaned_alike(core, data, sniff_format(data, Path(name))) is not None


@pytest.mark.parametrize(("file_format", "drawn"), [("jpeg", drawn_jpeg), ("png", drawn_png), ("bmp", drawn_bmp)])
def test_what_is_kept_of_drawn_files_is_the_same(
    core: Core, file_format: str, drawn: Callable[[np.random.Generator], bytes]
) -> None:
    draw, planted = np.random.default_rng(5), 0
    for _ in range(DRAWN):
        data = drawn(draw)
        kept = cleaned_alike(core, data, file_format)
        assert kept is not None
        assert MARKER not in kept
        assert WIDE not in kept
        planted += MARKER in data
        damaged = bytearray(data[: draw.integers(8, len(data) + 1)])
        damaged[draw.integers(0, min(len(damaged), 300))] = draw.integers(0, 256)
        cleaned_alike(core, bytes(damaged), file_format)
    assert planted > DRAWN / 2
