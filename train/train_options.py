"""The settings of a training run as options; those that are not given are left to the recipe and the TOML file."""

from collections.abc import Callable
from typing import Any

import click

from osteo_edge.filters import KINDS, Filter, parse_filter
from osteo_edge.finite_range import FiniteRange
from osteo_edge.train.config import ALPHAS, TrainConfig
from osteo_edge.train.option_groups import grouped, option
from osteo_edge.train.recipes.presets import DEFAULT_RECIPE, PRESETS

FIND = "find"
DEFAULTS = PRESETS[DEFAULT_RECIPE].apply(TrainConfig())


def _filter(text: str) -> Filter:
    """KIND or KIND:AMOUNT."""
    try:
        return parse_filter(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _number_or(word: str, number: Any) -> Callable[[str], Any]:
    """A number of a click type, or one word instead."""
    return lambda text: text if text == word else number.convert(text, None, None)


def setting(*words: str, help: str, **settings: Any) -> Any:
    """An option for one of `TrainConfig`'s fields; the default recipe's value is told, but each recipe has its own."""
    name = next((word for word in words if not word.startswith("-")), words[0].split("/")[0].strip("-"))
    default = getattr(DEFAULTS, name.replace("-", "_"))
    told = "" if default in (None, ()) or isinstance(default, bool) else f"  [default: {default}]"
    return option(*words, help=help + told, **settings)


network_options = grouped(
    "Network",
    setting(
        "--backbone",
        help="A network, or several joined with + for late fusion, as mobilenet_v2+efficientnet_b0. With another one "
        "than the recipe's, the recipe's taps (layers inside its backbone) are left out.",
    ),
    setting("--alpha", type=click.Choice([str(alpha) for alpha in ALPHAS]), help="Width of MobileNetV2."),
    setting(
        "--weights",
        help="imagenet (downloaded), none (from scratch), a local .h5 without top, or name=PATH,... for several.",
    ),
    setting("--side", "side_px", type=click.IntRange(16, 4096), help="Side of the square input in pixels."),
    setting("--region", type=click.Choice(["film", "knees"]), help="What of a film the network sees."),
    setting(
        "--filter",
        "filters",
        type=_filter,
        multiple=True,
        metavar="KIND[:AMOUNT]",
        help=f"A filter before the network, also on the device; again for more. One of {', '.join(KINDS)}.",
    ),
    setting("--dropout", type=FiniteRange(0, 0.95), help="Share of features dropped before the head."),
)

fit_options = grouped(
    "What is fitted",
    setting(
        "--trainable-layers",
        type=_number_or("all", click.IntRange(0)),
        metavar="N|all",
        help="The last layers of the backbone to fine-tune; 0 fits the head alone, on frozen features.",
    ),
    setting(
        "--freeze-batch-norm/--batch-norm",
        default=None,
        help="Keep batch normalization as the weights brought it, or let it follow the films.",
    ),
    setting("--epochs", type=click.IntRange(0, 10_000), help="At most; early stopping may end it before."),
    setting("--patience", type=click.IntRange(1, 10_000), help="Epochs without a better loss before it ends."),
)

optimization_options = grouped(
    "How it is fitted",
    setting("--loss", type=click.Choice(["cross_entropy", "focal"]), help="focal attends to the hard cases."),
    setting("--focal-gamma", type=FiniteRange(0, 10), help="How much the focal loss does so; 0 is cross-entropy."),
    setting("--class-weights/--no-class-weights", default=None, help="Let each class count alike, or each image."),
    setting("--label-smoothing", type=FiniteRange(0, 0.9), help="Share of certainty taken from every label."),
    setting("--mixup", type=FiniteRange(0, 10), metavar="ALPHA", help="Blend pairs of images; 0.2 is usual."),
    setting("--augmentation", type=click.Choice(["none", "standard", "strong"]), help="How far images are varied."),
    setting("--batch-size", type=click.IntRange(1, 4096), help="Images in one step, of all replicas together."),
    setting(
        "--learning-rate",
        type=_number_or(FIND, FiniteRange(1e-9, 10)),
        metavar="RATE|find",
        help="The highest rate; find takes it from a range test; else 0.002 from scratch and 0.0001 otherwise.",
    ),
    setting("--schedule", type=click.Choice(["cosine", "constant", "plateau"]), help="How the learning rate goes on."),
    setting("--seed", type=click.IntRange(0), help="Another seed gives another split, order and augmentation."),
)

machine_options = grouped(
    "Machine",
    setting(
        "--mixed-precision/--float32",
        default=None,
        help="float16 where there is a GPU; the bundle is float32.",
    ),
    option(
        "--strategy",
        type=click.Choice(["none", "mirrored", "multiworker"]),
        default="none",
        show_default=True,
        help="mirrored: all GPUs of this machine; multiworker: the machines in TF_CONFIG, one command on each.",
    ),
    option(
        "--resume/--no-resume",
        default=True,
        show_default=True,
        help="Go on with a run that was killed, from OUT.partial-training, or start again.",
    ),
)


def given_settings(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, as fields of `TrainConfig`."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
    if "alpha" in given:
        given["alpha"] = float(given["alpha"])
    if given.get("trainable_layers") == "all":
        given["trainable_layers"] = None
    if given.get("learning_rate") == FIND:
        del given["learning_rate"]
    return given


def recipes_help() -> str:
    """The presets by name."""
    return f"A named way to train: {', '.join(PRESETS)}."
