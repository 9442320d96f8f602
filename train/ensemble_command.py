"""`osteo-edge ensemble`: the command; the work is in `ensemble_bundle`."""

from pathlib import Path

import click

from osteo_edge.bundle import read_bundle
from osteo_edge.console import progress, show_json, show_table
from osteo_edge.dataset import read_dataset
from osteo_edge.evaluation import to_dict
from osteo_edge.split import read_split
from osteo_edge.train.ensemble_bundle import Ensemble, check_members, join_bundles
from osteo_edge.train.keras_bundle import check_split


@click.command(short_help="Join several trained bundles into one.")
@click.argument("bundles", metavar="BUNDLE BUNDLE...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--data", type=click.Path(path_type=Path), required=True, help="The data set that the members were trained on."
)
@click.option(
    "--split", "split_file", type=click.Path(path_type=Path), required=True, help="The split they were trained with."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The bundle to write; must not exist.")
@click.option("--name", help="What the bundle calls itself [default: the name of --out].")
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
def ensemble(
    bundles: tuple[Path, ...], data: Path, split_file: Path, out: Path, name: str | None, as_json: bool
) -> None:
    """Join several Keras bundles into one whose answer is the mean of their calibrated probabilities.

    The members must have the same labels, side, filters and split. They become one graph, which is converted and run
    like any other bundle and costs what its members cost together. Temperature and threshold are chosen again on the
    validation part; the test part is measured once.

    \b
    Example:
      osteo-edge ensemble knee-a knee-b --data knees.csv --split split.csv --out knee-both
    """
    if len(bundles) < 2:
        raise click.BadParameter("name at least two bundles", param_hint="BUNDLE")
    members = [read_bundle(bundle) for bundle in bundles]
    check_members(members)
    check_split(members[0], split_file)
    dataset = read_dataset(data, labels=members[0].manifest.labels)
    with progress("join") as advance:
        made = join_bundles(members, dataset, read_split(split_file), out, name=name or out.name, on_progress=advance)
    if as_json:
        parts = {part: to_dict(evaluated) for part, evaluated in made.evaluations.items()}
        show_json({"bundle": str(made.bundle.path), "skipped": list(made.skipped), **parts})
    else:
        _show(made)


def _show(made: Ensemble) -> None:
    for line in made.skipped:
        click.echo(f"skipped {line}", err=True)
    rows = [
        (name, *(str(evaluated.estimates[name]) for evaluated in made.evaluations.values()))
        for name in made.evaluations["test"].estimates
    ]
    show_table("Measured, with 95 % intervals", ("Metric", *made.evaluations), rows)
    path, decision = made.bundle.path, made.bundle.manifest.decision
    click.echo(f"Threshold {decision.threshold:.3f}, chosen on {decision.chosen_on}.")
    click.echo(f"Written: {path}\nNext: osteo-edge convert {path} --precision int8 --out {path}-int8")
