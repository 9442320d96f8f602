from itertools import permutations
from typing import Any

import numpy as np
import pytest

from osteo_edge import metrics
from osteo_edge.metrics import errors_covered


def labelled(n: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.4
    return positive, np.round(rng.normal(size=n) + positive, 1)


@pytest.mark.parametrize("n", [5, 20, 200, 2000])
@pytest.mark.parametrize("seed", range(5))
def test_auroc_with_ties_is_that_of_scikit_learn(n: int, seed: int) -> None:
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    positive, score = labelled(n, seed)
    positive[:2] = [True, False]
    assert metrics.auroc(positive, score) == pytest.approx(sklearn_metrics.roc_auc_score(positive, score), abs=1e-12)


def test_auroc_knows_perfect_inverse_and_useless_scores() -> None:
    positive = np.array([False, False, True, True])
    assert metrics.auroc(positive, np.array([0.1, 0.2, 0.3, 0.4])) == 1
    assert metrics.auroc(positive, np.array([0.4, 0.3, 0.2, 0.1])) == 0
    assert metrics.auroc(positive, np.zeros(4)) == 0.5


def test_what_is_not_defined_is_nan() -> None:
    none = np.zeros(0, bool)
    one_class = np.ones(3, bool)
    assert np.isnan(metrics.auroc(one_class, np.arange(3.0)))
    assert np.isnan(metrics.auroc(none, np.zeros(0)))
    assert np.isnan(metrics.sensitivity(~one_class, one_class))
    assert np.isnan(metrics.specificity(one_class, one_class))
    assert np.isnan(metrics.balanced_accuracy(np.zeros(0, np.intp), np.zeros(0, np.intp)))
    assert np.isnan(metrics.brier(none, np.zeros(0)))
    assert np.isnan(metrics.calibration_error(none, np.zeros(0)))
    assert np.isnan(metrics.auprc(one_class, np.arange(3.0)))
    assert np.isnan(metrics.auprc(~one_class, np.arange(3.0)))
    assert np.isnan(metrics.auprc(none, np.zeros(0)))
    assert np.isnan(metrics.specificity_at(one_class, np.arange(3.0)))
    assert np.isnan(metrics.specificity_at(~one_class, np.arange(3.0)))
    assert np.isnan(metrics.specificity_at(none, np.zeros(0)))
    assert np.isnan(metrics.net_benefit(none, np.zeros(0), 0.5))
    assert np.isnan(metrics.cohen_kappa(np.zeros(0, np.intp), np.zeros(0, np.intp)))
    assert np.isnan(metrics.cohen_kappa(np.ones(3, np.intp), np.ones(3, np.intp)))
    assert np.isnan(metrics.log_loss(np.zeros(0, np.intp), np.zeros((0, 3))))
    assert np.isnan(metrics.predictive_values(0.0, 1.0, 0.1)[0])
    assert np.isnan(metrics.predictive_values(1.0, 0.0, 0.1)[1])


def test_sensitivity_and_specificity_count_their_own_class() -> None:
    positive = np.array([True, True, True, False, False])
    referred = np.array([True, True, False, True, False])
    assert metrics.sensitivity(positive, referred) == pytest.approx(2 / 3)
    assert metrics.specificity(positive, referred) == pytest.approx(1 / 2)


def test_balanced_accuracy_is_the_mean_recall_of_the_classes_that_occur() -> None:
    truth, predicted = np.array([0, 0, 0, 2]), np.array([0, 0, 1, 2])
    assert metrics.balanced_accuracy(truth, predicted) == pytest.approx((2 / 3 + 1) / 2)


def test_brier_is_the_mean_squared_distance() -> None:
    assert metrics.brier(np.array([True, False]), np.array([0.8, 0.4])) == pytest.approx((0.04 + 0.16) / 2)


def test_the_calibration_error_weighs_bins_by_their_cases() -> None:
    probability = np.array([0.95, 0.95, 0.95, 0.15])
    positive = np.array([True, True, False, False])
    assert metrics.calibration_error(positive, probability) == pytest.approx((3 * (0.95 - 2 / 3) + 0.15) / 4)


def test_a_certain_and_right_model_has_no_calibration_error() -> None:
    assert metrics.calibration_error(np.array([True, False]), np.array([1.0, 0.0])) == 0


def pairs_in_order(positive: Any, score: Any, strata: Any) -> float:
    """The stratified AUROC by its definition, pair by pair."""
    gaps = [
        score[one] - score[other]
        for one in np.flatnonzero(positive)
        for other in np.flatnonzero(~positive)
        if strata[one] == strata[other]
    ]
    return float(np.mean((np.sign(gaps) + 1) / 2))


@pytest.mark.parametrize("seed", range(5))
def test_a_stratified_auroc_compares_within_strata_only(seed: int) -> None:
    positive, score = labelled(80, seed)
    strata = np.random.default_rng(seed).integers(0, 6, 80)
    assert metrics.auroc(positive, score, strata) == pytest.approx(pairs_in_order(positive, score, strata), abs=1e-12)


def test_folds_on_different_scales_do_not_move_a_stratified_auroc() -> None:
    positive, score = labelled(80)
    strata = np.arange(80) % 4
    shifted = score + 10.0 * strata
    assert metrics.auroc(positive, shifted, strata) == pytest.approx(metrics.auroc(positive, score, strata))
    assert metrics.auroc(positive, shifted) != pytest.approx(metrics.auroc(positive, score), abs=0.05)


def test_strata_without_a_pair_leave_nothing_to_compare() -> None:
    positive = np.array([True, True, False, False])
    assert np.isnan(metrics.auroc(positive, np.arange(4.0), np.array([0, 0, 1, 1])))
    assert metrics.auroc(positive, np.arange(4.0), np.array([0, 0, 0, 1])) == 0


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_with_ties_is_that_of_scikit_learn(seed: int) -> None:
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    positive, score = labelled(100, seed)
    expected = sklearn_metrics.average_precision_score(positive, score)
    assert metrics.auprc(positive, score) == pytest.approx(expected, abs=1e-12)


def test_classes_are_measured_as_by_scikit_learn() -> None:
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 3, (2, 200))
    probabilities = rng.dirichlet(np.ones(3), 200)
    expected = sklearn_metrics.precision_recall_fscore_support(truth, predicted)
    for metric, values in zip((metrics.precision, metrics.recall, metrics.f1), expected, strict=False):
        np.testing.assert_allclose(metric(truth, predicted, 3), values)
    np.testing.assert_array_equal(
        metrics.confusion(truth, predicted, 3), sklearn_metrics.confusion_matrix(truth, predicted)
    )
    assert metrics.cohen_kappa(truth, predicted) == pytest.approx(sklearn_metrics.cohen_kappa_score(truth, predicted))
    assert metrics.log_loss(truth, probabilities) == pytest.approx(sklearn_metrics.log_loss(truth, probabilities))


