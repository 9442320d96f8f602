"""Whether `osteo-edge bench` can be believed: a bundle beside itself must not differ, and timing must cost nothing.

python -m osteo_edge.benchmarks.timing.self_check BUNDLE
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from osteo_edge.benchmarks.measuring.command import finish
from osteo_edge.benchmarks.measuring.comparison import Check
from osteo_edge.benchmarks.measuring.environment import Environment, read_environment
from osteo_edge.benchmarks.measuring.isolated import SAFE_PATH
from osteo_edge.benchmarks.measuring.results import Latency, Turn
from osteo_edge.benchmarks.measuring.summaries import compare, differs, summarize
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec
from osteo_edge.benchmarks.timing.turns import PROCESSES, QUICK_PROCESSES, WARM_UP, Rival, measure_latency
from osteo_edge.benchmarks.timing.worker import Order
from osteo_edge.benchmarks.timing.worker_process import WorkerProcess
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import progress, show_table
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.intervals import Estimate, wilson
from osteo_edge.runtime import installed_backends
from osteo_edge.standalone import Standalone

MAX_FALSE_ALARMS = 1 / 20
MAX_OVERHEAD = 1.01
SCRIPT_TIMEOUT_S = 300
BARE_LOOP = """
import importlib, json, sys, time, numpy as np
module, path, threads, warm_up, seconds = sys.argv[1:]
model = importlib.import_module(module).Interpreter(model_path=path, num_threads=int(threads))
model.allocate_tensors()
given = model.get_input_details()[0]
noise = np.random.default_rng(0).uniform(-1, 1, given["shape"]) / (given["quantization"][0] or 1)
limits = np.iinfo(given["dtype"]) if given["quantization"][0] else np.finfo(given["dtype"])
model.set_tensor(given["index"], np.clip(noise, limits.min, limits.max).astype(given["dtype"]))
times, begin, warm_up = [], time.perf_counter(), float(warm_up)
while time.perf_counter() - begin < warm_up + float(seconds):
    start = time.perf_counter()
    model.invoke()
    times.append((start - begin, (time.perf_counter() - start) * 1000))
print(json.dumps([time for at, time in times if at >= warm_up]))
"""


@dataclass(frozen=True)
class Lengths:
    """How long each measurement of a variant is."""

    runs: int
    seconds: float
    processes: int


FULL, QUICK = Lengths(1024, 60.0, PROCESSES), Lengths(128, 5.0, QUICK_PROCESSES)  # as bench does, and bench --quick
BESIDE_LOOP = Lengths(1, 20.0, 40)  # many short turns, for less than 1 % is to be seen


@dataclass(frozen=True)
class SelfCheck:
    """The ratios of the bundle's two medians, one a call, and the runs of our worker beside those of a bare loop."""

    environment: Environment
    bundle: str
    lengths: Lengths
    ratios: tuple[Estimate, ...]
    worker: Latency
    bare_loop: Latency

    @property
    def checks(self) -> tuple[Check, ...]:
        alarms = wilson(np.array([differs(ratio) for ratio in self.ratios]))
        overhead = compare(self.worker, self.bare_loop, same_run=True)
        return (
            Check("false alarms, a bundle beside itself", alarms, "at most", MAX_FALSE_ALARMS),
            Check("median, bench / bare loop", overhead, "at most", MAX_OVERHEAD),
        )

    def to_dict(self) -> dict[str, Any]:
        """The result for machines: raw values first, what is derived from them last."""
        return {**asdict(self), "checks": [check.to_dict() for check in self.checks]}


