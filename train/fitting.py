"""Fit a network: the head on frozen features first, then the whole, keeping the best by validation loss."""

import logging
import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.console import Advance
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import InputSpec, Pixels, normalize
from osteo_edge.train.augmentation import augment
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.features import frozen_features
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.models import Network, freeze_batch_norm, set_head
from osteo_edge.train.prepared import Prepared

Classes = npt.NDArray[np.intp]
HEAD_STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class LabelledPlanes:
    """Prepared images with their class numbers."""

    prepared: Prepared
    classes: Classes


@dataclass(frozen=True)
class Fit:
    """How a fit went: validation loss by epoch (epoch 0 is the frozen backbone), the best one, and whether it ended
    by Ctrl-C."""

    validation_losses: tuple[float, ...]
    best_epoch: int
    interrupted: bool


def fit(
    network: Network,
    config: TrainConfig,
    spec: InputSpec,
    train: LabelledPlanes,
    validation: LabelledPlanes,
    *,
    on_progress: Advance,
) -> Fit:
    """Fit the network in place and leave its best weights in it.

    From scratch everything is trained at once. From given weights the head is fitted on features of the frozen
    backbone, then everything is fine-tuned with batch normalization frozen. Ctrl-C ends the fit of the whole after
    the batch at hand, and the best so far is kept.
    """
    first_losses: list[float] = []
    if not config.from_scratch:
        fit_head(network, config, spec, train, validation, on_progress=on_progress)
        freeze_batch_norm(network.model)
        first_losses = [_loss(network, spec, validation)]
    return _fit_whole(network, config, spec, train, validation, first_losses, on_progress)


def class_weights(classes: Classes, n_labels: int) -> dict[int, float]:
    """Weights that let each class count alike: n / (labels * n of the class)."""
    counts = np.bincount(classes, minlength=n_labels)
    return {number: float(classes.size / (n_labels * max(1, count))) for number, count in enumerate(counts)}


def fit_head(
    network: Network,
    config: TrainConfig,
    spec: InputSpec,
    train: LabelledPlanes,
    validation: LabelledPlanes,
    *,
    on_progress: Advance,
) -> None:
    """Put a logistic regression on frozen features into the head; its strength is chosen by validation loss."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    def features(part: LabelledPlanes, name: str) -> Pixels:
        return frozen_features(
            network,
            part.prepared,
            spec,
            on_progress=lambda done, total: on_progress(done, total, stage=f"features, {name}"),
        )

    seen, unseen = features(train, "train"), features(validation, "validation")
    numbers = list(range(len(config.labels)))
    fitted = [
        LogisticRegression(C=strength, class_weight="balanced", max_iter=2000).fit(seen, train.classes)
        for strength in HEAD_STRENGTHS
    ]
    losses = [log_loss(validation.classes, model.predict_proba(unseen), labels=numbers) for model in fitted]
    best = fitted[int(np.argmin(losses))]
    log.debug("head: validation loss %s at C %s", losses, HEAD_STRENGTHS)
    kernel, bias = np.atleast_2d(best.coef_).T, np.atleast_1d(best.intercept_)
    if len(config.labels) == 2:
        kernel, bias = np.hstack([-kernel / 2, kernel / 2]), np.array([-bias[0] / 2, bias[0] / 2])
    set_head(network, kernel.astype(np.float32), bias.astype(np.float32))


def _fit_whole(
    network: Network,
    config: TrainConfig,
    spec: InputSpec,
    train: LabelledPlanes,
    validation: LabelledPlanes,
    first_losses: list[float],
    on_progress: Advance,
) -> Fit:
    _, keras = load_tensorflow()
    model = keras.Model(network.model.input, network.model.outputs[0])
    steps = math.ceil(train.classes.size / config.batch_size)
    rate = config.learning_rate_scratch if config.from_scratch else config.learning_rate_fine_tune
    schedule = keras.optimizers.schedules.CosineDecay(
        0.1 * rate, steps * max(1, config.epochs), alpha=0.01, warmup_target=rate, warmup_steps=steps
    )
    model.compile(keras.optimizers.Adam(schedule), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    keeper = _best_keeper(model, config, steps, first_losses, on_progress)
    batches = _batches(train, spec, config)
    with _ctrl_c_noted() as interrupt:
        keeper.interrupt = interrupt
        model.fit(
            batches,
            validation_data=_batches(validation, spec, config, vary=False),
            epochs=config.epochs,
            class_weight=class_weights(train.classes, len(config.labels)),
            callbacks=[keeper],
            shuffle=False,
            verbose=0,
        )
    if keeper.weights is None:
        raise OsteoEdgeError("training diverged: no epoch gave a finite validation loss; lower the learning rate")
    model.set_weights(keeper.weights)
    first_epoch = 0 if first_losses else 1
    return Fit(tuple(keeper.losses), first_epoch + int(np.argmin(keeper.losses)), interrupt.is_set())


@contextmanager
def _ctrl_c_noted() -> Iterator[threading.Event]:
    """Note the first Ctrl-C instead of raising it wherever TensorFlow happens to be; a second one is raised."""
    noted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return

    def note(number: int, frame: object) -> None:
        noted.set()
        signal.signal(signal.SIGINT, usual)

    usual = signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, usual)


def _loss(network: Network, spec: InputSpec, part: LabelledPlanes) -> float:
    """Mean cross-entropy of the network as it is."""
    logits = predict_logits(network.model, part.prepared.planes, spec)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-np.mean(log_probabilities[np.arange(part.classes.size), part.classes]))


def predict_logits(model: Any, planes: Pixels, spec: InputSpec, *, batch_size: int = 16) -> Pixels:
    """The model's logits, (n, labels), for prepared planes (n, height, width)."""
    parts = [
        model(normalize(np.asarray(planes[start : start + batch_size]), spec), training=False)[0].numpy()
        for start in range(0, len(planes), batch_size)
    ]
    return np.concatenate(parts)


