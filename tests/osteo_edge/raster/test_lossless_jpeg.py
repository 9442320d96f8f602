import struct

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.raster.damage import DamagedImageError, UnsupportedImageError
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
