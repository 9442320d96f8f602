"""The quantizer on the golden float model: number types at the ends, operators left in floating point, silence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.convert.output_types import output_names, quantization_of, set_output_types
from osteo_edge.convert.quantizer import STEPS, quantize_dynamic, quantize_static
from osteo_edge.convert.ranges import Ends, choose_all, observe
from osteo_edge.preprocessing import InputSpec, Pixels, normalize
from osteo_edge.runtime import dequantize, output_places, quantize

pytestmark = pytest.mark.tf

SPEC = InputSpec(32, 32)
MODEL = (Path(__file__).resolve().parent.parent / "data" / "golden-float32.tflite").read_bytes()


@pytest.fixture(scope="module")
def planes() -> Pixels:
    rng = np.random.default_rng(0)
    return np.stack([rng.uniform(0, level, (32, 32)).astype(np.float32) for level in np.linspace(0.1, 1, 20)])


def _ranges(planes: Pixels, bits: int = 8) -> dict[str, Ends]:
    return choose_all(observe(MODEL, planes, SPEC), "min-max", 99.99, STEPS[bits])


def _interpreter(data: bytes) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=data)
    interpreter.allocate_tensors()
    return interpreter


def _outputs(data: bytes, planes: Pixels) -> list[Pixels]:
    """The golden model's logits and maps, in this order."""
    interpreter = _interpreter(data)
    entry, ends = interpreter.get_input_details()[0], interpreter.get_output_details()
    found: list[list[Any]] = [[], []]
    for plane in planes:
        interpreter.set_tensor(entry["index"], quantize(normalize(plane[np.newaxis], SPEC), entry))
        interpreter.invoke()
        for place, values in zip(output_places(data), found, strict=True):
            values.append(dequantize(interpreter.get_tensor(ends[place]["index"]), ends[place]))
    return [np.concatenate(values) for values in found]


@pytest.mark.parametrize(
    ("bits", "input_type", "output_type"),
    [
        (8, "int8", "int8"),
        (8, "uint8", "uint8"),
        (8, "float32", "float32"),
        (8, "uint8", "float32"),
        (8, "float32", "int8"),
        (16, "int16", "int16"),
        (16, "int8", "float32"),
        (16, "float32", "int8"),
    ],
)
def test_every_number_type_at_the_ends_gives_the_same_answers(
    bits: Any, input_type: Any, output_type: Any, planes: Pixels
) -> None:
    data = quantize_static(MODEL, _ranges(planes, bits), bits=bits, input_type=input_type, output_type=output_type)
    interpreter = _interpreter(data)
    assert interpreter.get_input_details()[0]["dtype"] == np.dtype(input_type)
    assert {end["dtype"].__name__ for end in interpreter.get_output_details()} == {output_type}
    for found, expected in zip(_outputs(data, planes), _outputs(MODEL, planes), strict=True):
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=0.06)


def test_more_bits_are_nearer_to_the_float_model(planes: Pixels) -> None:
    expected, errors = _outputs(MODEL, planes)[0], []
    for bits in (8, 16):
        ranges = _ranges(planes, bits)
        data = quantize_static(MODEL, ranges, bits=bits, input_type="float32", output_type="float32")
        errors.append(np.abs(_outputs(data, planes)[0] - expected).mean())
    assert errors[1] < 0.5 * errors[0]


def test_operators_that_are_named_stay_in_floating_point(planes: Pixels) -> None:
    ranges = _ranges(planes)
    (patches,) = (name for name in ranges if "patches" in name)
    data = quantize_static(MODEL, ranges, in_float=[patches])
    details = {detail["name"]: detail for detail in _interpreter(data).get_tensor_details()}
    assert details[patches]["dtype"] == np.float32
    kinds = [operator["op_name"] for operator in _interpreter(data)._get_ops_details()]
    assert {"QUANTIZE", "DEQUANTIZE"} <= set(kinds)
    np.testing.assert_allclose(_outputs(data, planes)[0], _outputs(MODEL, planes)[0], atol=0.06)


@pytest.mark.parametrize("output_type", ["int8", "uint8", "float32"])
def test_a_head_in_floating_point_still_gives_what_is_asked_for(output_type: Any, planes: Pixels) -> None:
    data = quantize_static(MODEL, _ranges(planes), output_type=output_type, in_float=output_names(MODEL))
    assert {end["dtype"].__name__ for end in _interpreter(data).get_output_details()} == {output_type}
    for found, expected in zip(_outputs(data, planes), _outputs(MODEL, planes), strict=True):
        np.testing.assert_allclose(found, expected, atol=0.06)


def test_nothing_is_printed(planes: Pixels, capfd: pytest.CaptureFixture[str]) -> None:
    quantize_static(MODEL, _ranges(planes))
    quantize_dynamic(MODEL)
    assert capfd.readouterr().out == ""
    assert capfd.readouterr().err == ""


def test_dynamic_weights_are_int8_and_its_ends_float32(planes: Pixels) -> None:
    interpreter = _interpreter(quantize_dynamic(MODEL))
    ends = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    assert {end["dtype"] for end in ends} == {np.float32}
    assert np.int8 in {detail["dtype"] for detail in interpreter.get_tensor_details()}
    np.testing.assert_allclose(_outputs(quantize_dynamic(MODEL), planes)[0], _outputs(MODEL, planes)[0], atol=0.06)


def test_outputs_that_are_of_the_type_already_get_no_operator() -> None:
    operators = [
        [operator["op_name"] for operator in _interpreter(data)._get_ops_details()]
        for data in (MODEL, set_output_types(MODEL, "float32", {}))
    ]
    assert operators[0] == operators[1]


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16"])
def test_a_range_is_spanned_and_zero_is_hit(kind: Any) -> None:
    scale, zero_point = quantization_of(-1.0, 3.0, kind)
    limits = np.iinfo(kind)
    ends = [(limit - zero_point) * scale for limit in (limits.min, limits.max)]
    assert ends[0] <= -1.0 + scale
    assert ends[1] >= 3.0 - scale
    assert kind != "int16" or zero_point == 0


def test_a_channel_without_weights_keeps_its_bias(planes: Pixels) -> None:
    """The golden map for osteopenia is the constant 1, whatever the image."""
    for bits, ends in ((8, "int8"), (16, "int16")):
        data = quantize_static(MODEL, _ranges(planes, bits), bits=bits, input_type=ends, output_type=ends)  # type: ignore[arg-type]
        np.testing.assert_allclose(_outputs(data, planes)[1][..., 1], 1.0, atol=0.02)
