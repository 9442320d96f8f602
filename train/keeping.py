"""What a fit keeps as it goes: its record, the best weights, and all that it needs to go on after it was killed."""

import hashlib
import io
import json
import math
import shutil
import signal
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.strict import to_dict
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.training_copy import Weights
from osteo_edge.version import VERSION
from osteo_edge.writing import write_whole

CHECKPOINT = "checkpoint.npz"


@dataclass(frozen=True)
class Epoch:
    """One epoch: its mean training loss, the validation loss after it, and its seconds.

    `waiting_s` is how long the network waited for batches, `working_s` how long it worked on them.
    """

    training_loss: float
    validation_loss: float
    working_s: float
    waiting_s: float

    @property
    def waiting_share(self) -> float:
        """The share of the epoch's training time that was spent waiting for data."""
        return self.waiting_s / max(1e-9, self.waiting_s + self.working_s)


@dataclass(frozen=True)
class Record:
    """The course of a fit. `head_loss` is the validation loss of the head on the frozen backbone, if it was fitted."""

    learning_rate: float
    head_loss: float | None = None
    epochs: tuple[Epoch, ...] = ()

    @property
    def validation_losses(self) -> tuple[float, ...]:
        head = () if self.head_loss is None else (self.head_loss,)
        return (*head, *(epoch.validation_loss for epoch in self.epochs))

    @property
    def best_epoch(self) -> int:
        """The epoch with the lowest validation loss; 0 is the head on the frozen backbone."""
        return int(np.argmin(self.validation_losses)) + (self.head_loss is None)

    @property
    def stale_epochs(self) -> int:
        """How many epochs have passed since the best."""
        return len(self.epochs) - self.best_epoch if self.validation_losses else 0

    def and_epoch(self, epoch: Epoch) -> "Record":
        """The record with one more epoch."""
        return replace(self, epochs=(*self.epochs, epoch))


@dataclass(frozen=True, eq=False)
class Saved:
    """A fit after an epoch: its record, the weights and the optimizer as they are, and the best weights so far."""

    record: Record
    weights: Weights
    optimizer: Weights
    best: Weights


def fit_key(config: TrainConfig, train: Labelled, validation: Labelled, *facts: object) -> str:
    """A digest of all that decides a fit: settings, images and their labels, and `facts` such as the strategy."""
    images = [[*part.sha256s, *part.classes.tolist()] for part in (train, validation)]
    text = json.dumps([VERSION, to_dict(config), images, list(facts)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def save(folder: Path, key: str, saved: Saved) -> None:
    """Write the checkpoint of the fit `key` in one step, over the one before."""
    arrays: dict[str, Any] = {"about": np.array(json.dumps({"key": key, "record": asdict(saved.record)}))}
    for name in ("weights", "optimizer", "best"):
        arrays |= {f"{name}-{number:05d}": array for number, array in enumerate(getattr(saved, name))}
    file = io.BytesIO()
    np.savez(file, **arrays)
    write_whole(folder / CHECKPOINT, file.getvalue(), "the checkpoint")


def load(folder: Path, key: str) -> Saved | None:
    """The checkpoint in the folder, if there is one; `OsteoEdgeError` if it is not of the fit `key`, or damaged."""
    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
            found = {name: _numbered(arrays, name) for name in ("weights", "optimizer", "best")}
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise OsteoEdgeError(f"{path}: is no whole checkpoint ({error}); remove its folder to start again") from error
    if about["key"] != key:
        raise OsteoEdgeError(
            f"{path}: is of a run with other settings or images; repeat those, or start again with --no-resume"
        )
    return Saved(_record(about["record"]), **found)


def discard(folder: Path) -> None:
    """Remove the checkpoint and its folder."""
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def ctrl_c_noted() -> Iterator[threading.Event]:
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


def finite(loss: float) -> float:
    """The loss, or infinity where it is not a number."""
    return loss if math.isfinite(loss) else math.inf


def _numbered(arrays: Any, name: str) -> Weights:
    return [arrays[key] for key in sorted(arrays.files) if key.startswith(f"{name}-")]


def _record(data: dict[str, Any]) -> Record:
    epochs: Sequence[dict[str, float]] = data["epochs"]
    return Record(data["learning_rate"], data["head_loss"], tuple(Epoch(**epoch) for epoch in epochs))
