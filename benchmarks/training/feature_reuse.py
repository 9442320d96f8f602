"""Whether cross-validation computes the features of a frozen backbone once, whatever the folds.

python -m osteo_edge.benchmarks.training.feature_reuse DATA --weights WEIGHTS

Compared are two runs of `osteo-edge cv DATA --recipe frozen-features`, from the start of the process to its end, each
in a process of its own with an empty feature cache. One has 5 folds and 10 repeats: 50 models, fitted, calibrated,
measured beside the baselines and reported. The other has 2 folds and 1 repeat: the least of the command in which the
features of every image are computed. It reads, audits and reports too, and fits two models.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import click

from osteo_edge.benchmarks.measuring.cold_process import ColdRun, run_cold
from osteo_edge.benchmarks.measuring.command import finish
from osteo_edge.benchmarks.measuring.comparison import Check, interleave, median_ratio
from osteo_edge.benchmarks.measuring.environment import Environment, read_environment
from osteo_edge.console import progress, show_table
from osteo_edge.standalone import Standalone

MAX_RATIO = 1.5
ONCE, MANY = "2 folds, once", "5 folds, 10 times"
DIVISIONS = {ONCE: (2, 1), MANY: (5, 10)}
"""Folds and repeats."""
# The cache is set by the process itself, since `run_cold` hands on this one's environment.
PROGRAM = "import os, sys; os.environ['OSTEO_EDGE_CACHE'] = sys.argv.pop(1); from osteo_edge.cli import main; main()"

Run = Callable[[int, int], ColdRun]


@dataclass(frozen=True)
class FeatureReuse:
    """Every run by its folds and repeats, in the order of the rounds; medians and the ratio are derived."""

    environment: Environment
    data: str
    runs: dict[str, tuple[ColdRun, ...]]

    @property
    def checks(self) -> tuple[Check, ...]:
        many, once = ([run.wall_ms for run in self.runs[name]] for name in (MANY, ONCE))
        return (Check(f"time, {MANY} / {ONCE}", median_ratio(many, once), "at most", MAX_RATIO),)

    def to_dict(self) -> dict[str, Any]:
        """The result for machines: raw values first, what is derived from them last."""
        medians = {name: median(run.wall_ms for run in runs) for name, runs in self.runs.items()}
        return {**asdict(self), "medians_ms": medians, "checks": [check.to_dict() for check in self.checks]}


def measure_feature_reuse(
    data: Path, run: Run, *, runs: int, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> FeatureReuse:
    """Let `run` cross-validate with few and with many folds and repeats, in turns."""
    environment = read_environment()
    measures: Mapping[str, Callable[[], ColdRun]] = {name: partial(run, *given) for name, given in DIVISIONS.items()}
    return FeatureReuse(environment, str(data), interleave(measures, runs, on_progress=on_progress))


def cross_validate(data: Path, weights: str, folds: int, repeats: int) -> ColdRun:
    """Run the command in a folder that is removed again. Raises `OsteoEdgeError` if it fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = ["cv", str(data), "--recipe", "frozen-features", "--weights", weights, "--out", str(folder / "out")]
        size = ["--folds", str(folds), "--repeats", str(repeats)]
        return run_cold([sys.executable, "-c", PROGRAM, str(folder / "cache"), *given, *size])


@click.command(cls=Standalone, short_help="Whether cross-validation computes features once, whatever the folds.")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--weights", default="imagenet", show_default=True, help="imagenet or a local .h5 without top.")
@click.option("--runs", type=click.IntRange(1, 100), default=3, show_default=True, help="Of each of the two.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines, with every value measured.")
@click.pass_context
def feature_reuse(ctx: click.Context, data: Path, weights: str, runs: int, as_json: bool) -> None:
    """Compare 5 folds x 10 repeats of the recipe frozen-features on DATA with 2 folds x 1 repeat, in cold processes.

    Both start without cached features. The exit code is 1 if the fifty models take more than 1.5 times as long.

    \b
    Example:
      python -m osteo_edge.benchmarks.training.feature_reuse knees.csv --weights mobilenet_v2.h5
    """
    with progress("cross-validate") as advance:
        result = measure_feature_reuse(data, partial(cross_validate, data, weights), runs=runs, on_progress=advance)
    if not as_json:
        _show(result)
    finish(ctx, result, as_json=as_json)


def _show(result: FeatureReuse) -> None:
    rows = [
        (name, *(f"{median(values) / 1000:.1f}" for values in ([r.wall_ms for r in runs], [r.cpu_ms for r in runs])))
        for name, runs in result.runs.items()
    ]
    show_table(result.data, ("Run", "Seconds", "CPU seconds"), rows)


if __name__ == "__main__":
    feature_reuse()
