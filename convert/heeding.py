"""Settings that a conversion would not heed: whoever gives one expects it to do something, so it is refused."""

from collections.abc import Iterable

from osteo_edge.convert.recipe import Recipe
from osteo_edge.errors import OsteoEdgeError

CALIBRATION = "calibration"
"""Stands for other calibration images among the settings; it is no field of a recipe."""
ROUNDING = ("engine", "ranges", "percentile", "equalize", "rescale", "compensate", "correct_logits")
MIXED_LIMITS = ("mixed_share", "mixed_difference")


def require_heeded(recipe: Recipe, asked: Iterable[str]) -> None:
    """Raise `OsteoEdgeError` for the first of the `asked` settings that this recipe has no use for.

    >>> require_heeded(Recipe("dynamic", ranges="mse"), ["ranges"])
    Traceback (most recent call last):
    osteo_edge.errors.OsteoEdgeError: ranges does nothing here: dynamic finds ranges on the device; leave it out
    """
    reasons = _unheeded(recipe)
    for name in asked:
        if name in reasons:
            raise OsteoEdgeError(f"{name} does nothing here: {reasons[name]}; leave it out")


def require_kept(wanted: Recipe, settled: Recipe, asked: Iterable[str], reason: str) -> None:
    """Raise `OsteoEdgeError` for the first of the `asked` settings that a recipe lost for its network's sake."""
    for name in asked:
        if getattr(wanted, name, None) != getattr(settled, name, None):
            raise OsteoEdgeError(f"{name} does nothing here: {reason}; leave it out")


def _unheeded(recipe: Recipe) -> dict[str, str]:
    """The settings without an effect, each with the reason."""
    precision, found = recipe.precision, dict[str, str]()
    if not recipe.has_int8_weights:
        found |= dict.fromkeys(ROUNDING, f"{precision} rounds nothing to integers")
    elif not recipe.is_static:
        found |= dict.fromkeys(("ranges", "percentile"), f"{precision} finds ranges on the device")
    elif not recipe.has_own_ranges:
        found["percentile"] = "engine tflite-converter takes the extremes"
    elif "percentile" not in recipe.methods:
        found["percentile"] = f"ranges are chosen by {' or '.join(recipe.methods)}"
    if recipe.has_int8_weights and not recipe.has_int8_activations:
        found["rescale"] = f"{precision} has no int8 activations"
    if precision != "mixed":
        found |= dict.fromkeys(("mixed", *MIXED_LIMITS), f"{precision} leaves no layer in floating point")
    elif recipe.mixed is not None:
        found |= dict.fromkeys(MIXED_LIMITS, "the layers in floating point are named")
    if not recipe.needs_images:
        found[CALIBRATION] = f"{precision}, made like this, needs no images"
    return found
