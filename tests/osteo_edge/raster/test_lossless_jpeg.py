import struct
import tracemalloc

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.raster.damage import DamagedImageError, UnsupportedImageError
from osteo_edge.raster.plain import lossless_jpeg as module
from osteo_edge.raster.plain.lossless_jpeg import STRETCH_BITS, decode_lossless_jpeg
from tests.osteo_edge.raster.lossless import lossless_jpeg

RANDOM = np.random.default_rng(0)
FILM = (
    cv2.GaussianBlur(RANDOM.random((150, 131), np.float32), (0, 0), 3) * 4095 + RANDOM.integers(0, 9, (150, 131))
).astype(np.uint16)
Samples = npt.NDArray[np.uint16]


@pytest.mark.parametrize(
    ("samples", "bits"),
    [
        (FILM, 12),
        (RANDOM.integers(0, 65536, (40, 70)).astype(np.uint16), 16),
        (np.zeros((64, 800), np.uint16), 12),
        (np.array([[0, 32768], [65535, 0]], np.uint16), 16),
        (FILM // 16, 8),
    ],
    ids=["film", "noise", "blank", "the largest steps", "8 bits"],
)
def test_every_sample_comes_back(samples: Samples, bits: int) -> None:
    np.testing.assert_array_equal(decode_lossless_jpeg(lossless_jpeg(samples, bits)), samples)


def test_the_film_is_read_in_many_stretches() -> None:
    assert 8 * len(lossless_jpeg(FILM, 12)) > 4 * STRETCH_BITS


def test_the_parts_and_stretches_that_a_scan_is_read_in_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    data = lossless_jpeg(FILM, 12)
    for name, number in (("STRETCH_BITS", 2**8), ("STRETCHES", 3), ("STEPS", 5), ("WALK_BITS", 16)):
        monkeypatch.setattr(module, name, number)
        np.testing.assert_array_equal(decode_lossless_jpeg(data), FILM)


def uniform(height: int, width: int, code_bits: int) -> bytes:
    """A file of equal samples, each a code of so many bits; none of the other codes is ever met."""
    frame = b"\xff\xc3" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    lengths = bytes(int(length == code_bits) for length in range(1, 17))
    tables = b"\xff\xc4" + struct.pack(">H", 20) + b"\0" + lengths + b"\0"
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\1\1\0\1\0\0"
    return b"\xff\xd8" + frame + tables + scan + bytes(-(-height * width * code_bits // 8)) + b"\xff\xd9"


@pytest.mark.parametrize("code_bits", [1, 2, 3, 7, 16])
def test_codes_that_reading_never_falls_into_step_with_are_read_one_by_one(code_bits: int) -> None:
    assert STRETCH_BITS % 3 != 0 != STRETCH_BITS % 7  # so that few stretches begin where a code does
    samples = decode_lossless_jpeg(uniform(100, 400, code_bits))
    np.testing.assert_array_equal(samples, np.full((100, 400), 128, np.uint16))


@pytest.mark.parametrize("code_bits", [1, 3])
def test_reading_takes_little_memory_beside_the_file_and_its_samples(
    code_bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STRETCH_BITS", 2**10)
    monkeypatch.setattr(module, "STRETCHES", 2**6)
    data = uniform(500, 1500, code_bits)
    tracemalloc.start()
    try:
        samples = decode_lossless_jpeg(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < samples.nbytes + 2 * len(data) + 4 * 2**20


def test_shifted_samples_come_back_shifted() -> None:
    np.testing.assert_array_equal(decode_lossless_jpeg(lossless_jpeg(FILM, 12, shift=2)), FILM // 4 * 4)


def test_a_file_that_is_cut_short_is_refused() -> None:
    data = lossless_jpeg(FILM, 12)
    for kept in (2, 20, 60, len(data) // 2, len(data) - 3):
        with pytest.raises(DamagedImageError):
            decode_lossless_jpeg(data[:kept])
    with pytest.raises(DamagedImageError):
        decode_lossless_jpeg(data[: len(data) // 2] + b"\xff\xd9")


def test_arbitrary_bytes_raise_nothing_else() -> None:
    data = lossless_jpeg(FILM[:40], 12)
    for _ in range(60):
        damaged = bytearray(data)
        for at in RANDOM.integers(2, len(data), 3):
            damaged[at] = RANDOM.integers(256)
        try:
            samples = decode_lossless_jpeg(bytes(damaged))
        except (DamagedImageError, UnsupportedImageError):
            continue
        assert samples.dtype == np.uint16


@pytest.mark.parametrize(
    "data",
    [
        lossless_jpeg(FILM, 12, predictor=4),
        lossless_jpeg(FILM, 12, segment=b"\xff\xdd" + struct.pack(">HH", 4, 131)),
        lossless_jpeg(FILM, 12).replace(b"\xff\xc3", b"\xff\xc0", 1),
    ],
    ids=["another predictor", "restarts", "not lossless"],
)
def test_other_kinds_are_not_taken_for_this_one(data: bytes) -> None:
    with pytest.raises(UnsupportedImageError):
        decode_lossless_jpeg(data)
