"""Measure bundles in every respect and put what was found into one report; what fails is missing, the rest goes on."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from osteo_edge.benchmarks.bench.beside_baseline import open_baseline
from osteo_edge.benchmarks.bench.candidates import Candidate, Loaded, load_bundles, own_runtime, plan_candidates
from osteo_edge.benchmarks.bench.fidelity import ask_all
from osteo_edge.benchmarks.bench.gaps import Gaps
from osteo_edge.benchmarks.bench.job import Job
from osteo_edge.benchmarks.bench.shared_facets import SharedFacets
from osteo_edge.benchmarks.facets.memory import PROCESSES as MEMORY_PROCESSES
from osteo_edge.benchmarks.facets.memory import measure_memory
from osteo_edge.benchmarks.measuring.machine import read_machine, read_state
from osteo_edge.benchmarks.measuring.results import SCHEMA, Latency, MachineState, Measurement, Memory, Report, Tuning
from osteo_edge.benchmarks.timing.stability import reasons
from osteo_edge.benchmarks.timing.tuning import tune
from osteo_edge.benchmarks.timing.turns import PROCESSES, QUICK_PROCESSES, measure_latency
from osteo_edge.console import Advance
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.version import VERSION

QUICK_MEMORY_PROCESSES = 3


def run_benchmark(job: Job, *, on_progress: Advance) -> Report:
    """Measure everything that the job asks for.

    Latency comes first, while the machine is as it was found. `OsteoEdgeError` if no bundle can be measured at all, or
    no runtime is installed.
    """
    own_runtime()
    loaded, unreadable = load_bundles(job.bundles)
    if not loaded:
        raise OsteoEdgeError(unreadable[0].reason)
    gaps = Gaps(list(unreadable))
    with tempfile.TemporaryDirectory(prefix="osteo-edge-bench-") as folder:
        prepared = partial(_staged, on_progress, "prepare")
        candidates, unprepared = plan_candidates(loaded, job.threads, job.peers, Path(folder), on_progress=prepared)
        gaps.found += unprepared
        before = read_state()
        latencies = _time(candidates, job, on_progress)
        after = read_state()
        tunings = tuple(_tune(loaded, job, gaps, on_progress)) if job.tunes else None
        measurements = [Measurement(one.variant, memory=_remember(one, job, gaps, on_progress)) for one in candidates]
    measurements = [
        _with_latency(found, latencies[found.variant.name], job, before, after, gaps) for found in measurements
    ]
    measurements = _with_details(loaded, candidates, measurements, job, gaps, on_progress)
    return Report(
        schema=SCHEMA,
        created_by=f"osteo-edge {VERSION}",
        created_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        settings=job.settings,
        machine=read_machine(before, after),
        measurements=tuple(measurements),
        missing=tuple(gaps.found),
        tunings=tunings,
    )


def _time(candidates: Sequence[Candidate], job: Job, on_progress: Advance) -> dict[str, Latency | str]:
    settings = job.settings
    return measure_latency(
        [candidate.rival for candidate in candidates],
        runs=settings.runs,
        seconds=settings.seconds,
        budget_s=settings.budget_s,
        seed=settings.seed,
        processes=_processes(job),
        on_progress=partial(_staged, on_progress, "latency"),
    )


def _tune(loaded: Sequence[Loaded], job: Job, gaps: Gaps, on_progress: Advance) -> list[Tuning]:
    settings = job.settings
    found = (
        gaps.attempt(
            each.name,
            "tuning",
            partial(
                tune,
                each.bundle,
                runs=settings.runs,
                seconds=settings.seconds,
                budget_s=settings.budget_s,
                seed=settings.seed,
                processes=_processes(job),
                on_progress=partial(_staged, on_progress, f"tune {each.name}"),
            ),
        )
        for each in loaded
    )
    return [tuning for tuning in found if tuning is not None]


def _processes(job: Job) -> int:
    return QUICK_PROCESSES if job.is_quick else PROCESSES


def _remember(candidate: Candidate, job: Job, gaps: Gaps, on_progress: Advance) -> Memory | None:
    given, name = candidate.bundle.manifest.input, candidate.variant.name
    report = partial(_staged, on_progress, "memory", note=name)
    processes = QUICK_MEMORY_PROCESSES if job.is_quick else MEMORY_PROCESSES
    return gaps.attempt(
        name, "memory", partial(measure_memory, candidate.spec, given, processes=processes, on_progress=report)
    )


def _with_latency(
    found: Measurement, latency: Latency | str, job: Job, before: MachineState, after: MachineState, gaps: Gaps
) -> Measurement:
    variant = found.variant
    if isinstance(latency, str):
        gaps.add(variant.name, "latency", latency)
        return found
    cores = len(os.sched_getaffinity(0))
    doubts = reasons(latency, before, after, settings=job.settings, cores=cores, threads=variant.threads)
    return replace(found, variant=replace(variant, delegate=latency.delegate), latency=latency, unstable=doubts)


def _with_details(
    loaded: Sequence[Loaded],
    candidates: Sequence[Candidate],
    measurements: Sequence[Measurement],
    job: Job,
    gaps: Gaps,
    on_progress: Advance,
) -> list[Measurement]:
    """Size and fidelity stand with every variant of the toolkit's runtime, the rest with each bundle's first."""
    facets = SharedFacets(job, gaps, on_progress)
    fidelities = ask_all(loaded, job.labelled, gaps, on_progress) if job.labelled else {}
    baselines = open_baseline(job.baseline, job.labelled, gaps) if job.baseline else None
    described: list[Measurement] = []
    size = None
    for candidate, found in zip(candidates, measurements, strict=True):
        if candidate.is_first:
            size, placement = facets.size_and_placement(candidate)
            instructions = facets.instructions(candidate)
            found = replace(
                found,
                placement=placement,
                stages=facets.stages(candidate),
                energy=facets.energy(candidate),
                instructions=instructions,
                screenings=facets.screenings(candidate, instructions),
            )
        if not candidate.variant.is_peer:
            found = replace(found, size=size, fidelity=fidelities.get(candidate.variant.bundle))
            found = replace(found, baselines=baselines.beside(candidate, found) if baselines else None)
        described.append(found)
    return described


def _staged(on_progress: Advance, stage: str, done: int, total: int, note: str = "") -> None:
    on_progress(done, total, note, stage)
