import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.benchmarks.bundles.cold_start import (
    BARE,
    PRODUCT,
    REFERENCE,
    REFERENCE_SCRIPT,
    ColdStart,
    measure_cold_start,
)
from osteo_edge.benchmarks.measuring.cold_process import ColdRun
from osteo_edge.benchmarks.measuring.environment import read_environment
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError


def runs(*wall_ms: float, peak_mib: float = 50.0) -> tuple[ColdRun, ...]:
    return tuple(ColdRun(wall_ms=value, cpu_ms=value / 2, peak_mib=peak_mib) for value in wall_ms)


def result(product: tuple[ColdRun, ...], reference: tuple[ColdRun, ...]) -> ColdStart:
    return ColdStart(read_environment(), "knee", "film.png", "refer", {PRODUCT: product, REFERENCE: reference})


def test_time_and_memory_are_held_to_their_bounds_by_the_ratio_of_medians() -> None:
    time, memory = result(runs(150, 160, 900, peak_mib=70), runs(100, 100, 100)).checks
    assert (time.estimate.value, time.limit, time.passed) == (1.6, 2.0, True)
    assert (memory.estimate.value, memory.limit, memory.passed) == (1.4, 1.3, False)


def test_json_keeps_every_value_beside_the_medians() -> None:
    plain = json.loads(json.dumps(result(runs(3, 1, 2), runs(1, 1, 1)).to_dict()))
    assert [run["wall_ms"] for run in plain["runs"][PRODUCT]] == [3, 1, 2]
    assert plain["medians"][PRODUCT] == {"wall_ms": 2, "cpu_ms": 1, "peak_mib": 50}
    assert [check["passed"] for check in plain["checks"]] == [True, True]


def test_every_program_runs_once_uncounted_and_then_in_every_round(bundle: Bundle, film: Path) -> None:
    commands: list[list[str]] = []

    def measure(command: list[str]) -> ColdRun:
        commands.append(command)
        return ColdRun(1, 1, 1)

    found = measure_cold_start(bundle, film, runs=4, measure=measure)
    assert {name: len(values) for name, values in found.runs.items()} == {PRODUCT: 4, REFERENCE: 4, BARE: 4}
    assert len(commands) == 3 * 5
    assert commands[0][-5:] == ["screen", str(bundle.path), str(film), "--json", "--any-film"]
    assert found.outcome == "refer"


def test_an_image_that_the_gate_rejects_is_no_screening(bundle: Bundle, draw_film: Callable[..., Path]) -> None:
    small = draw_film(height=60, width=60)
    with pytest.raises(OsteoEdgeError, match="is rejected by the bundle's gate"):
        measure_cold_start(bundle, small, runs=3, measure=lambda command: ColdRun(1, 1, 1))


def test_an_image_that_cannot_be_read_is_reported_in_the_commands_own_words(bundle: Bundle) -> None:
    with pytest.raises(OsteoEdgeError, match=r"^/no/film\.png: cannot be read"):
        measure_cold_start(bundle, Path("/no/film.png"), runs=3, measure=lambda command: ColdRun(1, 1, 1))


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_reference_script_answers_for_a_square_film_as_the_runtime_does(
    precision: str, golden_bundle: Callable[..., Bundle], draw_film: Callable[..., Path]
) -> None:
    """A brighter film scores higher with the golden model; the script prints its raw logits."""
    bundle = golden_bundle(precision=precision)
    answers = []
    for brightness in (0.2, 0.8):
        film = draw_film(height=320, width=320, brightness=brightness)
        command = [sys.executable, "-c", REFERENCE_SCRIPT, str(bundle.model_path), str(film)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        answers.append([float(number) for number in printed.strip("[]\n ").split()])
    (dark_normal, _, dark_porosis), (bright_normal, _, bright_porosis) = answers
    assert bright_porosis > dark_porosis
    assert bright_normal < dark_normal
