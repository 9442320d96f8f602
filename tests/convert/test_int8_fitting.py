"""Weights that are fitted to the rounded activations that they will read."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from osteo_edge.convert.activation_layout import lay_out
from osteo_edge.convert.int8_fitting import GATE_END, SIGMOID_ENDS, fit_columns, fit_int8, round_to
from osteo_edge.convert.ranges import choose
from osteo_edge.convert.rounding import round_columns
from osteo_edge.preprocessing import InputSpec

pytestmark = pytest.mark.tf
RNG = np.random.default_rng(0)
SPEC = InputSpec(32, 32)
PLANES = RNG.random((24, 32, 32)).astype(np.float32)
TENSOR = np.repeat(PLANES[..., np.newaxis] * 2 - 1, 3, axis=-1)
MSE = partial(choose, method="mse", percentile=99.99, steps=255)


def _network(activation: str) -> Any:
    """Convolution, depthwise convolution, linear end and head, laid out."""
    from osteo_edge.convert.keras import load_tensorflow

    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    layers = keras.layers

    def activate(x: Any, name: str) -> Any:
        return layers.ReLU(6.0, name=name)(x) if activation == "relu6" else layers.Activation(activation, name=name)(x)

    image = keras.Input((32, 32, 3), name="image")
    x = layers.Conv2D(8, 3, 2, "same", use_bias=False)(image)
    x = activate(layers.BatchNormalization(name="first_bn")(x), "first")
    x = layers.DepthwiseConv2D(3, 1, "same", use_bias=False)(x)
    x = activate(layers.BatchNormalization(name="second_bn")(x), "second")
    x = layers.BatchNormalization(name="linear_end")(layers.Conv2D(6, 1, use_bias=False)(x))
    x = layers.Conv2D(4, 1, name="activation_map")(x)
    model = keras.Model(image, [layers.GlobalAveragePooling2D(name="logits")(x), x])
    return lay_out(model)


def _nearest(model: Any) -> None:
    for layer in model.layers:
        if "Conv" in type(layer).__name__:
            kernel, *rest = layer.get_weights()
            flat = kernel.reshape(-1, kernel.shape[2 if "Depthwise" in type(layer).__name__ else 3])
            step = np.abs(flat).max(axis=0) / 127
            layer.set_weights([(np.rint(flat / step) * step).reshape(kernel.shape), *rest])


def test_without_activations_only_weights_are_put_on_their_grid_and_the_answers_hardly_change() -> None:
    model, plain = _network("relu6"), _network("relu6")
    before = model(TENSOR)[0].numpy()
    _nearest(plain)
    done: list[int] = []
    ends = fit_int8(model, PLANES, SPEC, None, on_progress=lambda number, total: done.append(total - number))
    assert ends == {}
    assert done == [4, 3, 2, 1, 0]
    error = np.abs(model(TENSOR)[0].numpy() - before).mean()
    assert error < 0.3 * np.abs(plain(TENSOR)[0].numpy() - before).mean()


def test_every_tensor_of_the_converted_network_gets_a_range_and_fused_ones_none() -> None:
    assert set(fit_int8(_network("relu6"), PLANES, SPEC, MSE)) == {
        "first",
        "second",
        "linear_end",
        "activation_map",
        "logits",
    }
    ends = fit_int8(_network("swish"), PLANES, SPEC, MSE)
    assert {"first_bn", "first_sigmoid", "first", "linear_end"} <= set(ends)
    assert ends["first_sigmoid"] == SIGMOID_ENDS


def test_fitted_weights_make_good_what_rounded_inputs_lose() -> None:
    """Inputs that move together, as channels do: what one of them loses, the others still tell."""
    inputs = RNG.normal(size=(2000, 3)) @ RNG.normal(size=(3, 12)) + 0.05 * RNG.normal(size=(2000, 12))
    rounded = np.rint(inputs / 2) * 2
    weights = RNG.normal(size=(12, 40))
    second, crossed = rounded.T @ rounded / 2000, rounded.T @ inputs / 2000
    fitted, merely_rounded = fit_columns(weights, second, crossed, 2000), round_columns(weights, second)
    errors = [np.linalg.norm(rounded @ found - inputs @ weights) for found in (fitted, merely_rounded)]
    assert errors[0] < 0.7 * errors[1]


def test_from_few_places_weights_are_rounded_but_not_fitted() -> None:
    inputs = RNG.normal(size=(20, 12))
    weights = RNG.normal(size=(12, 4))
    second = inputs.T @ inputs / 20
    np.testing.assert_array_equal(fit_columns(weights, second, 0.5 * second, 20), round_columns(weights, second))


def test_values_are_rounded_as_int8_holds_them() -> None:
    found = round_to(np.array([-3.0, -1.0, 0.0, 0.004, 1.55, 9.0], np.float32), (-1.0, 1.55)).numpy()
    np.testing.assert_allclose(found, [-1.0, -1.0, 0.0, 0.0, 1.55, 1.55], atol=1e-6)


def test_the_mean_error_of_a_layer_is_taken_before_its_own_activation() -> None:
    """As in EfficientNet's squeeze-and-excite, whose convolutions have a bias and a swish or sigmoid of their own."""
    from osteo_edge.convert.keras import load_tensorflow

    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    image = keras.Input((32, 32, 3), name="image")
    pooled = keras.layers.GlobalAveragePooling2D(keepdims=True)(image)
    squeezed = keras.layers.Conv2D(4, 1, activation="swish", bias_initializer="random_normal")(pooled)
    excited = keras.layers.Conv2D(3, 1, activation="sigmoid", bias_initializer="random_normal")(squeezed)
    model = lay_out(keras.Model(image, keras.layers.Multiply()([image, excited])))
    before = model(TENSOR).numpy()
    fit_int8(model, PLANES, SPEC, None)
    assert np.abs(model(TENSOR).numpy() - before).max() < 0.01 * np.abs(before).max()


