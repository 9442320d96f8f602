"""Fit a network: the head on frozen features first, then more of it, keeping the best by validation loss."""

import logging
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from osteo_edge.console import Advance
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import InputSpec, Pixels, normalize
from osteo_edge.train import keeping
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.distribution import is_chief, share_of
from osteo_edge.train.keeping import Epoch, Record, Saved
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.linear_head import fit_head
from osteo_edge.train.models import Network, set_trainable
from osteo_edge.train.objectives import peak_rate, rate_at
from osteo_edge.train.pipeline import single_threaded_opencv, steps_per_epoch, training_batches
from osteo_edge.train.range_test import lr_range_test
from osteo_edge.train.training_copy import TrainingCopy, Weights, open_copy

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FitOptions:
    """How a fit is run, beside what it is to reach.

    `strategy` is a tf.distribute strategy, None for one processor. `checkpoints` is a folder, seen by all workers,
    that is written after each epoch and gone on from if it is there. `find_rate` takes the learning rate from a range
    test.
    """

    strategy: Any = None
    checkpoints: Path | None = None
    find_rate: bool = False


@dataclass(frozen=True)
class HeadTimes:
    """What features and head took together, and the features of how many images were computed in a second.

    The rate leaves out the first batch, which also compiles; None where the cache had all but that.
    """

    seconds: float
    features_per_second: float | None


@dataclass(frozen=True)
class Fit:
    """How a fit went: validation loss by epoch (epoch 0 is the frozen backbone), the best one, and whether it ended
    by Ctrl-C. `head` has the times of features and head, `epochs` losses and times of the epochs after that;
    `resumed_after` is the last epoch of the killed run that it went on with."""

    validation_losses: tuple[float, ...]
    best_epoch: int
    interrupted: bool
    learning_rate: float | None = None
    head: HeadTimes | None = field(default=None, compare=False)
    epochs: tuple[Epoch, ...] = field(default=(), compare=False)
    resumed_after: int | None = field(default=None, compare=False)


@dataclass(frozen=True, eq=False)
class Task:
    """What one fit works with."""

    network: Network
    config: TrainConfig
    spec: InputSpec
    train: Labelled
    validation: Labelled
    on_progress: Advance
    options: FitOptions

    @property
    def strategy(self) -> Any:
        tensorflow, _ = load_tensorflow()
        return self.options.strategy or tensorflow.distribute.get_strategy()

    @property
    def steps(self) -> int:
        return steps_per_epoch(len(self.train), self.config.batch_size, self.strategy.num_replicas_in_sync)

    @property
    def key(self) -> str:
        facts = (self.network.weights_sha256, self.strategy.num_replicas_in_sync, self.options.find_rate)
        return keeping.fit_key(self.config, self.train, self.validation, *facts)


def fit(
    network: Network,
    config: TrainConfig,
    spec: InputSpec,
    train: Labelled,
    validation: Labelled,
    *,
    on_progress: Advance,
    options: FitOptions | None = None,
) -> Fit:
    """Fit the network in place and leave its best weights in it.

    From given weights the head is fitted on features of the frozen backbone first. Then the last
    `config.trainable_layers` layers, or all, are fitted by Adam (Kingma and Ba 2015). Ctrl-C ends that after the batch
    at hand, and the best so far is kept. `OsteoEdgeError` where that leaves nothing to be fitted.
    """
    if config.from_scratch and config.epochs == 0 and config.trainable_layers != 0:
        raise OsteoEdgeError("training: 0 epochs from scratch fit nothing; ask for at least 1, or start from --weights")
    task = Task(network, config, spec, train, validation, on_progress, options or FitOptions())
    folder = task.options.checkpoints
    saved = None if folder is None else keeping.load(folder, task.key)
    if saved is not None:
        log.debug("going on after epoch %d of %s", len(saved.record.epochs), folder)
        return _fit_epochs(task, saved.record, saved, None)
    head_loss, head = _fit_head(task)
    if config.trainable_layers == 0:
        return Fit((head_loss or 0.0,), 0, False, head=head)
    set_trainable(network, config)
    rate = _found_rate(task) if task.options.find_rate else peak_rate(config)
    return _fit_epochs(task, Record(rate, head_loss), None, head)


def predict_logits(model: Any, part: Labelled, spec: InputSpec, *, batch_size: int = 16) -> Pixels:
    """The model's logits, (n, labels), for prepared images, of which one batch at a time is read."""
    batches = [np.arange(start, min(start + batch_size, len(part))) for start in range(0, len(part), batch_size)]
    return np.concatenate([model.predict_on_batch(normalize(part.planes(batch), spec))[0] for batch in batches])


