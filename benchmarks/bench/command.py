"""`osteo-edge bench`: the command; the work is in `run`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from osteo_edge.benchmarks.baselines.command import baseline as record_baseline
from osteo_edge.benchmarks.bench.candidates import OTHERS
from osteo_edge.benchmarks.bench.device_card_command import check_options, make_card
from osteo_edge.benchmarks.bench.job import FULL, QUICK, Job, Labelled
from osteo_edge.benchmarks.bench.run import run_benchmark
from osteo_edge.benchmarks.emulation.boards import BOARDS
from osteo_edge.benchmarks.measuring.command import make_folder
from osteo_edge.benchmarks.measuring.results import Measurement, Report
from osteo_edge.benchmarks.report.files import write_report
from osteo_edge.benchmarks.report.json_file import read_report_file, to_document
from osteo_edge.benchmarks.report.quantities import milliseconds, milliseconds_with_interval, optional_size
from osteo_edge.benchmarks.report.regressions import Regressions, find_regressions
from osteo_edge.benchmarks.report.tables import fidelity
from osteo_edge.benchmarks.report.words import sentences, warnings
from osteo_edge.cli import EXIT_FAILED
from osteo_edge.console import progress, show_json, show_table
from osteo_edge.finite_range import FiniteRange
from osteo_edge.runtime import default_threads
from osteo_edge.split import PARTS

MINUTE_S = 60
MAX_THREADS = 64
EXISTING_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
"""A slip of the pen is to be seen before an hour of measuring, not after."""


class Bench(click.Command):
    """A command with bundles as its arguments, or the word `baseline` and then that command."""

    @property
    def commands(self) -> dict[str, click.Command]:
        """The command behind each word."""
        return {"baseline": record_baseline}

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        inner = self.commands.get(args[0]) if args else None
        if inner is None:
            return super().make_context(info_name, args, parent, **extra)
        return inner.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)


def _one_of(allowed: Sequence[str]) -> Callable[..., tuple[str, ...]]:
    """Read values between commas, each once, in the order given, whatever their case."""
    known = {value.lower(): value for value in allowed}

    def read(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
        words = list(dict.fromkeys(word.strip() for word in (value or "").split(",") if word.strip()))
        unknown = [word for word in words if word.lower() not in known]
        if unknown:
            raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(known.values())}")
        return tuple(known[word.lower()] for word in words)

    return read


def _read_threads(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, ...]:
    """Read numbers of threads between commas; without any, what screening takes on this machine."""
    if value is None:
        return (default_threads(),)
    try:
        found = tuple(dict.fromkeys(int(word) for word in value.split(",")))
    except ValueError:
        found = ()
    if not found or min(found) < 1 or max(found) > MAX_THREADS:
        raise click.BadParameter(f"{value!r}: give numbers between 1 and {MAX_THREADS} with commas between them: 1,2,4")
    return found


@click.command(cls=Bench, short_help="Measure bundles: speed, memory, size, fidelity.")
@click.argument("bundles", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True),
    help="Labelled X-rays to measure fidelity on; needs --split.",
)
@click.option("--split", "split_file", type=EXISTING_FILE, help="The split that the model was trained with.")
@click.option("--part", type=click.Choice(PARTS), default="test", show_default=True, help="The part of the split.")
@click.option("--image", type=EXISTING_FILE, help="The film for the steps from file to answer.  [default: drawn]")
@click.option(
    "--threads", metavar="NUMBERS", callback=_read_threads, help="As 1,2,4.  [default: what screening takes here]"
)
@click.option(
    "--peers",
    metavar="NAMES",
    callback=_one_of(OTHERS),
    help=f"Other runtimes, each in a process of its own: {','.join(OTHERS)}.",
)
@click.option(
    "--emulate",
    metavar="PROCESSORS",
    callback=_one_of(tuple(BOARDS)),
    help="Count instructions of cortex-a72 (Pi 4), cortex-a76 (Pi 5).",
)
@click.option("--tune", is_flag=True, help="Search threads and delegate for the fastest, beside the default.")
@click.option("--baseline", type=EXISTING_FILE, help="Figures of a GPU, recorded by `bench baseline`.")
@click.option(
    "--quick", is_flag=True, help="128 runs and 5 s a variant in place of 1,024 and 60 s: to look, not to quote."
)
@click.option(
    "--budget-min", type=FiniteRange(0.05), help="At most so many minutes for latency, all variants together."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the order of the turns.")
@click.option(
    "--device-card",
    is_flag=True,
    help="Print one small table of this machine and the bundle, to send to others: it names no person and no host.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A folder for the page, Markdown, CSV and JSON; with --device-card the card's file.",
)
@click.option(
    "--compare",
    "old_file",
    type=click.Path(path_type=Path),
    help="An older report.json; exit code 1 if this is worse. Variants that only one has are listed, and fail nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="The whole report for machines, raw values included.")
@click.pass_context
def bench(
    ctx: click.Context,
    bundles: tuple[Path, ...],
    data: Path | None,
    split_file: Path | None,
    part: str,
    image: Path | None,
    threads: tuple[int, ...],
    peers: tuple[str, ...],
    emulate: tuple[str, ...],
    tune: bool,
    baseline: Path | None,
    quick: bool,
    budget_min: float | None,
    seed: int,
    device_card: bool,
    out: Path | None,
    old_file: Path | None,
    as_json: bool,
) -> None:
    """Measure TFLite BUNDLES side by side: latency, memory, size, placement, the steps from file to answer, fidelity.

    Variants take turns in random order, each turn in a fresh process, until each has had 1,024 runs and 60 seconds.
    Medians come with intervals; a run that was starved, throttled or drifted is called unstable, with the reason.
    What cannot be measured is listed with what to do, and the rest is measured all the same.

    `osteo-edge bench baseline` records the float model on the GPU of a workstation, for --baseline.

    --device-card measures one bundle with one number of threads, which takes a few minutes, and prints a card of
    Markdown: board, system, runtime, median and 95th percentile with intervals, cold start, memory, temperature,
    throttling, clock, and power where there is a meter. Leave the device alone meanwhile.

    \b
    Example:
      osteo-edge bench knee-float32 knee-int8 --quick
      osteo-edge bench knee-float32 knee-int8 --data knees.csv --split split.csv --out report
      osteo-edge bench knee-int8 --peers onnxruntime,openvino --tune
      osteo-edge bench knee-int8 --emulate cortex-a72,cortex-a76
      osteo-edge bench knee-int8 --compare report/report.json
      osteo-edge bench knee-int8 --device-card --out card.md
    """
    if device_card:
        check_options(ctx, bundles, threads)
    if (data is None) != (split_file is None):
        raise click.UsageError("--data and --split go together: the split says which images no model was trained on")
    older = None if old_file is None else read_report_file(old_file)
    if out is not None and not device_card:
        if data is not None and out.resolve() == (data if data.is_dir() else data.parent).resolve():
            raise click.BadParameter(f"{out}: is the folder of the data; choose another", param_hint="--out")
        make_folder(out, "the report")
    settings = replace(
        QUICK if quick else FULL, seed=seed, budget_s=None if budget_min is None else budget_min * MINUTE_S
    )
    job = Job(
        bundles=bundles,
        threads=threads,
        settings=settings,
        peers=peers,
        cpus=emulate,
        labelled=None if data is None or split_file is None else Labelled(data, split_file, part),
        baseline=baseline,
        image=image,
        tunes=tune,
    )
    if device_card:
        make_card(job, out, as_json=as_json)
        return
    with progress("bench") as advance:
        report = run_benchmark(job, on_progress=advance)
    regressions = None if older is None else find_regressions(older, report)
    if as_json:
        show_json(to_document(report), indent=None)
    else:
        _show(report, regressions)
    for missing in report.missing:
        click.echo(f"not measured: {missing.of}, {missing.what}: {missing.reason}", err=True)
    if out is not None:
        click.echo(f"Written: {', '.join(map(str, write_report(report, out, regressions)))}", err=as_json)
    elif not as_json:
        click.echo("Steps from file to answer, placement and environment are in the report: --out DIR, or --json.")
    if (regressions is not None and regressions.found) or not any(found.latency for found in report.measurements):
        ctx.exit(EXIT_FAILED)


def _show(report: Report, regressions: Regressions | None) -> None:
    """What fits a terminal; a variant that is unstable is marked, and the reasons follow below the table."""
    columns = ("Variant", "Median [95 %]", "p90", "p99", "Runs", "Peak memory", "Model file", "")
    show_table("Inference alone", columns, [_row(found) for found in report.measurements if found.latency])
    quality = fidelity(report)
    if quality.rows:
        show_table("Answers", quality.head, quality.rows)
    for sentence in sentences(report):
        click.echo(sentence)
    for found in report.measurements:
        if found.unstable:
            click.echo(f"Unstable: {found.variant.name}: {'; '.join(found.unstable)}")
    for warning in warnings(report, regressions):
        click.echo(f"Note: {warning}")
    for line in () if regressions is None else regressions.lines():
        click.echo(line)


def _row(found: Measurement) -> tuple[str, ...]:
    assert found.latency is not None
    times, memory, model = found.latency.summary, found.memory, found.size
    return (
        found.variant.name,
        milliseconds_with_interval(times.median),
        milliseconds(times.p90),
        milliseconds(times.p99),
        f"{times.median.n:,}",
        optional_size(None if memory is None else memory.peak_bytes),
        optional_size(None if model is None else model.model_bytes),
        "unstable" if found.unstable else "",
    )
