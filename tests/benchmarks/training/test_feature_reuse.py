import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from osteo_edge.benchmarks.measuring.cold_process import ColdRun
from osteo_edge.benchmarks.training import feature_reuse as benchmark
from osteo_edge.benchmarks.training.feature_reuse import MANY, ONCE, cross_validate, measure_feature_reuse
from osteo_edge.errors import OsteoEdgeError


@pytest.mark.parametrize(("many_ms", "passed"), [(1500.0, True), (1501.0, False)])
def test_fifty_models_are_held_to_half_as_much_again_as_two(many_ms: float, passed: bool) -> None:
    asked = []

    def run(folds: int, repeats: int) -> ColdRun:
        asked.append((folds, repeats))
        return ColdRun(many_ms if folds * repeats > 2 else 1000.0, 900.0, 100.0)

    result = measure_feature_reuse(Path("knees.csv"), run, runs=3)
    assert sorted(asked) == [(2, 1)] * 3 + [(5, 10)] * 3
    (check,) = result.checks
    assert check.passed is passed
    values = json.loads(json.dumps(result.to_dict()))
    assert values["medians_ms"] == {ONCE: 1000.0, MANY: many_ms}
    assert [run["cpu_ms"] for run in values["runs"][MANY]] == [900.0] * 3


def test_every_run_starts_without_cached_features(monkeypatch: pytest.MonkeyPatch) -> None:
    caches, commands = [], []

    def run_cold(command: list[str]) -> ColdRun:
        (cache, *words) = command[3:]
        caches.append(cache)
        commands.append(words)
        return ColdRun(1.0, 1.0, 1.0)

    monkeypatch.setattr(benchmark, "run_cold", run_cold)
    for _ in range(2):
        cross_validate(Path("knees.csv"), "none", 5, 10)
    assert caches[0] != caches[1]
    assert commands[0][:6] == ["cv", "knees.csv", "--recipe", "frozen-features", "--weights", "none"]
    assert commands[0][-4:] == ["--folds", "5", "--repeats", "10"]


def test_what_the_command_says_of_its_data_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match="no-knees"):
        cross_validate(tmp_path / "no-knees", "imagenet", 2, 1)


def test_a_missed_bound_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        benchmark, "cross_validate", lambda data, weights, folds, repeats: ColdRun(folds * 1000.0, 1.0, 1.0)
    )
    done = CliRunner().invoke(benchmark.feature_reuse, ["knees.csv", "--runs", "2"])
    assert done.exit_code == 1
    assert "FAIL" in done.output
