"""`osteo-edge train`: the command; the work is in `training`."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from osteo_edge.abstaining import band_words
from osteo_edge.bundle import require_free
from osteo_edge.console import progress, show_json, show_table
from osteo_edge.dataset import Dataset, read_dataset
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.evaluation import to_dict
from osteo_edge.manifest import Manifest
from osteo_edge.split import EXCLUDED, Split, read_split
from osteo_edge.train.audit import audit
from osteo_edge.train.config_file import choose_config
from osteo_edge.train.distribution import StrategyName
from osteo_edge.train.heads import with_heads
from osteo_edge.train.option_groups import GroupedCommand, grouped, option
from osteo_edge.train.recipes.presets import CASCADES, DEFAULT_RECIPE, PRESETS, SEPARATE
from osteo_edge.train.recipes.table import RECIPES
from osteo_edge.train.separate import train_separately
from osteo_edge.train.separate_report import parts_to_dict, show_parts
from osteo_edge.train.splitting import make_split
from osteo_edge.train.train_options import (
    FIND,
    fit_options,
    given_settings,
    machine_options,
    network_options,
    optimization_options,
    recipes_help,
)
from osteo_edge.train.training import Job, Trained, fit_job, write_trained
from osteo_edge.train.training_copy import computes_in_float16

log = logging.getLogger(__name__)


@click.command(cls=GroupedCommand, short_help="Train a classifier on labelled X-rays.")
@click.argument("data", type=click.Path(path_type=Path))
@grouped(
    "Recipe and data",
    option("--recipe", default=DEFAULT_RECIPE, show_default=True, metavar="NAME", help=recipes_help()),
    option("--config", "config_file", type=click.Path(path_type=Path), help="A TOML file with settings, see above."),
    option("--split", "split_file", type=click.Path(path_type=Path), help="[default: audit and split now]"),
    option("--labels", help="In output order, the reference first.  [default: normal,osteopenia,osteoporosis]"),
    option("--heads", help="Of a cascade: the bones that it answers for, with commas.  [default: all in the data]"),
    option("--label-source", help="What decided the labels: DXA, QUS, radiologist, ...  [default: as the data says]"),
)
@network_options
@fit_options
@optimization_options
@machine_options
@grouped(
    "Output",
    option("--out", type=click.Path(path_type=Path), required=True, help="The bundle to write; must not exist."),
    option("--name", help="What the bundle calls itself.  [default: the name of --out]"),
    option("--json", "as_json", is_flag=True, help="The result for machines."),
)
def train(
    data: Path,
    out: Path,
    recipe: str,
    config_file: Path | None,
    split_file: Path | None,
    labels: str | None,
    heads: str | None,
    name: str | None,
    label_source: str | None,
    strategy: StrategyName,
    resume: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train a classifier on labelled X-rays and write a Keras bundle.

    DATA is a folder of class folders, or a CSV with path,label and optional patient, age, sex, weight, bone. The head
    is fitted on features of the frozen backbone first; with a recipe that says so, such as fine-tuned, the network is
    fine-tuned then, or trained from scratch at once with --weights none. Temperature and threshold are chosen on the
    validation part; the test part is measured once, at the end. Ctrl-C keeps the best so far; a run that was killed
    goes on where it was when the same command is given again.

    A cascade tells bones apart and answers for each: cascade-shared is one network and one bundle, cascade-separate a
    folder of bundles, one network each, to compare it with.

    Settings come from the recipe, then from the TOML file, then from the options: the later one counts. The file's
    keys are the options' names with underscores, but side_px for --side and filters for --filter, for instance
    `learning_rate = 1e-4` or `filters = ["clahe:2"]`; and dropout, target_sensitivity and so on as the bundle
    records them.

    \b
    Example:
      osteo-edge data split knees.csv --out split.csv
      osteo-edge train knees.csv --split split.csv --out knee
      osteo-edge train knees.csv --split split.csv --out small --recipe fine-tuned --alpha 0.35
      osteo-edge train knees.csv --split split.csv --out last20 --recipe last-20 --mixup 0.2
      osteo-edge train mura.csv --split mura-split.csv --out bones --recipe cascade-shared
    """
    _check_recipe(recipe)
    _check_heads(recipe, heads, labels)
    if labels is not None:
        settings["labels"] = _parse_labels(labels)
    config = choose_config(recipe, config_file, given_settings(settings))
    require_free(out)
    if recipe in CASCADES:
        config = with_heads(config, read_dataset(data), [] if heads is None else _parse_names(heads))
    dataset = read_dataset(data, labels=config.labels)
    log.debug("%s: %d images", data, len(dataset.cases))
    if dataset.left_out:
        click.echo(dataset.left_out_line, err=True)
    split = _make_split(dataset, config.seed) if split_file is None else read_split(split_file)
    job = Job(
        dataset,
        split,
        config,
        name or out.name,
        label_source or dataset.label_source or "not stated",
        recipe=recipe,
        find_rate=settings["learning_rate"] == FIND,
        strategy=strategy,
        resume=resume,
    )
    if recipe == SEPARATE:
        _train_separately(job, out, as_json=as_json)
    else:
        _train(job, out, as_json=as_json)


