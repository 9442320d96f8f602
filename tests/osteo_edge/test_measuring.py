import time
import warnings
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from osteo_edge import metrics
from osteo_edge.answers import Answers
from osteo_edge.intervals import Estimate
from osteo_edge.measuring import measure_answers, predictive_values

LABELS = ("normal", "osteopenia", "osteoporosis")


def drawn_answers(n: int = 60, repeats: int = 1) -> Answers:
    """Answers that tell a little, for every case as often as there are repeats, in five folds each time."""
    rng = np.random.default_rng(0)
    truth = np.tile(rng.choice(3, n, p=[0.3, 0.4, 0.3]), repeats)
    probabilities = rng.dirichlet(np.ones(3), n * repeats) + 0.3 * np.eye(3)[truth]
    folds = np.repeat(np.arange(repeats) * 5, n) + np.tile(np.arange(n) % 5, repeats)
    thresholds = np.where(folds % 2, 0.5, 0.7)
    return Answers(truth, probabilities / 1.3, LABELS, LABELS[1:], thresholds, np.tile(np.arange(n), repeats), folds)


@cache
def measured_answers() -> dict[str, Estimate]:
    """What is measured of the drawn answers, without a prevalence."""
    return measure_answers(drawn_answers())[0]


def test_the_headline_comes_first_and_everything_is_named_once() -> None:
    estimates, headline = measure_answers(drawn_answers(), prevalence=0.1)
    assert tuple(estimates)[: len(headline)] == headline
    assert headline[:4] == ("AUROC osteopenia or osteoporosis", "AUROC osteoporosis", "sensitivity", "specificity")
    assert headline[-2:] == ("PPV at a prevalence of 0.1", "NPV at a prevalence of 0.1")
    by_label = {f"{name} {label}" for name in ("AUROC", "precision", "recall", "F1") for label in LABELS}
    assert by_label | {"AUROC, macro", "F1, macro", "Cohen's kappa", "net benefit", "log loss"} <= set(estimates)
    assert not any("prevalence" in name for name in measured_answers())


@pytest.mark.parametrize(
    ("name", "labels"), [("AUROC osteopenia or osteoporosis", LABELS[1:]), ("AUROC osteopenia", LABELS[1:2])]
)
def test_scores_are_compared_within_their_fold_only(name: str, labels: tuple[str, ...]) -> None:
    answers = drawn_answers()
    positive, score = answers.asked(labels)
    found = measured_answers()[name]
    assert found.value == metrics.auroc(positive, score, answers.strata)
    assert found.value != metrics.auroc(positive, score)


def test_the_majority_class_is_that_of_all_cases_in_every_draw() -> None:
    answers = drawn_answers()
    share = np.bincount(answers.truth) / 60
    assert share.argmax() != 0
    found = measured_answers()["accuracy of the majority class"]
    assert found.value == pytest.approx(share.max())
    assert found.low < 0.35  # the share of the largest class of each draw would not fall so low


def test_every_case_has_its_own_threshold() -> None:
    answers = drawn_answers()
    positive, score = answers.asked(LABELS[1:])
    found = measured_answers()
    expected = np.mean([score[i] >= answers.threshold[i] for i in np.flatnonzero(positive)])
    assert found["sensitivity"].value == pytest.approx(float(expected))


def test_a_share_counts_the_cases_that_it_is_of() -> None:
    answers = drawn_answers()
    found = measured_answers()
    positives = int((answers.truth > 0).sum())
    assert found["sensitivity"].n == positives
    assert found["specificity"].n == found["specificity at 90 % sensitivity"].n == 60 - positives
    assert found["recall osteopenia"].n == int((answers.truth == 1).sum())
    assert found["precision osteopenia"].n == int((answers.predicted == 1).sum())
    assert found["accuracy"].n == found["F1 osteopenia"].n == 60


def test_a_share_of_all_or_none_is_as_uncertain_as_its_groups_are_few() -> None:
    answers = drawn_answers(repeats=3)
    always = replace(answers, threshold=np.zeros(180))
    found = measure_answers(always)[0]
    positives = metrics.wilson(np.ones(int((answers.truth[:60] > 0).sum()), bool))
    assert (found["sensitivity"].low, found["sensitivity"].high) == (positives.low, 1.0)
    assert found["specificity"].value == found["specificity"].low == 0
    assert 0 < found["specificity"].high < 0.3


@pytest.mark.parametrize("kept", [[0], [1], [2], [0, 2], []])
def test_a_missing_class_is_not_defined_and_no_reason_to_fail_or_to_warn(kept: list[int]) -> None:
    answers = drawn_answers().take(np.isin(drawn_answers().truth, kept))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, _ = measure_answers(answers, prevalence=0.1)
    for number, label in enumerate(LABELS):
        assert np.isnan(found[f"recall {label}"].value) == (number not in kept)
        assert np.isnan(found[f"AUROC {label}"].value) == (number not in kept or len(kept) < 2)
    assert np.isnan(found["AUROC, macro"].value)
    assert np.isnan(found["sensitivity"].value) == (not {1, 2} & set(kept))
    assert np.isnan(found["specificity"].value) == (0 not in kept)
    assert np.isnan(found["PPV at a prevalence of 0.1"].value) == (0 not in kept or len(kept) < 2)


def test_predictive_values_are_as_uncertain_as_what_they_follow_from() -> None:
    never_spared = Estimate(0.0, 0.0, 0.4, 5)
    found = predictive_values(Estimate(0.9, 0.8, 1.0, 20), never_spared, 0.1)
    ppv, npv = found["PPV at a prevalence of 0.1"], found["NPV at a prevalence of 0.1"]
    assert ppv.value == pytest.approx(0.09 / 0.99)
    assert ppv.low == pytest.approx(0.08 / 0.98)
    assert ppv.high == pytest.approx(0.1 / 0.64)
    assert (npv.value, npv.low, npv.high) == (0, 0, 1)
    assert ppv.n == npv.n == 25


def test_ten_repeats_of_170_cases_take_seconds_at_most() -> None:
    answers = drawn_answers(170, 10)
    start = time.perf_counter()
    measure_answers(answers)
    assert time.perf_counter() - start < 15
