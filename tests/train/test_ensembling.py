"""The graph of an ensemble, on networks small enough to be made in the test."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from osteo_edge.manifest import Calibration
from osteo_edge.preprocessing import GREY, MOBILENET, InputSpec, Normalization, Pixels, normalize
from osteo_edge.screening import calibrated
from osteo_edge.train.ensembling import SMALLEST_PROBABILITY, Member, join_networks
from osteo_edge.train.keras import load_tensorflow

pytestmark = pytest.mark.tf

SIDE = 32
SPECS = (
    InputSpec(SIDE, SIDE, channels=1, normalization=GREY),
    InputSpec(SIDE, SIDE, normalization=MOBILENET),
    InputSpec(SIDE, SIDE, normalization=Normalization((4.4, 4.5, 4.4), (-2.1, -2.0, -1.8))),
)
TEMPERATURES = (0.5, 1.0, 3.0)


def make_member(number: int, *, strength: float = 3.0) -> Member:
    """A network of one convolution, whose grid is 16 x 16, 8 x 8 or 4 x 4."""
    _, keras = load_tensorflow()
    keras.utils.set_random_seed(number)
    spec, stride = SPECS[number], 2 << number
    image = keras.Input((SIDE, SIDE, spec.channels))
    features = keras.layers.Conv2D(6, stride, strides=stride, activation="relu", name="same_name")(image)
    head = keras.layers.Conv2D(3, 1, name="activation_map")
    activation_map = head(features)
    head.set_weights([strength * weights for weights in head.get_weights()])
    logits = keras.layers.GlobalAveragePooling2D(name="logits")(activation_map)
    return Member(keras.Model(image, [logits, activation_map]), spec, TEMPERATURES[number])


@pytest.fixture(scope="module")
def planes() -> Pixels:
    rng = np.random.default_rng(0)
    return np.clip(rng.random((12, SIDE, SIDE)) * np.linspace(0.2, 2, 12)[:, None, None], 0, 1).astype(np.float32)


def mean_probabilities(members: list[Member], planes: Pixels) -> Any:
    """What the ensemble is to answer, from its members one by one."""
    found = []
    for member in members:
        logits = member.model(normalize(planes, member.spec), training=False)[0].numpy()
        found.append(calibrated(logits, Calibration("temperature", member.temperature, "validation")))
    return np.mean(found, axis=0)


def test_the_answer_is_the_mean_of_the_calibrated_members(planes: Pixels) -> None:
    members = [make_member(number) for number in range(3)]
    expected = mean_probabilities(members, planes)
    assert np.ptp(expected, axis=0).max() > 0.1, "the members answer the same to every image"
    logits, _ = join_networks(members)(normalize(planes, SPECS[0]), training=False)
    found = calibrated(logits.numpy(), Calibration("temperature", 1.0, "validation"))
    np.testing.assert_allclose(found, expected, atol=3 * SMALLEST_PROBABILITY)


def test_the_map_is_on_the_finest_grid_and_its_mean_is_the_logits(planes: Pixels) -> None:
    members = [make_member(number) for number in range(3)]
    logits, activation_map = join_networks(members)(normalize(planes, SPECS[0]), training=False)
    assert activation_map.shape == (len(planes), 16, 16, 3)
    np.testing.assert_allclose(activation_map.numpy().mean((1, 2)), logits.numpy(), atol=1e-5)


def test_the_map_differs_from_the_mean_of_its_members_by_one_constant_a_label(planes: Pixels) -> None:
    same_grid = [make_member(1), Member(make_member(1).model, SPECS[1], 2.0)]
    maps = [
        member.model(normalize(planes, member.spec), training=False)[1].numpy() / member.temperature
        for member in same_grid
    ]
    _, activation_map = join_networks(same_grid)(normalize(planes, SPECS[1]), training=False)
    rest = activation_map.numpy() - np.mean(maps, axis=0)
    np.testing.assert_allclose(rest, np.broadcast_to(rest[:, :1, :1], rest.shape), atol=1e-5)


@pytest.fixture
def saved(tmp_path: Any) -> Callable[[Any], Any]:
    """The model as it comes back from its file."""

    def through_file(model: Any) -> Any:
        _, keras = load_tensorflow()
        model.save(tmp_path / "ensemble.keras")
        return keras.models.load_model(tmp_path / "ensemble.keras", compile=False)

    return through_file


@pytest.mark.parametrize("strength", [3.0, 100.0])
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-4), ("int8", 0.06)])
def test_a_joined_model_is_saved_and_converted_even_where_members_are_sure(
    precision: Any, tolerance: float, strength: float, planes: Pixels, saved: Callable[[Any], Any]
) -> None:
    from ai_edge_litert.interpreter import Interpreter

    from osteo_edge.convert.tflite import to_tflite
    from osteo_edge.runtime import dequantize, output_places, quantize

    members = [make_member(number, strength=strength) for number in range(3)]
    expected = mean_probabilities(members, planes)
    data = to_tflite(saved(join_networks(members)), SPECS[0], precision, planes)
    interpreter = Interpreter(model_content=data)
    interpreter.allocate_tensors()
    given, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[output_places(data)[0]]
    for plane, probabilities in zip(planes, expected, strict=True):
        interpreter.set_tensor(given["index"], quantize(normalize(plane[np.newaxis], SPECS[0]), given))
        interpreter.invoke()
        logits = dequantize(interpreter.get_tensor(answer["index"])[0], answer)
        found = calibrated(logits, Calibration("temperature", 1.0, "validation"))
        np.testing.assert_allclose(found, probabilities, atol=tolerance + 3 * SMALLEST_PROBABILITY)