def _best_keeper(model: Any, config: TrainConfig, steps: int, first_losses: list[float], on_progress: Advance) -> Any:
    _, keras = load_tensorflow()

    class BestKeeper(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        """Remember the weights with the lowest validation loss, show progress, and stop when it no longer falls."""

        def __init__(self) -> None:
            super().__init__()
            self.losses = list(first_losses)
            self.weights = model.get_weights() if first_losses else None
            self.epoch = 0
            self.interrupt = threading.Event()

        def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
            if self.interrupt.is_set():
                model.stop_training = True
            done = self.epoch * steps + batch + 1
            on_progress(done, config.epochs * steps, self._note(), "train")

        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            self.epoch = epoch + 1
            loss = logs["val_loss"] if math.isfinite(logs["val_loss"]) else math.inf
            if loss < min(self.losses, default=math.inf):
                self.weights = model.get_weights()
            self.losses.append(loss)
            log.debug("epoch %d: loss %.4f, validation %.4f", self.epoch, logs["loss"], loss)
            if len(self.losses) - 1 - int(np.argmin(self.losses)) >= config.patience:
                model.stop_training = True

        def _note(self) -> str:
            return f"epoch {self.epoch + 1}, best validation loss {min(self.losses):.3f}" if self.losses else ""

    return BestKeeper()


def _batches(part: LabelledPlanes, spec: InputSpec, config: TrainConfig, *, vary: bool = True) -> Any:
    _, keras = load_tensorflow()

    class Batches(keras.utils.Sequence):  # type: ignore[misc, name-defined]
        """Batches in an order and with variations that depend on the seed, the epoch and the image alone."""

        def __init__(self) -> None:
            self.epoch = 0
            self.on_epoch_end()

        def __len__(self) -> int:
            return math.ceil(part.classes.size / config.batch_size)

        def on_epoch_end(self) -> None:
            rng = np.random.default_rng([config.seed, self.epoch])
            self.order = rng.permutation(part.classes.size) if vary else np.arange(part.classes.size)
            self.epoch += 1

        def __getitem__(self, index: int) -> tuple[Pixels, Classes]:
            numbers = self.order[index * config.batch_size : (index + 1) * config.batch_size]
            planes = np.stack([self._plane(int(number)) for number in numbers])
            return normalize(planes, spec), part.classes[numbers]

        def _plane(self, number: int) -> Pixels:
            plane = np.asarray(part.prepared.planes[number])
            return augment(plane, np.random.default_rng([config.seed, self.epoch, number])) if vary else plane

    return Batches()
