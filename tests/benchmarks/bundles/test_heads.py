from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert.interpreter import Interpreter

from osteo_edge.benchmarks.bundles.heads import with_pooled_head, without_map
from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Outputs
from osteo_edge.quiet import native_messages_held
from osteo_edge.runtime import dequantize, output_shapes, quantize

PRECISIONS = pytest.mark.parametrize("precision", ["float32", "int8"])


def answers(model: bytes, seed: int = 0) -> list[npt.NDArray[np.float32]]:
    with native_messages_held():
        interpreter = Interpreter(model_content=model)
        interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]
    image = np.random.default_rng(seed).uniform(-1, 1, given["shape"]).astype(np.float32)
    interpreter.set_tensor(given["index"], quantize(image, given))
    interpreter.invoke()
    details = interpreter.get_output_details()
    return [dequantize(interpreter.get_tensor(detail["index"]), detail) for detail in details]


@PRECISIONS
def test_without_the_map_the_logits_are_the_only_output_and_the_same(
    precision: str, golden_bundle: Callable[..., Bundle]
) -> None:
    bundle = golden_bundle(precision=precision)
    outputs, model = bundle.manifest.outputs, bundle.model_path.read_bytes()
    edited = without_map(model, outputs)
    assert output_shapes(edited) == ((1, 3),)
    np.testing.assert_array_equal(answers(edited)[0], answers(model)[outputs.logits])


def test_operators_that_only_served_the_other_output_are_dropped(golden_bundle: Callable[..., Bundle]) -> None:
    """The map taken for the logits: nothing needs the mean any more."""
    bundle = golden_bundle(precision="float32")
    outputs, model = bundle.manifest.outputs, bundle.model_path.read_bytes()
    assert outputs.activation_map is not None
    edited = without_map(model, Outputs(logits=outputs.activation_map, activation_map=None))
    assert output_shapes(edited) == ((1, 8, 8, 3),)
    assert b"StatefulPartitionedCall" in edited
    np.testing.assert_array_equal(answers(edited)[0], answers(model)[outputs.activation_map])


@PRECISIONS
def test_the_usual_head_gives_the_same_logits_but_for_rounding(
    precision: str, golden_bundle: Callable[..., Bundle]
) -> None:
    bundle = golden_bundle(precision=precision)
    outputs, model = bundle.manifest.outputs, bundle.model_path.read_bytes()
    edited = with_pooled_head(model, outputs)
    assert output_shapes(edited) == ((1, 3),)
    tolerance = 1e-5 if precision == "float32" else 0.1  # three steps of the golden model's int8 logits
    for seed in range(5):
        np.testing.assert_allclose(answers(edited, seed)[0], answers(model, seed)[outputs.logits], atol=tolerance)


def test_a_model_with_another_head_is_refused(golden_bundle: Callable[..., Bundle]) -> None:
    bundle = golden_bundle(precision="float32")
    pooled = with_pooled_head(bundle.model_path.read_bytes(), bundle.manifest.outputs)
    with pytest.raises(BundleError, match="no 1x1 convolution with a mean behind it"):
        with_pooled_head(pooled, Outputs(logits=0, activation_map=None))


def test_the_model_file_itself_stays_as_it_is(bundle: Bundle) -> None:
    before = Path(bundle.model_path).read_bytes()
    with_pooled_head(before, bundle.manifest.outputs)
    assert bundle.model_path.read_bytes() == before
