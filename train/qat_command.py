"""`osteo-edge qat`: the command; the work is in `qat_job`."""

import math
from dataclasses import asdict
from pathlib import Path

import click

from osteo_edge.bundle import Bundle
from osteo_edge.console import progress, show_json
from osteo_edge.train.continuing import read_continuation
from osteo_edge.train.continuing_command import fit_options, plain, show_measured, show_next, source_arguments
from osteo_edge.train.qat_job import Aware, Awareness, Losses, qat_bundle


@click.command(short_help="Train a bundle's network for int8.")
@source_arguments
@fit_options(epochs=Awareness.epochs, learning_rate=Awareness.learning_rate)
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
    asked = read_continuation(bundle, data, split_file, out, name, measure_test=measure_test)
    with progress("qat") as advance:
        aware = qat_bundle(asked, Awareness(distill, epochs, learning_rate), on_progress=advance)
    if as_json:
        losses = {name: loss if math.isfinite(loss) else None for name, loss in asdict(aware.losses).items()}
        doubt = doubt_of(aware.losses, asked.source.path)
        show_json(plain(aware, losses=losses, doubt=doubt, kept=aware.kept))
    else:
        _show(asked.source, aware)


def _show(source: Bundle, aware: Aware) -> None:
    show_measured("Measured before conversion, with 95 % intervals", aware)
    losses = aware.losses
    click.echo(
        f"Validation loss: {losses.source:.3f} in float before, {losses.plain_rounding:.3f} merely rounded to int8, "
        f"{losses.trained:.3f} in int8 once trained."
    )
    doubt = doubt_of(losses, source.path)
    if doubt is not None:
        click.echo(f"Warning: {doubt}", err=True)
    for what, reached in aware.kept.items():
        click.echo(f"Kept {what}: {reached:g}")
    show_next(aware)


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
