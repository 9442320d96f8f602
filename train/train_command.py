"""`osteo-edge train`: the command; the work is in `training`."""

import logging
from pathlib import Path
from typing import Any

import click

from osteo_edge.bundle import require_free
from osteo_edge.console import progress, show_json, show_table
from osteo_edge.dataset import Dataset, read_dataset
from osteo_edge.evaluation import to_dict
from osteo_edge.split import EXCLUDED, Split, read_split
from osteo_edge.train.audit import audit
from osteo_edge.train.config import ALPHAS, KNEE_LABELS, TrainConfig
from osteo_edge.train.splitting import make_split
from osteo_edge.train.training import Job, Trained, train_bundle

log = logging.getLogger(__name__)


@click.command(short_help="Train a classifier on labelled X-rays.")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The bundle to write; must not exist.")
@click.option(
    "--split", "split_file", type=click.Path(path_type=Path), help="A split file [default: audit and split now]."
)
@click.option("--backbone", type=click.Choice(["mobilenet_v2"]), default="mobilenet_v2", show_default=True)
@click.option(
    "--alpha", type=click.Choice([str(alpha) for alpha in ALPHAS]), default="1.0", show_default=True, help="Width."
)
@click.option(
    "--weights", default="imagenet", show_default=True, help="imagenet (downloaded), none, or a local .h5 without top."
)
@click.option(
    "--labels", default=",".join(KNEE_LABELS), show_default=True, help="In output order, the reference first."
)
@click.option("--epochs", type=click.IntRange(0, 10_000), default=20, show_default=True, help="At most; stops early.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--name", help="What the bundle calls itself [default: the name of --out].")
@click.option("--label-source", help="What decided the labels: DXA, QUS, radiologist, ... [default: as the data says].")
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
def train(
    data: Path,
    out: Path,
    split_file: Path | None,
    backbone: str,
    alpha: str,
    weights: str,
    labels: str,
    epochs: int,
    seed: int,
    name: str | None,
    label_source: str | None,
    as_json: bool,
) -> None:
    """Train a classifier on labelled X-rays and write a Keras bundle.

    DATA is a folder of class folders, or a CSV with path,label and optional patient, age, sex, weight. The head is
    fitted on features of the frozen backbone first, then the whole network is fine-tuned; with --weights none it is
    trained from scratch at once. Temperature and threshold are chosen on the validation part; the test part is
    measured once, at the end. Ctrl-C keeps the best so far.

    \b
    Example:
      osteo-edge data split knees.csv --out split.csv
      osteo-edge train knees.csv --split split.csv --out knee --alpha 0.35 --epochs 20
    """
    config = TrainConfig(labels=_parse_labels(labels), alpha=float(alpha), weights=weights, epochs=epochs, seed=seed)
    require_free(out)
    dataset = read_dataset(data, labels=config.labels)
    log.debug("%s: %d images", data, len(dataset.cases))
    split = _make_split(dataset, seed) if split_file is None else read_split(split_file)
    job = Job(dataset, split, config, name or out.name, label_source or dataset.label_source or "not stated")
    with progress("train") as advance:
        trained = train_bundle(job, out, on_progress=advance)
    if as_json:
        show_json(_summary(trained))
    else:
        _show(trained)


def _parse_labels(text: str) -> tuple[str, ...]:
    labels = tuple(label.strip() for label in text.split(",") if label.strip())
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise click.BadParameter("give at least two different labels, with commas between them", param_hint="--labels")
    return labels


def _make_split(dataset: Dataset, seed: int) -> Split:
    with progress("audit") as advance:
        found = audit(dataset, on_progress=advance, confounders=False)
    split = make_split(found, dataset, seed=seed)
    excluded = sum(row.part == EXCLUDED for row in split.rows)
    for file in found.unreadable:
        click.echo(f"skipped {file.name}: {file.reason}", err=True)
    if excluded:
        click.echo(
            f"Left out {excluded} of {len(split.rows)} images, {len(found.unreadable)} of them unreadable; "
            "osteo-edge data split says why for each.",
            err=True,
        )
    return split


def _summary(trained: Trained) -> dict[str, Any]:
    parts = {part: to_dict(evaluated) for part, evaluated in trained.evaluations.items()}
    return {
        "bundle": str(trained.bundle.path),
        "best_epoch": trained.fit.best_epoch,
        "interrupted": trained.fit.interrupted,
        "skipped": list(trained.skipped),
        **parts,
    }


def _show(trained: Trained) -> None:
    manifest = trained.bundle.manifest
    if trained.fit.interrupted:
        click.echo("Interrupted: kept the best so far.")
    for line in trained.skipped:
        click.echo(f"skipped {line}", err=True)
    if trained.skipped:
        click.echo(f"{len(trained.skipped)} unreadable images were skipped.")
    epochs = len(trained.fit.validation_losses)
    click.echo(
        f"Best of {epochs} validation losses: epoch {trained.fit.best_epoch}, {min(trained.fit.validation_losses):.3f}"
    )
    rows = [
        (name, *(str(evaluated.estimates[name]) for evaluated in trained.evaluations.values()))
        for name in trained.evaluations["test"].estimates
    ]
    show_table("Measured, with 95 % intervals", ("Metric", *trained.evaluations), rows)
    decision = manifest.decision
    click.echo(
        f"Threshold {decision.threshold:.3f}, chosen on {decision.chosen_on}; "
        f"temperature {manifest.calibration.temperature:.3f}."
    )
    path = trained.bundle.path
    click.echo(f"Written: {path}\nNext: osteo-edge convert {path} --precision int8 --out {path}-int8")
