import numpy as np
import pytest

from osteo_edge.preprocessing import Pixels
from osteo_edge.train.texture import BINS, binary_patterns, cooccurrence, histogram, texture


@pytest.fixture
def film() -> Pixels:
    return np.random.default_rng(0).uniform(0.2, 0.9, (40, 30)).astype(np.float32)


def test_the_black_of_the_letterbox_changes_no_feature(film: Pixels) -> None:
    canvas = np.zeros((40, 40), np.float32)
    canvas[:, 5:35] = film
    np.testing.assert_array_equal(texture(canvas), texture(film))


def test_the_histogram_holds_shares(film: Pixels) -> None:
    found = histogram(film)
    assert found.shape == (BINS,)
    assert found.sum() == pytest.approx(1)
    assert not found[: BINS // 6].any()


def test_cooccurrence_tells_smooth_from_rough_and_knows_the_direction() -> None:
    gradient = np.tile(np.linspace(0, 1, 32, dtype=np.float32), (32, 1))
    noise = np.random.default_rng(0).random((32, 32), np.float32)
    smooth, rough = cooccurrence(gradient), cooccurrence(noise)
    contrast_at_1_px = 0
    assert smooth[contrast_at_1_px] < 2 < rough[contrast_at_1_px]
    range_over_directions = len(smooth) // 2
    assert smooth[range_over_directions] == pytest.approx(1, abs=0.2)  # one grey level a column, none a row


def test_binary_patterns_stay_the_same_when_the_film_is_turned(film: Pixels) -> None:
    np.testing.assert_allclose(binary_patterns(film), binary_patterns(np.rot90(film).copy()), atol=0.02)
    assert np.abs(binary_patterns(film) - binary_patterns(np.full_like(film, 0.5))).max() > 0.3


@pytest.mark.parametrize("plane", [np.zeros((16, 16)), np.full((16, 16), 0.7), np.eye(16)[:1]])
def test_an_image_without_content_still_has_finite_features(plane: Pixels) -> None:
    assert np.isfinite(texture(plane.astype(np.float32))).all()
