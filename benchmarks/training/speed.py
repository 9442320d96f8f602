"""How fast training is, stage by stage, and whether the network ever waits for its data.

python -m osteo_edge.benchmarks.training.speed
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from osteo_edge.benchmarks.measuring.command import finish
from osteo_edge.benchmarks.measuring.comparison import Check
from osteo_edge.benchmarks.measuring.environment import Environment, read_environment
from osteo_edge.bundle import read_bundle
from osteo_edge.console import progress, show_table
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.metrics import Estimate
from osteo_edge.standalone import Standalone

MAX_WAITING = 0.05
FEATURES, LAST_20, FULL = "frozen features", "last 20 layers", "all layers"
TRAINABLE = {FEATURES: "0", LAST_20: "20", FULL: "all"}
Run = Callable[[Sequence[str]], None]


@dataclass(frozen=True)
class Stage:
    """What one training run recorded of itself; `epoch_seconds` and `waiting_share` are of the epochs in order."""

    read_images: int
    train_images: int
    read_s: float
    features_per_second: float | None
    epoch_seconds: tuple[float, ...]
    waiting_share: tuple[float, ...]

    @property
    def decoded_per_second(self) -> float:
        return self.read_images / self.read_s

    @property
    def trained_per_second(self) -> float:
        """Images a second: features after the first batch, or training after the first epoch; either compiles."""
        if not self.epoch_seconds:
            return self.features_per_second or float("nan")
        later = self.epoch_seconds[1:]
        return self.train_images * len(later) / sum(later)


@dataclass(frozen=True)
class TrainingSpeed:
    """Every stage as it was recorded; images a second and the waiting are derived."""

    environment: Environment
    stages: dict[str, Stage]

    @property
    def checks(self) -> tuple[Check, ...]:
        return tuple(
            Check(f"waiting for data, {name}", _waiting(stage), "at most", MAX_WAITING)
            for name, stage in self.stages.items()
            if stage.epoch_seconds
        )

    def to_dict(self) -> dict[str, Any]:
        """The result for machines: raw values first, what is derived from them last."""
        rates = {name: stage.trained_per_second for name, stage in self.stages.items()}
        decoded = {name: stage.decoded_per_second for name, stage in self.stages.items()}
        derived = {"images_per_second": rates, "decoded_per_second": decoded}
        return {**asdict(self), **derived, "checks": [check.to_dict() for check in self.checks]}


def measure_training_speed(
    options: Sequence[str],
    *,
    per_class: int,
    epochs: int,
    run: Run | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> TrainingSpeed:
    """Train on drawn films three times, in processes of their own, and read what each recorded in its bundle.

    Waiting is what `osteo-edge train` measures around each batch: the time until the next batch is there, beside the
    time until the step on it is done and its loss is known. `options` go to every run. The networks are untrained,
    which makes them no faster, so nothing is downloaded.
    """
    environment, stages = read_environment(), dict[str, Stage]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        do = run or (lambda words: _osteo_edge(words, folder))
        do(["data", "phantom", str(folder / "films"), "--per-class", str(per_class)])
        do(["data", "split", str(folder / "films"), "--out", str(folder / "split.csv")])
        for number, (stage, layers) in enumerate(TRAINABLE.items(), start=1):
            out = folder / f"run-{number}"
            given = ["train", str(folder / "films"), "--split", str(folder / "split.csv"), "--out", str(out)]
            lasting = [
                "--recipe",
                "fine-tuned",
                "--epochs",
                str(epochs),
                "--patience",
                str(epochs),
                "--weights",
                "none",
            ]
            do([*given, *lasting, "--trainable-layers", layers, *options])
            stages[stage] = read_stage(out)
            on_progress(number, len(TRAINABLE))
    return TrainingSpeed(environment, stages)


def read_stage(bundle: Path) -> Stage:
    """What the training of a Keras bundle recorded of its time."""
    timing = read_bundle(bundle).manifest.parent.recipe.get("timing")
    if timing is None:
        raise OsteoEdgeError(f"{bundle}: records no times; train it again with this version")
    images = timing["images"]
    lists = (tuple(timing[name]) for name in ("epoch_seconds", "waiting_share"))
    return Stage(images["read"], images["train"], timing["seconds"]["read"], timing["features_per_second"], *lists)


def _waiting(stage: Stage) -> Estimate:
    """The share of waiting after the first epoch, as a whole; the interval is the range of the epochs."""
    later = list(zip(stage.epoch_seconds, stage.waiting_share, strict=True))[1:]
    shares = [share for _, share in later]
    value = sum(seconds * share for seconds, share in later) / sum(seconds for seconds, _ in later)
    return Estimate(value, min(shares), max(shares), len(later))


def _osteo_edge(words: Sequence[str], folder: Path) -> None:
    """Run the command with a feature cache of its own, so that every feature is computed here."""
    environment = {**os.environ, "OSTEO_EDGE_CACHE": str(folder / "cache")}
    command = [sys.executable, "-m", "osteo_edge", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        raise OsteoEdgeError(f"osteo-edge {words[0]}: {lines[-1].removeprefix('osteo-edge: ')}")


@click.command(cls=Standalone, short_help="Training images a second, and the share of waiting for data.")
@click.option("--backbone", default="mobilenet_v2", show_default=True)
@click.option("--alpha", default="0.35", show_default=True, help="Width of MobileNetV2.")
@click.option("--side", type=click.IntRange(32, 1024), default=96, show_default=True, help="Input, in pixels.")
@click.option("--batch-size", type=click.IntRange(1, 1024), default=16, show_default=True)
@click.option(
    "--augmentation", type=click.Choice(["none", "standard", "strong"]), default="standard", show_default=True
)
@click.option("--per-class", type=click.IntRange(10, 10_000), default=60, show_default=True, help="Films of a class.")
@click.option("--epochs", type=click.IntRange(2, 100), default=5, show_default=True, help="The first is not counted.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines, with every value measured.")
@click.pass_context
def training_speed(ctx: click.Context, /, per_class: int, epochs: int, as_json: bool, **network: Any) -> None:
    """Measure training on drawn films: decoding, frozen features, the last 20 layers and all layers.

    The exit code is 1 if, after the first epoch, more than 5 % of the time is spent waiting for data.

    \b
    Example:
      python -m osteo_edge.benchmarks.training.speed --alpha 1.0 --side 224
    """
    options = [word for name, value in network.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    with progress("training") as advance:
        result = measure_training_speed(options, per_class=per_class, epochs=epochs, on_progress=advance)
    if not as_json:
        _show(result, options)
    finish(ctx, result, as_json=as_json)


def _show(result: TrainingSpeed, options: Sequence[str]) -> None:
    decoded = result.stages[FEATURES]
    rows = [("decode and prepare", f"{decoded.decoded_per_second:.0f}", "")]
    for name, stage in result.stages.items():
        waiting = f"{_waiting(stage).value:.1%}" if stage.epoch_seconds else ""
        rows.append((name, f"{stage.trained_per_second:.0f}", waiting))
    show_table(" ".join(options), ("Stage", "Images a second", "Waiting for data"), rows)


if __name__ == "__main__":
    training_speed()
