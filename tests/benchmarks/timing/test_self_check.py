import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from osteo_edge.benchmarks.measuring.environment import read_environment
from osteo_edge.benchmarks.measuring.results import Latency, Turn
from osteo_edge.benchmarks.measuring.summaries import summarize
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec
from osteo_edge.benchmarks.timing import self_check as module
from osteo_edge.benchmarks.timing.self_check import (
    Lengths,
    SelfCheck,
    check_itself,
    measure_beside_itself,
    measure_beside_loop,
    self_check,
)
from osteo_edge.benchmarks.timing.turns import Rival
from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.intervals import Estimate

SHORT = Lengths(5, 0.02, 2)
SAME, OTHER = Estimate(1.001, 0.99, 1.012, 10), Estimate(1.05, 1.04, 1.06, 10)


def latency(times: float) -> Latency:
    turns = tuple(Turn(number, 0.0, (5.0 * times, 5.1 * times, 5.2 * times)) for number in range(4))
    return Latency(summarize(turns), turns, ())


def result(*ratios: Estimate, overhead: float = 1.0) -> SelfCheck:
    return SelfCheck(read_environment(), "knee", SHORT, ratios, latency(overhead), latency(1.0))


@pytest.mark.parametrize(("alarms", "passed"), [(0, True), (1, True), (2, False)])
def test_one_false_alarm_in_twenty_is_let_through(alarms: int, passed: bool) -> None:
    check, _ = result(*[OTHER] * alarms, *[SAME] * (20 - alarms)).checks
    assert (check.estimate.value, check.passed) == (alarms / 20, passed)


@pytest.mark.parametrize(("overhead", "passed"), [(1.009, True), (1.011, False)])
def test_the_median_may_be_1_percent_above_the_loops(overhead: float, passed: bool) -> None:
    _, check = result(SAME, overhead=overhead).checks
    assert check.estimate.value == pytest.approx(overhead)
    assert check.passed is passed


def test_json_keeps_raw_values_beside_the_verdicts() -> None:
    plain = json.loads(json.dumps(result(SAME).to_dict()))
    assert plain["ratios"][0]["value"] == SAME.value
    assert len(plain["bare_loop"]["turns"]) == 4
    assert [check["passed"] for check in plain["checks"]] == [True, True]


@pytest.mark.slow
def test_a_bundle_is_measured_beside_itself_and_beside_the_loop(bundle: Bundle) -> None:
    told: list[tuple[int, int]] = []
    found = check_itself(bundle, calls=1, lengths=SHORT, beside_loop=SHORT, on_progress=lambda *now: told.append(now))
    assert told == [(1, 2), (2, 2)]
    assert [ratio.n for ratio in found.ratios] == [2]
    assert [turn.process for turn in found.bare_loop.turns] == [turn.process for turn in found.worker.turns] == [0, 1]
    assert 0.5 < found.worker.summary.minimum / found.bare_loop.summary.minimum < 2


def test_the_loop_runs_a_float_model_too(golden_bundle: Callable[..., Bundle]) -> None:
    model = str(golden_bundle(precision="float32").model_path)
    _, loop = measure_beside_loop(Rival("A", RunnerSpec("LiteRT", model, 1), 32, 32, 3), Lengths(1, 0.01, 1))
    assert loop.summary.minimum > 0


@pytest.mark.skipif(sys.version_info < (3, 11), reason="older ones always look into the current folder first")
def test_what_lies_in_the_current_folder_is_no_module_of_the_loop(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')", "utf-8")
    monkeypatch.chdir(tmp_path)
    rival = Rival("A", RunnerSpec("LiteRT", str(bundle.model_path.resolve()), 1), 32, 32, 3)
    _, loop = measure_beside_loop(rival, Lengths(1, 0.01, 1))
    assert loop.summary.minimum > 0


def test_the_command_prints_every_call_and_fails_on_an_alarm(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    ratios = iter([SAME, OTHER])
    monkeypatch.setattr(module, "measure_beside_itself", lambda *_, **__: next(ratios))
    monkeypatch.setattr(module, "measure_beside_loop", lambda *_: (latency(1.0), latency(1.0)))
    found = CliRunner().invoke(self_check, [str(bundle.path), "--calls", "2", "--quick"])
    assert found.exit_code == 1
    assert "FAIL  false alarms, a bundle beside itself: 0.500" in found.output
    assert "PASS  median, bench / bare loop: 1.000" in found.output
    assert "1.0500" in found.output


def test_a_keras_bundle_is_refused(bundle: Bundle) -> None:
    manifest = replace(bundle.manifest, model=replace(bundle.manifest.model, format="keras"))
    with pytest.raises(BundleError, match="a keras bundle; give one that osteo-edge convert has made"):
        check_itself(replace(bundle, manifest=manifest), calls=1, lengths=SHORT)


def test_what_cannot_be_measured_is_told(tmp_path: Path) -> None:
    nothing = Rival("A", RunnerSpec("LiteRT", str(tmp_path / "none.tflite"), 1), 32, 32, 3)
    with pytest.raises(OsteoEdgeError, match=r"none\.tflite: cannot be measured: .*no such file"):
        measure_beside_itself(nothing, SHORT, seed=0)
    with pytest.raises(OsteoEdgeError):
        measure_beside_loop(nothing, SHORT)
