import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge.errors import RadiographError
from osteo_edge.image_header import FORMATS, Header, read_header

PATH = Path("knee.bin")
SUFFIXES = {"png": ".png", "jpeg": ".jpg", "bmp": ".bmp", "tiff": ".tif"}
FLAT = np.full((48, 64), 100, np.uint8)


def encoded(file_format: str) -> bytes:
    return cv2.imencode(SUFFIXES[file_format], FLAT)[1].tobytes()


def tiff_header(order: str, photometric: int, **tags: int) -> bytes:
    """A TIFF of one directory and no pixels, every value a short (TIFF 6.0, section 2)."""
    values = {256: 64, 257: 48, 258: 8, 262: photometric} | {int(tag[4:]): value for tag, value in tags.items()}
    entries = b"".join(struct.pack(f"{order}HHIHH", tag, 3, 1, values[tag], 0) for tag in sorted(values))
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(f"{order}IH", 8, len(values)) + entries + bytes(4)


def test_the_formats_are_those_that_have_a_reader() -> None:
    assert FORMATS == ("png", "jpeg", "bmp", "tiff")


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_header_gives_height_width_and_bits(file_format: str) -> None:
    assert read_header(encoded(file_format), PATH, file_format) == Header(48, 64, 8)


@pytest.mark.parametrize("file_format", ["png", "tiff"])
def test_16_bits_are_reported(file_format: str) -> None:
    data = cv2.imencode(SUFFIXES[file_format], FLAT.astype(np.uint16))[1].tobytes()
    assert read_header(data, PATH, file_format).bits == 16


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_header_that_is_cut_short_is_one_line(file_format: str) -> None:
    with pytest.raises(RadiographError, match=rf"^knee\.bin: the {file_format.upper()} data are damaged"):
        read_header(encoded(file_format)[:12], PATH, file_format)


def test_a_jpeg_without_an_end_marker_is_damaged() -> None:
    with pytest.raises(RadiographError, match="damaged or incomplete"):
        read_header(encoded("jpeg")[:-2], PATH, "jpeg")


def test_fill_bytes_before_a_jpeg_marker_are_skipped() -> None:
    data = encoded("jpeg")
    assert read_header(data[:2] + b"\xff\xff" + data[2:], PATH, "jpeg") == Header(48, 64, 8)


def test_a_bmp_whose_rows_come_from_the_top_has_a_positive_height() -> None:
    data = bytearray(encoded("bmp"))
    struct.pack_into("<i", data, 22, -48)
    assert read_header(bytes(data), PATH, "bmp").height == 48


@pytest.mark.parametrize(("order", "low_byte"), [("<", 0), (">", 1)])
def test_the_place_is_given_where_a_tiff_says_that_0_is_white(order: str, low_byte: int) -> None:
    data = tiff_header(order, 0)
    at = read_header(data, PATH, "tiff").white_is_zero_at
    assert at == data.index(struct.pack(f"{order}HHI", 262, 3, 1)) + 8 + low_byte
    assert read_header(tiff_header(order, 1), PATH, "tiff").white_is_zero_at is None


def test_what_is_not_read_of_a_format_is_named_with_what_to_do() -> None:
    with pytest.raises(RadiographError, match=r"^knee\.bin: TIFF samples of 32 bits, format 3; export 8 or 16 bits"):
        read_header(tiff_header("<", 1, tag_258=32, tag_339=3), PATH, "tiff")
