"""Temperature and threshold: of each fold's own validation part, for its own test part."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from osteo_edge.dataset import Case
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.cross_validation import Task
from osteo_edge.train.folds import TEST, TRAIN, VALIDATION, FoldImage, Folds
from osteo_edge.train.recipe import Answers
from osteo_edge.train.settling import settle
from osteo_edge.train.stored_answers import Stored

LABELS = ("a", "b")


def _task(n: int = 12) -> Task:
    """Two folds: the first half is tested in the first, the second in the second; the rest is half validation."""
    parts = np.full((1, 2, n), TRAIN, np.int8)
    for fold in range(2):
        parts[0, fold, np.arange(n) // (n // 2) == fold] = TEST
        parts[0, fold, np.flatnonzero(parts[0, fold] == TRAIN)[: n // 4 + 1]] = VALIDATION
    images = tuple(FoldImage(str(number), LABELS[number % 2], str(number), "") for number in range(n))
    cases = tuple(Case(Path(image.name), image.name, image.label) for image in images)
    return Task(cases, LABELS, Folds(images, parts, 0))


def _stored(task: Task, fold: int, scale: float, *, seed: int = 0) -> Stored:
    """Logits that are right three times out of four, and `scale` times as sure as they should be."""
    rng = np.random.default_rng(seed)
    parts = []
    for part in (VALIDATION, TEST):
        sign = np.where(task.truth[task.folds.numbers(0, fold, part)] == 1, 1.0, -1.0)
        parts.append(scale * np.stack([-sign, sign], axis=1) * rng.choice([1, 1, 1, -1], (sign.size, 1)))
    return Stored(
        Answers(parts[0], parts[1]),
        2.0,
    )


def test_thresholds_and_temperatures_are_those_of_the_fold_in_which_a_case_is_tested() -> None:
    task = _task()
    found = settle(task, {(0, 0): _stored(task, 0, 1.0), (0, 1): _stored(task, 1, 9.0, seed=1)}, TrainConfig())
    assert found.probabilities.shape == (1, 12, 2)
    np.testing.assert_allclose(found.probabilities.sum(axis=2), 1)
    first, second = found.runs
    assert (first.repeat, first.fold, first.seconds) == (0, 0, 2.0)
    assert set(found.thresholds[0, :6]) == {first.threshold}
    assert set(found.thresholds[0, 6:]) == {second.threshold}


def test_logits_of_the_test_images_move_neither_temperature_nor_threshold() -> None:
    task = _task()
    one = {(0, fold): _stored(task, fold, 2.0) for fold in range(2)}
    other = {place: Stored(replace(kept.answers, test=-5 * kept.answers.test), 2.0) for place, kept in one.items()}
    assert settle(task, one, TrainConfig()).runs == settle(task, other, TrainConfig()).runs