def cross_entropy(network: Network, spec: InputSpec, part: Labelled) -> float:
    """Mean cross-entropy of the network as it is, whatever it is trained with; infinite where it is not a number."""
    logits = predict_logits(network.model, part, spec).astype(np.float64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return keeping.finite(float(-np.mean(log_probabilities[np.arange(len(part)), part.classes])))


def _fit_head(task: Task) -> tuple[float | None, HeadTimes | None]:
    """The validation loss of the head on frozen features, and its times; None where it is not fitted."""
    if task.config.from_scratch and task.config.trainable_layers != 0:
        return None, None
    moments: list[tuple[int, float]] = []

    def note_time(done: int, total: int, note: str = "", stage: str | None = None) -> None:
        moments.append((done, time.perf_counter()))
        task.on_progress(done, total, note, stage)

    started = time.perf_counter()
    seed, standardize = task.config.seed, task.config.standardize
    fit_head(task.network, task.spec, task.train, seed=seed, standardize=standardize, on_progress=note_time)
    times = HeadTimes(time.perf_counter() - started, _per_second(moments))
    return cross_entropy(task.network, task.spec, task.validation), times


def _per_second(moments: list[tuple[int, float]]) -> float | None:
    if len(moments) < 2:
        return None
    (first, began), (last, ended) = moments[0], moments[-1]
    return (last - first) / max(1e-9, ended - began)


def _found_rate(task: Task) -> float:
    found = lr_range_test(task.network, task.config, task.spec, task.train, on_progress=task.on_progress)
    log.debug("range test: learning rate %.2g", found.suggested)
    return found.suggested


def _fit_epochs(task: Task, record: Record, saved: Saved | None, head: HeadTimes | None) -> Fit:
    if saved is not None:
        set_trainable(task.network, task.config)
    batches = _batches(task, first_epoch=len(record.epochs) + 1)
    copy = open_copy(task.network, task.config, task.strategy, batches.element_spec)
    best = copy.weights() if saved is None and record.head_loss is not None else []
    if saved is not None:
        copy.restore(saved.weights, saved.optimizer)
        best = saved.best
    with keeping.ctrl_c_noted() as interrupt, single_threaded_opencv():
        record, best = _run_epochs(task, copy, iter(batches), record, best, interrupt)
    if not best:
        _discard(task)
        raise OsteoEdgeError("training diverged: no epoch gave a finite validation loss; lower the learning rate")
    task.network.model.set_weights(best)
    losses = record.validation_losses
    resumed = None if saved is None else len(saved.record.epochs)
    return Fit(losses, record.best_epoch, interrupt.is_set(), record.learning_rate, head, record.epochs, resumed)


def _batches(task: Task, *, first_epoch: int) -> Any:
    """The batches from an epoch on, each worker of a strategy reading its own share."""

    def share(context: Any) -> Any:
        return training_batches(task.train, task.spec, task.config, first_epoch=first_epoch, share=share_of(context))

    return task.strategy.distribute_datasets_from_function(share)


def _run_epochs(
    task: Task, copy: TrainingCopy, batches: Any, record: Record, best: Weights, interrupt: Event
) -> tuple[Record, Weights]:
    while len(record.epochs) < task.config.epochs and record.stale_epochs < task.config.patience:
        epoch = _run_epoch(task, copy, batches, record, interrupt)
        weights = copy.weights()
        if epoch.validation_loss < min(record.validation_losses, default=np.inf):
            best = weights
        record = record.and_epoch(epoch)
        log.debug("epoch %d: %s", len(record.epochs), epoch)
        if interrupt.is_set():
            break
        _save(task, copy, Saved(record, weights, copy.optimizer_state(), best))
    return record, best


def _run_epoch(task: Task, copy: TrainingCopy, batches: Any, record: Record, interrupt: Event) -> Epoch:
    """One pass over the training images; waiting is the time until the next batch is there."""
    losses, waiting, working = [], 0.0, 0.0
    done, losses_so_far = len(record.epochs) * task.steps, record.validation_losses
    show = partial(task.on_progress, total=task.config.epochs * task.steps, note=_note(record), stage="train")
    for step in range(task.steps):
        copy.set_rate(rate_at(done + step, task.steps, record.learning_rate, task.config, losses_so_far))
        started = time.perf_counter()
        batch = next(batches)
        came = time.perf_counter()
        losses.append(float(copy.step(*batch)))
        waiting, working = waiting + came - started, working + time.perf_counter() - came
        show(done + step + 1)
        if interrupt.is_set():
            break
    task.network.model.set_weights(copy.weights())
    return Epoch(float(np.mean(losses)), cross_entropy(task.network, task.spec, task.validation), working, waiting)


def _note(record: Record) -> str:
    losses = record.validation_losses
    return f"epoch {len(record.epochs) + 1}, best validation loss {min(losses):.3f}" if losses else ""


def _save(task: Task, copy: TrainingCopy, saved: Saved) -> None:
    if task.options.checkpoints is not None and is_chief(copy.strategy):
        keeping.save(task.options.checkpoints, task.key, saved)


def _discard(task: Task) -> None:
    if task.options.checkpoints is not None:
        keeping.discard(task.options.checkpoints)
