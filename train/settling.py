"""From the logits of every fold to calibrated probabilities and thresholds for every case."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from osteo_edge.screening import calibrated
from osteo_edge.train.baselines import Baseline, Fitter
from osteo_edge.train.calibrating import choose_decision, fit_temperature
from osteo_edge.train.comparison import FoldRun, OutOfFold
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.cross_validation import ByFold, Task
from osteo_edge.train.folds import TEST, TRAIN, VALIDATION, group_numbers
from osteo_edge.train.stacking import fuse
from osteo_edge.train.stored_answers import Stored


def settle(task: Task, by_fold: ByFold, config: TrainConfig) -> OutOfFold:
    """Fit a temperature and choose a threshold on each fold's validation part, and answer for its test part."""
    truth = task.truth
    probabilities = np.zeros((task.folds.repeats, truth.size, len(task.labels)))
    thresholds = np.zeros((task.folds.repeats, truth.size))
    runs = []
    for (repeat, fold), stored in sorted(by_fold.items(), key=lambda item: item[0]):
        given = truth[task.folds.numbers(repeat, fold, VALIDATION)]
        calibration = fit_temperature(stored.answers.validation, given)
        scores = calibrated(stored.answers.validation, calibration)[:, 1:].sum(axis=1)
        threshold = choose_decision(scores, given > 0, replace(config, labels=task.labels)).threshold
        test = task.folds.numbers(repeat, fold, TEST)
        probabilities[repeat, test] = calibrated(stored.answers.test, calibration)
        thresholds[repeat, test] = threshold
        losses = stored.answers.losses
        runs.append(FoldRun(repeat, fold, calibration.temperature, threshold, stored.seconds, losses))
    return OutOfFold(probabilities, thresholds, tuple(runs))


def answer_with(task: Task, baseline: Baseline) -> ByFold:
    """The answers of a baseline for every fold."""
    fitter = Fitter(baseline, task.truth, len(task.labels), task.folds)
    return {place: Stored(fitter.answer(*place), 0.0) for place in task.places}


def fuse_all(task: Task, image: Mapping[tuple[int, int], Stored], patient: ByFold) -> ByFold:
    """The answers of a recipe fused with those of a baseline, for every fold."""
    return {place: _fuse(task, image[place], patient[place], *place) for place in task.places}


def _fuse(task: Task, image: Stored, patient: Stored, repeat: int, fold: int) -> Stored:
    rest = np.concatenate([task.folds.numbers(repeat, fold, part) for part in (TRAIN, VALIDATION)])
    groups = group_numbers(task.folds.images)[rest]
    return replace(image, answers=fuse(image.answers, patient.answers, task.truth[rest], groups))
