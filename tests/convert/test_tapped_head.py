"""A head over taps becomes a sum of convolutions that computes the same, and stands int8."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.convert.activation_layout import lay_out
from osteo_edge.convert.compression import shift_logits
from osteo_edge.convert.drafts import find_outputs
from osteo_edge.convert.equalization import equalize, find_joins
from osteo_edge.convert.int8_fitting import fit_int8
from osteo_edge.convert.tapped_head import split_heads
from osteo_edge.convert.tflite import to_tflite
from osteo_edge.manifest import Outputs
from osteo_edge.preprocessing import InputSpec, normalize
from osteo_edge.runtime import open_interpreter
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.taps import tap_features

pytestmark = pytest.mark.tf

SPEC = InputSpec(32, 64)
TAPS = ("fine^2", "fine", "fine@3x2", "coarse")
SHADES = np.linspace(0.1, 0.9, 24, dtype=np.float32)[:, np.newaxis, np.newaxis]
PLANES = np.clip(SHADES + np.random.default_rng(0).normal(0, 0.2, (24, 32, 64)), 0, 1).astype(np.float32)


@pytest.fixture
def tapped() -> Any:
    """Two crops side by side, taps as in the default recipe, and one weight of the head a thousand times the others."""
    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    image = keras.Input((32, 64, 3))
    fine = keras.layers.Conv2D(16, 4, strides=4, activation="relu", name="fine")(image)
    coarse = keras.layers.Conv2D(12, 2, strides=2, activation="relu", name="coarse")(fine)
    features = tap_features(keras.Model(image, coarse), TAPS).output
    dropped = keras.layers.SpatialDropout2D(0.2)(features)
    head = keras.layers.Conv2D(3, 1, name="activation_map", bias_initializer="random_normal")
    activation_map = head(dropped)
    logits = keras.layers.GlobalAveragePooling2D(name="logits")(activation_map)
    kernel, bias = head.get_weights()
    kernel[0, 0, np.argmin(_pooled(keras.Model(image, features)))] *= 1000
    head.set_weights([kernel, bias])
    return keras.Model(image, [logits, activation_map])


def _pooled(features: Any) -> Any:
    return features(normalize(PLANES, SPEC)).numpy().mean((0, 1, 2))


def test_the_sum_computes_what_the_concatenation_did(tapped: Any) -> None:
    split = split_heads(tapped)
    assert split.get_layer("activation_map").input_shape == (None, 4, 8, 6)
    tensor = normalize(PLANES[:3], SPEC)
    for expected, found in zip(tapped(tensor), split(tensor), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_a_region_is_computed_once_with_the_whole_layer_in_its_kernel(tapped: Any) -> None:
    masks = [layer for layer in split_heads(tapped).layers if type(layer).__name__ == "Rescaling"]
    assert len(masks) == 6
    np.testing.assert_array_equal(np.sum([layer.scale for layer in masks], axis=0), 1.0)


def test_the_logits_can_be_shifted_as_before(tapped: Any) -> None:
    split, tensor = split_heads(tapped), normalize(PLANES[:2], SPEC)
    before = split(tensor)[0].numpy()
    shift_logits(split, np.array([1.0, 0.0, -2.0], np.float32))
    np.testing.assert_allclose(split(tensor)[0] - before, np.tile([1.0, 0.0, -2.0], (2, 1)), atol=1e-4)


def test_a_head_without_taps_is_left_alone() -> None:
    _, keras = load_tensorflow()
    image = keras.Input((8, 8, 3))
    joined = keras.layers.Concatenate()([image, image])
    inner = keras.layers.Conv2D(4, 1)(joined)
    model = keras.Model(image, keras.layers.Conv2D(3, 1)(inner))
    assert split_heads(model) is model


def test_two_heads_over_the_same_taps_are_both_laid_out() -> None:
    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 16, 3))
    fine = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    coarse = keras.layers.Conv2D(5, 2, strides=2)(fine)
    taps = keras.layers.Concatenate()([keras.layers.AveragePooling2D(2)(fine), coarse])
    first, second = keras.layers.Conv2D(3, 1, name="first")(taps), keras.layers.Conv2D(2, 1, name="second")(taps)
    logits, severity = keras.layers.GlobalAveragePooling2D()(first), keras.layers.GlobalAveragePooling2D()(second)
    model = keras.Model(image, [logits, first, severity])
    tensor = np.random.default_rng(0).random((2, 8, 16, 3)).astype(np.float32)
    split = split_heads(model)
    for expected, found in zip(model(tensor), split(tensor), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_joined_maps_are_given_like_ranges_and_sums_stay_what_they_were(tapped: Any) -> None:
    split, tensor = split_heads(tapped), normalize(PLANES, SPEC)
    fine, coarse = find_joins(split)
    assert coarse.reader.name == "activation_map"
    assert fine.reader in coarse.writers
    before = [output.numpy() for output in split(tensor)]
    equalize(split, PLANES, SPEC)
    for expected, found in zip(before, split(tensor), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
    for join in (fine, coarse):
        joined = load_tensorflow()[1].Model(split.input, join.reader.input)(tensor).numpy()
        assert 0.5 < np.abs(joined).max() < 1.01
        kernel = join.reader.get_weights()[0][0, 0]
        steps = kernel / (kernel.max(axis=0) / 127)
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)


def test_int8_of_taps_is_all_int8_and_closer_than_the_concatenation(
    tapped: Any, golden_bundle: Callable[..., Bundle]
) -> None:
    expected = tapped(normalize(PLANES, SPEC))[0].numpy()
    joined = _int8_logits(tapped, golden_bundle, "joined")
    split = split_heads(tapped)
    equalize(split, PLANES, SPEC)
    split = lay_out(split)
    fit_int8(split, PLANES, SPEC, None)
    found = _int8_logits(split, golden_bundle, "split")
    assert _error(found, expected) < 0.25
    assert _error(found, expected) < 0.7 * _error(joined, expected)


def _int8_logits(model: Any, golden_bundle: Callable[..., Bundle], name: str) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    data = to_tflite(model, SPEC, "int8", PLANES)
    kinds = {detail["dtype"] for detail in Interpreter(model_content=data).get_tensor_details()}
    assert np.float32 not in kinds
    bundle = golden_bundle(name, model=data, input=SPEC, outputs=find_outputs(data, Outputs(0, 1)))
    interpreter = open_interpreter(bundle)
    answers = [interpreter.run(normalize(plane[np.newaxis], SPEC)) for plane in PLANES]
    assert answers[0].activation_map is not None
    assert answers[0].activation_map.shape == (4, 8, 3)
    return np.stack([answer.logits for answer in answers])


def _error(found: Any, expected: Any) -> float:
    """Mean error in units of how much the expected values differ from image to image."""
    return float(np.abs(found - expected).mean() / expected.std(axis=0).mean())
