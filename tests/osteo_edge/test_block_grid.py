from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge.block_grid import block_contrast
from osteo_edge.filters import Pixels
from osteo_edge.radiograph import decode
from osteo_edge.train.phantoms import draw_phantom


@pytest.fixture(scope="module")
def film() -> Pixels:
    return np.asarray(draw_phantom(-2.0, size=512, seed=7_000_000).pixels / 255, np.float32)


def saved(film: Pixels, quality: int) -> Pixels:
    """The film as it comes back from a JPEG file."""
    data = cv2.imencode(".jpg", np.rint(film * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return decode(data.tobytes(), Path("film.jpg")).pixels


def test_a_film_that_was_never_compressed_has_no_blocks(film: Pixels) -> None:
    assert block_contrast(film) == pytest.approx(1, abs=0.1)


def test_the_stronger_the_compression_the_higher_the_contrast(film: Pixels) -> None:
    contrasts = [block_contrast(saved(film, quality)) for quality in (90, 50, 10)]
    assert contrasts == sorted(contrasts)
    assert contrasts[-1] > 2


def test_cropping_turning_and_mirroring_do_not_hide_the_blocks(film: Pixels) -> None:
    coarse = saved(film, 10)
    for changed in (coarse[3:, 5:], coarse.T, coarse[::-1], np.ascontiguousarray(coarse[:, ::-1])):
        assert block_contrast(changed) > 2


def test_scaling_loses_them(film: Pixels) -> None:
    coarse = saved(film, 10)
    half = cv2.resize(coarse, None, fx=0.53, fy=0.53, interpolation=cv2.INTER_AREA)
    assert block_contrast(np.asarray(half, np.float32)) < 1.5


def test_stripes_in_one_direction_are_no_blocks() -> None:
    stripes = np.zeros((256, 256), np.float32)
    stripes[:, ::8] = 0.02
    assert block_contrast(stripes) <= 1


@pytest.mark.parametrize("shape", [(8, 8), (1, 300), (300, 7), (2000, 9)])
def test_a_picture_too_small_for_two_blocks_has_none(shape: tuple[int, int]) -> None:
    assert block_contrast(np.random.default_rng(0).random(shape, np.float32)) <= 2
