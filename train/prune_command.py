"""`osteo-edge prune`: the command; the work is in `prune_job`."""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import click

from osteo_edge.bundle import Bundle
from osteo_edge.console import progress, show_json
from osteo_edge.finite_range import FiniteRange
from osteo_edge.train.channel_criteria import Criterion
from osteo_edge.train.channel_pruning import Budget
from osteo_edge.train.continuing import read_continuation
from osteo_edge.train.continuing_command import fit_options, plain, show_measured, show_next, source_arguments
from osteo_edge.train.prune_job import Compression, Method, Pruned, prune_bundle

HALF = 0.5
MEANT_FOR: Mapping[str, Method] = {"--of": "channel", "--criterion": "channel", "--clusters": "cluster"}


@click.command(short_help="Compress a trained bundle while fine-tuning it.")
@source_arguments
@click.option(
    "--method",
    type=click.Choice(["channel", "magnitude", "2:4", "cluster"]),
    default="channel",
    show_default=True,
    help="channel: smaller and faster everywhere; the others: a file that packs smaller, and no faster.",
)
@click.option(
    "--amount",
    type=FiniteRange(0, 1, min_open=True, max_open=True),
    default=HALF,
    show_default=True,
    help="The share of channels or weights that goes; of clusters, the share of 8 bits that is saved.",
)
@click.option(
    "--of",
    type=click.Choice(get_args(Budget)),
    help="What --amount is a share of with --method channel: macs are multiply-accumulates, so time.  "
    "[default: channels]",
)
@click.option(
    "--criterion",
    type=click.Choice(get_args(Criterion)),
    help="What makes a channel worth keeping; taylor, the loss that it would cost, is measured on training images.  "
    "[default: taylor]",
)
@click.option("--clusters", type=click.IntRange(2, 256), help="Values in each kernel, in place of --amount.")
@fit_options(epochs=Compression.epochs, learning_rate=Compression.learning_rate)
def prune(
    bundle: Path,
    data: Path,
    split_file: Path,
    method: Method,
    amount: float,
    of: Budget | None,
    criterion: Criterion | None,
    clusters: int | None,
    distill: bool,
    epochs: int,
    learning_rate: float,
    measure_test: bool,
    out: Path,
    name: str | None,
    as_json: bool,
) -> None:
    """Make a trained Keras bundle smaller, and fine-tune it so that it answers as well as before.

    Channel pruning takes whole channels out of mobilenet_v2, efficientnet_b0 or custom_cnn, those that the training
    images need least for the time that they cost. magnitude and 2:4 make the smallest weights zero, cluster lets
    weights share their values: then the file packs smaller, but is no faster. Temperature and threshold are chosen on
    the validation part again; the test part is measured once. Ctrl-C keeps the best so far.

    \b
    Example:
      osteo-edge prune knee knees.csv --split split.csv --amount 0.5 --distill --out knee-half
      osteo-edge convert knee-half --precision int8 --out knee-half-int8
    """
    _check(method, amount, {"--of": of, "--criterion": criterion, "--clusters": clusters})
    asked = read_continuation(bundle, data, split_file, out, name, measure_test=measure_test)
    how = Compression(method, amount, of or "channels", criterion or "taylor", clusters, distill, epochs, learning_rate)
    with progress("prune") as advance:
        pruned = prune_bundle(asked, how, on_progress=advance)
    if as_json:
        show_json(plain(pruned, reached=pruned.reached))
    else:
        _show(asked.source, pruned)


def _check(method: Method, amount: float, options: Mapping[str, object]) -> None:
    if method == "2:4" and amount != HALF:
        raise click.BadParameter("2:4 makes half of the weights zero; leave it out", param_hint="--amount")
    for name, value in options.items():
        if value is not None and method != MEANT_FOR[name]:
            raise click.BadParameter(f"means nothing to --method {method}", param_hint=name)


def _show(source: Bundle, pruned: Pruned) -> None:
    show_measured("Measured, with 95 % intervals", pruned)
    before, after = source.manifest.model, pruned.bundle.manifest.model
    click.echo(
        f"Parameters {before.parameters:,} -> {after.parameters:,}, "
        f"multiply-accumulates {before.macs:,} -> {after.macs:,}."
    )
    click.echo(f"{_reached(pruned.reached)}.")
    show_next(pruned)


def _reached(reached: Mapping[str, float]) -> str:
    """How far the network was compressed, in words.

    >>> _reached({"zeros": 0.8}), _reached({"clusters": 16})
    ('80.0 % of the weights are zero', 'At most 16 values in a kernel')
    """
    if "zeros" in reached:
        return f"{100 * reached['zeros']:.1f} % of the weights are zero"
    if "clusters" in reached:
        return f"At most {reached['clusters']:.0f} values in a kernel"
    channels, macs = 100 * reached["share_of_channels"], 100 * reached["share_of_macs"]
    return f"{channels:.1f} % of the channels and {macs:.1f} % of the multiply-accumulates are gone"