def test_a_class_that_is_never_answered_has_no_precision_and_one_that_never_occurs_no_recall() -> None:
    truth, predicted = np.array([0, 0, 1]), np.array([0, 2, 0])
    np.testing.assert_array_equal(metrics.precision(truth, predicted, 4), [0.5, np.nan, 0, np.nan])
    np.testing.assert_array_equal(metrics.recall(truth, predicted, 4), [0.5, 0, np.nan, np.nan])
    np.testing.assert_array_equal(metrics.f1(truth, predicted, 4), [0.5, 0, 0, np.nan])


def test_the_log_loss_of_a_wrong_certainty_is_large_but_finite() -> None:
    assert 30 < metrics.log_loss(np.array([1]), np.array([[1.0, 0.0]])) < 40


def test_the_specificity_is_that_of_the_strictest_threshold_that_finds_enough() -> None:
    positive = np.repeat([True, False], 10)
    score = np.concatenate([np.arange(10.0, 0, -1), [9.5, 5.5, 1.5, 0.5, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1]])
    assert metrics.specificity_at(positive, score, 0.9) == pytest.approx(0.8)
    assert metrics.specificity_at(positive, score, 0.91) == pytest.approx(0.7)
    assert metrics.specificity_at(positive, np.zeros(20), 0.9) == 0


def test_net_benefit_is_as_worked_out_by_hand() -> None:
    positive = np.array([True, True, False, False, False])
    probability = np.array([0.9, 0.1, 0.4, 0.1, 0.1])
    assert metrics.net_benefit(positive, probability, 0.25) == pytest.approx((1 - 0.25 / 0.75) / 5)
    assert metrics.net_benefit(positive, probability, 0.95) == 0
    own = np.array([0.5, 0.5, 0.2, 0.5, 0.5])
    assert metrics.net_benefit(positive, probability, own) == pytest.approx((1 - 0.2 / 0.8) / 5)
    assert np.isnan(metrics.net_benefit(positive, np.ones(5), 1.0))


def test_predictive_values_follow_from_the_prevalence() -> None:
    # of 1000 people 10 are positive: 9 found, 1 missed; 99 of 990 referred in vain
    ppv, npv = metrics.predictive_values(0.9, 0.9, 0.01)
    assert ppv == pytest.approx(9 / 108)
    assert npv == pytest.approx(891 / 892)


def test_errors_among_the_most_confident_are_counted_and_ties_are_the_mean_over_their_orders() -> None:
    assert errors_covered(np.array([False, True, False]), np.array([0.9, 0.5, 0.7])).tolist() == [0, 0, 1]
    wrong, confidence = np.array([True, False, False, True]), np.array([0.5, 0.5, 0.5, 0.9])
    orders = [np.array([0.5 + a, 0.5 + b, 0.5 + c, 0.9]) for a, b, c in permutations((0.01, 0.02, 0.03))]
    mean = np.mean([errors_covered(wrong, order) for order in orders], axis=0)
    assert errors_covered(wrong, confidence).tolist() == pytest.approx(mean.tolist())
    assert errors_covered(np.zeros(0, bool), np.zeros(0)).size == 0
