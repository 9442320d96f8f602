"""`osteo-edge compress`: the command; the work is in `compress_search`."""

from pathlib import Path

import click

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.cli import EXIT_FAILED, EXIT_INTERRUPTED
from osteo_edge.compress_measuring import Images, read_images
from osteo_edge.compress_recipes import RECIPES, choose_recipes
from osteo_edge.compress_record import Subject
from osteo_edge.compress_report import MB, choose, draw, show_choice, to_dict
from osteo_edge.compress_search import Found, Plan, search
from osteo_edge.console import progress, show_json
from osteo_edge.errors import BundleError
from osteo_edge.finite_range import FiniteRange
from osteo_edge.hashing import sha256_file
from osteo_edge.pareto import Bounds
from osteo_edge.split import PARTS
from osteo_edge.version import VERSION
from osteo_edge.writing import write_whole

PICTURE_NAME = "pareto.svg"


def _not_test(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value == "test":
        raise click.BadParameter(
            "a model chosen on the test part has no honest figures left; choose on validation, then measure the "
            "chosen one on test with osteo-edge compare"
        )
    return value


@click.command(short_help="Search for the smallest model within bounds.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--split", "split_file", type=click.Path(path_type=Path), required=True, help="The split it was trained with."
)
@click.option(
    "--budget-mb",
    type=FiniteRange(0, min_open=True),
    required=True,
    help="The largest model file to accept; 1 MB is 1,000,000 bytes.",
)
@click.option(
    "--max-auroc-drop",
    type=FiniteRange(0, 1),
    default=0.01,
    show_default=True,
    help="The most that any question's AUROC may lose against float32.",
)
@click.option(
    "--max-latency",
    type=FiniteRange(0, min_open=True),
    help="The most time to accept, as a multiple of float32's.  [default: any]",
)
@click.option(
    "--time-budget-min",
    type=FiniteRange(0, min_open=True),
    default=60.0,
    show_default=True,
    help="Minutes for the search, earlier calls with the same --out included.",
)
@click.option("--recipes", metavar="NAME,...", help="Only these.  [default: all]")
@click.option(
    "--epochs", type=click.IntRange(1, 10_000), help="Of each prune and qat.  [default: as those commands have it]"
)
@click.option(
    "--part",
    type=click.Choice(PARTS),
    callback=_not_test,
    default="validation",
    show_default=True,
    help="What to choose on; test is refused.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to write, or to go on in.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
def compress(
    bundle: Path,
    data: Path,
    split_file: Path,
    budget_mb: float,
    max_auroc_drop: float,
    max_latency: float | None,
    time_budget_min: float,
    recipes: str | None,
    epochs: int | None,
    part: str,
    out: Path,
    as_json: bool,
) -> None:
    """Search for the smallest TFLite model of a Keras bundle that keeps its AUROC and fits into a size.

    Recipes are tried from cheap to dear, each by the commands that you would type, what they print going to a log in
    --out:

    \b
      float32              the reference for AUROC and latency, always made
      float16, dynamic     convert alone
      int8, mixed          convert, calibrated
      qat-int8             qat, then int8
      pruned-25-int8, pruned-50-int8
                           prune a share of the channels, then int8
      pruned-25-qat-int8, pruned-50-qat-int8
                           prune, qat, then int8

    Each model is measured on validation images: the AUROC of every question with its paired difference to float32, the
    size of the file, and the CPU time for an image on one thread, all models taking turns. Those that no other beats in
    all three are the Pareto front, drawn in pareto.svg; the smallest that meets the bounds is named. A conversion that
    misses its parity bound is listed and never chosen. If none meets the bounds, the nearest are named, and the exit
    code is 1.

    What is finished is kept at once: after Ctrl-C the same command goes on, and so it does with other bounds, recipes
    or more minutes. No film of the test part is read: measure the model that it names once on test, with compare.

    \b
    Example:
      osteo-edge compress knee knees.csv --split split.csv --budget-mb 1.5 --out search
      osteo-edge compare search/float32 search/int8 knees.csv --split split.csv
    """
    chosen_recipes = choose_recipes(_names(recipes))
    source = read_bundle(bundle)
    _require_keras(source)
    images = read_images(source, data, split_file, part)
    plan = Plan(bundle, data, split_file, out, chosen_recipes, epochs, time_budget_min * 60)
    digests = (source.manifest.model.sha256, str(data.resolve()), sha256_file(split_file))
    with progress("compress") as advance:
        found = search(plan, Subject(*digests, part, epochs, VERSION), images, on_progress=advance)
    bounds = Bounds(max(1, round(budget_mb * MB)), max_auroc_drop, max_latency)
    _end(found, plan, bounds, images, as_json)


def _names(recipes: str | None) -> list[str] | None:
    if recipes is None:
        return None
    names = [name.strip() for name in recipes.split(",") if name.strip()]
    if not names:
        raise click.BadParameter(f"names no recipe; there are {', '.join(RECIPES)}", param_hint="--recipes")
    return names


def _require_keras(source: Bundle) -> None:
    if source.manifest.model.format != "keras":
        raise BundleError(f"{source.path}: is converted already; name the Keras bundle that `osteo-edge train` wrote")


def _end(found: Found, plan: Plan, bounds: Bounds, images: Images, as_json: bool) -> None:
    context = click.get_current_context()
    if found.interrupted:
        kept = f"{len(found.record.candidates)} of {len(plan.recipes)} models are kept in {plan.out}"
        click.echo(f"osteo-edge: interrupted; {kept}, and the same command goes on from there", err=True)
        context.exit(EXIT_INTERRUPTED)
    choice = choose(found.record, bounds)
    picture = write_whole(plan.out / PICTURE_NAME, draw(choice, images).encode(), "the picture")
    if as_json:
        show_json(to_dict(choice, plan))
    else:
        show_choice(choice, plan, images)
        click.echo(f"Written: {picture}")
    if choice.chosen is None:
        context.exit(EXIT_FAILED)
