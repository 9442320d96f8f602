"""DICOM files made to crash, to fill the memory or to be taken for something else: each is one line, soon.

Among them are the nine ways of Orthanc's advisories of 2026 (CVE-2026-5437 to 5445), as far as a program without a
server can meet them; that of archives (5439) is in tests/edge_app/test_hostile_archives.py.
"""

import gzip
import struct
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.errors import RadiographError
from osteo_edge.radiograph import Pixels, decode

pydicom = pytest.importorskip("pydicom")
from pydicom.uid import (  # noqa: E402
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.fuzz.drawn import film  # noqa: E402
from tests.osteo_edge.drawn_dicom import compressed, dicom_bytes, dicom_of  # noqa: E402

PATH = Path("film.dcm")
MEMORY = 64 * 2**20
SECONDS = 5.0
GREY = film()
DEEP = GREY.astype(np.uint16) * 16
LARGE = (9_000, 9_000)
"""A size that is acceptable, and that nobody should make room for without a reason."""


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """No hostile file takes more than `MEMORY` of what Python counts, or longer than `SECONDS`."""
    tracemalloc.start()
    started = time.perf_counter()
    yield
    took, peak = time.perf_counter() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY, f"{peak / 2**20:.0f} MiB"
    assert took < SECONDS


def problem_of(data: bytes) -> str:
    with pytest.raises(RadiographError) as caught:
        decode(data, PATH)
    message = str(caught.value)
    assert message.startswith("film.dcm: ")
    assert message.isprintable()
    return message


def pixels_or_line(data: bytes) -> Pixels | None:
    """The pixels of a file, which are numbers in [0, 1]; None where it is refused with one line."""
    try:
        pixels = decode(data, PATH).pixels
    except RadiographError as error:
        message = str(error)
    else:
        assert np.isfinite(pixels).all()
        assert 0 <= pixels.min() <= pixels.max() <= 1
        return pixels
    assert message.isprintable()
    return None


def element(group: int, number: int, kind: bytes, content: bytes, length: int | None = None) -> bytes:
    """An element in explicit little endian, whose length may be a lie."""
    size = len(content) if length is None else length
    if kind in (b"OB", b"OW", b"SQ", b"UN", b"UT"):
        return struct.pack("<HH2sHI", group, number, kind, 0, size) + content
    return struct.pack("<HH2sH", group, number, kind, size & 0xFFFF) + content


def with_element(data: bytes, changed: bytes) -> bytes:
    """The file with the element of the same tag replaced, wherever it first occurs."""
    at = data.index(changed[:4], 132)
    kind = data[at + 4 : at + 6]
    long = kind in (b"OB", b"OW", b"SQ", b"UN", b"UT")
    size = struct.unpack_from("<I" if long else "<H", data, at + (8 if long else 6))[0]
    return data[:at] + changed + data[at + (12 if long else 8) + size :]


def plain() -> bytes:
    return dicom_bytes(dicom_of(DEEP))


@pytest.mark.parametrize("length", [0, 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_5437_a_meta_header_that_lies_about_its_length_is_not_read_beyond_the_end(length: int) -> None:
    data = bytearray(plain())
    at = data.index(struct.pack("<HH2s", 2, 0, b"UL"))
    struct.pack_into("<I", data, at + 8, length)
    pixels_or_line(bytes(data))
    for end in range(132, 132 + 220, 7):
        problem_of(plain()[:end])


def test_5437_a_meta_element_longer_than_the_file_is_one_line() -> None:
    lie = element(2, 1, b"OB", b"\0\1", length=0xFFFFFFFE)
    problem_of(with_element(plain(), lie))


def test_5438_a_compressed_file_is_not_inflated() -> None:
    packed = gzip.compress(bytes(2**24))
    assert "without complete pixel data" in problem_of(packed)
    with pytest.raises(RadiographError, match="not a PNG, JPEG, BMP, TIFF or DICOM file"):
        decode(packed, Path("film.dcm.gz"))


def test_5438_a_deflated_bomb_is_not_inflated_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osteo_edge.dicom.MAX_FILE_BYTES", 2**22)
    bomb = _deflated(bytes(2**24))
    assert len(bomb) < 2**15
    assert "inflates to more than 4 MiB" in problem_of(bomb)


def _deflated(content: bytes) -> bytes:
    data = dicom_bytes(dicom_of(DEEP, DeflatedExplicitVRLittleEndian))
    (length,) = struct.unpack_from("<I", data, data.index(struct.pack("<HH2s", 2, 0, b"UL")) + 8)
    packer = zlib.compressobj(9, wbits=-15)
    return data[: 132 + 12 + length] + packer.compress(content) + packer.flush()


@pytest.mark.parametrize("length", [0x7FFFFFFE, 0xFFFFFFF0])
def test_5440_no_room_is_made_for_a_length_of_gigabytes(length: int) -> None:
    lie = element(0x7FE0, 0x10, b"OW", DEEP.tobytes(), length=length)
    assert decode(with_element(plain(), lie), PATH).pixels.shape == GREY.shape
    problem_of(plain()[: -DEEP.nbytes] + element(9, 0x1000, b"UN", b"", length=length))


def test_5441_a_private_compression_is_not_decoded() -> None:
    dataset = dicom_of(DEEP)
    del dataset.PixelData
    dataset.add_new(0x07A10010, "LO", "ELSCINT1")
    dataset.add_new(0x07A11010, "LO", "PMSCT_RLE1")
    dataset.add_new(0x07A1100A, "OW", b"\xa5\xff\0\0" * 10)
    assert "without complete pixel data" in problem_of(dicom_bytes(dataset))


@pytest.mark.parametrize(("rows", "columns"), [(0x80000000, 2), (65_537, 65_537), (0x10000, 0x10000), (0xFFFFFFFF, 1)])
def test_5442_sides_of_32_bits_do_not_overflow(rows: int, columns: int) -> None:
    data = with_element(plain(), element(0x28, 0x10, b"UL", struct.pack("<I", rows)))
    data = with_element(data, element(0x28, 0x11, b"UL", struct.pack("<I", columns)))
    assert "pixels is too" in problem_of(data)


def test_5442_sides_of_32_bits_that_say_the_truth_are_read() -> None:
    data = with_element(plain(), element(0x28, 0x10, b"UL", struct.pack("<I", GREY.shape[0])))
    assert decode(data, PATH).pixels.shape == GREY.shape


def palette(stored: Any, entries: int, *, segmented: bytes | None = None, **elements: Any) -> bytes:
    dataset = dicom_of(stored, PhotometricInterpretation="PALETTE COLOR", **elements)
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [entries, 0, 16])
        name = f"{'' if segmented is None else 'Segmented'}{colour}PaletteColorLookupTableData"
        setattr(dataset, name, bytes(2 * entries) if segmented is None else segmented)
    return dicom_bytes(dataset)


@pytest.mark.parametrize(("rows", "columns"), [(65_535, 65_535), (16_384, 16_384)])
def test_5443_a_palette_of_a_size_that_overflows_is_too_large(rows: int, columns: int) -> None:
    assert "pixels is too large" in problem_of(palette(GREY, 256, Rows=rows, Columns=columns))


def test_5443_a_palette_image_shorter_than_it_claims_is_refused() -> None:
    assert "damaged" in problem_of(palette(GREY, 256, Rows=LARGE[0], Columns=LARGE[1]))


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEG2000Lossless, JPEGLSLossless, JPEGLosslessSV1, RLELossless])
@pytest.mark.parametrize(
    "frame",
    [
        b"P7\nWIDTH 65535\nHEIGHT 65537\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n",
        b"\0\0",
        b"\xff\xff",
        b"\xff\xd8",
        b"\xff\xd8\xff\xff\xff\xff",
        b"MZ" + bytes(100),
    ],
    ids=["pam", "zeros", "fill-byte", "start-alone", "fill-bytes", "program"],
)
def test_5444_what_is_no_frame_of_its_compression_reaches_no_decoder(syntax: str, frame: bytes) -> None:
    assert "damaged" in problem_of(dicom_bytes(compressed(GREY, syntax, frame)))


