"""Training images as a stream of batches: shuffled, varied and normalized in parallel with the network's work.

The prepared planes lie on disk, mapped into memory, and are the cache: nothing is decoded a second time. What an image
looks like depends on the seed, the epoch and the image alone, and batches keep their order, so two runs are the same.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from osteo_edge.preprocessing import InputSpec, Tensor, normalize
from osteo_edge.train.augmentation import augment
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.objectives import Targets, label_targets, mix

Rows = npt.NDArray[np.int64]
READY_BATCHES = 2
NO_IMAGE = -1


@dataclass(frozen=True)
class Share:
    """Which part of every batch is read here: that of some of the replicas that train together."""

    replicas: tuple[int, ...] = (0,)
    of: int = 1


def steps_per_epoch(n: int, batch_size: int, replicas: int = 1) -> int:
    """Batches in one epoch over `n` images."""
    return math.ceil((n - n % replicas) / batch_size)


def epoch_rows(n: int, epoch: int, config: TrainConfig, share: Share) -> Rows:
    """The image numbers of this share in one epoch, a row a replica's batch; short rows end in `NO_IMAGE`.

    Each batch is divided evenly between the replicas, so that the mean of their losses is the batch's. What does not
    divide is left out, other images in each epoch.
    """
    order = np.random.default_rng([config.seed, epoch]).permutation(n)[: n - n % share.of]
    batches = [order[start : start + config.batch_size] for start in range(0, order.size, config.batch_size)]
    rows = [np.split(batch, share.of)[replica] for batch in batches for replica in share.replicas]
    table = np.full((len(rows), config.batch_size // share.of), NO_IMAGE, np.int64)
    for number, row in enumerate(rows):
        table[number, : row.size] = row
    return table


@dataclass(frozen=True, eq=False)
class BatchLoader:
    """Makes one batch; safe in several threads at once."""

    part: Labelled
    spec: InputSpec
    config: TrainConfig
    targets: Targets

    def load(self, epoch: int, number: int, row: Rows) -> tuple[Tensor, Targets]:
        """The varied, normalized images of a row, (n, height, width, channels), and their targets, (n, labels)."""
        numbers = row[row != NO_IMAGE]
        images = normalize(np.stack([self._plane(int(epoch), int(image)) for image in numbers]), self.spec)
        targets = self.targets[numbers]
        if self.config.mixup > 0:
            rng = np.random.default_rng([self.config.seed, int(epoch), int(number), len(self.part)])
            images, targets = mix(images, targets, self.config.mixup, rng)
        return images, targets

    def _plane(self, epoch: int, image: int) -> npt.NDArray[np.float32]:
        rng = np.random.default_rng([self.config.seed, epoch, image])
        return augment(self.part.plane(image), rng, self.config.augmentation)


def training_batches(
    part: Labelled, spec: InputSpec, config: TrainConfig, *, first_epoch: int = 1, share: Share | None = None
) -> Any:
    """A tf.data set of (images, targets) from `first_epoch` to the last one, without a break between epochs."""
    tensorflow, _ = load_tensorflow()
    shared = share or Share()
    loader = BatchLoader(part, spec, config, label_targets(part.classes, len(part.labels), config))

    def rows_of(epoch: Any) -> Any:
        rows = _numpy_call(lambda epoch: epoch_rows(len(part), int(epoch), config, shared), [epoch], tensorflow.int64)
        numbered = tensorflow.data.Dataset.from_tensor_slices(rows).enumerate()
        return numbered.map(lambda number, row: (epoch, number, row))

    def load(epoch: Any, number: Any, row: Any) -> Any:
        images, targets = _numpy_call(loader.load, [epoch, number, row], (tensorflow.float32, tensorflow.float32))
        images.set_shape((None, spec.height, spec.width, spec.channels))
        targets.set_shape((None, len(part.labels)))
        return images, targets

    epochs = tensorflow.data.Dataset.range(first_epoch, config.epochs + 1)
    batches = epochs.flat_map(rows_of).map(load, num_parallel_calls=usable_cores(), deterministic=True)
    return batches.prefetch(READY_BATCHES)


def usable_cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def single_threaded_opencv() -> Iterator[None]:
    """Keep OpenCV to one thread for each call, where whole batches are made in parallel."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _numpy_call(function: Any, inputs: Any, types: Any) -> Any:
    """Declared free of state, which it is: with op determinism TensorFlow calls anything else one at a time."""
    tensorflow, _ = load_tensorflow()
    return tensorflow.numpy_function(function, inputs, types, stateful=False)