def check_itself(
    bundle: Bundle,
    *,
    calls: int,
    lengths: Lengths,
    beside_loop: Lengths = BESIDE_LOOP,
    threads: int = 1,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> SelfCheck:
    """Measure the bundle as A and as B in each of `calls` calls, then beside the loop.

    `BundleError` if it is no TFLite bundle, `OsteoEdgeError` if no runtime is installed or a process fails.
    """
    environment = read_environment()
    rival = _rival(bundle, threads)
    ratios = []
    for call in range(calls):
        ratios.append(measure_beside_itself(rival, lengths, seed=call))
        on_progress(call + 1, calls + 1)
    worker, bare_loop = measure_beside_loop(rival, beside_loop)
    on_progress(calls + 1, calls + 1)
    return SelfCheck(environment, str(bundle.path), lengths, tuple(ratios), worker, bare_loop)


def measure_beside_itself(rival: Rival, lengths: Lengths, *, seed: int) -> Estimate:
    """One call of the measurement with the same variant twice: the ratio of its medians."""
    twins = tuple(Rival(name, rival.spec, rival.height, rival.width, rival.channels) for name in ("A", "B"))
    found = measure_latency(
        twins, runs=lengths.runs, seconds=lengths.seconds, budget_s=None, seed=seed, processes=lengths.processes
    )
    one, other = found["A"], found["B"]
    if isinstance(one, str) or isinstance(other, str):
        raise OsteoEdgeError(f"{rival.spec.model}: cannot be measured: {one if isinstance(one, str) else other}")
    return compare(one, other, same_run=True)


def measure_beside_loop(rival: Rival, lengths: Lengths) -> tuple[Latency, Latency]:
    """The variant in our worker and in the shortest loop there is: a fresh process each, in random order each round."""
    seconds = lengths.seconds / lengths.processes
    ways: tuple[Callable[[Rival, float], tuple[float, ...]], ...] = (_in_worker, _in_bare_loop)
    turns: dict[Any, list[Turn]] = {way: [] for way in ways}
    order = random.Random(0)
    for number in range(lengths.processes):
        for way in order.sample(ways, len(ways)):
            turns[way].append(Turn(number, 0.0, way(rival, seconds)))
    worker, bare_loop = (Latency(summarize(turns[way]), tuple(turns[way]), ()) for way in ways)
    return worker, bare_loop


def _in_worker(rival: Rival, seconds: float) -> tuple[float, ...]:
    with WorkerProcess(rival.opening) as worker:
        worker.load()
        worker.take_turn(WARM_UP)
        return worker.take_turn(Order(1, seconds, seconds + SCRIPT_TIMEOUT_S)).runs_ms


def _in_bare_loop(rival: Rival, seconds: float) -> tuple[float, ...]:
    (module,) = (backend.module for backend in installed_backends() if backend.title == rival.spec.runtime)
    given = (module, rival.spec.model, str(rival.spec.threads), str(WARM_UP.seconds), str(seconds))
    command = [sys.executable, "-c", BARE_LOOP, *given]
    finished = subprocess.run(
        command,
        env={**os.environ, **SAFE_PATH},
        capture_output=True,
        text=True,
        timeout=SCRIPT_TIMEOUT_S,
        check=False,
    )
    if finished.returncode != 0:
        raise OsteoEdgeError(f"the bare loop failed: {(finished.stderr.strip().splitlines() or ['no message'])[-1]}")
    return tuple(json.loads(finished.stdout))


def _rival(bundle: Bundle, threads: int) -> Rival:
    model, given, backends = bundle.manifest.model, bundle.manifest.input, installed_backends()
    if model.format != "tflite":
        raise BundleError(f"{bundle.path}: a {model.format} bundle; give one that osteo-edge convert has made")
    if not backends:
        raise OsteoEdgeError("no TFLite runtime is installed: pip install ai-edge-litert")
    spec = RunnerSpec(backends[0].title, str(bundle.model_path), threads)
    return Rival("A", spec, given.height, given.width, given.channels)


@click.command(cls=Standalone, short_help="False alarms and overhead of the latency measurement.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--calls", type=click.IntRange(1, 1000), default=20, show_default=True, help="Comparisons with itself.")
@click.option("--quick", is_flag=True, help="Measurements as short as those of bench --quick.")
@click.option("--threads", type=click.IntRange(1, 64), default=1, show_default=True, help="Of the runtime.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines, with every value measured.")
@click.pass_context
def self_check(ctx: click.Context, bundle: Path, calls: int, quick: bool, threads: int, as_json: bool) -> None:
    """Measure a bundle as A and as B in the same call, again and again, and beside a bare loop.

    The exit code is 1 if more than 1 call in 20 says that the bundle differs from itself, or if the median is more
    than 1 % above that of a ten-line loop around the interpreter. Twenty calls take 8 minutes with --quick, and an
    hour without.

    \b
    Example:
      python -m osteo_edge.benchmarks.timing.self_check knee-int8 --quick
    """
    loaded = read_bundle(bundle)
    with progress("calls") as advance:
        lengths = QUICK if quick else FULL
        result = check_itself(loaded, calls=calls, lengths=lengths, threads=threads, on_progress=advance)
    if not as_json:
        _show(result)
    finish(ctx, result, as_json=as_json)


def _show(result: SelfCheck) -> None:
    rows = [
        (str(number), f"{ratio.value:.4f}", f"{ratio.low:.4f} to {ratio.high:.4f}", "yes" if differs(ratio) else "no")
        for number, ratio in enumerate(result.ratios, 1)
    ]
    lengths = result.lengths
    title = f"{result.bundle} beside itself: {lengths.seconds:g} s in {lengths.processes} processes each, in each call"
    show_table(title, ("Call", "Ratio of medians", "95 % interval", "Said to differ"), rows)


if __name__ == "__main__":
    self_check()