def test_5445_an_index_beyond_the_palette_takes_its_last_entry() -> None:
    stored = np.full_like(DEEP, 0xFFFF)
    pixels = decode(palette(stored, 16, BitsStored=16, HighBit=15), PATH).pixels
    assert not pixels.any()


@pytest.mark.parametrize("entries", [1, 255, 4096, 0])
def test_5445_a_palette_shorter_than_its_descriptor_says_is_not_read_beyond_its_end(entries: int) -> None:
    dataset = dicom_of(DEEP, PhotometricInterpretation="PALETTE COLOR", BitsStored=16, HighBit=15)
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [entries, 0, 16])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", b"\0\1")
    pixels_or_line(dicom_bytes(dataset))


def test_a_palette_whose_segments_repeat_each_other_is_refused() -> None:
    repeats = struct.pack("<3H", 0, 1, 7) + struct.pack("<4H", 2, 2, 0, 0) * 40
    assert "damaged" in problem_of(palette(GREY, 256, segmented=repeats))


def test_a_palette_that_swells_is_refused() -> None:
    lines = struct.pack("<3H", 0, 1, 7) + struct.pack("<3H", 1, 65_535, 1) * 5_000
    assert "damaged" in problem_of(palette(GREY, 256, segmented=lines))


def test_a_palette_in_segments_is_still_read() -> None:
    line = struct.pack("<6H", 0, 1, 0, 1, 255, 65_535)
    assert decode(palette(GREY, 256, segmented=line), PATH).pixels.max() > 0.8


