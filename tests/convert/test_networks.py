"""Every kind of network for devices can be converted: grey input, squeeze-excite, SiLU, joined backbones."""

from typing import Any

import numpy as np
import pytest

from osteo_edge.convert.activation_layout import lay_out
from osteo_edge.convert.equalization import equalize
from osteo_edge.convert.int8_fitting import fit_int8
from osteo_edge.convert.keras import load_tensorflow
from osteo_edge.convert.tflite import to_tflite
from osteo_edge.preprocessing import InputSpec, Pixels, normalize
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.models import build

pytestmark = [pytest.mark.tf, pytest.mark.slow]

SIDE = 64
PASSES = 40
NETWORKS = ("custom_cnn", "csp_darknet", "efficientnet_b0", "custom_cnn+mobilenet_v2", "mobilenet_v2+efficientnet_b0")


@pytest.fixture(scope="module")
def planes() -> Pixels:
    """Stripes of many widths under noise."""
    rng = np.random.default_rng(0)
    rows = np.arange(SIDE)[:, np.newaxis]
    stripes = np.stack([np.sin(rows / rng.uniform(1, 8)) * rng.uniform(0, 0.4) for _ in range(32)])
    return np.clip(0.5 + stripes + rng.normal(0, 0.1, (32, SIDE, SIDE)), 0, 1).astype(np.float32)


@pytest.fixture(scope="module", params=NETWORKS)
def network(request: pytest.FixtureRequest, planes: Pixels) -> tuple[Any, InputSpec]:
    """An untrained network whose batch normalization knows the images, so that signals reach the head."""
    tf, _ = load_tensorflow()
    name = request.param
    config = TrainConfig(backbone=name, alpha=0.35 if "mobilenet" in name else 1.0, weights="none", side_px=SIDE)
    spec = input_spec(config)
    model = build(config, spec).model
    taught = tf.function(lambda images: model(images, training=True))
    for _ in range(PASSES):
        taught(normalize(planes[:16], spec))
    return model, spec


def _copy(model: Any) -> Any:
    """The same network again, to be changed."""
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def _run(data: bytes, planes: Pixels, spec: InputSpec) -> tuple[Pixels, Pixels]:
    """Logits and activation maps of the converted model."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=data)
    interpreter.allocate_tensors()
    entry, ends = interpreter.get_input_details()[0], interpreter.get_output_details()
    found: dict[int, list[Any]] = {2: [], 4: []}
    for plane in planes:
        tensor = normalize(plane[np.newaxis], spec)
        scale, zero = entry["quantization"]
        stepped = np.clip(np.rint(tensor / scale + zero), -128, 127).astype(np.int8) if scale else tensor
        interpreter.set_tensor(entry["index"], stepped)
        interpreter.invoke()
        for end in ends:
            value, (scale, zero) = interpreter.get_tensor(end["index"]), end["quantization"]
            found[value.ndim].append((np.float32(value) - zero) * scale if scale else value)
    return np.concatenate(found[2]), np.concatenate(found[4])


def _error(found: Pixels, expected: Any) -> float:
    """Mean error in units of how much the expected values differ from image to image."""
    expected = np.asarray(expected)
    return float(np.abs(found - expected).mean() / expected.std(axis=0).mean())


def test_float32_answers_as_keras_does_with_its_activation_map(network: tuple[Any, InputSpec], planes: Pixels) -> None:
    model, spec = network
    logits, maps = _run(to_tflite(model, spec, "float32", planes), planes[:4], spec)
    expected = model(normalize(planes[:4], spec), training=False)
    assert _error(logits, expected[0]) < 1e-3
    assert _error(maps, expected[1]) < 1e-3


def test_the_steps_to_int8_keep_the_answers(network: tuple[Any, InputSpec], planes: Pixels) -> None:
    model, spec = _copy(network[0]), network[1]
    expected = model(normalize(planes, spec), training=False)[0]
    equalize(model, planes, spec)
    assert _error(model(normalize(planes, spec), training=False)[0].numpy(), expected) < 1e-2
    model = lay_out(model)
    fit_int8(model, planes, spec, None)
    assert _error(model(normalize(planes, spec), training=False)[0].numpy(), expected) < 0.1
    logits, _ = _run(to_tflite(model, spec, "int8", planes), planes, spec)
    assert _error(logits, expected) < 0.6
