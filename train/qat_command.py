"""`osteo-edge qat`: the command; the work is in `qat_job`."""

import math
from dataclasses import asdict
from pathlib import Path

import click

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import progress, show_json, show_table
from osteo_edge.dataset import read_dataset
from osteo_edge.evaluation import to_dict
from osteo_edge.finite_range import FiniteRange
from osteo_edge.split import read_split
from osteo_edge.train.keras_bundle import check_split
from osteo_edge.train.prune_job import training_config
from osteo_edge.train.qat_job import Aware, Awareness, Losses, qat_bundle


@click.command(short_help="Train a bundle's network for int8.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--split", "split_file", type=click.Path(path_type=Path), required=True, help="The split it was trained with."
)
@click.option("--distill", is_flag=True, help="Learn from the answers of BUNDLE, too.")
@click.option(
    "--epochs", type=click.IntRange(1, 10_000), default=Awareness.epochs, show_default=True, help="Of fine-tuning."
)
@click.option(
    "--learning-rate",
    type=FiniteRange(1e-9, 10),
    default=Awareness.learning_rate,
    show_default=True,
    help="The highest rate.",
)
@click.option(
    "--test/--no-test", "measure_test", default=True, help="Measure the test part at the end, or leave it for later."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The bundle to write; must not exist.")
@click.option("--name", help="What the bundle calls itself.  [default: the name of --out]")
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
def qat(
    bundle: Path,
    data: Path,
    split_file: Path,
    distill: bool,
    epochs: int,
    learning_rate: float,
    measure_test: bool,
    out: Path,
    name: str | None,
    as_json: bool,
) -> None:
    """Train a Keras bundle's network further, so that it answers well in int8 (quantization-aware training).

    For networks that int8 conversion alone does not keep, EfficientNet above all: see first what `convert` makes of
    BUNDLE, and compare both in the end. While it is trained, the network rounds as int8 does, and the best epoch is
    that with the lowest validation loss in int8. What comes out is a Keras bundle to convert: it holds the ranges that
    it was trained for, and the zeros or shared values of a pruned BUNDLE. Temperature and threshold are chosen on the
    validation part again; the test part is measured once. Ctrl-C keeps the best so far.

    \b
    Example:
      osteo-edge qat knee knees.csv --split split.csv --distill --out knee-qat
      osteo-edge convert knee-qat --precision int8 --out knee-int8
    """
    source = read_bundle(bundle)
    training_config(source)
    check_split(source, split_file)
    dataset = read_dataset(data, labels=source.manifest.labels)
    how = Awareness(distill, epochs, learning_rate)
    with progress("qat") as advance:
        aware = qat_bundle(
            source,
            dataset,
            read_split(split_file),
            how,
            out,
            name=name or out.name,
            on_progress=advance,
            measure_test=measure_test,
        )
    if as_json:
        parts = {part: to_dict(evaluated) for part, evaluated in aware.evaluations.items()}
        losses = {name: loss if math.isfinite(loss) else None for name, loss in asdict(aware.losses).items()}
        doubt = doubt_of(aware.losses, source.path)
        show_json({"bundle": str(aware.bundle.path), "losses": losses, "doubt": doubt, "kept": aware.kept, **parts})
    else:
        _show(source, aware)


def _show(source: Bundle, aware: Aware) -> None:
    for line in aware.skipped:
        click.echo(f"skipped {line}", err=True)
    if aware.fit.interrupted:
        click.echo("Interrupted: kept the best so far.")
    rows = [
        (name, *(str(evaluated.estimates[name]) for evaluated in aware.evaluations.values()))
        for name in aware.evaluations["validation"].estimates
    ]
    show_table("Measured before conversion, with 95 % intervals", ("Metric", *aware.evaluations), rows)
    losses, path = aware.losses, aware.bundle.path
    click.echo(
        f"Validation loss: {losses.source:.3f} in float before, {losses.plain_rounding:.3f} merely rounded to int8, "
        f"{losses.trained:.3f} in int8 once trained."
    )
    doubt = doubt_of(losses, source.path)
    if doubt is not None:
        click.echo(f"Warning: {doubt}", err=True)
    for what, reached in aware.kept.items():
        click.echo(f"Kept {what}: {reached:g}")
    click.echo(f"Written: {path}\nNext: osteo-edge convert {path} --precision int8 --out {path}-int8")


def doubt_of(losses: Losses, source: Path) -> str | None:
    """Why the training may have been for nothing, and how to find out; None where the losses are no reason to think so.

    Rounding alone is a low bar: conversion fits weights and corrects biases, too.
    """
    if losses.trained <= losses.source and losses.trained < losses.plain_rounding:
        return None
    worse = f"worse than {source} in float" if losses.trained > losses.source else "no better than rounding alone"
    return (
        f"the network is {worse}, and `convert` does more than round: without any training it may lose less. Convert "
        f"both (osteo-edge convert {source} --precision int8 --out {source}-int8) and see which is better with "
        "osteo-edge compare"
    )
