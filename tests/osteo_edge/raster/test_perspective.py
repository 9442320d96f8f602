"""Both forms of `perspective` show the same."""

import cv2
import numpy as np
import pytest

from osteo_edge.raster.opencv import perspective as by_opencv
from osteo_edge.raster.plain import perspective as plain
from osteo_edge.raster.plain.perspective import Picture, Points

SOURCE = np.array([[30.3, 20.2], [370, 31], [365, 280.5], [25, 275]])
TARGET = np.array([[0.0, 0], [300, 0], [300, 220], [0, 220]]) - 0.5


@pytest.fixture(scope="module")
def picture() -> Picture:
    noise = np.random.default_rng(1).integers(0, 256, (300, 400, 3)).astype(np.uint8)
    soft = cv2.GaussianBlur(noise, (0, 0), 2).astype(np.float64)
    return np.asarray(np.rint(255 * (soft - soft.min()) / np.ptp(soft)), np.uint8)


def test_the_homography_takes_the_corners_to_theirs() -> None:
    mine = plain.homography(SOURCE, TARGET)
    assert np.allclose(mine, by_opencv.homography(SOURCE, TARGET), atol=1e-4)
    taken = np.column_stack([SOURCE, np.ones(4)]) @ mine.T
    assert np.allclose(taken[:, :2] / taken[:, 2:], TARGET, atol=1e-9)


@pytest.mark.parametrize("source", [SOURCE, SOURCE - 60], ids=["inside", "over the border"])
def test_warped_pictures_are_the_same(picture: Picture, source: Points) -> None:
    matrix = plain.homography(source, TARGET)
    mine, other = (form.warped(picture, matrix, 300, 220) for form in (plain, by_opencv))
    assert (mine.dtype, mine.shape) == (other.dtype, other.shape)
    difference = np.abs(mine.astype(int) - other)
    assert difference.max() <= 1
    assert difference.mean() < 0.01


def test_samples_between_and_beyond_pixels_are_the_same(picture: Picture) -> None:
    grey = picture[..., 0].astype(np.float32) / np.float32(255)
    x, y = np.random.default_rng(2).uniform(-20, 420, (2, 50, 7))
    mine, other = (form.sampled(grey, x, y) for form in (plain, by_opencv))
    assert mine.dtype == other.dtype
    assert np.abs(mine - other).max() < 1e-4
