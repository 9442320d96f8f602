import time
from typing import Any

import numpy as np
import pytest

from osteo_edge import metrics
from osteo_edge.metrics import Estimate, Indices, bootstrap, estimate, wilson


def labelled(n: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.4
    return positive, np.round(rng.normal(size=n) + positive, 1)


def hits(k: int, n: int) -> Any:
    return np.arange(n) < k


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
    assert str(wilson(none)) == "not defined (n = 0)"


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


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [  # Newcombe 1998, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_wilson_gives_the_published_intervals(k: int, n: int, low: float, high: float) -> None:
    found = wilson(hits(k, n))
    assert found.n == n
    assert (found.value, found.low, found.high) == pytest.approx((k / n, low, high), abs=6e-5)


def test_the_bootstrap_interval_of_a_mean_covers_it_about_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        sample = rng.normal(size=40)
        interval = bootstrap(lambda i, sample=sample: float(sample[i].mean()), 40, replicates=400, seed=trial)  # type: ignore[misc]
        covered += interval.low <= 0 <= interval.high
    assert 0.88 <= covered / 200 <= 0.99


def test_the_same_seed_gives_the_same_interval() -> None:
    positive, score = labelled(60)

    def metric(i: Indices) -> float:
        return metrics.auroc(positive[i], score[i])

    assert bootstrap(metric, 60, replicates=200) == bootstrap(metric, 60, replicates=200)
    assert bootstrap(metric, 60, replicates=200) != bootstrap(metric, 60, replicates=200, seed=1)


def test_groups_are_drawn_as_a_whole() -> None:
    groups = np.array(["b", "a", "c", "b", "a", "b"])
    drawn: list[Indices] = []

    def metric(i: Indices) -> float:
        drawn.append(i)
        return 0.0

    bootstrap(metric, 6, groups=groups, replicates=300)
    sizes = {"a": 2, "b": 3, "c": 1}
    for i in drawn:
        counts = np.bincount(i, minlength=6)
        for name in sizes:
            assert len(set(counts[groups == name])) == 1
        assert sum(counts[groups == name][0] for name in sizes) == 3
    assert {i.size for i in drawn} >= {3, 6, 9}


def test_cases_without_groups_are_drawn_one_by_one() -> None:
    drawn: list[Indices] = []

    def metric(i: Indices) -> float:
        drawn.append(i)
        return 0.0

    bootstrap(metric, 10, replicates=500)
    assert all(i.size == 10 and 0 <= i.min() <= i.max() < 10 for i in drawn)
    assert np.bincount(np.concatenate(drawn)).min() > 400


def test_copies_in_one_group_do_not_narrow_the_interval() -> None:
    positive, score = labelled(60)
    copied_positive, copied_score, groups = (np.repeat(array, 4) for array in (positive, score, np.arange(60)))
    single = bootstrap(lambda i: metrics.auroc(positive[i], score[i]), 60)
    grouped = bootstrap(lambda i: metrics.auroc(copied_positive[i], copied_score[i]), 240, groups=groups)
    assert (grouped.low, grouped.high) == pytest.approx((single.low, single.high))


def test_draws_without_a_value_are_left_out_and_none_at_all_is_nan() -> None:
    positive = np.array([True, False, False])
    assert estimate(lambda i: metrics.auroc(positive[i], np.arange(3.0)[i]), 3).low == 0
    for n in (0, 3):
        assert np.isnan(bootstrap(lambda i: float("nan"), n, replicates=10).low)
    assert estimate(lambda i: float("nan"), 3, replicates=10).to_dict()["n"] == 3


def test_an_estimate_reads_well() -> None:
    assert str(Estimate(0.8, 0.7, 0.9, 12)) == "0.800 [0.700, 0.900] (n = 12)"


def test_2000_cases_in_groups_take_seconds_at_most() -> None:
    positive, score = labelled(2000)
    groups = np.random.default_rng(1).integers(0, 700, 2000).astype(str)
    start = time.perf_counter()
    estimate(lambda i: metrics.auroc(positive[i], score[i]), 2000, groups=groups)
    assert time.perf_counter() - start < 5
