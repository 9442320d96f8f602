"""`osteo-edge demo`: the whole job on drawn X-rays, by the very commands that a user would type."""

import shlex
import time
from pathlib import Path

import click

from osteo_edge import cli
from osteo_edge.bundle import require_free
from osteo_edge.dataset import read_dataset
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.split import read_split, select

NEXT_STEPS = """
Written to {out}:
  knee/            the trained Keras bundle         osteo-edge inspect {out}/knee
  knee-float32/    the same as TFLite               osteo-edge inspect {out}/knee-float32
  knee-int8/       quantized to integers            osteo-edge inspect {out}/knee-int8
  report.html      what it reaches on unseen phantoms, with films and maps: open it in a browser
  pictures/        the screened film with its overlay
  bench/           speed, memory and size of both on this machine: open bench/report.html in a browser

These are drawn films: the model must not be used on patients. With films of your own, in class folders or a CSV:
  osteo-edge data audit FILMS
  osteo-edge data split FILMS --out split.csv
  osteo-edge train FILMS --split split.csv --out knee
"""


@click.command(short_help="Run the whole job on drawn X-rays.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("osteo-edge-demo"),
    show_default=True,
    help="The folder to write; must not exist.",
)
@click.option(
    "--per-class", type=click.IntRange(10, 2000), default=160, show_default=True, help="Phantoms of each class."
)
@click.option("--epochs", type=click.IntRange(1, 1000), default=30, show_default=True, help="At most; stops early.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
def demo(out: Path, per_class: int, epochs: int, seed: int) -> None:
    """Run the whole job on drawn X-rays: audit, split, train, convert to int8, evaluate, screen, measure, report.

    Nothing is downloaded. Every step is shown as the command that does it. Takes some minutes on two cores.

    \b
    Example:
      osteo-edge demo --out trial
    """
    require_free(out)
    started = time.monotonic()
    data, split, seeded = out / "phantoms", out / "split.csv", ("--seed", seed)
    _step("data", "phantom", data, "--per-class", per_class, "--size", 384, *seeded)
    _step("data", "audit", data)
    _step("data", "split", data, "--out", split, *seeded)
    model = ("--recipe", "fine-tuned", "--weights", "none", "--alpha", "0.35", "--epochs", epochs)
    _step("train", data, "--split", split, "--out", out / "knee", *model, *seeded)
    for precision in ("float32", "int8"):
        _step("convert", out / "knee", "--precision", precision, "--out", out / f"knee-{precision}")
    _step("evaluate", out / "knee-int8", data, "--split", split, "--report", out / "report.html")
    _step("screen", out / "knee-int8", _held_out(data, split), "--overlay", out / "pictures")
    measured = ("--quick", "--budget-min", 0.5, "--data", data, "--split", split)
    _step("bench", out / "knee-float32", out / "knee-int8", *measured, "--out", out / "bench")
    click.echo(NEXT_STEPS.format(out=out))
    click.echo(f"Took {time.monotonic() - started:.0f} s.")


def _held_out(data: Path, split: Path) -> Path:
    """A film that the model has not seen: the last of the test part, whose label is the gravest."""
    return max(select(read_dataset(data), read_split(split), "test"), key=lambda case: (case.label, case.name)).path


def _step(*words: object) -> None:
    arguments = [str(word) for word in words]
    click.secho(f"\n$ osteo-edge {shlex.join(arguments)}", bold=True)
    code = cli.run(arguments)
    if code != 0:
        raise OsteoEdgeError(f"the demo stopped: the step above ended with exit code {code}")
