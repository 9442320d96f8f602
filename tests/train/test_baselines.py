"""Baselines: what tells the label without the bone, fitted inside the folds and never on a test image."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.dataset import Case
from osteo_edge.train.baselines import (
    Baseline,
    Fitter,
    image_baselines,
    inner_folds,
    patient_baselines,
)
from osteo_edge.train.fingerprint import Fingerprint
from osteo_edge.train.folds import TEST, TRAIN, VALIDATION, FoldImage, Folds
from osteo_edge.train.logistic import softmax

IMAGE = Fingerprint("a", "a", None, "", "", 10, 20, "png", 8, 300, 0.4, 0.1, b"")
N = 40


def _folds(count: int = 4) -> Folds:
    """Two images after each other are tested in one fold, and half of the next ones are validated on."""
    images = tuple(FoldImage(str(number), "ab"[number % 2], str(number), "") for number in range(N))
    which = (np.arange(N) // 2) % count
    parts = np.full((1, count, N), TRAIN, np.int8)
    for fold in range(count):
        parts[0, fold, which == fold] = TEST
        parts[0, fold, which == (fold + 1) % count] = VALIDATION
        rest = np.flatnonzero(parts[0, fold] != TEST)
        parts[0, fold, rest[: rest.size // 2]] = TRAIN
    return Folds(images, parts, 0)


CLASSES = np.arange(N) % 2


def _values(seed: int = 0) -> np.ndarray:
    return CLASSES[:, None] + np.random.default_rng(seed).normal(0, 0.7, (N, 1))


def test_the_film_and_its_file_are_always_there() -> None:
    baselines = image_baselines([IMAGE, replace(IMAGE, format="jpeg", mean=0.6)])
    assert [baseline.name for baseline in baselines] == ["majority class", "mean brightness", "image size and format"]
    assert [baseline.values.shape[1] for baseline in baselines] == [0, 1, 6]


@pytest.mark.parametrize(
    ("known", "names"),
    [
        ({}, []),
        ({"age": 50.0}, ["age"]),
        ({"age": 50.0, "weight": 70.0}, ["age", "OST", "age and weight"]),
        ({"age": 50.0, "sex": "female", "weight": 70.0}, ["age", "OST", "age, sex and weight"]),
        ({"sex": "female"}, ["sex"]),
    ],
)
def test_of_the_patient_there_is_what_the_data_set_knows(known: dict[str, object], names: list[str]) -> None:
    unknown = Case(Path("b"), "b", "b")
    found = patient_baselines([Case(Path("a"), "a", "a", **known), unknown])  # type: ignore[arg-type]
    assert [baseline.name for baseline in found] == names


def test_the_majority_class_answers_the_frequencies_of_train_and_validation() -> None:
    classes = (np.arange(N) % 4 == 0).astype(np.intp)
    folds = _folds()
    answers = Fitter(Baseline("", "", np.zeros((N, 0))), classes, 2, folds).answer(0, 0)
    share = classes[folds.parts[0, 0] != TEST].mean()
    np.testing.assert_allclose(softmax(answers.test)[:, 1], share, atol=1e-4)


def test_no_label_and_no_value_of_a_test_image_reaches_the_fit() -> None:
    folds, values = _folds(), _values()
    test = folds.numbers(0, 0, TEST)
    changed_classes, changed_values = CLASSES.copy(), values.copy()
    changed_classes[test] = 1 - changed_classes[test]
    changed_values[test[1:]] += 100
    one = Fitter(Baseline("", "", values), CLASSES, 2, folds).answer(0, 0)
    other = Fitter(Baseline("", "", changed_values), changed_classes, 2, folds).answer(0, 0)
    np.testing.assert_array_equal(one.validation, other.validation)
    np.testing.assert_array_equal(one.test[0], other.test[0])


@pytest.mark.parametrize("count", [2, 4])
def test_what_is_held_out_is_answered_by_a_fit_without_its_own_inner_fold(count: int) -> None:
    folds, values = _folds(count), _values()
    train, validation = folds.numbers(0, 0, TRAIN), folds.numbers(0, 0, VALIDATION)
    rest = np.concatenate([train, validation])
    inner = inner_folds(folds, 0, 0, rest)
    changed = CLASSES.copy()
    changed[rest[inner == inner[0]]] = 1 - changed[rest[inner == inner[0]]]
    one, other = (Fitter(Baseline("", "", values), known, 2, folds).answer(0, 0) for known in (CLASSES, changed))
    assert one.held_out is not None
    assert other.held_out is not None
    np.testing.assert_array_equal(one.held_out[inner == inner[0]], other.held_out[inner == inner[0]])
    assert not np.array_equal(one.held_out, other.held_out)
    np.testing.assert_array_equal(one.validation, one.held_out[train.size :])


@pytest.mark.parametrize("count", [2, 4])
def test_fits_that_folds_share_are_those_of_each_alone(count: int) -> None:
    baseline, folds = Baseline("", "", _values()), _folds(count)
    shared = Fitter(baseline, CLASSES, 2, folds)
    for fold in range(count):
        one, other = shared.answer(0, fold), Fitter(baseline, CLASSES, 2, folds).answer(0, fold)
        np.testing.assert_array_equal(one.test, other.test)
        np.testing.assert_array_equal(one.validation, other.validation)


def test_a_column_that_tells_the_label_is_found_although_some_of_it_is_missing() -> None:
    values = _values()
    values[::7] = np.nan
    answers = Fitter(Baseline("", "", values), CLASSES, 2, _folds()).answer(0, 0)
    truth = CLASSES[_folds().numbers(0, 0, TEST)]
    assert (answers.test.argmax(axis=1) == truth).mean() > 0.6