def _train_separately(job: Job, out: Path, *, as_json: bool) -> None:
    with progress("train") as advance:
        parts = list(train_separately(job, out, on_progress=advance))
    if as_json:
        show_json(parts_to_dict(parts, out))
    else:
        show_parts(parts, out)


def _train(job: Job, out: Path, *, as_json: bool) -> None:
    with progress("train") as advance:
        fitted = fit_job(job, out, on_progress=advance)
    if fitted.fit.resumed_after is not None:
        click.echo(f"Went on after epoch {fitted.fit.resumed_after} of the run before.", err=True)
    if not fitted.is_chief:
        click.echo("Fitted; the first worker writes the bundle.", err=as_json)
        return
    if job.config.mixed_precision and not computes_in_float16(job.config):
        click.echo("No GPU here: computed in float32, not in mixed precision.", err=True)
    trained = write_trained(job, fitted, out)
    if as_json:
        show_json(_summary(trained))
    else:
        _show(trained)


def _check_recipe(recipe: str) -> None:
    """A recipe that is no single network cannot become a bundle here."""
    if recipe in PRESETS:
        return
    if recipe in RECIPES and not RECIPES[recipe].on_device:
        raise OsteoEdgeError(
            f"recipe {recipe}: cannot run on a device, so it becomes no bundle; compare it with the others by "
            f"osteo-edge cv --recipe {recipe}"
        )
    if recipe in RECIPES:
        raise OsteoEdgeError(
            f"recipe {recipe}: is made of bundles that are trained already; train two of other recipes, and join them "
            "by osteo-edge ensemble"
        )
    raise click.BadParameter(f"no recipe is called {recipe!r}; there are {', '.join(PRESETS)}", param_hint="--recipe")


def _check_heads(recipe: str, heads: str | None, labels: str | None) -> None:
    if recipe in CASCADES and labels is not None:
        raise click.BadParameter(f"{recipe} takes the labels of each bone from the data", param_hint="--labels")
    if recipe not in CASCADES and heads is not None:
        raise click.BadParameter(f"only {' and '.join(CASCADES)} have heads, not {recipe}", param_hint="--heads")


def _parse_names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _parse_labels(text: str) -> tuple[str, ...]:
    labels = tuple(_parse_names(text))
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
    for line in _operating_points(manifest):
        click.echo(line)
    path = trained.bundle.path
    click.echo(f"Written: {path}\nNext: osteo-edge convert {path} --precision int8 --out {path}-int8")


def _operating_points(manifest: Manifest) -> Iterator[str]:
    """The threshold, or that of each bone's head, and the temperature."""
    temperature = f"temperature {manifest.calibration.temperature:.3f}"
    if manifest.router is None:
        yield f"Threshold {manifest.decision.threshold:.3f}, chosen on {manifest.decision.chosen_on}; {temperature}."
        yield band_words(manifest)
        return
    by_bone = ", ".join(f"{head.bone} {head.decision.threshold:.3f}" for head in manifest.router.heads)
    yield f"Thresholds, chosen on {manifest.router.chosen_on}: {by_bone}; {temperature}."
    yield band_words(manifest)
    yield f"Below a probability of {manifest.router.min_confidence:.3f} for its bone a film gets no answer."
