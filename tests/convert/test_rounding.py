"""Weights that are rounded so that the output changes least."""

from typing import Any

import numpy as np
import pytest

from osteo_edge.convert.rounding import clip_columns, compensate, round_columns
from osteo_edge.preprocessing import InputSpec

RNG = np.random.default_rng(0)


def _correlated_inputs() -> Any:
    """(1000, 12): twelve inputs that move together, as the channels of a network do."""
    return RNG.normal(size=(1000, 3)) @ RNG.normal(size=(3, 12)) + 0.05 * RNG.normal(size=(1000, 12))


def _nearest(weights: Any) -> Any:
    step = np.abs(weights).max(axis=0) / 127
    return np.rint(weights / step) * step


def test_rounded_weights_lie_on_the_int8_grid_of_their_column() -> None:
    inputs, weights = _correlated_inputs(), RNG.normal(size=(12, 5))
    rounded = round_columns(weights, inputs.T @ inputs / 1000)
    steps = rounded / (np.abs(weights).max(axis=0) / 127)
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)
    assert np.abs(steps).max() <= 127 + 1e-9


def test_the_largest_weight_of_a_column_stays_so_that_a_converter_finds_the_same_grid() -> None:
    inputs, weights = _correlated_inputs(), RNG.normal(size=(12, 5))
    rounded = round_columns(weights, inputs.T @ inputs / 1000)
    largest = np.abs(weights).argmax(axis=0)
    np.testing.assert_array_equal(rounded[largest, range(5)], weights[largest, range(5)])
    np.testing.assert_allclose(np.abs(rounded).max(axis=0), np.abs(weights).max(axis=0))


def test_the_output_changes_much_less_than_by_rounding_to_nearest() -> None:
    inputs, weights = _correlated_inputs(), RNG.normal(size=(12, 40))
    rounded = round_columns(weights, inputs.T @ inputs / 1000)
    error = np.linalg.norm(inputs @ (rounded - weights))
    assert error < 0.5 * np.linalg.norm(inputs @ (_nearest(weights) - weights))


def test_a_weight_for_an_input_that_hardly_ever_fires_does_not_take_the_steps_of_the_others() -> None:
    inputs, weights = RNG.normal(size=(1000, 12)), RNG.normal(size=(12, 5))
    inputs[:, 3] *= 1e-5
    weights[3] *= 1000
    rounded = round_columns(weights, inputs.T @ inputs / 1000)
    error = np.linalg.norm(inputs @ (rounded - weights))
    assert error < 0.05 * np.linalg.norm(inputs @ (_nearest(weights) - weights))


def test_weights_are_clipped_only_where_that_loses_less() -> None:
    weights = np.array([[100.0, 100.0], [1.0, 1.0], [0.9, 0.9]])
    np.testing.assert_array_equal(clip_columns(weights, np.ones(3)), weights)
    clipped = clip_columns(weights, np.array([1e-12, 1.0, 1.0]))
    np.testing.assert_array_equal(clipped[1:], weights[1:])
    assert (clipped[0] < 10).all()


def test_a_column_of_zeros_and_an_input_that_never_fires_do_no_harm() -> None:
    inputs, weights = _correlated_inputs(), RNG.normal(size=(12, 3))
    inputs[:, 4], weights[:, 1] = 0.0, 0.0
    rounded = round_columns(weights, inputs.T @ inputs / 1000)
    assert np.isfinite(rounded).all()
    assert not rounded[:, 1].any()


@pytest.mark.tf
def test_a_whole_network_is_put_on_its_grid_and_answers_almost_as_before() -> None:
    from osteo_edge.convert.keras import load_tensorflow

    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    layers = keras.layers
    inputs = keras.Input((32, 32, 3))
    x = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(8, 3, 2, "same", use_bias=False)(inputs)))
    x = layers.ReLU(6.0)(layers.BatchNormalization()(layers.DepthwiseConv2D(3, 1, "same", use_bias=False)(x)))
    x = layers.Conv2D(4, 1)(layers.BatchNormalization()(layers.Conv2D(6, 1, use_bias=False)(x)))
    model = keras.Model(inputs, [layers.GlobalAveragePooling2D()(x), x])
    planes = RNG.random((24, 32, 32)).astype(np.float32)
    tensor = np.repeat(planes[..., np.newaxis] * 2 - 1, 3, axis=-1)
    before = model(tensor)[0].numpy()
    plain = keras.models.clone_model(model)
    plain.set_weights(model.get_weights())
    for layer in plain.layers:
        if "Conv" in type(layer).__name__:
            kernel, *rest = layer.get_weights()
            shape = (-1, kernel.shape[2]) if "Depthwise" in type(layer).__name__ else (-1, kernel.shape[3])
            layer.set_weights([_nearest(kernel.reshape(shape)).reshape(kernel.shape), *rest])
    done: list[int] = []
    compensate(model, planes, InputSpec(32, 32), on_progress=lambda number, total: done.append(total - number))
    assert done == [4, 3, 2, 1, 0]
    error = np.abs(model(tensor)[0].numpy() - before).mean()
    assert error < 0.3 * np.abs(plain(tensor)[0].numpy() - before).mean()


@pytest.mark.tf
def test_the_mean_error_of_a_layer_is_taken_before_its_own_activation() -> None:
    """As in EfficientNet's squeeze-and-excite, whose convolutions have a bias and a swish or sigmoid of their own."""
    from osteo_edge.convert.keras import load_tensorflow

    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 16, 3))
    pooled = keras.layers.GlobalAveragePooling2D(keepdims=True)(image)
    squeezed = keras.layers.Conv2D(4, 1, activation="swish", bias_initializer="random_normal")(pooled)
    excited = keras.layers.Conv2D(3, 1, activation="sigmoid", bias_initializer="random_normal")(squeezed)
    model = keras.Model(image, keras.layers.Multiply()([image, excited]))
    planes = RNG.random((24, 16, 16)).astype(np.float32)
    tensor = np.repeat(planes[..., np.newaxis] * 2 - 1, 3, axis=-1)
    before = model(tensor).numpy()
    compensate(model, planes, InputSpec(16, 16))
    assert np.abs(model(tensor).numpy() - before).max() < 0.01 * np.abs(before).max()
