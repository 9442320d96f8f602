"""The whole quantization-aware training: Keras bundle in, Keras bundle out that is fit for int8, with its ranges."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from osteo_edge.activation_ranges import RANGES_FILE, ActivationRanges
from osteo_edge.bundle import Bundle, require_free, write_bundle
from osteo_edge.console import Advance
from osteo_edge.dataset import Dataset
from osteo_edge.evaluation import Evaluation
from osteo_edge.manifest import Parent
from osteo_edge.samples import CALIBRATION, read_samples
from osteo_edge.split import Split
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.distillation import HALF_AND_HALF
from osteo_edge.train.fitting import Fit, cross_entropy
from osteo_edge.train.int8_ranges import choose_ranges
from osteo_edge.train.int8_rounding import Kept
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.keras_bundle import load_model
from osteo_edge.train.models import Network, set_trainable
from osteo_edge.train.prune_job import RECIPE as PRUNED
from osteo_edge.train.prune_job import training_config
from osteo_edge.train.pruning import most_values, share_of_zeros
from osteo_edge.train.quantization_aware import int8_student
from osteo_edge.train.refit import Refit, refit
from osteo_edge.train.training import Fitted, Job, finish, prepare_part, with_further_outputs
from osteo_edge.train.training_record import Reading, describe_environment

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


@dataclass(frozen=True)
class Aware:
    """What came out: the bundle, how the fit went, what was gained, what was kept of a pruned source, and measured."""

    bundle: Bundle
    fit: Fit
    losses: Losses
    kept: dict[str, float]
    evaluations: dict[str, Evaluation]
    skipped: tuple[str, ...]


def qat_bundle(
    source: Bundle,
    dataset: Dataset,
    split: Split,
    how: Awareness,
    out: Path,
    *,
    name: str,
    on_progress: Advance,
    measure_test: bool = True,
) -> Aware:
    """Fine-tune the network of a Keras bundle for int8, and write the bundle `out` with the ranges it was trained for.

    The network of that bundle is a plain one: conversion makes it int8. The zeros or shared values of a pruned source
    stay. Temperature and threshold are chosen on validation again, and the test part is measured once, as in training,
    unless `measure_test` is False.
    """
    require_free(out)
    teacher = load_model(source)
    config = _fit_config(training_config(source), how)
    manifest = source.manifest
    job = Job(
        dataset,
        split,
        config,
        name,
        manifest.data.label_source,
        measure_test=measure_test,
        intended_use=manifest.intended_use,
        finding=manifest.finding,
    )
    spec = source.manifest.input
    parts = {part: prepare_part(job, part, spec, on_progress) for part in job.parts}
    network = _plain_network(teacher, source, config)
    ranges = choose_ranges(
        network.model,
        read_samples(source, CALIBRATION),
        spec,
        on_progress=lambda done, total: on_progress(done, total, stage="find ranges"),
    )
    kept = kept_of(source)
    student = int8_student(network.model, ranges, kept)
    float_loss = cross_entropy(network, spec, parts["validation"])
    plain_rounding = cross_entropy(replace(network, model=student.model), spec, parts["validation"])
    task = Refit(
        network,
        student,
        config,
        spec,
        parts["train"],
        parts["validation"],
        on_progress,
        teacher if how.distill else None,
    )
    fit = refit(task)
    losses = Losses(float_loss, plain_rounding, fit.validation_losses[fit.best_epoch - 1])
    left = _left(network.model, kept)
    fitted = Fitted(network, spec, parts, fit, Reading(0, 0.0), True)
    found, files, evaluations = finish(job, with_further_outputs(fitted, config))
    files[RANGES_FILE] = ActivationRanges(dict(ranges.outputs)).pack()
    recipe = {RECIPE: _describe(how, config, fit, losses, left), "parent": source.manifest.parent.recipe}
    described = replace(found, parent=Parent(source.manifest.model.sha256, recipe))
    skipped = tuple(line for part in parts.values() for line in part.prepared.skipped)
    return Aware(write_bundle(out, described, files), fit, losses, left, evaluations, skipped)


def kept_of(source: Bundle) -> Kept | None:
    """What of the weights must stay: what the network's last pruning was for; None if that was not the weights."""
    recipe: Any = source.manifest.parent.recipe
    while isinstance(recipe, Mapping):
        if PRUNED in recipe:
            return KEPT.get(recipe[PRUNED]["method"])
        recipe = recipe.get("parent")
    return None


def _fit_config(config: TrainConfig, how: Awareness) -> TrainConfig:
    """Settings for fitting all layers further."""
    rate = how.learning_rate
    return replace(config, epochs=how.epochs, learning_rate=rate, trainable_layers=None, mixed_precision=False)


def _plain_network(teacher: Any, source: Bundle, config: TrainConfig) -> Network:
    """A copy of the bundle's detection network, which is to receive the trained weights."""
    _, keras = load_tensorflow()
    detecting = keras.Model(teacher.input, teacher.outputs[:2], name=teacher.name)
    model = keras.models.clone_model(detecting)
    model.set_weights(detecting.get_weights())
    network = Network(model, keras.Model(model.input, model.get_layer("dropout").input), source.manifest.model.sha256)
    set_trainable(replace(network, backbone=model), config)
    return network


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
        "distillation": asdict(HALF_AND_HALF) if how.distill else None,
        "weights": "per channel, to nearest",
        "activations": "fixed ranges, with the least mean squared error",
        "kept": dict(left),
        "best_epoch": fit.best_epoch,
        "interrupted": fit.interrupted,
        "losses": {name: round(loss, 6) for name, loss in asdict(losses).items() if loss < float("inf")},
        "validation_losses": [round(loss, 6) for loss in fit.validation_losses if loss < float("inf")],
        "epoch_seconds": [round(epoch.working_s + epoch.waiting_s, 4) for epoch in fit.epochs],
        "environment": describe_environment(config, "none"),
    }