def test_pruned_weights_stay_zero() -> None:
    model = _network("relu6")
    layer = next(layer for layer in model.layers if type(layer).__name__ == "Conv2D")
    kernel = layer.get_weights()[0]
    pruned = np.abs(kernel) < np.median(np.abs(kernel))
    layer.set_weights([np.where(pruned, 0, kernel)])
    fit_int8(model, PLANES, SPEC, MSE)
    assert not layer.get_weights()[0][pruned].any()


def test_what_a_gate_reads_is_cut_where_the_sigmoid_is_flat() -> None:
    from osteo_edge.convert.rescaling import rescale

    model = _network("swish")
    gamma, beta, mean, variance = model.get_layer("first_bn").get_weights()
    model.get_layer("first_bn").set_weights([100 * gamma, beta, mean, variance])
    assert fit_int8(model, PLANES, SPEC, MSE)["first_bn"][1] > GATE_END
    ends = fit_int8(rescale(_swish_network(), PLANES, SPEC), PLANES, SPEC, MSE)
    assert ends["first_gate"] == (-GATE_END, GATE_END)


def _swish_network() -> Any:
    """As Keras has it, before it is laid out, with channels from 1 to 100."""
    from osteo_edge.convert.keras import load_tensorflow

    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    layers = keras.layers
    image = keras.Input((32, 32, 3), name="image")
    x = layers.BatchNormalization(name="first_bn")(layers.Conv2D(8, 3, use_bias=False)(image))
    x = layers.Conv2D(4, 1, name="activation_map")(layers.Activation("swish", name="first")(x))
    model = keras.Model(image, [layers.GlobalAveragePooling2D(name="logits")(x), x])
    _, beta, mean, variance = model.get_layer("first_bn").get_weights()
    model.get_layer("first_bn").set_weights([np.geomspace(1, 100, 8), beta, mean, variance])
    return model


def test_inputs_that_hardly_differ_from_a_large_mean_do_no_harm() -> None:
    from osteo_edge.convert.keras import load_tensorflow

    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    image = keras.Input((32, 32, 3), name="image")
    first = keras.layers.Conv2D(16, 1, kernel_initializer=keras.initializers.RandomNormal(stddev=1e-5))
    x = keras.layers.Conv2D(4, 1)(keras.layers.ReLU(name="activation")(first(image)))
    model = lay_out(keras.Model(image, x))
    model.layers[1].set_weights([model.layers[1].get_weights()[0], np.full(16, 100.0, np.float32)])
    fit_int8(model, PLANES, SPEC, MSE)
    assert all(np.isfinite(weights).all() for weights in model.get_weights())


def test_inputs_whose_mean_is_far_above_their_variance_can_still_be_rounded() -> None:
    """As behind a network that is hardly trained: 1,280 inputs of one half each, hardly apart."""
    from osteo_edge.convert.keras import load_tensorflow

    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(1280, 1, kernel_initializer=keras.initializers.RandomNormal(0, 1e-4))(image)
    x = keras.layers.Activation("sigmoid", name="near_one_half")(x)
    x = keras.layers.Conv2D(4, 1, name="activation_map")(x)
    model = lay_out(keras.Model(image, [keras.layers.GlobalAveragePooling2D(name="logits")(x), x]))
    tensor = TENSOR[:, :8, :8]
    before = model(tensor)[0].numpy()
    fit_int8(model, PLANES[:, :8, :8], InputSpec(8, 8), None)
    assert np.abs(model(tensor)[0].numpy() - before).max() < 0.02
