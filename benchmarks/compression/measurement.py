"""Compressed models beside the float32 ones that they stand in for: size, answers and speed, all held to bounds."""

import gzip
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Literal

import numpy as np

from osteo_edge.agreement import Agreement, measure_agreement
from osteo_edge.answers import Answers
from osteo_edge.benchmarks.compression.models import Bounds, Compressed
from osteo_edge.benchmarks.measuring.comparison import Check, interleave, median_ratio
from osteo_edge.benchmarks.measuring.environment import Environment, read_environment
from osteo_edge.bundle import Bundle
from osteo_edge.console import Advance
from osteo_edge.dataset import Case, Dataset
from osteo_edge.errors import BundleError, DatasetError
from osteo_edge.evaluation import Predictions, answers_of, predict
from osteo_edge.metrics import Estimate
from osteo_edge.preprocessing import Tensor, to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.runtime import Interpreter, open_interpreter
from osteo_edge.split import Split, require_unchanged, select

MEGABYTE = 1_000_000
WARM_UP_RUNS = 20
Limited = tuple[str, Estimate, Literal["at most", "at least"], float | None]


@dataclass(frozen=True)
class Sample:
    """The cases that are measured on, their duplicate groups, and the part of the split that they are."""

    cases: tuple[Case, ...]
    groups: tuple[str, ...]
    part: str
    split: Split


@dataclass(frozen=True)
class Run:
    """One inference: `cpu_ms` is the time that its one thread computed, `wall_ms` with the waiting for a processor."""

    cpu_ms: float
    wall_ms: float


@dataclass(frozen=True)
class Figures:
    """What was measured of one compressed model; bundles are named by their paths.

    `packed` is the share of the dense model's bytes after gzip, None where there is none. `speed` is how many times as
    fast as the rival it is, by the medians of the CPU time, which is the latency where nothing else runs.
    """

    title: str
    bundle: str
    reference: str
    rival: str
    model_bytes: int
    gzip_bytes: int
    packed: float | None
    agreement: Agreement
    speed: Estimate
    bounds: Bounds

    @property
    def checks(self) -> tuple[Check, ...]:
        """The figures that are held to a bound."""
        return tuple(
            Check(f"{self.title}: {name}", found, bound, limit)
            for name, found, bound, limit in self._limited()
            if limit is not None
        )

    def _limited(self) -> Iterator[Limited]:
        bounds, agreement = self.bounds, self.agreement
        largest = None if bounds.max_bytes is None else bounds.max_bytes / MEGABYTE
        yield "size, MB", exact(self.model_bytes / MEGABYTE), "at most", largest
        if self.packed is not None:
            yield "gzip size / that of the dense model", exact(self.packed), "at most", bounds.max_packed
        yield "agreement of decisions", agreement.decisions, "at least", bounds.min_agreement
        for question, auroc in agreement.aurocs.items():
            yield f"change of AUROC {question}", size_of(auroc.difference), "at most", bounds.max_auroc_change
        rise = agreement.calibration_error.difference
        yield "rise of the calibration error", rise, "at most", bounds.max_calibration_rise
        yield f"times as fast as {Path(self.rival).name}", self.speed, "at least", bounds.min_speed


