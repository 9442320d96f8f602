"""Answers by image, on both sides of a comparison: an image is known by the SHA-256 of its file, wherever it lies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osteo_edge import metrics
from osteo_edge.benchmarks.baselines.file import ImageAnswer
from osteo_edge.bundle import Bundle
from osteo_edge.dataset import Case, read_dataset
from osteo_edge.errors import DatasetError, RadiographError
from osteo_edge.manifest import Manifest
from osteo_edge.metrics import Estimate
from osteo_edge.preprocessing import InputSpec, Tensor, to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.routing import thresholds
from osteo_edge.runtime import Floats, Interpreter, open_interpreter
from osteo_edge.screening import calibrated, score_of
from osteo_edge.split import read_split, select

PART = "test"


@dataclass(frozen=True, eq=False)
class PreparedImages:
    """Images as a network takes them, (n, height, width, channels), and the SHA-256 of each file."""

    hashes: tuple[str, ...]
    tensors: Tensor


@dataclass(frozen=True)
class Agreement:
    """Of two models on the images that both have answered; the difference is of probabilities."""

    decisions: Estimate
    mean_difference: float


def choose_images(data: Path, split_file: Path | None, manifest: Manifest) -> tuple[Case, ...]:
    """The test part of the split, or without one the whole data set; `DatasetError` if there is nothing in it."""
    dataset = read_dataset(data, labels=manifest.labels)
    cases = dataset.cases if split_file is None else tuple(select(dataset, read_split(split_file), PART))
    if not cases:
        raise DatasetError(f"{split_file or data}: has no image to answer; give a split with a {PART} part")
    return tuple(cases)


def prepare_images(cases: Sequence[Case], spec: InputSpec) -> PreparedImages:
    """Read and prepare every image that can be read, each file once; `DatasetError` if none can."""
    found: dict[str, Tensor] = {}
    problems = []
    for case in cases:
        try:
            radiograph = read_radiograph(case.path)
        except RadiographError as error:
            problems.append(str(error))
        else:
            found[radiograph.sha256] = to_tensor(radiograph.pixels, spec)
    if not found:
        raise DatasetError(f"none of {len(cases)} images can be read: {problems[0]}")
    return PreparedImages(tuple(found), np.concatenate(list(found.values())))


def answers_of(images: PreparedImages, logits: Floats, manifest: Manifest) -> tuple[ImageAnswer, ...]:
    """What the bundle of `manifest` says for these logits, (n, labels)."""
    probabilities = calibrated(logits, manifest.calibration)
    positive = score_of(probabilities, manifest) >= thresholds(probabilities, manifest)
    return tuple(
        ImageAnswer(name, tuple(float(value) for value in row), bool(is_positive))
        for name, row, is_positive in zip(images.hashes, probabilities, positive, strict=True)
    )


def answer_images(
    bundle: Bundle, cases: Sequence[Case], *, open_model: Callable[[Bundle], Interpreter] = open_interpreter
) -> tuple[ImageAnswer, ...]:
    """The answers of a TFLite bundle."""
    images, interpreter = prepare_images(cases, bundle.manifest.input), open_model(bundle)
    logits = np.stack([interpreter.run(tensor[np.newaxis]).logits for tensor in images.tensors])
    return answers_of(images, logits, bundle.manifest)


def agree(answers: Sequence[ImageAnswer], others: Sequence[ImageAnswer]) -> Agreement | None:
    """How alike the two answer the images that both know; None where there are no such images, or other labels."""
    known = {(other.sha256, len(other.probabilities)): other for other in others}
    keys = [(answer.sha256, len(answer.probabilities)) for answer in answers]
    pairs = [(answer, known[key]) for answer, key in zip(answers, keys, strict=True) if key in known]
    if not pairs:
        return None
    alike = np.array([one.is_positive == other.is_positive for one, other in pairs])
    differences = [np.abs(np.subtract(one.probabilities, other.probabilities)).mean() for one, other in pairs]
    return Agreement(metrics.wilson(alike), float(np.mean(differences)))