@pytest.mark.parametrize(
    "start",
    [b"MZ", b"\x7fELF", b"PK\3\4", b"#!/bin/sh\n", b"<script>", b"%PDF"],
)
def test_a_preamble_that_is_a_program_or_an_archive_is_refused(start: bytes) -> None:
    data = start.ljust(128, b"\0") + plain()[128:]
    assert "is a program or an archive as well as DICOM" in problem_of(data)


def test_a_preamble_that_is_tiff_is_let_pass_and_the_dicom_image_is_read() -> None:
    data = b"II*\0\x08\0\0\0".ljust(128, b"\0") + plain()[128:]
    assert decode(data, PATH).source.format == "dicom"


def test_a_hundred_thousand_frames_are_refused_by_their_number() -> None:
    assert "holds 100000 frames" in problem_of(dicom_bytes(dicom_of(DEEP, NumberOfFrames=100_000)))


def large_jpeg(marker: int, bits: int = 8) -> bytes:
    frame = bytes([0xFF, marker]) + struct.pack(">HBHHB", 11, bits, 65_000, 65_000, 1) + b"\1\x11\0"
    return b"\xff\xd8" + frame + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + bytes(50) + b"\xff\xd9"


def large_jpeg_2000(side: int = 65_000, components: int = 1) -> bytes:
    size = struct.pack(">HH8IH", 38 + 3 * components, 0, side, side, 0, 0, side, side, 0, 0, components)
    return b"\xff\x4f\xff\x51" + size + b"\x07\1\1" * components + bytes(50) + b"\xff\xd9"


@pytest.mark.parametrize(
    ("syntax", "frame"),
    [
        (JPEGBaseline8Bit, large_jpeg(0xC0)),
        (JPEGLosslessSV1, large_jpeg(0xC3)),
        (JPEGLSLossless, large_jpeg(0xF7)),
        (JPEG2000Lossless, large_jpeg_2000()),
        (JPEG2000Lossless, large_jpeg_2000(GREY.shape[0], 16_384)),
    ],
    ids=["jpeg", "lossless", "jpeg-ls", "jpeg-2000", "jpeg-2000-of-16384-components"],
)
def test_a_frame_that_claims_another_size_than_the_file_reaches_no_decoder(
    syntax: str, frame: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osteo_edge.dicom_frames.pixel_array", None)
    monkeypatch.setattr("osteo_edge.dicom_frames.decode_lossless_jpeg", None)
    assert "damaged" in problem_of(dicom_bytes(compressed(GREY, syntax, frame)))


def rle(*segments: bytes) -> bytes:
    offsets = [64 + sum(map(len, segments[:number])) for number in range(len(segments))]
    return struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments))) + b"".join(segments)


