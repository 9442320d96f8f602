from pathlib import Path

import numpy as np
import pytest

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.taps import Tap, parse_tap, region_mask, tap_features


@pytest.mark.parametrize("text", ["", "a@0x2", "a^3", "a@3", "a b", "a@3x2^2"])
def test_a_tap_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(OsteoEdgeError, match=r"write LAYER, LAYER\^2 for its square, or LAYER@3x2"):
        parse_tap(text)


def test_regions_cover_each_crop_once() -> None:
    tap = Tap("a", False, 3, 2)
    masks = [region_mask(14, 28, tap, row, column) for row in range(3) for column in range(2)]
    np.testing.assert_array_equal(np.sum(masks, axis=0), 1)
    for mask in masks:
        np.testing.assert_array_equal(mask[:, :14], mask[:, 14:])
        assert mask[:, :14].any()


@pytest.mark.tf
def test_pooled_taps_are_means_of_layers_of_their_squares_and_of_their_regions() -> None:
    _, keras = load_tensorflow()
    image = keras.Input((16, 32, 3))
    fine = keras.layers.Conv2D(4, 3, 2, "same", name="fine")(image)
    coarse = keras.layers.Conv2D(5, 3, 2, "same", name="coarse")(fine)
    backbone = keras.Model(image, coarse)
    taps = tap_features(backbone, ("fine", "fine^2", "fine@2x1", "coarse"))
    batch = np.random.default_rng(0).normal(size=(2, 16, 32, 3)).astype(np.float32)
    assert taps.output_shape == (None, 4, 8, 4 + 4 + 2 * 4 + 5)
    pooled = taps(batch).numpy().mean((1, 2))
    inner = keras.Model(image, fine)(batch).numpy()
    expected = [
        inner.mean((1, 2)),
        (inner**2).mean((1, 2)),
        inner[:, :4].sum((1, 2)) / 128,
        inner[:, 4:].sum((1, 2)) / 128,
    ]
    np.testing.assert_allclose(pooled[:, :16], np.hstack(expected), atol=1e-5)
    np.testing.assert_allclose(pooled[:, 16:], backbone(batch).numpy().mean((1, 2)), atol=1e-5)


@pytest.mark.tf
def test_regions_are_the_same_after_saving(tmp_path: Path) -> None:
    _, keras = load_tensorflow()
    image = keras.Input((8, 16, 3))
    taps = tap_features(keras.Model(image, keras.layers.Conv2D(2, 3, name="only")(image)), ("only@2x2",))
    taps.save(tmp_path / "taps.keras")
    batch = np.random.default_rng(0).random((1, 8, 16, 3)).astype(np.float32)
    loaded = keras.models.load_model(tmp_path / "taps.keras", compile=False)
    np.testing.assert_array_equal(loaded(batch), taps(batch))


@pytest.mark.tf
def test_a_layer_that_the_backbone_lacks_is_a_clear_error() -> None:
    _, keras = load_tensorflow()
    image = keras.Input((8, 8, 3))
    with pytest.raises(OsteoEdgeError, match="has no layer called 'nowhere'"):
        tap_features(keras.Model(image, image), ("nowhere",))
