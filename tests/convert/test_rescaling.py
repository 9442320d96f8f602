"""Swishes whose channels are given like ranges, and networks laid out so that each int8 tensor is a layer's output."""

from typing import Any

import numpy as np
import pytest

from osteo_edge.convert.activation_layout import activation_of, lay_out
from osteo_edge.convert.rescaling import find_places, rescale
from osteo_edge.preprocessing import InputSpec

pytestmark = pytest.mark.tf
SPEC = InputSpec(16, 16)
PLANES = np.random.default_rng(0).random((12, 16, 16)).astype(np.float32)
TENSOR = np.repeat(PLANES[..., np.newaxis] * 2 - 1, 3, axis=-1)


@pytest.fixture(scope="module")
def block() -> Any:
    """A block as EfficientNet has it, with squeeze and excitation, whose channels differ a hundredfold in range."""
    from osteo_edge.convert.keras import load_tensorflow

    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    layers = keras.layers
    image = keras.Input((16, 16, 3))
    x = layers.BatchNormalization(name="expand_bn")(layers.Conv2D(8, 3, padding="same", use_bias=False)(image))
    x = layers.Activation("swish", name="expand_activation")(x)
    x = layers.DepthwiseConv2D(3, 2, use_bias=False)(layers.ZeroPadding2D(1)(x))
    x = layers.Activation("swish", name="activation")(layers.BatchNormalization(name="bn")(x))
    squeezed = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(x))
    squeezed = layers.Conv2D(2, 1, activation="swish", name="reduce")(squeezed)
    gate = layers.Conv2D(8, 1, activation="sigmoid", name="expand")(squeezed)
    x = layers.BatchNormalization()(layers.Conv2D(4, 1, use_bias=False)(layers.Multiply()([x, gate])))
    x = layers.Conv2D(2, 1, name="activation_map")(layers.Activation("swish", name="top")(x))
    model = keras.Model(image, [layers.GlobalAveragePooling2D()(x), x])
    spread = np.geomspace(0.5, 20, 8).astype(np.float32)
    for name in ("expand_bn", "bn"):
        _, _, mean, variance = model.get_layer(name).get_weights()
        model.get_layer(name).set_weights([spread, 0.2 * spread, mean, variance])
    return model


def test_a_network_that_is_laid_out_computes_the_same_with_activations_as_layers(block: Any) -> None:
    laid_out = lay_out(block)
    np.testing.assert_allclose(laid_out(TENSOR)[1], block(TENSOR)[1], atol=1e-5)
    assert not [layer for layer in laid_out.layers if activation_of(layer) == "swish"]
    assert all(activation_of(layer) is None for layer in laid_out.layers if type(layer).__name__ == "Conv2D")
    assert activation_of(laid_out.get_layer("expand_sigmoid")) == "sigmoid"


def test_a_rescaled_network_computes_the_same(block: Any) -> None:
    rescaled = rescale(block, PLANES, SPEC)
    expected = block(TENSOR)[1].numpy()
    np.testing.assert_allclose(rescaled(TENSOR)[1], expected, atol=1e-4 * np.abs(expected).max())


def test_channels_of_every_swish_that_convolutions_read_span_like_ranges(block: Any) -> None:
    assert [place.swish.name for place in find_places(block)] == ["expand_activation", "activation", "top"]
    rescaled = rescale(block, PLANES, SPEC)
    for name in ("expand_activation", "activation"):
        before, after = (_ranges(model, name) for model in (block, rescaled))
        assert before.max() / before.min() > 20
        assert after.max() / after.min() < 0.1 * before.max() / before.min()


def test_what_the_sigmoid_reads_is_multiplied_with_numbers_that_int8_holds_exactly(block: Any) -> None:
    gate = rescale(block, PLANES, SPEC).get_layer("expand_activation_gate")
    steps = np.asarray(gate(np.ones((1, 1, 1, 8), np.float32))).ravel() * 127
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-4)
    assert steps.min() >= 1
    assert steps.max() == pytest.approx(127)


def test_a_swish_that_something_else_reads_is_left_alone() -> None:
    from osteo_edge.convert.keras import load_tensorflow

    _, keras = load_tensorflow()
    image = keras.Input((16, 16, 3))
    x = keras.layers.BatchNormalization()(keras.layers.Conv2D(3, 1)(image))
    x = keras.layers.Activation("swish")(x)
    model = keras.Model(image, keras.layers.Conv2D(2, 1)(keras.layers.Add()([x, image])))
    assert not list(find_places(model))
    np.testing.assert_allclose(rescale(model, PLANES, SPEC)(TENSOR), model(TENSOR), atol=1e-5)


def _ranges(model: Any, name: str) -> Any:
    from osteo_edge.convert.keras import load_tensorflow

    _, keras = load_tensorflow()
    return np.asarray(keras.Model(model.input, model.get_layer(name).output)(TENSOR)).max(axis=(0, 1, 2))
