"""A network laid onto another tensor computes what it did."""

from typing import Any

import numpy as np
import pytest

from osteo_edge.train.rewiring import rewire

pytestmark = pytest.mark.tf


@pytest.fixture
def model() -> Any:
    """A branch and its addition behind a first layer that can be cut off."""
    from osteo_edge.train.keras import load_tensorflow

    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 3))
    first = keras.layers.Rescaling(2.0, name="first")(image)
    left = keras.layers.Conv2D(4, 3, padding="same", name="left")(first)
    right = keras.layers.Conv2D(4, 1, name="right")(first)
    return keras.Model(image, keras.layers.Subtract(name="last")([left, right]))


def _laid(model: Any, **options: Any) -> Any:
    from osteo_edge.train.keras import load_tensorflow

    _, keras = load_tensorflow()
    image = keras.Input((8, 8, 3))
    return keras.Model(image, rewire(model, image, **options))


IMAGES = np.random.default_rng(0).random((2, 8, 8, 3)).astype(np.float32)


def test_a_whole_network_answers_as_before_under_other_names(model: Any) -> None:
    copy = _laid(model, prefix="a_")
    np.testing.assert_allclose(copy(IMAGES), model(IMAGES), rtol=1e-6, atol=1e-6)
    assert [layer.name for layer in copy.layers[1:]] == ["a_first", "a_left", "a_right", "a_last"]


def test_the_copy_shares_nothing_with_the_original(model: Any) -> None:
    copy, before = _laid(model), model(IMAGES).numpy()
    copy.get_layer("left").set_weights([weight * 0 for weight in copy.get_layer("left").get_weights()])
    np.testing.assert_array_equal(model(IMAGES), before)
    assert model.get_layer("left").output is not copy.get_layer("left").output


@pytest.mark.parametrize("start", ["left", "right"])
def test_from_a_layer_on_only_what_is_before_it_is_left_out(model: Any, start: str) -> None:
    copy = _laid(model, start=start)
    np.testing.assert_allclose(copy(IMAGES * 2), model(IMAGES), rtol=1e-6, atol=1e-6)
    assert "first" not in [layer.name for layer in copy.layers]
