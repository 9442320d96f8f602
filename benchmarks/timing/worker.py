"""The process in which one variant is timed: it loads the model, then runs it as often as its parent asks.

python -m osteo_edge.benchmarks.timing.worker

It talks in lines of JSON. The first that it reads is an `Opening`, which it answers with `Ready`; every further one
is an `Order`, answered with `Timed`. What fails is answered with `Failed`, and ends it, as the end of its input does.
"""

import gc
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

import numpy as np

from osteo_edge import strict
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec, open_runner
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import Tensor

THREADS = Path("/proc/self/task")
NS_PER_MS = 1e6
YARDSTICKS = 50


@dataclass(frozen=True)
class Opening:
    """What to load, and the shape of the image that it takes."""

    spec: RunnerSpec
    height: int
    width: int
    channels: int


@dataclass(frozen=True)
class Ready:
    """The model is loaded, its runtime imported before, in `load_ms` altogether."""

    version: str
    delegate: str | None
    load_ms: float


@dataclass(frozen=True)
class Order:
    """To run until there are at least so many runs, and seconds in them, but no further run once `limit_s` are over."""

    runs: int
    seconds: float
    limit_s: float


@dataclass(frozen=True)
class Timed:
    """Every run's time, and what the process as a whole was given meanwhile (see `results.Turn`)."""

    runs_ms: tuple[float, ...]
    cpu_ms: float
    waited_ms: float | None
    switches: int
    yardstick_ms: float


@dataclass(frozen=True)
class Failed:
    """Why the worker gives up, in one line."""

    error: str


def serve(requests: TextIO, replies: TextIO) -> None:
    """Answer every request until there are no more, or one fails."""
    try:
        opening = strict.from_dict(Opening, json.loads(next(requests)))
        started = time.perf_counter_ns()
        runner = open_runner(opening.spec)
        _send(replies, Ready(runner.version, runner.delegate, (time.perf_counter_ns() - started) / NS_PER_MS))
        runner.set_input(steady_input(opening.height, opening.width, opening.channels))
        for line in requests:
            _send(replies, take_turn(runner, strict.from_dict(Order, json.loads(line))))
    except OsteoEdgeError as error:
        _send(replies, Failed(str(error)))
    except Exception as error:  # a runtime may raise anything; the parent tells its user and measures the others
        _send(replies, Failed(" ".join(f"{type(error).__name__}: {error}".split())))


def steady_input(height: int, width: int, channels: int) -> Tensor:
    """The same noise in [-1, 1] for every process, (1, height, width, channels): no zeros that a kernel might skip."""
    return np.random.default_rng(0).uniform(-1.0, 1.0, (1, height, width, channels)).astype(np.float32)


class Runnable(Protocol):
    """What can be timed: all that `take_turn` asks of a `Runner`."""

    def run(self) -> None: ...


def take_turn(runner: Runnable, order: Order, *, clock: Callable[[], int] = time.perf_counter_ns) -> Timed:
    """Run and time as ordered, at least once; the garbage collector, and all that is noted besides, stays outside."""
    gc.collect()
    gc.disable()
    try:
        waited, switches, cpu = _waited_ns(), _switches(), time.process_time_ns()
        times = _times_ns(runner.run, order, clock)
        cpu_ms = (time.process_time_ns() - cpu) / NS_PER_MS
        taken = _switches() - switches
        waited_ms = _longest_wait_ms(waited, _waited_ns())
        return Timed(tuple(ns / NS_PER_MS for ns in times), cpu_ms, waited_ms, taken, time_yardstick())
    finally:
        gc.enable()


def time_yardstick() -> float:
    """How fast the machine is by itself: the median time in ms of a fixed calculation that fits into the first cache.

    A core is not as fast from one hour to the next (turbo, heat, what shares it); a model's time follows this one's.
    """
    values = np.linspace(1.0, 2.0, 4096, dtype=np.float32)
    found = np.empty_like(values)
    times = []
    for _ in range(YARDSTICKS):
        start = time.perf_counter_ns()
        for _ in range(200):
            np.multiply(values, values, out=found)
            np.add(found, values, out=found)
        times.append(time.perf_counter_ns() - start)
    return float(np.median(times)) / NS_PER_MS


def _times_ns(run: Callable[[], None], order: Order, clock: Callable[[], int]) -> list[int]:
    times: list[int] = []
    timed, enough, limit = 0, order.seconds * 1e9, clock() + order.limit_s * 1e9
    while True:
        start = clock()
        run()
        end = clock()
        times.append(end - start)
        timed += end - start
        if end >= limit or (timed >= enough and len(times) >= order.runs):
            return times


def _switches() -> int:
    """How often a thread of this process was taken its core so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def _waited_ns() -> dict[str, int]:
    """How long each thread of this process was ready to run but did not, so far; nothing where the kernel is silent.

    The second number of schedstat (Documentation/scheduler/sched-stats.rst of Linux).
    """
    found = {}
    for path in THREADS.glob("*/schedstat"):
        try:
            found[path.parent.name] = int(path.read_text("ascii").split()[1])
        except (OSError, IndexError, ValueError):
            continue
    return found


def _longest_wait_ms(before: dict[str, int], after: dict[str, int]) -> float | None:
    waits = [waited - before.get(thread, 0) for thread, waited in after.items()]
    return max(waits) / NS_PER_MS if waits else None


def _send(replies: TextIO, reply: Any) -> None:
    replies.write(json.dumps(strict.to_dict(reply)) + "\n")
    replies.flush()


def main() -> None:
    """Serve the parent; what native code prints goes to standard error, and Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, replies)


if __name__ == "__main__":
    main()
