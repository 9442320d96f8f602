"""What compressed models cost and what compression changed: size, fidelity and speed of each, beside its bounds.

python -m osteo_edge.benchmarks.compression.figures DATA --split split.csv --mobilenet FLOAT INT8 ...
"""

from pathlib import Path

import click

from osteo_edge.benchmarks.compression.measurement import (
    CompressionFigures,
    Figures,
    choose_sample,
    measure_compression,
)
from osteo_edge.benchmarks.compression.models import Named, Pair, find_compressed
from osteo_edge.benchmarks.measuring.command import finish
from osteo_edge.console import progress, show_table
from osteo_edge.dataset import read_dataset
from osteo_edge.hashing import sha256_file
from osteo_edge.metrics import Estimate
from osteo_edge.split import PARTS, read_split
from osteo_edge.standalone import Standalone

BUNDLE = click.Path(path_type=Path)
PAIR = "FLOAT INT8"


@click.command(cls=Standalone, short_help="Size, fidelity and speed of compressed models, beside their bounds.")
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--split", "split_file", type=click.Path(path_type=Path), required=True, help="The split they were trained with."
)
@click.option("--mobilenet", nargs=2, type=BUNDLE, metavar=PAIR, help="MobileNetV2 1.0, converted to both.")
@click.option("--pruned", type=BUNDLE, metavar="INT8", help="The same with half of its channels (osteo-edge prune).")
@click.option("--small", nargs=2, type=BUNDLE, metavar=PAIR, help="MobileNetV2 0.35.")
@click.option("--efficientnet", nargs=2, type=BUNDLE, metavar=PAIR, help="EfficientNet-B0.")
@click.option(
    "--sparse", type=BUNDLE, multiple=True, metavar="INT8", help="One of these with 80 % of zeros (--method magnitude)."
)
@click.option(
    "--other",
    "others",
    type=BUNDLE,
    multiple=True,
    metavar="BUNDLE",
    help="One of these, compressed in any other way: measured, and held to nothing.",
)
@click.option("--part", type=click.Choice(PARTS), default="test", show_default=True)
@click.option(
    "--runs", type=click.IntRange(3, 100_000), default=200, show_default=True, help="Inferences of each bundle."
)
@click.option("--json", "as_json", is_flag=True, help="The result for machines, with every value measured.")
@click.pass_context
def compression_figures(
    ctx: click.Context,
    data: Path,
    split_file: Path,
    mobilenet: Pair | None,
    pruned: Path | None,
    small: Pair | None,
    efficientnet: Pair | None,
    sparse: tuple[Path, ...],
    others: tuple[Path, ...],
    part: str,
    runs: int,
    as_json: bool,
) -> None:
    """Measure what compressed models cost, and how they answer beside the float32 model of their network.

    Name the bundles that there are. The others need --mobilenet, or the pair of their own network: a pruned or sparse
    model is compared with the float32 model of the network before it was pruned. Sizes are of the model files, MB are
    10^6 bytes. All bundles run on one thread, in turns, on the same image; a ratio is that of the medians of CPU time.

    The exit code is 1 if a bound is missed.

    \b
    Example:
      python -m osteo_edge.benchmarks.compression.figures films --split split.csv \\
        --mobilenet knee-float32 knee-int8 --pruned knee-half-int8 --other knee-float16
    """
    compressed = find_compressed(Named(mobilenet, pruned, small, efficientnet, sparse, others))
    if not compressed:
        raise click.UsageError("name bundles to measure, --mobilenet FLOAT INT8 for instance")
    labels = compressed[0].reference.manifest.labels
    sample = choose_sample(read_dataset(data, labels=labels), read_split(split_file), part, labels)
    with progress("measure") as advance:
        result = measure_compression(compressed, sample, sha256_file(split_file), runs=runs, on_progress=advance)
    if not result.on_trained_split:
        click.echo("Warning: not the split file that all of them were trained with.", err=True)
    if not as_json:
        _show(result)
    finish(ctx, result, as_json=as_json)


def _show(result: CompressionFigures) -> None:
    for line in result.skipped:
        click.echo(f"skipped {line}", err=True)
    columns = ("Model", "Bundle", "Bytes", "Bytes, gzip", "Of the dense", "Median ms", "Times as fast as")
    show_table(
        "Size, and CPU time of one inference on one thread",
        columns,
        [_cost_row(figures, result) for figures in result.figures],
    )
    counts = ", ".join(f"{number} {label}" for label, number in result.counts.items())
    questions = (f"AUROC {question}" for question in result.figures[0].agreement.aurocs)
    changes = ("Model", "Decisions agree", *questions, "Calibration error", "Mean difference")
    title = f"Changes beside the float32 model, 95 % intervals; {result.part} part: {counts}"
    show_table(title, changes, [_change_row(figures) for figures in result.figures])


def _cost_row(figures: Figures, result: CompressionFigures) -> tuple[str, ...]:
    return (
        figures.title,
        Path(figures.bundle).name,
        f"{figures.model_bytes:,}",
        f"{figures.gzip_bytes:,}",
        "" if figures.packed is None else f"{figures.packed:.3f}",
        f"{result.median(figures.bundle, 'cpu_ms'):.2f}",
        f"{_spread(figures.speed)} {Path(figures.rival).name} ({result.median(figures.rival, 'cpu_ms'):.2f} ms)",
    )


def _change_row(figures: Figures) -> tuple[str, ...]:
    agreement = figures.agreement
    changes = (*agreement.aurocs.values(), agreement.calibration_error)
    return (
        figures.title,
        _spread(agreement.decisions),
        *(_spread(change.difference, "+") for change in changes),
        f"{agreement.mean_difference:.4f}",
    )


def _spread(estimate: Estimate, sign: str = "") -> str:
    return f"{estimate.value:{sign}.3f} [{estimate.low:{sign}.3f}, {estimate.high:{sign}.3f}]"


if __name__ == "__main__":
    compression_figures()
