"""Conversion, small: a Keras bundle in, TFLite bundles out, with what was lost."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.bundle import Bundle, read_bundle, write_bundle
from osteo_edge.convert.compression import shift_logits, spread
from osteo_edge.convert.conversion import convert_bundle
from osteo_edge.convert.drafts import find_outputs
from osteo_edge.convert.keras import load_tensorflow
from osteo_edge.convert.parity import keras_logits, tflite_logits
from osteo_edge.convert.tflite import load_keras, to_tflite
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Outputs
from osteo_edge.preprocessing import InputSpec, normalize
from osteo_edge.runtime import open_interpreter
from osteo_edge.samples import CALIBRATION, PARITY, SAMPLES_FILE, pack_samples, read_samples

pytestmark = pytest.mark.tf


def _silent(done: int, total: int, note: str = "", stage: str | None = None) -> None:
    pass


@pytest.fixture(scope="module")
def int8(keras_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return convert_bundle(keras_bundle, "int8", tmp_path_factory.mktemp("convert") / "int8", on_progress=_silent)


@pytest.fixture(scope="module")
def float32(keras_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return convert_bundle(keras_bundle, "float32", tmp_path_factory.mktemp("convert") / "float32", on_progress=_silent)


def test_a_converted_bundle_verifies_and_names_its_parent(int8: Bundle, keras_bundle: Bundle) -> None:
    manifest = read_bundle(int8.path).manifest
    assert manifest.model.format == "tflite"
    assert manifest.model.precision == "int8"
    assert manifest.parent.sha256 == keras_bundle.manifest.model.sha256
    assert manifest.parent.recipe["convert"]["precision"] == "int8"
    assert manifest.decision == keras_bundle.manifest.decision
    assert all(metric.part.endswith("before conversion") for metric in manifest.metrics.values())


def test_float32_answers_as_keras_does(float32: Bundle, keras_bundle: Bundle) -> None:
    parity = float32.manifest.parity
    assert parity is not None
    assert parity.largest_difference < 1e-4
    assert parity.decision_agreement == 1.0
    assert parity.n == len(read_samples(keras_bundle, PARITY))


def test_int8_is_all_int8_with_a_batch_of_one_and_close_to_keras(int8: Bundle, float32: Bundle) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(int8.model_path))
    ends = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    assert {end["dtype"] for end in ends} == {np.int8}
    assert {int(end["shape"][0]) for end in ends} == {1}
    kinds = {detail["dtype"] for detail in interpreter.get_tensor_details()}
    assert np.float32 not in kinds
    assert int8.model_path.stat().st_size < 0.45 * float32.model_path.stat().st_size
    parity = int8.manifest.parity
    assert parity is not None
    assert parity.mean_difference < 0.05


def test_the_reported_parity_is_what_the_written_model_gives(int8: Bundle, keras_bundle: Bundle) -> None:
    from osteo_edge.screening import calibrated

    manifest, planes = keras_bundle.manifest, read_samples(keras_bundle, PARITY)
    found = tflite_logits(open_interpreter(int8), planes, manifest.input, lambda done, total: None)
    expected = keras_logits(load_keras(keras_bundle), planes, manifest.input)
    differences = np.abs(calibrated(found, manifest.calibration) - calibrated(expected, manifest.calibration))
    assert int8.manifest.parity is not None
    assert int8.manifest.parity.largest_difference == pytest.approx(float(differences.max()), abs=1e-6)


def test_the_activation_map_comes_out_of_the_converted_model(
    int8: Bundle, float32: Bundle, keras_bundle: Bundle
) -> None:
    plane = read_samples(keras_bundle, PARITY)[:1]
    from osteo_edge.preprocessing import normalize

    maps = [
        open_interpreter(bundle).run(normalize(plane, bundle.manifest.input)).activation_map
        for bundle in (float32, int8)
    ]
    assert maps[0] is not None
    assert maps[1] is not None
    assert maps[0].shape == maps[1].shape == (3, 3, 3)
    assert np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1] > 0.9


def test_the_images_that_weights_are_rounded_for_come_from_the_whole_set() -> None:
    planes = np.arange(102, dtype=np.float32)[:, np.newaxis, np.newaxis]
    chosen = spread(planes, 64).ravel()
    assert (chosen[0], chosen[-1], len(set(chosen))) == (0, 101, 64)
    assert np.diff(chosen).max() <= 2
    np.testing.assert_array_equal(spread(planes[:5], 64), planes[:5])


def test_a_shift_of_the_logits_is_just_that(keras_bundle: Bundle) -> None:
    model, planes = load_keras(keras_bundle), read_samples(keras_bundle, PARITY)
    before = keras_logits(model, planes, keras_bundle.manifest.input)
    shift_logits(model, np.array([1.0, 0.0, -2.0], np.float32))
    after = keras_logits(model, planes, keras_bundle.manifest.input)
    np.testing.assert_allclose(after - before, np.tile([1.0, 0.0, -2.0], (len(planes), 1)), atol=1e-4)


@pytest.fixture(scope="module")
def graded_model() -> Any:
    """A network whose logits, severity logits and their maps have the same shapes, and never the same values."""
    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    image = keras.Input((32, 32, 3))
    features = keras.layers.Conv2D(8, 4, strides=4, activation="relu")(image)
    activation_map = keras.layers.Conv2D(3, 1, name="activation_map")(features)
    severity_map = keras.layers.Conv2D(3, 1, name="severity_map")(features)
    logits, severity = (keras.layers.GlobalAveragePooling2D()(each) for each in (activation_map, severity_map))
    return keras.Model(image, [logits, activation_map, severity], name="graded")


GRADED = Outputs(logits=0, activation_map=1, severity=2)


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("int8", 0.05)])
def test_severity_is_told_from_logits_of_the_same_shape(
    precision: Any, tolerance: float, graded_model: Any, golden_bundle: Callable[..., Bundle]
) -> None:
    planes = np.random.default_rng(0).random((8, 32, 32)).astype(np.float32)
    spec = InputSpec(32, 32)
    data = to_tflite(graded_model, spec, precision, planes)
    bundle = golden_bundle(model=data, precision=precision, outputs=find_outputs(data, GRADED))
    for plane in planes:
        tensor = normalize(plane[np.newaxis], spec)
        found = open_interpreter(bundle).run(tensor)
        logits, _, severity = (output.numpy()[0] for output in graded_model(tensor))
        assert np.abs(logits - severity).max() > 2 * tolerance
        assert found.severity is not None
        np.testing.assert_allclose(found.logits, logits, atol=tolerance)
        np.testing.assert_allclose(found.severity, severity, atol=tolerance)


def test_a_shift_of_the_logits_leaves_the_severity(graded_model: Any) -> None:
    tensor = np.random.default_rng(0).random((2, 32, 32, 3)).astype(np.float32)
    before = [output.numpy() for output in graded_model(tensor)]
    shift_logits(graded_model, np.array([1.0, 0.0, -2.0], np.float32))
    after = [output.numpy() for output in graded_model(tensor)]
    shift_logits(graded_model, np.array([-1.0, 0.0, 2.0], np.float32))
    np.testing.assert_allclose(after[0] - before[0], np.tile([1.0, 0.0, -2.0], (2, 1)), atol=1e-5)
    np.testing.assert_array_equal(after[2], before[2])


def test_a_tflite_bundle_cannot_be_converted_again(int8: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"converted already \(int8\)"):
        convert_bundle(int8, "float32", tmp_path / "again", on_progress=_silent)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_bundle_is_not_overwritten(int8: Bundle, keras_bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="exists already"):
        convert_bundle(keras_bundle, "int8", int8.path, on_progress=_silent)


def test_a_model_that_keras_cannot_read_is_one_clear_line(keras_bundle: Bundle, tmp_path: Path) -> None:
    from osteo_edge.hashing import sha256_bytes

    manifest = keras_bundle.manifest
    model = replace(manifest.model, sha256=sha256_bytes(b"no model"))
    files = {model.file: b"no model", SAMPLES_FILE: (keras_bundle.path / SAMPLES_FILE).read_bytes()}
    broken = write_bundle(tmp_path / "broken", replace(manifest, model=model), files)
    with pytest.raises(BundleError, match=r"model\.keras: Keras cannot load it"):
        convert_bundle(broken, "int8", tmp_path / "out", on_progress=_silent)


@pytest.mark.parametrize("samples", [b"no archive", pack_samples({"other": np.zeros((1, 96, 96), np.float32)})])
def test_samples_that_are_missing_or_broken_are_one_clear_line(
    keras_bundle: Bundle, tmp_path: Path, samples: bytes
) -> None:
    file = keras_bundle.manifest.model.file
    files = {file: (keras_bundle.path / file).read_bytes(), SAMPLES_FILE: samples}
    broken = write_bundle(tmp_path / "broken", keras_bundle.manifest, files)
    with pytest.raises(BundleError, match=r"samples\.npz"):
        read_samples(broken, CALIBRATION)


def test_a_plain_conversion_to_compare_with_is_recorded_as_such(plain_int8: Bundle) -> None:
    recorded = plain_int8.manifest.parent.recipe
    assert recorded["convert"]["engine"] == "tflite-converter"
    assert not any(recorded["convert"][step] for step in ("split_heads", "equalize", "compensate", "correct_logits"))
