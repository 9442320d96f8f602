"""A shared cascade beside separate models on the same studies: answers, routing, size, training and speed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from osteo_edge.agreement import Paired
from osteo_edge.answers import Floats
from osteo_edge.benchmarks.cascades.answers import ask_separate, ask_shared
from osteo_edge.benchmarks.cascades.folders import Cascades, all_as_tflite, network_of, training_seconds
from osteo_edge.benchmarks.compression.measurement import MEGABYTE, WARM_UP_RUNS, Run, Sample, exact
from osteo_edge.benchmarks.measuring.comparison import Check, interleave, median_ratio
from osteo_edge.benchmarks.measuring.environment import Environment, read_environment
from osteo_edge.benchmarks.measuring.lineage import read_lineage
from osteo_edge.bone_table import Routing
from osteo_edge.bundle import Bundle
from osteo_edge.console import Advance
from osteo_edge.dataset import Case
from osteo_edge.errors import BundleError, DatasetError, RadiographError
from osteo_edge.evaluation import predict
from osteo_edge.intervals import Estimate
from osteo_edge.preprocessing import Pixels, to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.runtime import open_interpreter
from osteo_edge.screening import answer_to, calibrated
from osteo_edge.split import require_unchanged
from osteo_edge.study_measures import StudyAnswers, StudyTable, compare_mean_auroc, measure_studies

PUBLISHED_MODELS, PUBLISHED_MODEL_MB = 8, 25.9
"""EfficientNet-B0 as a router and for seven bones of MURA, as published by others: 207.2 MB in all."""
MAX_MEGABYTES = {"mobilenet_v2": 3.0, "efficientnet_b0": 5.5}
"""Of one int8 file with all heads, by network."""
MAX_LATENCY_RATIO = 1.1
LEAST_AUROC_DIFFERENCE = -0.01
MAX_TRAINING_RATIO = 1 / 3
SHARED, SEPARATE, SINGLE = "shared", "separate", "single"
ROUTED, GIVEN = "routed", "bone given"


@dataclass(frozen=True)
class CascadeAnswers:
    """How one cascade answers for the studies, by where it sent them itself; `routing` tells where that was."""

    table: StudyTable
    routing: Routing


@dataclass(frozen=True)
class CascadeFigures:
    """All that was measured. `models` are paths by name: "shared", and the separate ones by their folders.

    `mean_auroc` is over the bones, after each cascade's own routing and with the true bone given to both; `before` are
    the separate models and `after` is the shared one. `seconds` are of the training, by stage, None for a model that
    recorded none. `on_trained_split` is of the shared model: each separate one has a split of its own, its part of the
    whole. `runs` are timed answers from the prepared image, in the order of the rounds.
    """

    environment: Environment
    part: str
    studies: int
    films: int
    on_trained_split: bool
    network: str
    separate_network: str
    backbone: str
    precision: str
    models: dict[str, str]
    model_bytes: dict[str, int]
    seconds: dict[str, dict[str, float] | None]
    answers: dict[str, CascadeAnswers]
    mean_auroc: dict[str, Paired]
    runs: dict[str, tuple[Run, ...]]
    skipped: tuple[str, ...]

    @property
    def separate_bytes(self) -> int:
        return sum(size for name, size in self.model_bytes.items() if name != SHARED)

    @property
    def times_smaller_than_published(self) -> float:
        return PUBLISHED_MODELS * PUBLISHED_MODEL_MB * MEGABYTE / self.model_bytes[SHARED]

    @property
    def training_s(self) -> dict[str, float] | None:
        """Seconds of training of the shared model, and of the separate ones together; None where one is not known."""
        known = {name: sum(stages.values()) for name, stages in self.seconds.items() if stages is not None}
        if len(known) < len(self.seconds):
            return None
        return {SHARED: known[SHARED], SEPARATE: sum(s for name, s in known.items() if name != SHARED)}

    @property
    def latency(self) -> Estimate | None:
        """The CPU time of the shared cascade over that of the single model; None where there is none."""
        if SINGLE not in self.runs:
            return None
        return median_ratio(*([run.cpu_ms for run in self.runs[name]] for name in (SHARED, SINGLE)))

    def median_ms(self, name: str) -> float:
        """The median CPU time of one answer."""
        return float(median(run.cpu_ms for run in self.runs[name]))

    @property
    def checks(self) -> tuple[Check, ...]:
        """The figures that are held to a bound, those that could be measured."""
        found = []
        largest = MAX_MEGABYTES.get(self.backbone)
        if largest is not None and self.precision == "int8":
            size = exact(self.model_bytes[SHARED] / MEGABYTE)
            found.append(Check(f"{self.network}, int8, all heads: size, MB", size, "at most", largest))
        if self.latency is not None:
            title = "latency of the cascade / that of a single model"
            found.append(Check(title, self.latency, "at most", MAX_LATENCY_RATIO))
        if self.network == self.separate_network:
            difference = self.mean_auroc[ROUTED].difference
            title = "mean AUROC over the bones, shared less separate"
            found.append(Check(title, difference, "at least", LEAST_AUROC_DIFFERENCE))
        if self.training_s is not None:
            ratio = exact(self.training_s[SHARED] / self.training_s[SEPARATE])
            found.append(Check("training time, shared / all separate", ratio, "at most", MAX_TRAINING_RATIO))
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """The result for machines: raw values first, what is derived from them last."""
        derived = {
            "separate_bytes": self.separate_bytes,
            "times_smaller_than_published": self.times_smaller_than_published,
            "training_s": self.training_s,
            "median_ms": {name: self.median_ms(name) for name in self.runs},
        }
        return {**asdict(self), **derived, "checks": [check.to_dict() for check in self.checks]}


def measure_cascades(
    cascades: Cascades, sample: Sample, split_sha256: str, folder: Path, *, runs: int, on_progress: Advance
) -> CascadeFigures:
    """Ask both cascades about the same studies, and time them on one film in turns, on one thread.

    Keras bundles are asked and timed in their float32 TFLite form, which is written to `folder`; sizes are of the
    bundles as they were given. A film that cannot be read is left out of both.
    """
    environment = read_environment()
    tflite = all_as_tflite(cascades, folder)
    cases, skipped = _readable(sample)
    ask = partial(_ask, on_progress=on_progress)
    answered = {SHARED: ask_shared(tflite.shared, cases, ask), SEPARATE: ask_separate(tflite, cases, ask)}
    given = {SHARED: cascades.shared, **cascades.separate}
    lineage = read_lineage(cascades.shared.manifest)
    return CascadeFigures(
        environment=environment,
        part=sample.part,
        studies=answered[SHARED].routed.positive.size,
        films=len(cases),
        on_trained_split=cascades.shared.manifest.data.split_sha256 == split_sha256,
        network=lineage.network,
        separate_network=network_of(cascades.separate.values()),
        backbone=lineage.backbone,
        precision=cascades.shared.manifest.model.precision,
        models={name: str(bundle.path) for name, bundle in given.items()},
        model_bytes={name: bundle.model_path.stat().st_size for name, bundle in given.items()},
        seconds={name: training_seconds(bundle) for name, bundle in given.items()},
        answers={name: CascadeAnswers(measure_studies(each.routed), each.routing) for name, each in answered.items()},
        mean_auroc={
            ROUTED: _paired(answered[SHARED].routed, answered[SEPARATE].routed),
            GIVEN: _paired(answered[SHARED].given, answered[SEPARATE].given),
        },
        runs=_time(tflite, cases[0], runs, on_progress),
        skipped=skipped,
    )


def _readable(sample: Sample) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """The films that can be read, and why the others cannot; `DatasetError` for films changed since the split."""
    kept, skipped, sha256s = [], [], dict[str, str]()
    for case in sample.cases:
        try:
            sha256s[case.name] = read_radiograph(case.path).sha256
        except RadiographError as error:
            skipped.append(str(error))
        else:
            kept.append(case)
    if not kept:
        raise DatasetError(f"none of {len(sample.cases)} images can be read: {skipped[0]}")
    require_unchanged(sample.split, sha256s)
    return tuple(kept), tuple(skipped)


def _ask(bundle: Bundle, cases: Sequence[Case], on_progress: Advance) -> Floats:
    report = partial(on_progress, stage=f"answers of {bundle.manifest.name}")
    names = [case.name for case in cases]
    found = predict(cases, names, bundle.manifest, open_interpreter(bundle), on_progress=report).probabilities
    if not np.isfinite(found).all():
        raise BundleError(f"{bundle.path}: gives no number for some images; convert it again")
    return found


def _paired(shared: StudyAnswers, separate: StudyAnswers) -> Paired:
    after, before, difference = compare_mean_auroc(shared, separate)
    return Paired(before=before, after=after, difference=difference)


def _time(cascades: Cascades, case: Case, runs: int, on_progress: Advance) -> dict[str, tuple[Run, ...]]:
    """Answers for one film from its prepared image on, by each cascade and the single model, in turns."""
    pixels = read_radiograph(case.path).pixels
    answers = {SHARED: _answerer(cascades.shared, pixels), SEPARATE: _separate_answerer(cascades, pixels)}
    if cascades.single is not None:
        answers[SINGLE] = _answerer(cascades.single, pixels)
    timers = {name: _timer(answer) for name, answer in answers.items()}
    return interleave(timers, runs, on_progress=partial(on_progress, stage="time"))


def _answerer(bundle: Bundle, pixels: Pixels) -> Callable[[], object]:
    model, manifest = open_interpreter(bundle, threads=1), bundle.manifest
    tensor = to_tensor(pixels, manifest.input)
    return lambda: answer_to(calibrated(model.run(tensor).logits, manifest.calibration), manifest)


def _separate_answerer(cascades: Cascades, pixels: Pixels) -> Callable[[], object]:
    heads = {bone: _answerer(bundle, pixels) for bone, bundle in cascades.heads.items()}
    router, bones = open_interpreter(cascades.router, threads=1), cascades.router.manifest.labels
    tensor = to_tensor(pixels, cascades.router.manifest.input)
    return lambda: heads[bones[int(router.run(tensor).logits.argmax())]]()


def _timer(answer: Callable[[], object]) -> Callable[[], Run]:
    """A function that times one answer, right after an untimed one, on the thread that calls it."""

    def timed() -> Run:
        answer()
        wall, cpu = time.perf_counter(), time.thread_time()
        answer()
        cpu_s, wall_s = time.thread_time() - cpu, time.perf_counter() - wall
        return Run(cpu_s * 1000, wall_s * 1000)

    for _ in range(WARM_UP_RUNS):
        answer()
    return timed
