import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click.testing
import pytest

from osteo_edge.benchmarks.emulation import __main__ as command
from osteo_edge.benchmarks.results import Instructions
from osteo_edge.bundle import Bundle


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, counted: Callable[..., Instructions]) -> Callable[..., click.testing.Result]:
    """Call the command where each model takes the given number of instructions."""

    def call(*words: object, total: int = 1_000_000) -> click.testing.Result:
        def count(model: Path, cpu: str, **options: Any) -> Instructions:
            options["on_progress"]("counting")
            return counted(total, cpu, f"{options['runtime']} 2.3.0")

        monkeypatch.setattr(command, "count_instructions", count)
        return click.testing.CliRunner().invoke(command.emulation, [str(word) for word in words])

    return call


def test_all_processors_are_counted_and_no_time_is_printed(run: Callable[..., Any], bundle: Bundle) -> None:
    result = run(bundle.path)
    assert result.exit_code == 0
    assert "cortex-a72" in result.output
    assert "cortex-a76" in result.output
    assert "Counted with LiteRT 2.3.0 under QEMU 7.2, one thread" in result.output
    assert " ms" not in result.output


def test_a_recorded_gate_passes_and_stops_what_takes_more(
    run: Callable[..., Any], bundle: Bundle, tmp_path: Path
) -> None:
    gate = tmp_path / "gate.json"
    assert run(bundle.path, "--record", gate).exit_code == 0
    passed = run(bundle.path, "--gate", gate, total=1_010_000)
    assert passed.exit_code == 0
    assert "PASS" in passed.output
    failed = run(bundle.path, "--gate", gate, "--cpu", "cortex-a76", "--json", total=1_030_000)
    assert failed.exit_code == 1
    (row,) = json.loads(failed.output)
    assert (row["verdict"], row["bound"], row["total"], row["cpu"]) == ("FAIL", 1_000_000, 1_030_000, "cortex-a76")


def test_a_gate_without_a_bound_for_a_model_does_not_pass(
    run: Callable[..., Any], golden_bundle: Callable[..., Bundle], tmp_path: Path
) -> None:
    run(golden_bundle("int8").path, "--record", tmp_path / "gate.json")
    result = run(golden_bundle("float", precision="float32").path, "--gate", tmp_path / "gate.json")
    assert result.exit_code == 1
    assert "no bound" in result.output


def test_a_keras_bundle_is_to_be_converted_first(
    run: Callable[..., Any], golden_bundle: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = golden_bundle()
    manifest = bundle.path / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace('"format": "tflite"', '"format": "keras"'), "utf-8")
    result = run(bundle.path)
    assert result.exit_code == 1
    assert result.output.startswith(f"osteo-edge: {bundle.path}: a keras bundle, and only TFLite models are emulated")


@pytest.mark.parametrize("cpus", ["cortex-m4", "", "cortex-a76,cortex-m4"])
def test_a_processor_that_is_not_emulated_is_a_usage_error(run: Callable[..., Any], bundle: Bundle, cpus: str) -> None:
    result = run(bundle.path, "--cpu", cpus)
    assert result.exit_code == 2
    assert "choose from cortex-a72, cortex-a76" in result.output