@pytest.mark.parametrize(
    "frame",
    [
        rle(b"\x81\0" * 2**19),
        rle(b"\x80" * 2**16),
        rle(b"\x81\0" * 10),
        rle(*[b"\x81\0" * 12] * 15),
        struct.pack("<16I", 1, 0xFFFFFFFF, *[0] * 14),
        struct.pack("<16I", 0xFFFFFFFF, *[64] * 15),
        struct.pack("<16I", 0, *[0] * 15),
        bytes(63),
    ],
    ids=["bomb", "nothing", "short", "many", "beyond-the-end", "count", "none", "no-header"],
)
def test_a_run_length_encoded_frame_is_as_long_as_the_image_or_refused(
    frame: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osteo_edge.dicom_frames.pixel_array", None)
    assert "damaged" in problem_of(dicom_bytes(compressed(GREY, RLELossless, frame)))


def test_no_room_is_made_for_a_large_frame_that_is_short() -> None:
    frame = rle(b"\x81\0" * 10)
    dataset = compressed(GREY, RLELossless, frame, Rows=LARGE[0], Columns=LARGE[1])
    assert "damaged" in problem_of(dicom_bytes(dataset))


@pytest.mark.parametrize("depth", [50, 2_000, 100_000])
def test_sequences_in_sequences_do_not_run_out_of_stack(depth: int) -> None:
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    nested = (struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF) + item) * depth
    data = plain()
    at = data.index(struct.pack("<HH", 0x10, 0x10))
    problem_of(data[:at] + nested)


def test_five_thousand_elements_are_read_in_time() -> None:
    many = b"".join(element(9, 0x1000 + number % 0xE000, b"UN", b"") for number in range(5_000))
    data = plain()
    at = data.index(struct.pack("<HH", 0x10, 0x10))
    pixels_or_line(data[:at] + many + data[at:])


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "lies",
    [
        {"BitsAllocated": 65_528},
        {"BitsAllocated": 64},
        {"BitsAllocated": 0},
        {"BitsAllocated": 1},
        {"BitsStored": 0},
        {"BitsStored": 65_535},
        {"HighBit": 65_535},
        {"PixelRepresentation": 7},
        {"PlanarConfiguration": 9},
        {"SamplesPerPixel": 65_535},
        {"SamplesPerPixel": 3},
        {"PhotometricInterpretation": "YBR_FULL_422", "SamplesPerPixel": 3},
        {"PhotometricInterpretation": "X" * 60},
        {"Rows": LARGE[0], "Columns": LARGE[1]},
        {"RescaleSlope": "1e300"},
        {"RescaleSlope": "nan"},
        {"WindowCenter": "1e38", "WindowWidth": "1e38"},
        {"WindowCenter": "1e-300", "WindowWidth": "1e300"},
        {"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 65_535},
    ],
    ids=str,
)
def test_a_lie_about_the_pixels_gives_pixels_or_one_line(lies: dict[str, Any]) -> None:
    dataset = dicom_of(DEEP)
    for keyword, value in lies.items():
        setattr(dataset, keyword, value)
    pixels_or_line(dicom_bytes(dataset))


@pytest.mark.parametrize("descriptor", [[0, 0, 16], [4096, 65_535, 8], [65_535, 0, 0], [1, 0, 65_535]], ids=str)
def test_a_lookup_table_that_lies_gives_pixels_or_one_line(descriptor: list[int]) -> None:
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "US", descriptor)
    item.add_new("LUTData", "US", [1, 2, 3])
    for keyword in ("VOILUTSequence", "ModalityLUTSequence"):
        dataset = dicom_of(DEEP, **{keyword: pydicom.Sequence([item])})
        pixels_or_line(dicom_bytes(dataset))


def test_an_unknown_transfer_syntax_is_not_quoted() -> None:
    dataset = dicom_of(DEEP)
    data = dicom_bytes(dataset).replace(ExplicitVRLittleEndian.encode(), b"1.2.\x1b[2JSECRET.1.2.1"[:19], 1)
    assert "compressed as an unknown transfer syntax" in problem_of(data)


def test_fragments_without_an_end_are_refused() -> None:
    data = dicom_bytes(compressed(GREY, JPEGBaseline8Bit, large_jpeg(0xC0)))
    problem_of(data[: data.index(b"\xfe\xff\x00\xe0", 400) + 12])
