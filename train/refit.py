"""Fine-tune a network while it is compressed, and keep the best epoch in which it is compressed as far as asked for."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import Any

import numpy as np

from osteo_edge.console import Advance
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import InputSpec
from osteo_edge.train import keeping
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.distillation import HALF_AND_HALF, Distillation, distilled_losses
from osteo_edge.train.fitting import Fit, cross_entropy
from osteo_edge.train.keeping import Epoch, Record
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import Network
from osteo_edge.train.objectives import example_losses, peak_rate, rate_at
from osteo_edge.train.pipeline import single_threaded_opencv, steps_per_epoch, training_batches
from osteo_edge.train.training_copy import Weights

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Student:
    """A network in compression: `model` is trained, `weights` gives those of the plain network, compressed.

    Epochs count from `settled_epoch` on, the first after which it is compressed as far as asked for; `settle` goes
    what is left of the way at once, for a fit that is ended before. The validation loss is that of the plain network
    with these weights, or of `model` itself where it `is_judged`, as it computes otherwise.
    """

    model: Any
    weights: Callable[[], Weights]
    settle: Callable[[], None] = lambda: None
    settled_epoch: int = 1
    is_judged: bool = False


@dataclass(frozen=True, eq=False)
class Refit:
    """What one fit works with: `network` receives the weights of the student, `teacher` is a Keras model or None."""

    network: Network
    student: Student
    config: TrainConfig
    spec: InputSpec
    train: Labelled
    validation: Labelled
    on_progress: Advance
    teacher: Any = None
    distillation: Distillation = HALF_AND_HALF

    @property
    def steps(self) -> int:
        return steps_per_epoch(len(self.train), self.config.batch_size)


def plain_student(model: Any) -> Student:
    """A network that is compressed already, in its shape."""
    return Student(model, lambda: list(model.get_weights()))


def refit(task: Refit) -> Fit:
    """Fit the student by Adam for `config.epochs` and leave its best weights in the network.

    Ctrl-C ends it after the batch at hand. `OsteoEdgeError` if no epoch gave a finite validation loss.
    """
    _, keras = load_tensorflow()
    keras.utils.set_random_seed(task.config.seed)
    batches = training_batches(task.train, task.spec, task.config)
    optimizer = keras.optimizers.Adam(1.0)
    optimizer.build(task.student.model.trainable_variables)
    step = _step(task, optimizer, batches.element_spec)
    record, best, best_loss, best_epoch = Record(peak_rate(task.config)), Weights(), np.inf, 0
    with keeping.ctrl_c_noted() as interrupt, single_threaded_opencv():
        stream = iter(batches)
        while len(record.epochs) < task.config.epochs and not interrupt.is_set():
            epoch = _run_epoch(task, optimizer, step, stream, record, interrupt)
            record = record.and_epoch(epoch)
            number = len(record.epochs)
            log.debug("epoch %d: %s", number, epoch)
            if number >= task.student.settled_epoch and epoch.validation_loss < best_loss:
                best, best_loss, best_epoch = task.network.model.get_weights(), epoch.validation_loss, number
        if record.epochs and len(record.epochs) < task.student.settled_epoch:
            record, best, best_epoch = *_settled_at_once(task, record), len(record.epochs)
    if not best:
        raise OsteoEdgeError("fine-tuning diverged: no epoch gave a finite validation loss; lower the learning rate")
    task.network.model.set_weights(best)
    return Fit(record.validation_losses, best_epoch, interrupt.is_set(), record.learning_rate, epochs=record.epochs)


def _run_epoch(task: Refit, optimizer: Any, step: Any, batches: Any, record: Record, interrupt: Event) -> Epoch:
    """One pass over the training images; afterwards the network has the student's weights."""
    losses, waiting, working = [], 0.0, 0.0
    done = len(record.epochs) * task.steps
    show = partial(task.on_progress, total=task.config.epochs * task.steps, stage="fine-tune")
    for number in range(task.steps):
        rate = rate_at(done + number, task.steps, record.learning_rate, task.config, record.validation_losses)
        optimizer.learning_rate.assign(rate)
        started = time.perf_counter()
        batch = next(batches)
        came = time.perf_counter()
        losses.append(float(step(*batch)))
        waiting, working = waiting + came - started, working + time.perf_counter() - came
        show(done + number + 1)
        if interrupt.is_set():
            break
    if len(record.epochs) + 1 >= task.student.settled_epoch:
        task.student.settle()
    task.network.model.set_weights(task.student.weights())
    return Epoch(float(np.mean(losses)), _validation_loss(task), working, waiting)


def _validation_loss(task: Refit) -> float:
    network, student = task.network, task.student
    judged = replace(network, model=student.model) if student.is_judged else network
    return cross_entropy(judged, task.spec, task.validation)


def _settled_at_once(task: Refit, record: Record) -> tuple[Record, Weights]:
    """The record with the loss of the network as it is when it is compressed all the way, and its weights."""
    task.student.settle()
    weights = task.student.weights()
    task.network.model.set_weights(weights)
    last = replace(record.epochs[-1], validation_loss=_validation_loss(task))
    return replace(record, epochs=(*record.epochs[:-1], last)), weights


def _step(task: Refit, optimizer: Any, element_spec: Any) -> Any:
    tensorflow, _ = load_tensorflow()
    model = task.student.model

    def step(images: Any, targets: Any) -> Any:
        with tensorflow.GradientTape() as tape:
            logits = model(images, training=True)[0]
            losses = example_losses(targets, logits, task.config)
            if task.teacher is not None:
                taught = task.teacher(images, training=False)[0]
                losses = distilled_losses(losses, logits, taught, task.distillation)
            loss = tensorflow.reduce_mean(losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return tensorflow.function(step, input_signature=list(element_spec))
