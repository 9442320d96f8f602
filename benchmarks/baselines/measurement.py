"""Record a baseline: every network, precision and batch size in fresh processes that take turns, as on the edge."""

import importlib.util
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from osteo_edge import strict
from osteo_edge.benchmarks.baselines.answers import PreparedImages, answers_of
from osteo_edge.benchmarks.baselines.file import (
    KIND,
    RANDOM_WEIGHTS,
    SCHEMA,
    Architecture,
    Baseline,
    BaselineNetwork,
    BaselineRow,
    Device,
    FloatPrecision,
    ImageAnswer,
)
from osteo_edge.benchmarks.baselines.frameworks import FRAMEWORKS, require_framework
from osteo_edge.benchmarks.baselines.networks import NETWORKS
from osteo_edge.benchmarks.baselines.worker import Done, Job, Source
from osteo_edge.benchmarks.measuring.isolated import run_isolated
from osteo_edge.benchmarks.measuring.lineage import UNKNOWN, WITH_ALPHA, read_lineage
from osteo_edge.benchmarks.measuring.machine import read_machine, read_state
from osteo_edge.benchmarks.measuring.results import Latency, Missing, Turn
from osteo_edge.benchmarks.measuring.summaries import summarize
from osteo_edge.benchmarks.timing.worker import Order
from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError, MissingExtraError, OsteoEdgeError
from osteo_edge.manifest import Manifest
from osteo_edge.version import VERSION

