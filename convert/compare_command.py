"""`osteo-edge compare`: the command; the work is in `comparing`."""

from collections.abc import Sequence
from pathlib import Path

import click

from osteo_edge.bundle import read_bundle
from osteo_edge.console import progress, show_json
from osteo_edge.convert.comparing import check_comparable, compare_bundles
from osteo_edge.convert.comparison_tables import show_comparison
from osteo_edge.dataset import read_dataset
from osteo_edge.hashing import sha256_file
from osteo_edge.split import PARTS, changed_line, read_split


@click.command(short_help="Compare compressed bundles with the float one.")
@click.argument("float_bundle", type=click.Path(path_type=Path))
@click.argument("bundles", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="BUNDLE...")
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--split", "split_file", type=click.Path(path_type=Path), required=True, help="The split it was trained with."
)
@click.option("--part", type=click.Choice(PARTS), default="test", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The result for machines, with every layer.")
def compare(
    float_bundle: Path, bundles: Sequence[Path], data: Path, split_file: Path, part: str, as_json: bool
) -> None:
    """Compare TFLite bundles with the float32 one that they stand in for, on the same images of one part of a split.

    Tells how far probabilities and decisions differ, what that does to the AUROC and the calibration (paired, with 95 %
    intervals over groups), whether the activation maps still show the same places, which layers lose most, how large
    the files are, and which operators stayed in floating point or were not taken by XNNPACK.

    \b
    Example:
      osteo-edge compare knee-float32 knee-int8 knees.csv --split split.csv
    """
    reference, loaded = read_bundle(float_bundle), [read_bundle(bundle) for bundle in bundles]
    check_comparable(reference, loaded)
    split = read_split(split_file)
    dataset = read_dataset(data, labels=reference.manifest.labels)
    with progress("compare") as advance:
        comparison = compare_bundles(reference, loaded, dataset, split, part, on_progress=advance)
    same_split = sha256_file(split_file) == reference.manifest.data.split_sha256
    if as_json:
        show_json({"split_is_the_trained_one": same_split, **comparison.to_dict()})
    if comparison.changed_since_the_split:
        images = sum(comparison.counts.values())
        click.echo(f"Warning: {changed_line(comparison.changed_since_the_split, images)}.", err=True)
    if not as_json:
        if not same_split:
            click.echo("Warning: not the split file that the float bundle was trained with.", err=True)
        show_comparison(comparison)
