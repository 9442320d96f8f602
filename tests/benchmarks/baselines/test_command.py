import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from osteo_edge import strict
from osteo_edge.benchmarks.baselines import command as module
from osteo_edge.benchmarks.baselines.answers import answer_images, choose_images
from osteo_edge.benchmarks.baselines.command import baseline as command
from osteo_edge.benchmarks.baselines.comparison import find_network, set_beside, why_no_agreement
from osteo_edge.benchmarks.baselines.file import Baseline, BaselineRow, read_baseline
from osteo_edge.benchmarks.baselines.worker import Job, Source
from osteo_edge.benchmarks.measuring.isolated import run_isolated
from osteo_edge.benchmarks.measuring.results import Measurement, Variant
from osteo_edge.benchmarks.runtimes.peers import drawn_images
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec
from osteo_edge.benchmarks.timing.turns import Rival, measure_latency
from osteo_edge.benchmarks.timing.worker import Order
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.manifest import Parent
from osteo_edge.runtime import open_interpreter

needs_jax = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("jax", "keras", "h5py")), reason="needs Keras 3 and JAX"
)


def run(*words: object) -> Any:
    return CliRunner().invoke(command, [str(word) for word in words])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Name a Keras bundle, or a network with --network."),
        (["--network", "mobilenet_v2", "--batch", "1,none"], "give whole numbers from 1 to 4096"),
        (["--network", "mobilenet_v2", "--batch", "0"], "give whole numbers from 1 to 4096"),
        (["--network", "mobilenet_v2", "--precision", "int8"], "'int8': choose from float32, float16, bfloat16"),
        (["--network", "mobilenet_v2", "--data", "knees"], "random weights have no answers worth recording"),
        (["knee", "--split", "split.csv"], "needs --data"),
        (["--network", "mobilenet_v2", "--framework", "caffe"], "'caffe' is not one of"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(words: list[str], message: str, tmp_path: Path) -> None:
    result = run(*words, "--out", tmp_path / "gpu.json")
    assert result.exit_code == 2
    assert message in result.output


def test_a_tflite_bundle_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    result = run(bundle.path, "--out", tmp_path / "gpu.json")
    assert isinstance(result.exception, OsteoEdgeError)
    assert "name the Keras bundle" in str(result.exception)


def test_a_recorded_baseline_is_not_overwritten(keras_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "gpu.json").touch()
    result = run(keras_bundle.path, "--out", tmp_path / "gpu.json")
    assert isinstance(result.exception, OsteoEdgeError)
    assert "exists already" in str(result.exception)


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("--network", "no-such", "--out", tmp_path / "file" / "gpu.json")
    assert isinstance(result.exception, OsteoEdgeError)
    assert "file: the baseline cannot be written there" in str(result.exception)


def test_figures_are_shown_even_if_they_cannot_be_written(
    baseline: Baseline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OsteoEdgeError("No space left on device")

    monkeypatch.setattr(module, "choose_framework", lambda name: "jax")
    monkeypatch.setattr(module, "record_baseline", lambda *_, **__: baseline)
    monkeypatch.setattr(module, "write_baseline", full)
    result = run("--network", "mobilenet_v2", "--out", tmp_path / "gpu.json")
    assert isinstance(result.exception, OsteoEdgeError)
    assert "Imaginary GPU" in result.output
    assert "Written" not in result.output


@pytest.mark.slow
@needs_jax
def test_a_keras_bundle_is_recorded_on_jax_and_an_edge_variant_set_beside(
    keras_bundle: Bundle,
    golden_bundle: Callable[..., Bundle],
    films: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "QUICK_SECONDS", 0.2)
    out, split_file = tmp_path / "cpu.json", films.parent / "split.csv"
    words = ["--framework", "jax", "--batch", "1", "--precision", "float32,bfloat16", "--quick"]
    result = run(keras_bundle.path, *words, "--data", films, "--split", split_file, "--out", out)
    assert result.exit_code == 0, result.output
    recorded = read_baseline(out)
    assert "baseline of the CPU" in result.output
    assert str(recorded.device).startswith("CPU only, no accelerator: ")
    assert [row.precision for row in recorded.networks[0].rows] == ["float32", "bfloat16"]
    for row in recorded.networks[0].rows:
        check_row(row)

    parent = Parent(keras_bundle.manifest.model.sha256, {"convert": {}, "parent": keras_bundle.manifest.parent.recipe})
    edge = golden_bundle("edge", precision="float32", parent=parent)
    answers = answer_images(edge, choose_images(films, split_file, edge.manifest))
    network = find_network(recorded, out, edge.manifest)
    measured = measure_latency(
        [Rival("edge", RunnerSpec("LiteRT", str(edge.model_path), 1), 32, 32, 3)], runs=20, seconds=0.1, processes=2
    )["edge"]
    assert not isinstance(measured, str)
    variant = Variant("edge", str(edge.path), "custom_cnn", "float32", "a" * 64, "LiteRT", 1, "XNNPACK", False)
    first, second = set_beside(Measurement(variant, latency=measured), recorded, network, answers)
    assert first.latency_ratio.value < 1  # a network of 107 parameters: calling XLA alone takes longer
    assert not first.on_accelerator
    assert first.decisions_agree is not None
    assert (first.decisions_agree.value, first.decisions_agree.n) == (1.0, 9)
    assert first.mean_difference == pytest.approx(0, abs=1e-6)
    assert second.mean_difference == pytest.approx(0, abs=0.02)
    assert why_no_agreement(network, answers, out) is None


def check_row(row: BaselineRow) -> None:
    assert sum(len(turn.runs_ms) for turn in row.latency.turns) >= 128
    assert row.compile_ms[0] > 10 * row.latency.summary.median.value
    assert row.transfer_ms > 0
    assert row.device_peak_bytes is None
    assert row.peak_bytes > 50 << 20
    assert row.weight_bytes == 107 * (4 if row.precision == "float32" else 2)
    assert row.answers is not None


@pytest.mark.slow
@needs_jax
def test_the_network_built_in_keras_3_answers_as_the_tflite_float_model(
    keras_bundle: Bundle, golden_bundle: Callable[..., Bundle], tmp_path: Path
) -> None:
    images = drawn_images(keras_bundle.manifest.input, images=5)
    np.save(tmp_path / "images.npy", images)
    source = Source(str(keras_bundle.model_path), None, 32, 32, 3)
    job = Job("jax", source, "float32", 2, 1, Order(1, 0.0, 1.0), str(tmp_path / "images.npy"), 0)
    done = run_isolated("osteo_edge.benchmarks.baselines.worker", strict.to_dict(job), timeout_s=300)
    interpreter = open_interpreter(golden_bundle(precision="float32"))
    expected = [interpreter.run(image[np.newaxis]).logits for image in images]
    np.testing.assert_allclose(done["logits"], expected, atol=1e-5)
    assert (done["parameters"], len(done["logits"])) == (107, 5)


@pytest.mark.slow
@needs_jax
def test_a_model_that_keras_3_cannot_build_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"no archive")
    source = Source(str(tmp_path / "model.keras"), None, 32, 32, 3)
    job = Job("jax", source, "float32", 1, 1, Order(1, 0.0, 1.0), None, 0)
    with pytest.raises(OsteoEdgeError, match="cannot be built in Keras 3"):
        run_isolated("osteo_edge.benchmarks.baselines.worker", strict.to_dict(job), timeout_s=300)
