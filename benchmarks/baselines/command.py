"""`osteo-edge bench baseline`: record what the float model does on the accelerator of this machine."""

from pathlib import Path
from statistics import median

import click

from osteo_edge.benchmarks.baselines.answers import choose_images, prepare_images
from osteo_edge.benchmarks.baselines.file import Baseline, FloatPrecision, write_baseline
from osteo_edge.benchmarks.baselines.frameworks import FRAMEWORKS
from osteo_edge.benchmarks.baselines.measurement import (
    PRECISIONS,
    Plan,
    Subject,
    choose_framework,
    from_bundle,
    from_name,
    record_baseline,
)
from osteo_edge.benchmarks.baselines.networks import NETWORKS
from osteo_edge.benchmarks.measuring.command import check_file
from osteo_edge.bundle import read_bundle
from osteo_edge.console import progress, show_table
from osteo_edge.errors import OsteoEdgeError

RUNS, SECONDS, PROCESSES = 1024, 60.0, 5
QUICK_RUNS, QUICK_SECONDS, QUICK_PROCESSES = 128, 5.0, 1
MAX_BATCH = 4096
MIB = 1 << 20


@click.command(short_help="Record the float model on a GPU, to set edge figures beside.")
@click.argument("bundles", metavar="[BUNDLE]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--network", "networks", help=f"Measure these with random weights, comma-separated: {', '.join(NETWORKS)}."
)
@click.option("--batch", "batches", default="1,32,256", show_default=True, help="Batch sizes, comma-separated.")
@click.option(
    "--precision", "precisions", default=",".join(PRECISIONS), show_default=True, help="Number types, comma-separated."
)
@click.option(
    "--framework",
    type=click.Choice(["auto", *FRAMEWORKS]),
    default="auto",
    show_default=True,
    help="What Keras stands on; auto takes the first that sees an accelerator.",
)
@click.option("--data", type=click.Path(path_type=Path), help="Images to record answers for: a folder or a CSV file.")
@click.option("--split", "split_file", type=click.Path(path_type=Path), help="Only the test part of --data.")
@click.option(
    "--quick",
    is_flag=True,
    help=f"{QUICK_RUNS} runs and {QUICK_SECONDS:.0f} s each instead of {RUNS} and {SECONDS:.0f}.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="For the order of processes.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write; must not exist.")
def baseline(
    bundles: tuple[Path, ...],
    networks: str | None,
    batches: str,
    precisions: str,
    framework: str,
    data: Path | None,
    split_file: Path | None,
    quick: bool,
    seed: int,
    out: Path,
) -> None:
    """Measure the float models of Keras bundles on the accelerator of this machine, and record it as a baseline.

    Each number type and batch size is timed in fresh processes that take turns, the device synchronized at each run,
    compilation and warm-up apart. Runs by Keras 3 on TensorFlow, JAX or PyTorch, whichever is installed. Without an
    accelerator the CPU is measured, and the file says so.

    \b
    Example:
      osteo-edge bench baseline knee --data knees.csv --split split.csv --out gpu.json
      osteo-edge bench baseline --network mobilenet_v2,efficientnet_b0 --out gpu.json
      osteo-edge bench knee-int8 --baseline gpu.json --data knees.csv --split split.csv
    """
    _check(bundles, networks, data, split_file, out)
    runs, seconds, processes = (QUICK_RUNS, QUICK_SECONDS, QUICK_PROCESSES) if quick else (RUNS, SECONDS, PROCESSES)
    chosen, sizes = _precisions(precisions), _batches(batches)
    subjects = [_subject(bundle, data, split_file) for bundle in bundles]
    subjects += [from_name(name.strip()) for name in (networks or "").split(",") if name.strip()]
    plan = Plan(choose_framework(framework), chosen, sizes, runs, seconds, processes, seed)
    with progress("baseline") as advance:
        recorded = record_baseline(subjects, plan, on_progress=advance)
    _show(recorded)
    write_baseline(recorded, out)
    click.echo(f"Written to {out}.")


def _check(
    bundles: tuple[Path, ...], networks: str | None, data: Path | None, split_file: Path | None, out: Path
) -> None:
    if not bundles and not networks:
        raise click.UsageError("Name a Keras bundle, or a network with --network.")
    if data is not None and not bundles:
        raise click.BadParameter("random weights have no answers worth recording; name a bundle", param_hint="--data")
    if split_file is not None and data is None:
        raise click.BadParameter("needs --data, whose images it divides", param_hint="--split")
    if out.exists():
        raise OsteoEdgeError(f"{out}: exists already; choose another --out or remove it first")
    check_file(out, "the baseline")


def _batches(text: str) -> tuple[int, ...]:
    words = text.split(",")
    if not all(word.strip().isdecimal() and 1 <= int(word) <= MAX_BATCH for word in words):
        raise click.BadParameter(f"give whole numbers from 1 to {MAX_BATCH}, such as 1,32,256", param_hint="--batch")
    return tuple(sorted({int(word) for word in words}))


def _precisions(text: str) -> tuple[FloatPrecision, ...]:
    words = [word.strip() for word in text.split(",")]
    unknown = [word for word in words if word not in PRECISIONS]
    if unknown:
        raise click.BadParameter(f"{unknown[0]!r}: choose from {', '.join(PRECISIONS)}", param_hint="--precision")
    return tuple(precision for precision in PRECISIONS if precision in words)


def _subject(path: Path, data: Path | None, split_file: Path | None) -> Subject:
    bundle = read_bundle(path)
    subject = from_bundle(bundle)
    if data is None:
        return subject
    cases = choose_images(data, split_file, bundle.manifest)
    return from_bundle(bundle, prepare_images(cases, bundle.manifest.input))


def _show(recorded: Baseline) -> None:
    for network in recorded.networks:
        rows = [
            (
                row.precision,
                str(row.batch),
                f"{row.latency.summary.median.value:.3f}",
                f"{row.latency.summary.p99:.3f}",
                f"{row.images_per_second:,.0f}",
                f"{median(row.compile_ms):,.0f}",
                f"{row.memory_bytes / MIB:,.0f}",
            )
            for row in network.rows
        ]
        columns = ("Precision", "Batch", "Median ms", "p99 ms", "Images a second", "First run ms", "Memory MiB")
        weights = ", random weights" if network.has_random_weights else ""
        show_table(f"{network.architecture}{weights}, on {recorded.device}", columns, rows)
    for missing in recorded.missing:
        click.echo(f"{missing.of}, {missing.what}: {missing.reason}", err=True)
    if not recorded.device.is_accelerator:
        click.echo("No accelerator was found: this is a baseline of the CPU, and says nothing of a GPU.", err=True)
