"""The whole compression: Keras bundle in, smaller or sparser Keras bundle out, measured like the one before."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from osteo_edge.console import Advance
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.train.channel_criteria import Criterion
from osteo_edge.train.channel_pruning import Budget, prune_channels
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.continuing import (
    Begun,
    Continuation,
    begin,
    copied,
    detecting,
    fit_further,
    further_config,
    receiving,
    write_further,
)
from osteo_edge.train.fitting import Fit
from osteo_edge.train.models import quicken_batch_norm
from osteo_edge.train.pipeline import steps_per_epoch
from osteo_edge.train.pruning import (
    clustered_student,
    clusters_for,
    most_values,
    share_of_zeros,
    sparse_student,
    two_of_four_student,
)
from osteo_edge.train.refit import Student, plain_student
from osteo_edge.train.training import Trained
from osteo_edge.train.training_record import describe_refit

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


@dataclass(frozen=True, kw_only=True)
class Pruned(Trained):
    """What came out, and how far it was compressed."""

    reached: dict[str, float]


def prune_bundle(asked: Continuation, how: Compression, *, on_progress: Advance) -> Pruned:
    """Compress the network of a Keras bundle while it is fine-tuned, and write the bundle.

    Temperature and threshold are chosen on validation again, and the test part is measured once, as in training,
    unless it is not to be measured.
    """
    config = further_config(asked.source, how.epochs, how.learning_rate)
    begun = begin(asked, replace(config, freeze_batch_norm=False), on_progress)
    model, reached = _compressed(begun, how)
    network = receiving(begun, model)
    quicken_batch_norm(model)
    student = _student(model, how, len(begun.parts["train"]), begun.config)
    fit = fit_further(begun, network, student, distill=how.distill)
    reached |= _measured(model, how)
    trained = write_further(begun, network, fit, {RECIPE: _describe(how, begun.config, fit, reached)})
    return Pruned(**vars(trained), reached=reached)


def _compressed(begun: Begun, how: Compression) -> tuple[Any, dict[str, float]]:
    """The Keras model that is to receive the weights, and what was removed of it already."""
    model, spec = detecting(begun), begun.asked.source.manifest.input
    if how.method != "channel":
        return copied(model), {}
    before = model.count_params()
    model, removal = prune_channels(model, how.criterion, how.amount, how.of, begun.parts["train"], spec, begun.config)
    return model, {
        "share_of_channels": round(removal.share("channels"), 6),
        "share_of_macs": round(removal.share("macs"), 6),
        **asdict(removal),
        "parameters_before": before,
        "parameters_after": model.count_params(),
    }


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
        "reached": dict(reached),
        **describe_refit(config, fit, distilled=how.distill),
    }
