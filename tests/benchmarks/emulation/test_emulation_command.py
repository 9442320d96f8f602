import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click.testing
import pytest

from osteo_edge.benchmarks.emulation import __main__ as command
from osteo_edge.benchmarks.measuring.results import Instructions, ScreeningInstructions
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, counted: Callable[..., Instructions]) -> Callable[..., click.testing.Result]:
    """Call the command where each model takes the given number of instructions."""

    def call(*words: object, total: int = 1_000_000) -> click.testing.Result:
        def count(model: Path, cpu: str, **options: Any) -> Instructions:
            options["on_progress"]("counting")
            return counted(total, cpu, f"{options['runtime']} 2.3.0")

        def screen(bundle: Bundle, film: Path, inference: Instructions, **_: Any) -> ScreeningInstructions:
            cold, warm = (replace(inference, total=times * total, estimated_ms=None) for times in (700, 100))
            return ScreeningInstructions(film.name, cold, warm)

        monkeypatch.setattr(command, "count_instructions", count)
        monkeypatch.setattr(command, "count_screening", screen)
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


def test_whole_screenings_are_counted_and_gated_at_five_percent(
    run: Callable[..., Any], bundle: Bundle, film: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate.json"
    words = (bundle.path, "--screen", film, "--cpu", "cortex-a76")
    assert run(*words, "--record", gate).exit_code == 0
    shown = run(*words, total=1_015_000)
    assert "700" in run(*words).output
    assert "cold" in shown.output
    passed = run(*words, "--gate", gate, "--json", total=1_015_000)
    assert passed.exit_code == 0
    assert [(row["of"], row["verdict"]) for row in json.loads(passed.output)] == [
        ("inference", "PASS"),
        ("cold screening", "PASS"),
        ("warm screening", "PASS"),
    ]
    failed = run(*words, "--gate", gate, "--json", total=1_060_000)
    assert failed.exit_code == 1
    assert [row["verdict"] for row in json.loads(failed.output)] == ["FAIL"] * 3
    recorded = json.loads(gate.read_text("utf-8"))["bounds"]
    assert {bound["model"].split(" of ")[0]: bound.get("tolerance") for bound in recorded} == {
        "cold screening": 0.05,
        "warm screening": 0.05,
        "unknown network, int8, 32 x 32 x 3": None,
    }


def test_a_screening_of_another_film_has_no_bound(
    run: Callable[..., Any], bundle: Bundle, draw_film: Callable[..., Path], tmp_path: Path
) -> None:
    gate, words = tmp_path / "gate.json", (bundle.path, "--cpu", "cortex-a76")
    run(*words, "--screen", draw_film("one/film.png", brightness=0.5), "--record", gate)
    failed = run(*words, "--screen", draw_film("two/film.png", brightness=0.6), "--gate", gate, "--json")
    assert failed.exit_code == 1
    assert [row["verdict"] for row in json.loads(failed.output)] == ["PASS", "no bound", "no bound"]


def test_recording_keeps_the_bounds_of_other_models(
    run: Callable[..., Any], golden_bundle: Callable[..., Bundle], tmp_path: Path
) -> None:
    gate = tmp_path / "gate.json"
    for name, precision in (("one", "int8"), ("two", "float32")):
        assert run(golden_bundle(name, precision=precision).path, "--record", gate).exit_code == 0
    assert len(json.loads(gate.read_text("utf-8"))["bounds"]) == 4


def test_screenings_are_counted_with_litert_only(run: Callable[..., Any], bundle: Bundle, film: Path) -> None:
    result = run(bundle.path, "--screen", film, "--runtime", "tflite-runtime")
    assert result.exit_code == 2
    assert "screenings are counted with LiteRT only" in result.output


def test_a_gate_that_cannot_be_written_is_refused_before_anything_is_counted(
    run: Callable[..., Any], bundle: Bundle, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for place, reason in {tmp_path: "is a folder", tmp_path / "file" / "gate.json": "cannot be written there"}.items():
        result = run(bundle.path, "--record", place)
        assert (result.exit_code, result.output.count("\n")) == (1, 1)
        assert reason in result.output


def test_counts_are_shown_even_if_they_cannot_be_written(
    run: Callable[..., Any], bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OsteoEdgeError("No space left on device")

    monkeypatch.setattr(command, "write_gate", full)
    result = run(bundle.path, "--record", tmp_path / "gate.json")
    assert result.exit_code == 1
    assert "Counted with LiteRT 2.3.0" in result.output
    assert "No space left" in result.output


def test_an_estimate_says_of_how_many_threads_it_is(
    bundle: Bundle, counted: Callable[..., Instructions], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = replace(counted(cpu="cortex-a72"), estimated_ms=17.0, calibration="published", estimated_threads=4)
    monkeypatch.setattr(command, "count_instructions", lambda *_, **__: found)
    result = click.testing.CliRunner().invoke(command.emulation, [str(bundle.path), "--cpu", "cortex-a72"])
    assert "17 ms, 4" in result.output


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
