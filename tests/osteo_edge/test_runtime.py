import os
import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge import runtime, trust
from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.manifest import Manifest, Outputs
from osteo_edge.preprocessing import InputSpec
from osteo_edge.runtime import (
    BACKENDS,
    Backend,
    default_threads,
    dequantize,
    installed_backends,
    open_interpreter,
    output_places,
    output_shapes,
    quantize,
)

GOLDEN = Path(__file__).resolve().parent.parent / "data"
INT8 = {"dtype": np.int8, "quantization": (0.5, -3)}
FLOAT32 = {"dtype": np.float32, "quantization": (0.0, 0)}
BRIGHTNESSES = (0.0, 0.2, 0.5, 0.8, 1.0)


def canvas(brightness: float) -> Any:
    return np.full((1, 32, 32, 3), brightness * 2 - 1, np.float32)


def golden_logits(brightness: float) -> list[float]:
    """What the golden model answers to an even canvas (tests/data/make_golden.py)."""
    return [4 * (1 - brightness), 1, 6 * brightness]


def backend_called(title: str) -> Backend:
    (backend,) = (backend for backend in BACKENDS if backend.title == title)
    if backend not in installed_backends():
        pytest.skip(f"{title} is not installed")
    return backend


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("int8", 0.03)])
@pytest.mark.parametrize(
    "title",
    [
        "LiteRT",
        "tflite-runtime",
        pytest.param(
            "TensorFlow",
            marks=[pytest.mark.tf, pytest.mark.filterwarnings("ignore")],
        ),
    ],
)
def test_every_runtime_gives_the_golden_answers(
    title: str, precision: str, tolerance: float, golden_bundle: Callable[..., Bundle]
) -> None:
    interpreter = open_interpreter(golden_bundle(precision=precision), backend=backend_called(title), threads=1)
    assert interpreter.name.startswith(f"{title} ")
    assert interpreter.name.endswith(", 1 thread")
    for brightness in BRIGHTNESSES:
        found = interpreter.run(canvas(brightness))
        assert found.logits.dtype == np.float32
        np.testing.assert_allclose(found.logits, golden_logits(brightness), atol=tolerance)
        assert found.activation_map is not None
        assert found.activation_map.shape == (8, 8, 3)
        np.testing.assert_allclose(found.activation_map.mean(axis=(0, 1)), found.logits, atol=tolerance)


def test_an_answer_is_not_changed_by_the_next_one(bundle: Bundle) -> None:
    interpreter = open_interpreter(bundle)
    first = interpreter.run(canvas(0.2))
    kept = first.logits.copy()
    interpreter.run(canvas(0.9))
    np.testing.assert_array_equal(first.logits, kept)


def test_the_same_image_gives_the_same_bits(bundle: Bundle) -> None:
    tensor = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    answers = [open_interpreter(bundle, threads=threads).run(tensor).logits for threads in (1, 2, 2)]
    np.testing.assert_array_equal(answers[0], answers[1])
    np.testing.assert_array_equal(answers[1], answers[2])


def test_a_model_without_a_map_gives_none(golden_bundle: Callable[..., Bundle], manifest: Manifest) -> None:
    flat = golden_bundle(outputs=Outputs(manifest.outputs.logits, None))
    assert open_interpreter(flat).run(canvas(0.5)).activation_map is None


def test_an_output_that_the_manifest_calls_severity_is_read_beside_the_others(
    golden_bundle: Callable[..., Bundle], manifest: Manifest
) -> None:
    plain, graded = (
        open_interpreter(golden_bundle(name, outputs=replace(manifest.outputs, severity=severity))).run(canvas(0.5))
        for name, severity in (("plain", None), ("graded", manifest.outputs.logits))
    )
    assert plain.severity is None
    assert graded.severity is not None
    np.testing.assert_array_equal(graded.severity, graded.logits)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_outputs_are_found_in_the_order_of_the_function_that_was_converted(precision: str, manifest: Manifest) -> None:
    model = (GOLDEN / f"golden-{precision}.tflite").read_bytes()
    shapes = [output_shapes(model)[place] for place in output_places(model)]
    assert shapes == [(1, 8, 8, 3), (1, 3)]  # by name: activation_map, logits