@dataclass(frozen=True)
class CompressionFigures:
    """Every compressed model's figures; `runs` are those of every bundle, in the order of the rounds.

    `on_trained_split` is whether the split is the one that all models were trained with: otherwise they may know the
    images.
    """

    environment: Environment
    part: str
    counts: dict[str, int]
    on_trained_split: bool
    figures: tuple[Figures, ...]
    runs: dict[str, tuple[Run, ...]]
    skipped: tuple[str, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        return tuple(check for figures in self.figures for check in figures.checks)

    def median(self, path: str, quantity: Literal["cpu_ms", "wall_ms"]) -> float:
        """The median over the runs of one bundle."""
        return float(median(getattr(run, quantity) for run in self.runs[path]))

    def to_dict(self) -> dict[str, Any]:
        """The result for machines: raw values first, what is derived from them last."""
        medians = {
            path: {quantity: self.median(path, quantity) for quantity in ("cpu_ms", "wall_ms")} for path in self.runs
        }
        return {**asdict(self), "medians": medians, "checks": [check.to_dict() for check in self.checks]}


def exact(value: float) -> Estimate:
    """What has no spread."""
    return Estimate(value, value, value, 1)


def size_of(difference: Estimate) -> Estimate:
    """How large a difference is, whichever its sign.

    >>> size_of(Estimate(-0.5, -1.0, 0.25, 9)), size_of(Estimate(-0.5, -1.0, -0.25, 9))
    (Estimate(value=0.5, low=0.0, high=1.0, n=9), Estimate(value=0.5, low=0.25, high=1.0, n=9))
    """
    ends = sorted((abs(difference.low), abs(difference.high)))
    low = 0.0 if difference.low <= 0 <= difference.high else ends[0]
    return Estimate(abs(difference.value), low, ends[1], difference.n)


def choose_sample(dataset: Dataset, split: Split, part: str, labels: Sequence[str]) -> Sample:
    """The images of one part of the split under the models' labels; `DatasetError` if these are not two or more."""
    cases = tuple(case for case in select(dataset, split, part) if case.label in labels)
    if len({case.label for case in cases}) < 2:
        found = f"only {cases[0].label}" if cases else "no image"
        raise DatasetError(f"{dataset.root}: the {part} part holds {found}; measure on a part with two labels or more")
    groups = {row.name: row.group for row in split.rows}
    return Sample(cases, tuple(groups[case.name] for case in cases), part, split)


def measure_compression(
    compressed: Sequence[Compressed], sample: Sample, split_sha256: str, *, runs: int, on_progress: Advance
) -> CompressionFigures:
    """Ask all bundles about the same images, and time them on one of these in turns, on one thread.

    Each is timed right after an untimed run, so that none pays for what another one left in the processor's caches.
    """
    environment = read_environment()
    bundles = _distinct(compressed)
    models = {path: open_interpreter(bundle, threads=1) for path, bundle in bundles.items()}
    predicted = _ask(bundles, models, sample, on_progress)
    seen = next(iter(predicted.values()))
    pixels = read_radiograph(seen.cases[0].path).pixels
    timers = {path: _timer(models[path], to_tensor(pixels, bundle.manifest.input)) for path, bundle in bundles.items()}
    timed = interleave(timers, runs, on_progress=partial(on_progress, stage="time"))
    answers = {path: answers_of(predictions, bundles[path].manifest) for path, predictions in predicted.items()}
    return CompressionFigures(
        environment=environment,
        part=sample.part,
        counts=dict(Counter(case.label for case in seen.cases)),
        on_trained_split=all(bundle.manifest.data.split_sha256 == split_sha256 for bundle in bundles.values()),
        figures=tuple(_figures(one, answers, timed) for one in compressed),
        runs=timed,
        skipped=seen.skipped,
    )


def _distinct(compressed: Sequence[Compressed]) -> dict[str, Bundle]:
    """Every bundle that has a part in it once, by its path, the references first."""
    found = [bundle for one in compressed for bundle in (one.reference, one.rival, one.dense, one.bundle)]
    return {str(bundle.path): bundle for bundle in found if bundle is not None}


def _ask(
    bundles: Mapping[str, Bundle], models: Mapping[str, Interpreter], sample: Sample, on_progress: Advance
) -> dict[str, Predictions]:
    """What each bundle answers; an image that cannot be read is skipped by all of them alike.

    `DatasetError` for images that have changed since the split was made.
    """
    found = dict[str, Predictions]()
    for path, bundle in bundles.items():
        report = partial(on_progress, stage=f"answers of {bundle.path.name}")
        found[path] = predict(sample.cases, sample.groups, bundle.manifest, models[path], on_progress=report)
        require_unchanged(sample.split, found[path].files)
        if not np.isfinite(found[path].probabilities).all():
            raise BundleError(f"{path}: gives no number for some images; convert it again")
    return found


def _timer(model: Interpreter, tensor: Tensor) -> Callable[[], Run]:
    """A function that times one run, from the prepared image to the answer, on the thread that calls it."""

    def timed() -> Run:
        model.run(tensor)
        wall, cpu = time.perf_counter(), time.thread_time()
        model.run(tensor)
        cpu_s, wall_s = time.thread_time() - cpu, time.perf_counter() - wall
        return Run(cpu_s * 1000, wall_s * 1000)

    for _ in range(WARM_UP_RUNS):
        model.run(tensor)
    return timed


def _figures(compressed: Compressed, answers: Mapping[str, Answers], runs: Mapping[str, tuple[Run, ...]]) -> Figures:
    bundle, reference, rival = (str(one.path) for one in (compressed.bundle, compressed.reference, compressed.rival))
    packed = _gzip_bytes(compressed.bundle)
    return Figures(
        title=compressed.title,
        bundle=bundle,
        reference=reference,
        rival=rival,
        model_bytes=compressed.bundle.model_path.stat().st_size,
        gzip_bytes=packed,
        packed=None if compressed.dense is None else packed / _gzip_bytes(compressed.dense),
        agreement=measure_agreement(answers[reference], answers[bundle]),
        speed=median_ratio(*([run.cpu_ms for run in runs[path]] for path in (rival, bundle))),
        bounds=compressed.bounds,
    )


def _gzip_bytes(bundle: Bundle) -> int:
    return len(gzip.compress(bundle.model_path.read_bytes(), compresslevel=9))