TURNS = 10
"""Of each process."""
LONGEST = 2.0
"""A measurement ends after so many times the seconds asked for, however few runs that were."""
START_S, PROBE_S = 900.0, 300.0
"""For a process to import its framework and to compile, and to import it only."""
SIDE_PX = 224
PRECISIONS: tuple[FloatPrecision, ...] = ("float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Plan:
    """How to measure: at least so many runs and seconds of each network, precision and batch size."""

    framework: str
    precisions: tuple[FloatPrecision, ...]
    batches: tuple[int, ...]
    runs: int
    seconds: float
    processes: int
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Subject:
    """A network to measure, and where there is a bundle, its manifest and the images that it is to answer."""

    name: str
    architecture: Architecture
    source: Source
    manifest: Manifest | None = None
    images: PreparedImages | None = None


@dataclass(frozen=True)
class Cell:
    """One row to be."""

    subject: int
    precision: FloatPrecision
    batch: int


def architecture_of(manifest: Manifest) -> Architecture:
    """The network that a bundle's model comes from, and its input."""
    lineage, spec = read_lineage(manifest), manifest.input
    alpha = lineage.alpha if lineage.backbone in WITH_ALPHA else None
    return Architecture(lineage.backbone, alpha, spec.height, spec.width, spec.channels)


def from_bundle(bundle: Bundle, images: PreparedImages | None = None) -> Subject:
    """The float model of a Keras bundle; `BundleError` for a TFLite bundle or a network that is not known."""
    manifest, architecture = bundle.manifest, architecture_of(bundle.manifest)
    if manifest.model.format != "keras":
        raise BundleError(
            f"{bundle.path}: a TFLite bundle, and a baseline is of the float model before conversion; name the Keras "
            "bundle that `osteo-edge train` wrote"
        )
    if architecture.backbone == UNKNOWN:
        raise BundleError(f"{bundle.path}: does not say which network it is; train it again with this version")
    shape = (architecture.height, architecture.width, architecture.channels)
    return Subject(
        str(bundle.path), architecture, Source(str(bundle.model_path.resolve()), None, *shape), manifest, images
    )


def from_name(name: str) -> Subject:
    """A network with random weights: good for times and memory, and for nothing else."""
    if name not in NETWORKS:
        raise OsteoEdgeError(f"network {name!r}: not known; choose from {', '.join(NETWORKS)}")
    alpha = 1.0 if name in WITH_ALPHA else None
    shape = (SIDE_PX, SIDE_PX, 3)
    return Subject(name, Architecture(name, alpha, *shape), Source(None, name, *shape))


def choose_framework(asked: str) -> str:
    """`asked`, or for "auto" the first installed framework that sees an accelerator, else the first that loads.

    `OsteoEdgeError` if there is none.
    """
    if asked != "auto":
        require_framework(asked)
        return asked
    installed = [name for name in FRAMEWORKS if importlib.util.find_spec(name) is not None]
    devices = dict(_probe(installed))
    if not devices:
        raise MissingExtraError("a baseline", "TensorFlow, JAX or PyTorch", "baseline")
    return next((name for name, device in devices.items() if device.is_accelerator), next(iter(devices)))


def record_baseline(
    subjects: Sequence[Subject],
    plan: Plan,
    *,
    on_progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> Baseline:
    """Measure all subjects and describe what they were measured on.

    What fails, a batch that does not fit for one, is listed as missing; `OsteoEdgeError` if nothing can be measured.
    """
    before = read_state()
    cells = [
        Cell(number, precision, batch)
        for number in range(len(subjects))
        for precision in plan.precisions
        for batch in plan.batches
    ]
    done, failures = _measure(subjects, plan, cells, on_progress)
    if not done:
        raise OsteoEdgeError(f"nothing could be measured: {next(iter(failures.values()))}")
    machine = read_machine(before, read_state())
    device = next(iter(done.values()))[0].device
    networks = tuple(_network(subjects[number], number, done) for number in sorted({cell.subject for cell in done}))
    return Baseline(
        kind=KIND,
        schema=SCHEMA,
        created_by=f"osteo-edge {VERSION}",
        created_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        runs=plan.runs,
        seconds=plan.seconds,
        device=device if device.name else replace(device, name=machine.cpu),
        machine=machine,
        networks=networks,
        missing=tuple(
            Missing(subjects[cell.subject].name, f"{cell.precision}, batch {cell.batch}", reason)
            for cell, reason in failures.items()
        ),
    )


def _probe(names: Sequence[str]) -> Iterator[tuple[str, Device]]:
    for name in names:
        try:
            found = run_isolated("osteo_edge.benchmarks.baselines.probe", {"framework": name}, timeout_s=PROBE_S)
        except OsteoEdgeError:  # installed, but not for this machine: the next one may do
            continue
        yield name, strict.from_dict(Device, found)


def _measure(
    subjects: Sequence[Subject], plan: Plan, cells: Sequence[Cell], on_progress: Callable[[int, int, str], None]
) -> tuple[dict[Cell, list[Done]], dict[Cell, str]]:
    """What each process found, by cell in the order of `cells`, and why some cells have nothing."""
    found: dict[Cell, list[Done]] = {cell: [] for cell in cells}
    failures: dict[Cell, str] = {}
    order, total = random.Random(plan.seed), plan.processes * len(cells)
    with tempfile.TemporaryDirectory() as folder:
        files = dict(_saved_images(subjects, Path(folder)))
        for process in range(plan.processes):
            for place, cell in enumerate(order.sample(cells, len(cells))):
                on_progress(process * len(cells) + place, total, subjects[cell.subject].name)
                if cell in failures:
                    continue
                answers = process == 0 and cell.batch == min(plan.batches)
                job = _job(subjects[cell.subject], plan, cell, files.get(cell.subject) if answers else None)
                try:
                    found[cell].append(_run(job))
                except OsteoEdgeError as error:
                    failures[cell] = str(error)
    on_progress(total, total, "")
    done = {cell: processes for cell, processes in found.items() if cell not in failures}
    return done, {cell: failures[cell] for cell in cells if cell in failures}


def _saved_images(subjects: Sequence[Subject], folder: Path) -> Iterator[tuple[int, str]]:
    for number, subject in enumerate(subjects):
        if subject.images is not None:
            path = folder / f"{number}.npy"
            np.save(path, subject.images.tensors, allow_pickle=False)
            yield number, str(path)


def _job(subject: Subject, plan: Plan, cell: Cell, images: str | None) -> Job:
    parts = plan.processes * TURNS
    turn = Order(-(-plan.runs // parts), plan.seconds / parts, LONGEST * plan.seconds / parts)
    logits = 0 if subject.manifest is None else subject.manifest.outputs.logits
    return Job(plan.framework, subject.source, cell.precision, cell.batch, TURNS, turn, images, logits)


def _run(job: Job) -> Done:
    timeout_s = START_S + LONGEST * TURNS * job.turn.limit_s
    found = run_isolated("osteo_edge.benchmarks.baselines.worker", strict.to_dict(job), timeout_s=timeout_s)
    return strict.from_dict(Done, found)


def _network(subject: Subject, number: int, done: Mapping[Cell, Sequence[Done]]) -> BaselineNetwork:
    own = {cell: processes for cell, processes in done.items() if cell.subject == number}
    manifest = subject.manifest
    answers = {cell.precision: found for cell, processes in own.items() if (found := _answers(subject, processes))}
    return BaselineNetwork(
        architecture=subject.architecture,
        weights=RANDOM_WEIGHTS if manifest is None else manifest.model.sha256,
        parameters=next(iter(own.values()))[0].parameters,
        labels=None if manifest is None else manifest.labels,
        rows=tuple(_row(cell, processes, answers.get(cell.precision)) for cell, processes in own.items()),
    )


def _answers(subject: Subject, processes: Sequence[Done]) -> tuple[ImageAnswer, ...] | None:
    logits = processes[0].logits
    if logits is None or subject.manifest is None or subject.images is None:
        return None
    return answers_of(subject.images, np.array(logits, np.float32), subject.manifest)


def _row(cell: Cell, processes: Sequence[Done], answers: tuple[ImageAnswer, ...] | None) -> BaselineRow:
    turns = tuple(
        Turn(number, at_s, runs_ms)
        for number, done in enumerate(processes)
        for at_s, runs_ms in zip(done.at_s, done.turns_ms, strict=True)
    )
    warm_up = tuple(value for done in processes for value in done.warm_up_ms)
    device_peaks = [done.device_peak_bytes for done in processes if done.device_peak_bytes is not None]
    return BaselineRow(
        precision=cell.precision,
        batch=cell.batch,
        latency=Latency(summarize(turns), turns, warm_up),
        compile_ms=tuple(done.compile_ms for done in processes),
        transfer_ms=float(np.median([done.transfer_ms for done in processes])),
        device_peak_bytes=max(device_peaks, default=None),
        peak_bytes=max(done.peak_bytes for done in processes),
        weight_bytes=processes[0].weight_bytes,
        answers=answers,
    )