@pytest.mark.parametrize("detail", [INT8, FLOAT32])
def test_quantize_and_dequantize_are_inverse_within_half_a_step(detail: dict[str, Any]) -> None:
    values = np.linspace(-60, 60, 1001, dtype=np.float32)
    stored = quantize(values, detail)
    assert stored.dtype == detail["dtype"]
    assert np.abs(dequantize(stored, detail) - values).max() <= detail["quantization"][0] / 2


def test_quantize_clips_to_the_type() -> None:
    np.testing.assert_array_equal(quantize(np.array([-1e9, 1e9], np.float32), INT8), [-128, 127])


def test_dequantize_gives_a_copy_that_the_interpreter_cannot_change() -> None:
    stored = np.zeros(3, np.float32)
    assert not np.shares_memory(dequantize(stored, FLOAT32), stored)


def test_output_shapes_are_in_the_order_of_the_model(manifest: Manifest) -> None:
    shapes = output_shapes((GOLDEN / "golden-int8.tflite").read_bytes())
    assert shapes[manifest.outputs.logits] == (1, 3)
    assert shapes[manifest.outputs.activation_map or 0] == (1, 8, 8, 3)


def test_threads_are_the_cores_of_this_process_but_four_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, threads in ((1, 1), (2, 2), (4, 4), (64, 4)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: set(range(cores)))
        assert default_threads() == threads


def test_on_a_locked_device_the_model_cannot_be_exchanged_once_it_was_verified(
    golden_bundle: Callable[..., Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "SYSTEM", tmp_path)
    bundle = golden_bundle()
    interpreter = open_interpreter(bundle)
    before = interpreter.run(canvas(0.5)).logits
    with bundle.model_path.open("r+b") as file:
        file.write(bytes(bundle.model_path.stat().st_size))
    np.testing.assert_array_equal(interpreter.run(canvas(0.5)).logits, before)
    with pytest.raises(BundleError, match="altered since the bundle was written"):
        open_interpreter(bundle)


def test_a_keras_bundle_is_refused_with_the_command_that_converts_it(
    golden_bundle: Callable[..., Bundle], manifest: Manifest
) -> None:
    bundle = golden_bundle()
    keras = Bundle(bundle.path, replace(manifest, model=replace(manifest.model, format="keras")))
    with pytest.raises(BundleError) as caught:
        open_interpreter(keras)
    assert str(caught.value) == (
        f"{bundle.path}: a keras bundle; convert it first: "
        f"osteo-edge convert {bundle.path} --precision int8 --out {bundle.path}-int8"
    )


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 4096, b"TFL3" * 100])
def test_a_file_that_is_no_tflite_is_one_line(content: bytes, golden_bundle: Callable[..., Bundle]) -> None:
    bundle = golden_bundle(model=content)
    with pytest.raises(BundleError) as caught:
        open_interpreter(bundle)
    assert str(caught.value).startswith(f"{bundle.model_path}: not a TFLite model that this runtime can load (")
    assert "\n" not in str(caught.value)


