import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.convert.map_correlation import correlate
from osteo_edge.runtime import Prediction

LOGITS = np.zeros(3, np.float32)
MAP = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)


def predictions(*maps: npt.NDArray[np.float32] | None) -> list[Prediction]:
    return [Prediction(LOGITS, activation_map) for activation_map in maps]


def test_a_map_that_is_scaled_or_shifted_by_label_shows_the_same_places() -> None:
    moved = 2 * MAP + np.array([5, 0, -5], np.float32)
    found = correlate(predictions(MAP, MAP), predictions(MAP, moved))
    assert found is not None
    assert (found.median, found.worst) == pytest.approx((1, 1))
    assert found.n == 2


def test_levels_of_labels_alone_do_not_make_maps_alike() -> None:
    """Both maps have high and low labels in common, and their places are opposite."""
    levels = np.array([10, 0, -10], np.float32)
    found = correlate(predictions(MAP + levels), predictions(-MAP + levels))
    assert found is not None
    assert found.worst == pytest.approx(-1)


def test_the_worst_image_and_the_median_are_told() -> None:
    found = correlate(predictions(MAP, MAP, MAP), predictions(MAP, -MAP, MAP))
    assert found is not None
    assert (found.median, found.worst) == pytest.approx((1, -1))


def test_flat_maps_do_not_count() -> None:
    flat = np.ones_like(MAP)
    found, nothing = (correlate(predictions(*maps, flat), predictions(*maps, MAP)) for maps in ([MAP], []))
    assert found is not None
    assert found.n == 1
    assert nothing is not None
    assert nothing.n == 0
    assert np.isnan(nothing.median)


@pytest.mark.parametrize("other", [None, MAP[:2]])
def test_without_maps_of_one_shape_there_is_no_correlation(other: npt.NDArray[np.float32] | None) -> None:
    assert correlate(predictions(MAP, MAP), predictions(MAP, other)) is None
