"""The whole quantization-aware training: Keras bundle in, Keras bundle out that is fit for int8, with its ranges."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from osteo_edge.activation_ranges import RANGES_FILE, ActivationRanges
from osteo_edge.bundle import Bundle
from osteo_edge.console import Advance
from osteo_edge.samples import CALIBRATION, read_samples
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.continuing import (
    Continuation,
    begin,
    copied,
    detecting,
    fit_further,
    further_config,
    receiving,
    write_further,
)
from osteo_edge.train.fitting import Fit, cross_entropy
from osteo_edge.train.int8_ranges import choose_ranges
from osteo_edge.train.int8_rounding import Kept
from osteo_edge.train.prune_job import RECIPE as PRUNED
from osteo_edge.train.pruning import most_values, share_of_zeros
from osteo_edge.train.quantization_aware import int8_student
from osteo_edge.train.training import Trained
from osteo_edge.train.training_record import describe_refit

RECIPE = "qat"
KEPT: Mapping[str, Kept] = {"magnitude": "zeros", "2:4": "zeros", "cluster": "shared values"}
"""What the methods of pruning leave that the file's size depends on."""


@dataclass(frozen=True)
class Awareness:
    """What is asked for. With `distill` the network learns from the one it is made from, too."""

    distill: bool = False
    epochs: int = 5
    learning_rate: float = 1e-4


@dataclass(frozen=True)
class Losses:
    """Validation losses: of the source in float, of the source merely rounded to int8, and of the new network in int8.

    `plain_rounding` is where training began, and no measure of what `convert` alone makes: that does more than round.
    """

    source: float
    plain_rounding: float
    trained: float


@dataclass(frozen=True, kw_only=True)
class Aware(Trained):
    """What came out, what was gained, and what was kept of a pruned source."""

    losses: Losses
    kept: dict[str, float]


def qat_bundle(asked: Continuation, how: Awareness, *, on_progress: Advance) -> Aware:
    """Fine-tune the network of a Keras bundle for int8, and write the bundle with the ranges it was trained for.

    The network of that bundle is a plain one: conversion makes it int8. The zeros or shared values of a pruned source
    stay. Temperature and threshold are chosen on validation again, and the test part is measured once, as in training,
    unless it is not to be measured.
    """
    source = asked.source
    begun = begin(asked, further_config(source, how.epochs, how.learning_rate), on_progress)
    network, spec = receiving(begun, copied(detecting(begun))), source.manifest.input
    ranges = choose_ranges(
        network.model,
        read_samples(source, CALIBRATION),
        spec,
        on_progress=lambda done, total: on_progress(done, total, stage="find ranges"),
    )
    kept = kept_of(source)
    student = int8_student(network.model, ranges, kept)
    float_loss = cross_entropy(network, spec, begun.parts["validation"])
    plain_rounding = cross_entropy(replace(network, model=student.model), spec, begun.parts["validation"])
    fit = fit_further(begun, network, student, distill=how.distill)
    losses = Losses(float_loss, plain_rounding, fit.validation_losses[fit.best_epoch - 1])
    left = _left(network.model, kept)
    recipe = {RECIPE: _describe(how, begun.config, fit, losses, left)}
    packed = {RANGES_FILE: ActivationRanges(dict(ranges.outputs)).pack()}
    trained = write_further(begun, network, fit, recipe, packed)
    return Aware(**vars(trained), losses=losses, kept=left)


def kept_of(source: Bundle) -> Kept | None:
    """What of the weights must stay: what the network's last pruning was for; None if that was not the weights."""
    recipe: Any = source.manifest.parent.recipe
    while isinstance(recipe, Mapping):
        if PRUNED in recipe:
            return KEPT.get(recipe[PRUNED]["method"])
        recipe = recipe.get("parent")
    return None


def _left(model: Any, kept: Kept | None) -> dict[str, float]:
    """How far the weights are still compressed."""
    if kept is None:
        return {}
    return {"clusters": most_values(model)} if kept == "shared values" else {"zeros": round(share_of_zeros(model), 6)}


def _describe(
    how: Awareness, config: TrainConfig, fit: Fit, losses: Losses, left: Mapping[str, float]
) -> dict[str, Any]:
    """What was done, for the manifest."""
    return {
        **asdict(how),
        "weights": "per channel, to nearest",
        "activations": "fixed ranges, with the least mean squared error",
        "kept": dict(left),
        "losses": {name: round(loss, 6) for name, loss in asdict(losses).items() if loss < float("inf")},
        **describe_refit(config, fit, distilled=how.distill),
    }
