"""`osteo-edge cv`: the command; the work is in `study`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from osteo_edge.console import progress, show_json
from osteo_edge.dataset import read_dataset
from osteo_edge.finite_range import FiniteRange
from osteo_edge.train.comparison import Comparison
from osteo_edge.train.comparison_json import to_bytes, to_dict
from osteo_edge.train.comparison_tables import show_comparison
from osteo_edge.train.config import ALPHAS, TrainConfig
from osteo_edge.train.config_file import read_config
from osteo_edge.train.cross_validation import resumable
from osteo_edge.train.recipes.table import RECIPES, make_recipe
from osteo_edge.train.study import Named, Study, run_study
from osteo_edge.writing import write_whole

JSON_FILE = "cv.json"
REPORT_FILE = "report.html"


def _different(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _labels(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    labels = tuple(label.strip() for label in (text or "").split(",") if label.strip())
    if text is not None and (len(labels) < 2 or len(set(labels)) < len(labels)):
        raise click.BadParameter("give at least two different labels, with commas between them")
    return labels or None


@click.command(short_help="Cross-validate recipes, beside honest baselines.")
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--recipe",
    "names",
    type=click.Choice(list(RECIPES)),
    metavar="NAME",
    multiple=True,
    required=True,
    callback=_different,
    help=f"Again for more. One of {', '.join(RECIPES)}.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder; what it has is gone on with.")
@click.option("--folds", type=click.IntRange(2, 50), default=5, show_default=True)
@click.option("--repeats", type=click.IntRange(1, 1000), default=1, show_default=True, help="Other folds each time.")
@click.option("--reference", help="The recipe that the others are compared with.  [default: the first]")
@click.option("--prevalence", type=FiniteRange(0, 1, min_open=True, max_open=True), help="For PPV and NPV.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="A TOML file, as for train.")
@click.option("--weights", help="imagenet, none, a local .h5 without top, or name=PATH,...  [default: imagenet]")
@click.option(
    "--alpha", type=click.Choice([str(alpha) for alpha in ALPHAS]), help="Width of MobileNetV2.  [default: 1.0]"
)
@click.option("--epochs", type=click.IntRange(0, 10_000), help="At most, for recipes that have any.  [default: 20]")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Another seed gives other folds.  [default: 0]")
@click.option(
    "--labels",
    callback=_labels,
    help="In output order, the reference first.  [default: normal,osteopenia,osteoporosis]",
)
@click.option("--label-source", help="What decided the labels: DXA, QUS, ...  [default: as the data says]")
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
def cv(
    data: Path,
    names: tuple[str, ...],
    out: Path,
    folds: int,
    repeats: int,
    reference: str | None,
    prevalence: float | None,
    config_file: Path | None,
    label_source: str | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Compare recipes on DATA by repeated, stratified cross-validation in which no patient is on both sides.

    Every recipe sees the same folds. In each of them it fits on one part, its temperature and threshold are chosen on
    a second and it is measured on a third. Beside the recipes stand what the film's brightness, size and format tell,
    and, where DATA is a CSV with age, sex or weight, what these tell alone and fused with each recipe. Scores of
    different folds are never ranked against each other. All intervals are 95 %, over patients, and the same patients
    are drawn for all: differences are paired.

    A recipe's own settings come before --config and the options here. A run that was stopped goes on with the same
    command. OUT has folds.csv, results/, cv.json and report.html.

    \b
    Example:
      osteo-edge cv knees.csv --recipe frozen-features --recipe osteo-edge --repeats 10 --out found
    """
    reference = reference or names[0]
    if reference not in names:
        raise click.BadParameter(f"{reference} is none of the recipes that are compared", param_hint="--reference")
    config = _config(config_file, settings)
    recipes = tuple(_named(name, config) for name in names)
    dataset = read_dataset(data, labels=config.labels)
    if dataset.left_out:
        click.echo(dataset.left_out_line, err=True)
    source = label_source or dataset.label_source or "not stated"
    study = Study(dataset, source, recipes, reference, config, folds, repeats, prevalence, out)
    with resumable(out), progress("cross-validate") as advance:
        found = run_study(study, on_progress=advance)
    _finish(found, out, as_json=as_json)


def _config(file: Path | None, options: dict[str, Any]) -> TrainConfig:
    given = {name: value for name, value in options.items() if value is not None}
    if "alpha" in given:
        given["alpha"] = float(given["alpha"])
    base = TrainConfig() if file is None else read_config(file, TrainConfig())
    return replace(base, **given)


def _named(name: str, config: TrainConfig) -> Named:
    return Named(name, RECIPES[name].title, RECIPES[name].source, make_recipe(name, config))


def _finish(found: Comparison, out: Path, *, as_json: bool) -> None:
    from osteo_edge.train.cv_report import write_cv_report

    values = to_dict(found)
    write_whole(out / JSON_FILE, to_bytes(values), "the comparison")
    write_cv_report(found, out / REPORT_FILE)
    if as_json:
        show_json(values)
        return
    show_comparison(found)
    click.echo(f"Written: {out / JSON_FILE} and {out / REPORT_FILE}")
