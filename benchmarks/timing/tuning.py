"""Is the usual way to run a model the fastest? 1 to 4 threads, then doubling, with the delegate and without."""

import os
from collections.abc import Callable, Mapping

from osteo_edge.benchmarks.measuring.results import Configuration, Latency, Tuning
from osteo_edge.benchmarks.measuring.summaries import compare
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec
from osteo_edge.benchmarks.timing.turns import PROCESSES, Rival, measure_latency
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.runtime import default_threads, installed_backends

MAX_SLOWDOWN = 1.05
"""What the usual configuration may take beside the fastest."""


def search_space(cores: int, *, default: int) -> tuple[tuple[int, bool], ...]:
    """Threads, and whether the delegate is used: 1, 2, 3, 4, then doubling, up to all cores; the default always.

    >>> search_space(2, default=2)
    ((1, True), (1, False), (2, True), (2, False))
    """
    powers = {2**power for power in range(cores.bit_length())}
    counts = sorted({*range(1, min(cores, 4) + 1), *powers, cores, default})
    return tuple((threads, delegate) for threads in counts for delegate in (True, False))


def tune(
    bundle: Bundle,
    *,
    runs: int,
    seconds: float,
    budget_s: float | None = None,
    seed: int = 0,
    processes: int = PROCESSES,
    on_progress: Callable[[int, int, str], None] = lambda done, total, note: None,
    measure: Callable[..., dict[str, Latency | str]] = measure_latency,
) -> Tuning:
    """Time every configuration of the installed TFLite runtime in turns, and set the usual one beside the fastest.

    `OsteoEdgeError` if no runtime is installed or the usual configuration cannot be measured; others that cannot are
    left out.
    """
    runtime, default = _runtime(), (default_threads(), True)
    spaces = search_space(len(os.sched_getaffinity(0)), default=default[0])
    rivals = [_rival(bundle, runtime, *choice) for choice in spaces]
    found = measure(
        rivals,
        runs=runs,
        seconds=seconds,
        budget_s=budget_s,
        seed=seed,
        processes=processes,
        on_progress=on_progress,
    )
    return judge(bundle, runtime, default, {choice: found[_name(*choice)] for choice in spaces})


def judge(
    bundle: Bundle, runtime: str, default: tuple[int, bool], found: Mapping[tuple[int, bool], Latency | str]
) -> Tuning:
    """The configurations that were measured, the fastest first, and what the usual one takes beside it."""
    usual = found[default]
    if isinstance(usual, str):
        raise OsteoEdgeError(f"{bundle.path}: the usual configuration cannot be measured: {usual}")
    measured = [
        Configuration(threads, delegate, latency)
        for (threads, delegate), latency in found.items()
        if isinstance(latency, Latency)
    ]
    ranked = sorted(measured, key=lambda one: one.latency.summary.median.value)
    slowdown = compare(usual, ranked[0].latency, same_run=True)
    return Tuning(
        bundle=str(bundle.path),
        runtime=runtime,
        configurations=tuple(ranked),
        default_threads=default[0],
        slowdown=slowdown,
        passed=slowdown.value <= MAX_SLOWDOWN,
    )


def _runtime() -> str:
    backends = installed_backends()
    if not backends:
        raise OsteoEdgeError("no TFLite runtime is installed: pip install ai-edge-litert")
    return backends[0].title


def _rival(bundle: Bundle, runtime: str, threads: int, delegate: bool) -> Rival:
    spec = bundle.manifest.input
    model = RunnerSpec(runtime, str(bundle.model_path), threads, delegate)
    return Rival(_name(threads, delegate), model, spec.height, spec.width, spec.channels)


def _name(threads: int, delegate: bool) -> str:
    return f"{threads} thread{'s' if threads > 1 else ''}{'' if delegate else ', no delegate'}"
