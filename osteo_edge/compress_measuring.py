"""Measure compressed models beside the float32 one: what they answer on one part of a split, and how long they take."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from osteo_edge.agreement import measure_agreement
from osteo_edge.answers import Answers, questions_to
from osteo_edge.bundle import Bundle
from osteo_edge.compress_record import Auroc, Candidate, Latency
from osteo_edge.dataset import Case, read_dataset
from osteo_edge.errors import BundleError, DatasetError, RadiographError
from osteo_edge.evaluation import answers_of, predict
from osteo_edge.hashing import sha256_file
from osteo_edge.intervals import estimate
from osteo_edge.manifest import Manifest
from osteo_edge.preprocessing import Tensor, to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.runtime import Interpreter, open_interpreter
from osteo_edge.split import Split, read_split, require_unchanged, select
from osteo_edge.verdict import shortfall

ROUNDS = 51
WARM_UP = 5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Images:
    """The images to measure on, with their groups, of one part of the split."""

    part: str
    cases: tuple[Case, ...]
    groups: tuple[str, ...]
    split: Split


def read_images(source: Bundle, data: Path, split_file: Path, part: str) -> Images:
    """The images of one part of the split that the bundle was trained with.

    `DatasetError` for another split, and where the part lacks the cases to answer one of the model's questions.
    """
    manifest = source.manifest
    split = read_split(split_file)
    if sha256_file(split_file) != manifest.data.split_sha256:
        raise DatasetError(
            f"{split_file}: not the split that {source.path} was trained with, so its {part} images may be others; use "
            "the one that the bundle holds, split.csv"
        )
    groups = {row.name: row.group for row in split.rows}
    dataset = read_dataset(data, labels=manifest.labels)
    cases = tuple(case for case in select(dataset, split, part) if case.label in manifest.labels)
    for question in questions_to(manifest):
        if len({case.label in question.labels for case in cases}) < 2:
            raise DatasetError(
                f"{split_file}: the {part} part cannot tell the AUROC of {question.name}: it needs images with and "
                "without; split again"
            )
    return Images(part, cases, tuple(groups[case.name] for case in cases), split)


def ask(bundle: Bundle, images: Images) -> Answers:
    """The bundle's answers beside what is true; images that cannot be read are left out.

    `DatasetError` for images that have changed since the split was made.
    """
    predictions = predict(images.cases, images.groups, bundle.manifest, open_interpreter(bundle))
    require_unchanged(images.split, predictions.files)
    if not np.isfinite(predictions.probabilities).all():
        raise BundleError(f"{bundle.path}: gives no number for some images")
    return answers_of(predictions, bundle.manifest)


def describe(bundle: Bundle, reference: Answers, answers: Answers, *, seconds: float) -> Candidate:
    """What a bundle came to beside the reference's answers; `seconds` is what it took to make and to measure."""
    agreement = measure_agreement(reference, answers)
    return Candidate(
        sha256=bundle.manifest.model.sha256,
        precision=bundle.manifest.model.precision,
        size_bytes=bundle.model_path.stat().st_size,
        shortfall=shortfall(bundle.manifest.parity),
        aurocs={name: Auroc(paired.after, paired.difference) for name, paired in agreement.aurocs.items()},
        decisions=agreement.decisions,
        seconds=round(seconds, 3),
    )


def time_together(bundles: Mapping[str, Bundle], reference: str, images: Images) -> dict[str, Latency]:
    """Time all bundles on one prepared image, on the thread that calls, in rounds in which each has its turn.

    What is timed is what the processor did for that thread: waiting for it does not count, so a busy machine does not
    spoil the figures. Each is timed right after an untimed run, so that none pays for what another one left in the
    processor's caches. A machine that grows slower meanwhile does so for all, which is why ratios are taken within a
    round. The order moves on by one from round to round.
    """
    tensor = _first_tensor(images, bundles[reference].manifest)
    interpreters = {name: open_interpreter(bundle, threads=1) for name, bundle in bundles.items()}
    for interpreter in interpreters.values():
        for _ in range(WARM_UP):
            interpreter.run(tensor)
    names = list(interpreters)
    found: dict[str, list[float]] = {name: [] for name in names}
    for number in range(ROUNDS):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            found[name].append(_cpu_ms(interpreters[name], tensor))
    times = {name: np.array(values, np.float64) for name, values in found.items()}
    return {name: _latency(values, times[reference]) for name, values in times.items()}


def _cpu_ms(interpreter: Interpreter, tensor: Tensor) -> float:
    """Milliseconds that this thread computed in the second of two runs."""
    interpreter.run(tensor)
    start = time.thread_time()
    interpreter.run(tensor)
    return (time.thread_time() - start) * 1000


def _latency(times: Floats, reference: Floats) -> Latency:
    ratios = times / reference
    return Latency(
        median_ms=float(np.median(times)),
        ratio=estimate(lambda rounds: float(np.median(ratios[rounds])), len(ratios)),
    )


def _first_tensor(images: Images, manifest: Manifest) -> Tensor:
    """The first image that can be read: the time does not depend on which."""
    for case in images.cases:
        try:
            return to_tensor(read_radiograph(case.path).pixels, manifest.input)
        except RadiographError:
            continue
    raise DatasetError(f"none of {len(images.cases)} images of the {images.part} part can be read")
