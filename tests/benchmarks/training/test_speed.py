import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from click.testing import CliRunner

from osteo_edge.benchmarks.measuring.environment import read_environment
from osteo_edge.benchmarks.training.speed import (
    FEATURES,
    FULL,
    LAST_20,
    Stage,
    TrainingSpeed,
    measure_training_speed,
    read_stage,
    training_speed,
)
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.manifest import Parent

TIMING: dict[str, Any] = {
    "seconds": {"read": 2.0, "head": 5.0, "fit": 9.0},
    "features_per_second": 40.0,
    "images": {"read": 30, "train": 18},
    "epoch_seconds": [7.0, 1.0, 3.0],
    "waiting_share": [0.5, 0.02, 0.06],
}


@pytest.fixture
def timed(golden_bundle: Callable[..., Bundle]) -> Callable[..., Bundle]:
    """A bundle whose training recorded the times above, with changes."""

    def make(name: str, **changes: Any) -> Bundle:
        return golden_bundle(name, parent=Parent("a" * 64, {"timing": {**TIMING, **changes}}))

    return make


def test_rates_leave_out_what_compiles(timed: Callable[..., Bundle]) -> None:
    stage = read_stage(timed("fitted").path)
    assert stage.decoded_per_second == 15.0
    assert stage.trained_per_second == pytest.approx(18 * 2 / 4.0)
    features = read_stage(timed("features", epoch_seconds=[], waiting_share=[]).path)
    assert features.trained_per_second == 40.0


@pytest.mark.parametrize(("last", "passed"), [(0.06, True), (0.0601, False)])
def test_waiting_after_the_first_epoch_is_held_to_its_bound(last: float, passed: bool) -> None:
    stage = Stage(30, 18, 2.0, None, (7.0, 1.0, 3.0), (0.9, 0.02, last))
    (check,) = TrainingSpeed(read_environment(), {FULL: stage}).checks
    assert check.estimate.value == pytest.approx((0.02 + 3 * last) / 4)
    assert check.passed is passed


def test_three_runs_differ_in_what_is_trained_and_get_the_options(
    timed: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    bundles = {name: timed(name) for name in ("run-1", "run-2", "run-3")}
    monkeypatch.setattr(
        "osteo_edge.benchmarks.training.speed.read_stage", lambda out: read_stage(bundles[out.name].path)
    )

    def run(words: Sequence[str]) -> None:
        commands.append(list(words))

    result = measure_training_speed(["--side", "64"], per_class=10, epochs=3, run=run)
    assert list(result.stages) == [FEATURES, LAST_20, FULL]
    trainings = [words for words in commands if words[0] == "train"]
    assert [words[words.index("--trainable-layers") + 1] for words in trainings] == ["0", "20", "all"]
    assert all(words[-2:] == ["--side", "64"] for words in trainings)
    assert json.loads(json.dumps(result.to_dict()))["images_per_second"][FULL] == pytest.approx(9.0)


def test_a_bundle_without_times_is_named(bundle: Bundle) -> None:
    with pytest.raises(OsteoEdgeError, match=f"{bundle.path}: records no times"):
        read_stage(bundle.path)


@pytest.mark.tf
@pytest.mark.slow
def test_the_benchmark_runs_on_drawn_films() -> None:
    network = ["--backbone", "custom_cnn", "--alpha", "1.0", "--side", "64"]
    words = [*network, "--per-class", "12", "--epochs", "2", "--json"]
    done = CliRunner().invoke(training_speed, words)
    result = json.loads(done.stdout)
    assert done.exit_code == (0 if all(check["passed"] for check in result["checks"]) else 1)
    assert set(result["images_per_second"]) == {FEATURES, LAST_20, FULL}
    assert min(result["images_per_second"][name] for name in (LAST_20, FULL)) > 0
