"""One network in one precision and batch size, timed on the accelerator; a process of its own, as its framework is.

python -m osteo_edge.benchmarks.baselines.worker < job.json
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from osteo_edge import strict
from osteo_edge.benchmarks.baselines.file import Device, FloatPrecision
from osteo_edge.benchmarks.baselines.frameworks import Call, Framework, open_framework
from osteo_edge.benchmarks.baselines.networks import load_keras, random_network, read_network
from osteo_edge.benchmarks.measuring.isolated import serve
from osteo_edge.benchmarks.timing.worker import Order, take_turn
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import Tensor
from osteo_edge.runtime import Floats

STATUS = Path("/proc/self/status")
WARM_UP = Order(runs=5, seconds=1.0, limit_s=30.0)
TRANSFERS = 20
NS_PER_MS = 1e6


@dataclass(frozen=True)
class Source:
    """Where a network comes from: the Keras model of a bundle, or the name of one with random weights."""

    model: str | None
    network: str | None
    height: int
    width: int
    channels: int


@dataclass(frozen=True)
class Job:
    """What to measure: `turns` of the `turn` ordered, and answers for `images`, a .npy file, if there are any.

    `logits` is the place of the logits among the outputs.
    """

    framework: str
    source: Source
    precision: FloatPrecision
    batch: int
    turns: int
    turn: Order
    images: str | None
    logits: int


@dataclass(frozen=True)
class Done:
    """What came of it; `logits` are those of each image, None without images."""

    device: Device
    parameters: int
    weight_bytes: int
    compile_ms: float
    transfer_ms: float
    warm_up_ms: tuple[float, ...]
    at_s: tuple[float, ...]
    turns_ms: tuple[tuple[float, ...], ...]
    device_peak_bytes: int | None
    peak_bytes: int
    logits: tuple[tuple[float, ...], ...] | None


class Batch:
    """A compiled model with a batch in place on the device: what `take_turn` runs."""

    def __init__(self, framework: Framework, call: Call, images: Any) -> None:
        self._framework, self._call, self._images = framework, call, images

    def run(self) -> None:
        self._framework.wait(self._call(self._images))


def measure(job: dict[str, Any]) -> Any:
    """Do a `Job` given as JSON values, and give `Done` as such; `OsteoEdgeError` if the device cannot take it."""
    return strict.to_dict(_measure(strict.from_dict(Job, job)))


def _measure(job: Job) -> Done:
    framework = open_framework(job.framework)
    model = _network(load_keras(job.precision), job.source)
    images = _noise(job)
    try:
        return _time(job, framework, model, images)
    except MemoryError as error:
        raise OsteoEdgeError(f"a batch of {job.batch} does not fit into memory") from error
    except Exception as error:  # each framework has exceptions of its own, for a full device above all
        raise OsteoEdgeError(" ".join(f"{type(error).__name__}: {error}".split())[:200]) from error


def _time(job: Job, framework: Framework, model: Any, images: Tensor) -> Done:
    call, placed = framework.compile(model), framework.put(images, job.precision)
    batch = Batch(framework, call, placed)
    compile_ms = _milliseconds(batch.run)
    transfer_ms = median(_milliseconds(lambda: framework.put(images, job.precision)) for _ in range(TRANSFERS))
    warm_up = take_turn(batch, WARM_UP)
    began, at_s, turns = time.monotonic(), [], []
    for _ in range(job.turns):
        at_s.append(time.monotonic() - began)
        turns.append(take_turn(batch, job.turn).runs_ms)
    device_peak = framework.peak_bytes()
    return Done(
        device=framework.device(),
        parameters=sum(int(np.prod(weight.shape)) for weight in model.weights),
        weight_bytes=sum(int(np.prod(weight.shape)) * _item_bytes(weight.dtype) for weight in model.weights),
        compile_ms=compile_ms,
        transfer_ms=transfer_ms,
        warm_up_ms=warm_up.runs_ms,
        at_s=tuple(at_s),
        turns_ms=tuple(turns),
        device_peak_bytes=device_peak,
        peak_bytes=peak_bytes(STATUS.read_text("utf-8")),
        logits=None if job.images is None else _answer(job, framework, call, np.load(job.images, allow_pickle=False)),
    )


def _network(keras: Any, source: Source) -> Any:
    if source.model is not None:
        return read_network(keras, Path(source.model))
    return random_network(keras, source.network or "", source.height, source.width, source.channels)


def _noise(job: Job) -> Tensor:
    shape = (job.batch, job.source.height, job.source.width, job.source.channels)
    return np.random.default_rng(0).uniform(-1.0, 1.0, shape).astype(np.float32)


def _answer(job: Job, framework: Framework, call: Call, images: Tensor) -> tuple[tuple[float, ...], ...]:
    """The logits of each image, in batches of the size that the model was compiled for; the last is filled up."""
    rows: list[Floats] = []
    for start in range(0, len(images), job.batch):
        part = images[start : start + job.batch]
        filled = np.concatenate([part, np.zeros((job.batch - len(part), *part.shape[1:]), np.float32)])
        outputs: Sequence[Any] = call(framework.put(filled, job.precision))
        rows.extend(framework.fetch(outputs[job.logits])[: len(part)])
    return tuple(tuple(float(value) for value in row) for row in rows)


def peak_bytes(status: str) -> int:
    """The high-water mark of the resident set, as /proc/self/status tells it (proc(5)).

    >>> peak_bytes("VmPeak:\\t 9 kB\\nVmHWM:\\t    5 kB")
    5120
    """
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def _item_bytes(dtype: str) -> int:
    """numpy does not know bfloat16."""
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize


def _milliseconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - start) / NS_PER_MS


if __name__ == "__main__":
    serve(measure)
