import struct

import pytest

pytest.importorskip("pydicom")
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from osteo_edge.frame_header import PADDING_BYTES, Claim, check_frame
from osteo_edge.raster.damage import DamagedImageError


def jpeg(marker: int, height: int, width: int) -> bytes:
    return b"\xff\xd8\xff\xff\xe0\0\4ab\xff" + bytes([marker]) + struct.pack(">HBHHB", 11, 8, height, width, 1)


def jpeg_2000(height: int, width: int, top: int = 0) -> bytes:
    return b"\xff\x4f\xff\x51" + struct.pack(">HH8IH", 41, 0, width, height + top, 0, top, width, height, 0, 0, 1)


def rle(*segments: bytes) -> bytes:
    offsets = [64 + sum(map(len, segments[:number])) for number in range(len(segments))]
    return struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments))) + b"".join(segments)


@pytest.mark.parametrize(
    ("syntax", "frame"),
    [
        (JPEGBaseline8Bit, jpeg(0xC0, 4, 6)),
        (JPEGLSLossless, jpeg(0xF7, 4, 6)),
        (JPEG2000Lossless, jpeg_2000(4, 6)),
        (JPEG2000Lossless, b"box" + jpeg_2000(4, 6, top=3)),
        (RLELossless, rle(bytes([256 - 23, 7]))),
        (RLELossless, rle(bytes([11, *range(12), 256 - 11, 7, 128]))),
    ],
)
def test_a_frame_of_the_size_that_is_said_is_let_pass_and_no_other(syntax: str, frame: bytes) -> None:
    check_frame(frame, syntax, Claim(4, 6, 1), 1)
    for claim in (Claim(4, 60, 1), Claim(40, 6, 1), Claim(4, 6, 3)):
        with pytest.raises(DamagedImageError):
            check_frame(frame, syntax, claim, 1)


def test_a_segment_may_be_filled_up_a_little() -> None:
    claim, run = Claim(4, 6, 1), bytes([256 - 23, 7])
    check_frame(rle(run + bytes([256 - (PADDING_BYTES - 1), 0])), RLELossless, claim, 1)
    with pytest.raises(DamagedImageError):
        check_frame(rle(run + bytes([256 - PADDING_BYTES, 0])), RLELossless, claim, 1)


def test_samples_of_two_bytes_have_a_segment_each() -> None:
    run = bytes([256 - 23, 7])
    check_frame(rle(run, run), RLELossless, Claim(4, 6, 1), 2)
    with pytest.raises(DamagedImageError):
        check_frame(rle(run), RLELossless, Claim(4, 6, 1), 2)
