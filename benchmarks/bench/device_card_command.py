"""`osteo-edge bench BUNDLE --device-card`: the figures of this machine as one small table, to be sent to others."""

import json
from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from osteo_edge.benchmarks.bench.device_card import DeviceCard, card_of
from osteo_edge.benchmarks.bench.job import Job
from osteo_edge.benchmarks.bench.run import run_benchmark
from osteo_edge.benchmarks.measuring.command import check_file
from osteo_edge.benchmarks.measuring.machine import tells_throttling
from osteo_edge.bundle import read_bundle
from osteo_edge.console import progress, show_json, without_nan
from osteo_edge.strict import to_dict
from osteo_edge.writing import write_whole

NOT_ON_A_CARD = {
    "data": "--data",
    "split_file": "--split",
    "part": "--part",
    "peers": "--peers",
    "emulate": "--emulate",
    "tune": "--tune",
    "baseline": "--baseline",
    "old_file": "--compare",
}
"""By the parameter, the options that have nothing to do on a card."""


def check_options(ctx: click.Context, bundles: Sequence[Path], threads: Sequence[int]) -> None:
    """Refuse what a card has no room for, before anything is measured."""
    given = [
        word for name, word in NOT_ON_A_CARD.items() if ctx.get_parameter_source(name) == ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"--device-card: {given[0]} is for the report; leave one of the two out")
    if len(bundles) > 1:
        raise click.UsageError("--device-card: a card is of one bundle; make one for each")
    if len(threads) > 1:
        raise click.UsageError("--device-card: a card is of one number of threads; make one for each")


def make_card(job: Job, out: Path | None, *, as_json: bool) -> None:
    """Measure one bundle and print its card, and write it to the file `out` as well; as JSON if asked for."""
    bundle = read_bundle(job.bundles[0])
    if out is not None:
        check_file(out, "the card")
    with progress("device card") as advance:
        report = run_benchmark(job, on_progress=advance)
    card = card_of(report, bundle, throttling_is_told=tells_throttling(), is_own_film=job.image is not None)
    _show(card, as_json)
    if out is not None:
        write_whole(out, _file(card, as_json), "the card")
        click.echo(f"Written: {out}", err=True)


def _show(card: DeviceCard, as_json: bool) -> None:
    if as_json:
        show_json(to_dict(card))
    else:
        click.echo(card.to_markdown(), nl=False)


def _file(card: DeviceCard, as_json: bool) -> bytes:
    text = json.dumps(without_nan(to_dict(card)), indent=2) + "\n" if as_json else card.to_markdown()
    return text.encode()
