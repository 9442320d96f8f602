"""Which operators layers became: folded ones, activations that are several, ends, and padding."""

from typing import Any

import numpy as np
import pytest

from osteo_edge.convert.keras import load_tensorflow
from osteo_edge.convert.layer_ranges import with_known
from osteo_edge.convert.operators import Operators, find_operators
from osteo_edge.convert.tflite import to_tflite
from osteo_edge.preprocessing import InputSpec

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def operators() -> Operators:
    """A stem with padding and ReLU, a block with swish, and a head whose map and mean are outputs."""
    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    layers = keras.layers
    image = keras.Input((32, 32, 3), name="image")
    tensor = layers.ZeroPadding2D(1, name="stem_pad")(image)
    tensor = layers.Conv2D(8, 3, strides=2, use_bias=False, name="stem_conv")(tensor)
    tensor = layers.ReLU(6.0, name="stem_relu")(layers.BatchNormalization(name="stem_bn")(tensor))
    tensor = layers.Conv2D(8, 1, name="block_conv")(tensor)
    tensor = layers.Activation("swish", name="block_swish")(layers.BatchNormalization(name="block_bn")(tensor))
    tensor = layers.Dropout(0.2, name="dropout")(tensor)
    activation_map = layers.Conv2D(3, 1, name="activation_map")(tensor)
    model = keras.Model(image, [layers.GlobalAveragePooling2D(name="logits")(activation_map), activation_map])
    return find_operators(model, to_tflite(model, InputSpec(32, 32), "float32", np.zeros((0, 32, 32), np.float32)))


def _kinds(operators: Operators, layer: str) -> list[str]:
    return [node.operator for node in operators.by_layer[layer]]


def test_a_convolution_its_normalization_and_relu_are_one_operator(operators: Operators) -> None:
    stem = operators.by_layer["stem_conv"]
    assert _kinds(operators, "stem_conv")[-1] == "CONV_2D"
    assert operators.by_layer["stem_bn"] == operators.by_layer["stem_relu"] == stem
    assert operators.by_layer["block_bn"] == operators.by_layer["block_conv"] != stem


def test_a_swish_is_two_operators_and_the_last_writes_its_output(operators: Operators) -> None:
    assert _kinds(operators, "block_swish") == ["LOGISTIC", "MUL"]


def test_the_ends_are_told_apart_though_their_names_are_lost(operators: Operators) -> None:
    assert _kinds(operators, "activation_map") == ["CONV_2D"]
    assert _kinds(operators, "logits") == ["MEAN"]


def test_padding_goes_with_what_is_behind_it_and_the_image_is_no_operator(operators: Operators) -> None:
    assert set(_kinds(operators, "stem_pad")) <= {"PAD", "CONV_2D"}
    assert operators.by_layer["stem_pad"]
    assert operators.by_layer["image"] == ()


def test_known_ranges_go_to_the_tensors_that_layers_write(operators: Operators) -> None:
    calibrated = {node.name: (-1.0, 1.0) for node in operators.nodes}
    known: dict[str, Any] = {"stem_relu": (0.0, 5.0), "block_swish": (-0.25, 2.0), "image": (0.0, 1.0), "gone": (0, 1)}
    found = with_known(calibrated, known, operators)
    assert found[operators.by_layer["stem_relu"][-1].name] == (0.0, 5.0)
    logistic, product = operators.by_layer["block_swish"]
    assert (found[logistic.name], found[product.name]) == ((-1.0, 1.0), (-0.25, 2.0))
    assert found.keys() == calibrated.keys()


def test_a_known_range_is_widened_to_hold_zero(operators: Operators) -> None:
    found = with_known({}, {"stem_relu": (0.5, 5.0)}, operators)
    assert list(found.values()) == [(0.0, 5.0)]
