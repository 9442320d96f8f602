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
from osteo_edge.split import Split
from osteo_edge.strict import FieldError, from_dict
from osteo_edge.train.channel_criteria import Criterion
from osteo_edge.train.channel_pruning import Budget, prune_channels
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.distillation import HALF_AND_HALF
from osteo_edge.train.fitting import Fit
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.keras_bundle import load_model
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import Network, quicken_batch_norm, set_trainable
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
from osteo_edge.train.training import Fitted, Job, finish, prepare_part, with_further_outputs
from osteo_edge.train.training_record import Reading, describe_environment

Method = Literal["magnitude", "channel", "2:4", "cluster"]
RECIPE = "prune"
LEARNING_RATE = 5e-4
"""Between fine-tuning and training from scratch: what is gone has to be learnt again, and what is left is worth
keeping."""
LARGEST_MISS = 0.01


@dataclass(frozen=True)
class Compression:
    """What is asked for: `amount` is the share of weights or channels that goes, between 0 and 1.

    Of channels it may be the share of the multiply-accumulates instead, and they are ranked by `criterion`; both mean
    nothing to the other methods. `clusters` None follows from the amount. With `distill` the network learns from the
    one it is made from, too.
    """

    method: Method
    amount: float = 0.5
    of: Budget = "channels"
    criterion: Criterion = "taylor"
    clusters: int | None = None
    distill: bool = False
    epochs: int = 10
    learning_rate: float = LEARNING_RATE


@dataclass(frozen=True)
class Pruned:
    """What came out: the bundle, how the fit went, how far it was compressed, and what was measured."""

    bundle: Bundle
    fit: Fit
    reached: dict[str, float]
    evaluations: dict[str, Evaluation]
    skipped: tuple[str, ...]


def prune_bundle(
    source: Bundle,
    dataset: Dataset,
    split: Split,
    how: Compression,
    out: Path,
    *,
    name: str,
    on_progress: Advance,
    measure_test: bool = True,
) -> Pruned:
    """Compress the network of a Keras bundle while it is fine-tuned, and write the bundle `out`.

    Temperature and threshold are chosen on validation again, and the test part is measured once, as in training,
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
    found, files, evaluations = finish(job, with_further_outputs(fitted, config))
    recipe = {RECIPE: _describe(how, config, fit, reached), "parent": source.manifest.parent.recipe}
    described = replace(found, parent=Parent(source.manifest.model.sha256, recipe))
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
        return from_dict(TrainConfig, {"heads": [], **recipe["train"]})  # written before there were heads
    except FieldError as error:
        raise BundleError(f"{bundle.path}: its training settings cannot be read ({error}); train it again") from error


def _fit_config(config: TrainConfig, how: Compression) -> TrainConfig:
    """Settings for fitting all layers further, batch normalization too: its statistics are of the network before."""
    return replace(
        config,
        epochs=how.epochs,
        learning_rate=how.learning_rate,
        trainable_layers=None,
        freeze_batch_norm=False,
        mixed_precision=False,
    )


def _compressed(
    teacher: Any, how: Compression, train: Labelled, source: Bundle, config: TrainConfig
) -> tuple[Network, Student, dict[str, float]]:
    """The network that is to receive the weights, the student that is trained, and what was removed already."""
    _, keras = load_tensorflow()
    model = keras.Model(teacher.input, teacher.outputs[:2], name=teacher.name)
    reached: dict[str, float] = {}
    if how.method == "channel":
        before = model.count_params()
        model, removal = prune_channels(model, how.criterion, how.amount, how.of, train, source.manifest.input, config)
        reached = {
            "share_of_channels": round(removal.share("channels"), 6),
            "share_of_macs": round(removal.share("macs"), 6),
            **asdict(removal),
            "parameters_before": before,
            "parameters_after": model.count_params(),
        }
    else:
        weights = model.get_weights()
        model = keras.models.clone_model(model)
        model.set_weights(weights)
    network = Network(model, keras.Model(model.input, model.get_layer("dropout").input), source.manifest.model.sha256)
    quicken_batch_norm(model)
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


def _describe(how: Compression, config: TrainConfig, fit: Fit, reached: Mapping[str, float]) -> dict[str, Any]:
    """What was done, for the manifest."""
    asked = asdict(how)
    if how.method != "channel":
        asked = {name: value for name, value in asked.items() if name not in ("of", "criterion")}
    return {
        **asked,
        "learning_rate": fit.learning_rate,
        "distillation": asdict(HALF_AND_HALF) if how.distill else None,
        "reached": dict(reached),
        "best_epoch": fit.best_epoch,
        "interrupted": fit.interrupted,
        "validation_losses": [round(loss, 6) for loss in fit.validation_losses if loss < float("inf")],
        "epoch_seconds": [round(epoch.working_s + epoch.waiting_s, 4) for epoch in fit.epochs],
        "environment": describe_environment(config, "none"),
    }
