"""What `osteo-edge prune` and `osteo-edge qat` share: their arguments, and what they show of what came out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from osteo_edge.console import show_table
from osteo_edge.evaluation import to_dict
from osteo_edge.finite_range import FiniteRange
from osteo_edge.train.training import Trained

Command = TypeVar("Command", bound=Callable[..., Any])
PATH = click.Path(path_type=Path)


def source_arguments(command: Command) -> Command:
    """BUNDLE, DATA and --split: what is gone on from."""
    split = click.option("--split", "split_file", type=PATH, required=True, help="The split it was trained with.")
    return _in_order(command, click.argument("bundle", type=PATH), click.argument("data", type=PATH), split)


def fit_options(*, epochs: int, learning_rate: float) -> Callable[[Command], Command]:
    """How it is fitted, with these defaults, and where what comes out goes."""
    options = (
        click.option("--distill", is_flag=True, help="Learn from the answers of BUNDLE, too."),
        click.option(
            "--epochs", type=click.IntRange(1, 10_000), default=epochs, show_default=True, help="Of fine-tuning."
        ),
        click.option(
            "--learning-rate",
            type=FiniteRange(1e-9, 10),
            default=learning_rate,
            show_default=True,
            help="The highest rate.",
        ),
        click.option(
            "--test/--no-test",
            "measure_test",
            default=True,
            help="Measure the test part at the end, or leave it for later.",
        ),
        click.option("--out", type=PATH, required=True, help="The bundle to write; must not exist."),
        click.option("--name", help="What the bundle calls itself.  [default: the name of --out]"),
        click.option("--json", "as_json", is_flag=True, help="The result for machines."),
    )
    return lambda command: _in_order(command, *options)


def _in_order(command: Command, *options: Callable[[Command], Command]) -> Command:
    """The command with options that its help shows in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def show_measured(title: str, trained: Trained) -> None:
    """What was skipped, whether the fit was cut short, and a table of what was measured on each part."""
    for line in trained.skipped:
        click.echo(f"skipped {line}", err=True)
    if trained.fit.interrupted:
        click.echo("Interrupted: kept the best so far.")
    rows = [
        (name, *(str(evaluated.estimates[name]) for evaluated in trained.evaluations.values()))
        for name in trained.evaluations["validation"].estimates
    ]
    show_table(title, ("Metric", *trained.evaluations), rows)


def show_next(trained: Trained) -> None:
    """Where the bundle is, and what to do with it."""
    path = trained.bundle.path
    click.echo(f"Written: {path}\nNext: osteo-edge convert {path} --precision int8 --out {path}-int8")


def plain(trained: Trained, **more: Any) -> dict[str, Any]:
    """The result for machines: the bundle, what is told `more`, and what was measured on each part."""
    parts = {part: to_dict(evaluated) for part, evaluated in trained.evaluations.items()}
    return {"bundle": str(trained.bundle.path), **more, **parts}
