"""`osteo-edge convert`: the command; the work is in `conversion`."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, get_args

import click

from osteo_edge.bundle import Bundle, read_bundle, require_free
from osteo_edge.console import Advance, progress, show_json
from osteo_edge.convert.calibration import USUAL_IMAGES, Calibration, read_calibration
from osteo_edge.convert.conversion import convert_bundle
from osteo_edge.convert.number_types import NumberType
from osteo_edge.convert.parity import MIN_DECISION_AGREEMENT
from osteo_edge.convert.recipe import AUTO, PLAIN, Engine, RangeChoice
from osteo_edge.convert.recipe_choice import Choice, choose_recipe
from osteo_edge.finite_range import FiniteRange
from osteo_edge.manifest import Parity, Precision
from osteo_edge.verdict import asked_for, measured, shortfall

AFTER_FAILURE = (
    "`screen` refuses this bundle. Try more precision (--precision mixed, float16 or float32), --rescale for an "
    "EfficientNet, or train for int8 first (osteo-edge qat)"
)


@click.command(short_help="Convert a trained bundle to TFLite.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--precision", type=click.Choice(get_args(Precision)), help="See above; or say it in --config.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The bundle to write; must not exist.")
@click.option(
    "--config", type=click.Path(path_type=Path), help="A TOML file of the settings below, and of steps; options win."
)
@click.option(
    "--mixed",
    metavar="auto|LAYERS",
    help="The layers that stay in floating point, by name, with commas between; what the names of a block's layers "
    "start with stands for all of them.",
)
@click.option("--mixed-share", type=float, help="auto: the share of operators to leave in floating point at most.")
@click.option("--mixed-difference", type=float, help="auto: the mean difference of probabilities that is good enough.")
@click.option(
    "--ranges",
    type=click.Choice(get_args(RangeChoice)),
    help="How ranges of activations are chosen; auto is mse where weights are fitted for the rounded activations, "
    "else all are tried and the nearest to the float network is taken.",
)
@click.option("--percentile", type=float, help="Where ranges end with --ranges percentile: 99.99 leaves out 0.01 %.")
@click.option(
    "--engine",
    type=click.Choice(get_args(Engine)),
    help="What makes the integers; the better one for the precision if not given.",
)
@click.option("--equalize/--no-equalize", default=None, help="Give channels like ranges first.")
@click.option(
    "--rescale/--no-rescale",
    default=None,
    help="Give the channels of swishes like ranges, for EfficientNet: may agree better, is slower; off if not given.",
)
@click.option("--compensate/--no-compensate", default=None, help="Fit weights to int8 so that outputs change least.")
@click.option("--input-type", type=click.Choice(get_args(NumberType)), help="What the model takes.")
@click.option("--output-type", type=click.Choice(get_args(NumberType)), help="What the model gives.")
@click.option("--plain", is_flag=True, help="As the TensorFlow Lite converter makes it alone, to compare with.")
@click.option("--calibration", "data", type=click.Path(path_type=Path), help="The data set it was trained on.")
@click.option("--split", "split_file", type=click.Path(path_type=Path), help="The split it was trained with.")
@click.option("--calibration-images", type=click.IntRange(1), help="How many to take of them; 256 if not given.")
@click.option(
    "--min-agreement",
    type=FiniteRange(0, 1),
    default=MIN_DECISION_AGREEMENT,
    show_default=True,
    help="The share of decisions that must agree with the Keras model, as far as the images can tell.",
)
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
def convert(
    bundle: Path,
    out: Path,
    config: Path | None,
    plain: bool,
    data: Path | None,
    split_file: Path | None,
    calibration_images: int | None,
    min_agreement: float,
    as_json: bool,
    **given: Any,
) -> None:
    """Convert a trained Keras bundle to TFLite and measure what that changed.

    \b
    Precisions, with what a MobileNetV2 (alpha 1) file comes to:
      float32   as trained                              8.9 MB
      float16   weights in half precision               4.5 MB
      dynamic   int8 weights, activations as they come  2.5 MB; tflite-runtime 2.14 cannot run it
      int8      integers throughout: small and fast     2.7 MB
      int16x8   int8 weights, int16 activations         2.8 MB; some 45 times slower here
      mixed     int8, but for some layers               see --mixed

    int8, int16x8 and mixed are calibrated on training images, those that the bundle carries or others of the same
    split, with linear channels equalized, weights rounded so that the output changes least, and biases corrected. A
    bundle that `osteo-edge qat` wrote keeps its weights, and the ranges that it was trained for. A setting that would
    do nothing, as --ranges for dynamic, is refused.

    The result is compared with the Keras model on validation images that the bundle carries, and what came out is
    written into the manifest, with the whole recipe. A bundle that does not answer as the Keras model is written too,
    marked as failed; the exit code is 1, and `screen` refuses it.

    \b
    Example:
      osteo-edge convert knee --precision int8 --out knee-int8
      osteo-edge convert knee --precision mixed --mixed block_1,activation_map --out knee-mixed
    """
    choice = _choice(config, given, plain)
    source = read_bundle(bundle)
    require_free(out)
    with progress("convert and compare") as advance:
        converted = convert_bundle(
            source,
            choice.recipe,
            out,
            asked=choice.asked,
            calibration=_calibration(source, data, split_file, calibration_images, advance),
            min_agreement=min_agreement,
            on_progress=advance,
        )
    parity = converted.manifest.parity
    assert parity is not None
    if as_json:
        size = converted.model_path.stat().st_size
        passed = parity.passed
        show_json({"bundle": str(converted.path), "bytes": size, "passed": passed, **converted.manifest.to_dict()})
    else:
        _show(source, converted, parity)
    failure = shortfall(parity)
    if failure is not None:
        click.secho(f"FAILED parity: {failure}. {AFTER_FAILURE}", fg="red", bold=True, err=True)
        click.get_current_context().exit(1)


def _choice(config: Path | None, given: Mapping[str, Any], plain: bool) -> Choice:
    settings = {name: value for name, value in given.items() if value is not None}
    if settings.get("mixed", AUTO) != AUTO:
        settings["mixed"] = [name.strip() for name in settings["mixed"].split(",")]
    for name in PLAIN if plain else ():
        if settings.get(name, PLAIN[name]) != PLAIN[name]:
            raise click.UsageError(f"--plain goes without --{name}: it is the TensorFlow Lite converter alone")
    return choose_recipe(config, settings, plain=plain)


def _calibration(
    source: Bundle, data: Path | None, split_file: Path | None, number: int | None, advance: Advance
) -> Callable[[], Calibration] | None:
    """What reads other images than those in the bundle, where they are asked for."""
    if data is None or split_file is None:
        if data is not None or split_file is not None or number is not None:
            raise click.UsageError("other calibration images need both --calibration DATA and --split SPLIT")
        return None
    reading = partial(advance, stage="read images")
    return partial(read_calibration, source, data, split_file, number or USUAL_IMAGES, on_progress=reading)


def _show(source: Bundle, converted: Bundle, parity: Parity) -> None:
    size, before = converted.model_path.stat().st_size, source.model_path.stat().st_size
    click.echo(f"{converted.manifest.model.precision}: {size:,} bytes ({before:,} as {source.manifest.model.format})")
    click.echo(f"Beside {source.path} on {parity.n} {parity.images}: {measured(parity)}")
    click.echo(f"{asked_for(parity)}\nWritten: {converted.path}")
    if parity.passed:
        click.echo(f"Next: osteo-edge screen {converted.path} IMAGE --overlay pictures")