def test_a_cut_model_is_refused_and_crashes_nothing(tmp_path: Path, golden_bundle: Callable[..., Bundle]) -> None:
    bundle = golden_bundle()
    code = """
import pathlib, sys
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.errors import BundleError
from osteo_edge.runtime import open_interpreter
bundle = read_bundle(pathlib.Path(sys.argv[1]))
whole = bundle.model_path.read_bytes()
for size in (*range(0, 64, 7), *range(64, len(whole), 61), len(whole) - 1):
    bundle.model_path.write_bytes(whole[:size])
    try:
        open_interpreter(bundle)
    except BundleError:
        continue
    sys.exit(f"{size} bytes were loaded")
"""
    done = subprocess.run([sys.executable, "-c", code, str(bundle.path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"outputs": Outputs(5, None)}, "has 2 outputs, fewer than its manifest says"),
        ({"outputs": Outputs(0, 2)}, "has 2 outputs, fewer than its manifest says"),
        ({"outputs": Outputs(1, None)}, "its logits is (1, 8, 8, 3), but the manifest says (1, 3)"),
        ({"outputs": Outputs(0, 0)}, "its activation map is not (1, rows, columns, 3)"),
        ({"outputs": Outputs(0, 1, 1)}, "its severity is (1, 8, 8, 3), but the manifest says (1, 3)"),
        ({"outputs": Outputs(0, 1, 2)}, "has 2 outputs, fewer than its manifest says"),
        ({"input": InputSpec(64, 64)}, "its input is (1, 32, 32, 3), but the manifest says (1, 64, 64, 3)"),
        ({"labels": ("normal", "osteopenia", "osteoporosis", "other")}, "its logits is (1, 3), but"),
    ],
)
def test_a_model_that_is_not_as_its_manifest_says_is_refused(
    change: dict[str, Any], problem: str, golden_bundle: Callable[..., Bundle]
) -> None:
    bundle = golden_bundle(**change)
    with pytest.raises(BundleError) as caught:
        open_interpreter(bundle)
    assert str(caught.value).startswith(f"{bundle.model_path}: ")
    assert problem in str(caught.value)


def test_without_a_runtime_the_user_is_told_what_to_install(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(OsteoEdgeError, match="no TFLite runtime is installed: pip install ai-edge-litert"):
        open_interpreter(bundle)
    with pytest.raises(OsteoEdgeError, match="no TFLite runtime is installed"):
        output_shapes(b"")


def test_a_runtime_that_does_not_load_is_passed_over(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Backend("Broken", "no_such_runtime_here.interpreter")
    working = backend_called("LiteRT")
    monkeypatch.setattr(runtime, "installed_backends", lambda: (broken, working))
    assert open_interpreter(bundle).name.startswith("LiteRT")
    monkeypatch.setattr(runtime, "installed_backends", lambda: (broken,))
    with pytest.raises(OsteoEdgeError, match=r"Broken does not load here \(No module named .*\): pip install"):
        open_interpreter(bundle)


def test_tensorflow_is_passed_over_beside_the_apps_window_where_it_would_crash(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kivy.core.window", types.ModuleType("kivy.core.window"))
    with pytest.raises(OsteoEdgeError, match="TensorFlow cannot run beside the app's window: pip"):
        open_interpreter(bundle, backend=BACKENDS[2])
    assert open_interpreter(bundle).name.startswith("LiteRT")


def test_the_name_tells_the_version_where_the_package_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "some_runtime", types.ModuleType("some_runtime"))
    assert runtime._version(Backend("Some", "some_runtime.interpreter")) == "of unknown version"
    assert runtime._version(Backend("NumPy", "numpy.anything")) == np.__version__


def test_the_name_tells_a_module_s_own_version_and_that_the_gpu_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("some_runtime.gpu")
    module.runtime_version = lambda: "1.2.3"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "some_runtime.gpu", module)
    assert runtime._name(Backend("Some", "some_runtime.gpu"), 2) == "Some 1.2.3, 2 threads"
    assert runtime._name(Backend("Some", "some_runtime.gpu", on_gpu=True), 2) == "Some 1.2.3, on the GPU"


def test_nothing_is_printed_while_a_model_is_loaded_and_run(
    bundle: Bundle, golden_bundle: Callable[..., Bundle], capfd: pytest.CaptureFixture[str]
) -> None:
    open_interpreter(bundle).run(canvas(0.5))
    with pytest.raises(BundleError):
        open_interpreter(golden_bundle("broken", model=b"no model"))
    assert capfd.readouterr() == ("", "")
