"""The whole compression: Keras bundle in, smaller or sparser Keras bundle out, measured like the one before."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from osteo_edge.bundle import Bundle, require_free, write_bundle
from osteo_edge.console import Advance
from osteo_edge.dataset import Dataset
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.evaluation import Evaluation
from osteo_edge.manifest import Parent
from osteo_edge.split import PARTS, Split
from osteo_edge.strict import FieldError, from_dict
from osteo_edge.train import two_stage
from osteo_edge.train.channel_pruning import prune_channels
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.distillation import HALF_AND_HALF
from osteo_edge.train.fitting import Fit
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.keras_bundle import load_model
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import Network, set_trainable
from osteo_edge.train.objectives import RATE_FINE_TUNING
from osteo_edge.train.pipeline import steps_per_epoch
from osteo_edge.train.pruning import (
    clustered_student,
    clusters_for,
    most_values,
    share_of_zeros,
    sparse_student,
    two_of_four_student,
)
from osteo_edge.train.refit import Refit, Student, plain_student, refit
from osteo_edge.train.training import Fitted, Job, finish, prepare_part
from osteo_edge.train.training_record import Reading, describe_environment

Method = Literal["magnitude", "channel", "2:4", "cluster"]
RECIPE = "prune"
RATE_AFTER_SCRATCH = 5e-4
"""The learning rate for a network that was trained from scratch; others take that of fine-tuning."""
LARGEST_MISS = 0.01


@dataclass(frozen=True)
class Compression:
    """What is asked for: `amount` is the share of weights or channels that goes, between 0 and 1.

    `clusters` None follows from the amount. With `distill` the network learns from the one it is made from, too.
    """

    method: Method
    amount: float = 0.5
    clusters: int | None = None
    distill: bool = False
    epochs: int = 10
    learning_rate: float | None = None


@dataclass(frozen=True)
class Pruned:
    """What came out: the bundle, how the fit went, how far it was compressed, and what was measured."""

    bundle: Bundle
    fit: Fit
    reached: dict[str, float]
    evaluations: dict[str, Evaluation]
    skipped: tuple[str, ...]


def prune_bundle(
    source: Bundle, dataset: Dataset, split: Split, how: Compression, out: Path, *, name: str, on_progress: Advance
) -> Pruned:
    """Compress the network of a Keras bundle while it is fine-tuned, and write the bundle `out`.

    Temperature and threshold are chosen on validation again, and the test part is measured once, as in training.
    """
    require_free(out)
    teacher = load_model(source)
    config = _fit_config(training_config(source), how)
    job = Job(dataset, split, config, name, source.manifest.data.label_source)
    spec = source.manifest.input
    parts = {part: prepare_part(job, part, spec, on_progress) for part in PARTS}
    network, student, reached = _compressed(teacher, how, parts["train"], source, config)
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
    reached |= _measured(network.model, how)
    fitted = Fitted(network, spec, parts, fit, Reading(0, 0.0), True)
    manifest, files, evaluations = finish(job, _with_grades(fitted, config) if config.severity else fitted)
    recipe = {RECIPE: _describe(how, config, fit, reached), "parent": source.manifest.parent.recipe}
    described = replace(manifest, parent=Parent(source.manifest.model.sha256, recipe))
    skipped = tuple(line for part in parts.values() for line in part.prepared.skipped)
    return Pruned(write_bundle(out, described, files), fit, reached, evaluations, skipped)


def training_config(bundle: Bundle) -> TrainConfig:
    """The settings that the bundle's network was trained with, however often it was changed since.

    `BundleError` for a converted bundle, and for one that was not trained as a single network.
    """
    if bundle.manifest.model.format != "keras":
        raise BundleError(f"{bundle.path}: not a Keras bundle; name the one that `osteo-edge train` wrote")
    recipe: Mapping[str, Any] = bundle.manifest.parent.recipe
    while "train" not in recipe and isinstance(recipe.get("parent"), Mapping):
        recipe = recipe["parent"]
    if "train" not in recipe:
        raise BundleError(
            f"{bundle.path}: was not trained as one network, so it cannot be fitted further; name a bundle that "
            "`osteo-edge train` wrote"
        )
    try:
        return from_dict(TrainConfig, recipe["train"])
    except FieldError as error:
        raise BundleError(f"{bundle.path}: its training settings cannot be read ({error}); train it again") from error


def _fit_config(config: TrainConfig, how: Compression) -> TrainConfig:
    """Settings for fitting all layers further."""
    usual = RATE_AFTER_SCRATCH if config.from_scratch else RATE_FINE_TUNING
    rate = how.learning_rate or usual
    return replace(config, epochs=how.epochs, learning_rate=rate, trainable_layers=None, mixed_precision=False)


def _compressed(
    teacher: Any, how: Compression, train: Labelled, source: Bundle, config: TrainConfig
) -> tuple[Network, Student, dict[str, float]]:
    """The network that is to receive the weights, the student that is trained, and what was removed already."""
    _, keras = load_tensorflow()
    model = keras.Model(teacher.input, teacher.outputs[:2], name=teacher.name)
    reached: dict[str, float] = {}
    if how.method == "channel":
        model, removal = prune_channels(model, how.amount, train, source.manifest.input, config)
        before = source.manifest.model
        reached = {**asdict(removal), "parameters_before": before.parameters, "macs_before": before.macs}
    else:
        weights = model.get_weights()
        model = keras.models.clone_model(model)
        model.set_weights(weights)
    network = Network(model, keras.Model(model.input, model.get_layer("dropout").input), source.manifest.model.sha256)
    set_trainable(replace(network, backbone=model), config)
    return network, _student(model, how, len(train), config), reached


def _student(model: Any, how: Compression, n_train: int, config: TrainConfig) -> Student:
    if how.method == "magnitude":
        steps = steps_per_epoch(n_train, config.batch_size)
        return sparse_student(model, how.amount, steps=steps, epochs=how.epochs)
    if how.method == "2:4":
        return two_of_four_student(model)
    if how.method == "cluster":
        return clustered_student(model, how.clusters or clusters_for(how.amount))
    return plain_student(model)


def _measured(model: Any, how: Compression) -> dict[str, float]:
    """How far the weights are compressed; `OsteoEdgeError` if there are fewer zeros than asked for."""
    if how.method == "channel":
        return {}
    if how.method == "cluster":
        return {"clusters": most_values(model)}
    zeros = share_of_zeros(model)
    if zeros < how.amount - LARGEST_MISS:
        raise OsteoEdgeError(f"pruning: only {zeros:.1%} of the weights are zero, not {how.amount:.1%}; lower --amount")
    return {"zeros": round(zeros, 6)}


def _with_grades(fitted: Fitted, config: TrainConfig) -> Fitted:
    """A second stage found anew: the features that it stands on have moved."""
    graded = two_stage.attach_severity(fitted.network, fitted.parts["train"], fitted.spec, seed=config.seed)
    held_out = {"validation": fitted.parts["validation"]}
    described = two_stage.describe_severity(graded, held_out, fitted.spec, seed=config.seed)
    return replace(fitted, network=graded.network, outputs=two_stage.OUTPUTS, severity=described)


def _describe(how: Compression, config: TrainConfig, fit: Fit, reached: Mapping[str, float]) -> dict[str, Any]:
    """What was done, for the manifest."""
    return {
        **asdict(how),
        "learning_rate": fit.learning_rate,
        "distillation": asdict(HALF_AND_HALF) if how.distill else None,
        "reached": dict(reached),
        "best_epoch": fit.best_epoch,
        "interrupted": fit.interrupted,
        "validation_losses": [round(loss, 6) for loss in fit.validation_losses if loss < float("inf")],
        "epoch_seconds": [round(epoch.working_s + epoch.waiting_s, 4) for epoch in fit.epochs],
        "environment": describe_environment(config, "none"),
    }
