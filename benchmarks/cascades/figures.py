"""One model for all bones beside a router and a model for each: answers by bone, size, training time and speed.

python -m osteo_edge.benchmarks.cascades.figures SHARED SEPARATE DATA --split split.csv
"""

import tempfile
from pathlib import Path

import click

from osteo_edge.benchmarks.cascades.folders import STAGES, read_cascades
from osteo_edge.benchmarks.cascades.measurement import (
    PUBLISHED_MODEL_MB,
    PUBLISHED_MODELS,
    SHARED,
    CascadeAnswers,
    CascadeFigures,
    measure_cascades,
)
from osteo_edge.benchmarks.compression.measurement import MEGABYTE, choose_sample
from osteo_edge.benchmarks.measuring.command import finish
from osteo_edge.console import progress, show_table
from osteo_edge.dataset import read_dataset
from osteo_edge.hashing import sha256_file
from osteo_edge.split import PARTS, read_split
from osteo_edge.standalone import Standalone

BUNDLE = click.Path(path_type=Path)


@click.command(cls=Standalone, short_help="A shared cascade beside separate models.")
@click.argument("shared", type=BUNDLE)
@click.argument("separate", type=BUNDLE)
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--split", "split_file", type=click.Path(path_type=Path), required=True, help="The split they were trained with."
)
@click.option("--single", type=BUNDLE, help="A bundle of one question on the same network, for the latency's bound.")
@click.option("--part", type=click.Choice(PARTS), default="test", show_default=True)
@click.option(
    "--runs", type=click.IntRange(3, 100_000), default=200, show_default=True, help="Timed answers of each way."
)
@click.option("--json", "as_json", is_flag=True, help="The result for machines, with every value measured.")
@click.pass_context
def cascade_figures(
    ctx: click.Context,
    shared: Path,
    separate: Path,
    data: Path,
    split_file: Path,
    single: Path | None,
    part: str,
    runs: int,
    as_json: bool,
) -> None:
    """Compare the bundle of --recipe cascade-shared with the folder of bundles of --recipe cascade-separate.

    Both answer for the same studies. SEPARATE holds a folder `router` and one for each bone; if its models were
    converted, under the same names. Keras bundles are asked and timed as float32 TFLite; sizes are of the files as
    given, MB are 10^6 bytes. Training times are those that the bundles recorded. Answers are timed from the prepared
    image to the routed answer, on one thread, in turns; a ratio is that of the medians of CPU time.

    The exit code is 1 if a bound is missed. What cannot be measured is held to nothing: the size of a model that is
    not int8, the latency without --single, a training time that was not recorded, answers of different networks.

    \b
    Example:
      python -m osteo_edge.benchmarks.cascades.figures limbs-int8 limbs-separate-int8 mura.csv \\
        --split mura-split.csv --single elbow-int8
    """
    cascades = read_cascades(shared, separate, single)
    labels = cascades.shared.manifest.labels
    sample = choose_sample(read_dataset(data, labels=labels), read_split(split_file), part, labels)
    with progress("measure") as advance, tempfile.TemporaryDirectory() as folder:
        result = measure_cascades(
            cascades, sample, sha256_file(split_file), Path(folder), runs=runs, on_progress=advance
        )
    if not result.on_trained_split:
        click.echo("Warning: not the split file that the shared model was trained with.", err=True)
    if not as_json:
        _show(result)
    finish(ctx, result, as_json=as_json)


def _show(result: CascadeFigures) -> None:
    for line in result.skipped:
        click.echo(f"skipped {line}", err=True)
    for name, answers in result.answers.items():
        _show_answers(f"{name}: {result.studies} studies of the {result.part} part", answers)
    rows = [
        (way, str(found.after), str(found.before), str(found.difference)) for way, found in result.mean_auroc.items()
    ]
    columns = ("Bone", "Shared", "Separate", "Difference, paired")
    show_table("Mean AUROC over the bones", columns, rows)
    _show_models(result)
    times = [(name, f"{result.median_ms(name):.2f}") for name in result.runs]
    show_table("From the prepared image to the answer, one thread", ("Way", "Median CPU ms"), times)
    if result.latency is not None:
        click.echo(f"The shared cascade takes {result.latency} times as long as a single model.")


def _show_answers(title: str, answers: CascadeAnswers) -> None:
    for part, (columns, rows) in zip((title, "The same, continued"), answers.table.halves(), strict=True):
        show_table(part, columns, rows)
    click.echo(str(answers.routing))


def _show_models(result: CascadeFigures) -> None:
    columns = ("Model", "MB", *(f"{stage}, s" for stage in STAGES), "Training, s")
    rows = [(name, _megabytes(size), *_seconds(result, name)) for name, size in result.model_bytes.items()]
    total = result.training_s
    cells = [""] * len(STAGES)
    separate = "" if total is None else f"{sum(total.values()) - total[SHARED]:.1f}"
    rows.append(("all separate", _megabytes(result.separate_bytes), *cells, separate))
    published = f"{PUBLISHED_MODELS * PUBLISHED_MODEL_MB:.2f}"
    rows.append((f"published by others: {PUBLISHED_MODELS} x {PUBLISHED_MODEL_MB} MB", published, *cells, ""))
    show_table(f"Files and training: {result.network}, separate {result.separate_network}", columns, rows)
    beside = result.separate_bytes / result.model_bytes[SHARED]
    click.echo(
        f"The shared model is {beside:.1f} times smaller than the separate ones, "
        f"{result.times_smaller_than_published:.1f} times smaller than the published ones."
    )


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:.2f}"


def _seconds(result: CascadeFigures, name: str) -> list[str]:
    stages = result.seconds[name]
    if stages is None:
        return [*[""] * len(STAGES), "not recorded"]
    return [*(f"{stages[stage]:.1f}" for stage in STAGES), f"{sum(stages.values()):.1f}"]


if __name__ == "__main__":
    cascade_figures()
