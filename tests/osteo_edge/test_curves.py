from typing import Any

import numpy as np
import pytest

from osteo_edge import metrics
from osteo_edge.curves import (
    at_coverage,
    bootstrap_band,
    decision_curve,
    pr_curve,
    pr_on_grid,
    reliability,
    risk_coverage,
    roc_curve,
    roc_on_grid,
)

GRID = np.linspace(0, 1, 21)
FOUR = np.array([False, False, True, True]), np.array([0.1, 0.6, 0.4, 0.9])


def labelled(n: int, seed: int = 0) -> tuple[Any, Any]:
    """Positive cases and a probability that tells a little of them, with ties."""
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.4
    return positive, np.round(np.clip(rng.normal(0.4, 0.2, n) + 0.2 * positive, 0, 1), 2)


def test_the_curves_are_those_of_scikit_learn() -> None:
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    positive, score = labelled(150)
    x, y, _ = sklearn_metrics.roc_curve(positive, score, drop_intermediate=False)
    np.testing.assert_allclose(roc_curve(positive, score), (x, y))
    precision, recall, _ = sklearn_metrics.precision_recall_curve(positive, score)
    np.testing.assert_allclose(pr_curve(positive, score), (recall[-2::-1], precision[-2::-1]))


def test_the_area_below_the_curve_is_the_auroc() -> None:
    positive, score = labelled(150)
    x, y = roc_curve(positive, score)
    assert np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2) == pytest.approx(metrics.auroc(positive, score))


def test_on_a_grid_a_curve_has_the_value_that_is_reached() -> None:
    np.testing.assert_array_equal(roc_on_grid(*FOUR, np.array([0, 0.4, 0.5, 1])), [0.5, 0.5, 1, 1])
    np.testing.assert_allclose(pr_on_grid(*FOUR, np.array([0, 0.5, 0.6, 1])), [1, 1, 2 / 3, 2 / 3])


@pytest.mark.parametrize("positive", [np.ones(3, bool), np.zeros(3, bool), np.zeros(0, bool)])
def test_a_missing_class_gives_no_curve(positive: Any) -> None:
    score = np.arange(float(positive.size))
    assert np.isnan(roc_on_grid(positive, score, GRID)).all()
    assert np.isnan(np.concatenate(roc_curve(positive, score))).any()
    if not positive.any():
        assert np.isnan(pr_on_grid(positive, score, GRID)).all()


def test_the_gaps_of_the_reliability_diagram_are_the_calibration_error() -> None:
    positive, probability = labelled(150)
    found = reliability(positive, probability)
    gap = np.sum(found.n * np.abs(found.predicted - found.observed)) / 150
    assert gap == pytest.approx(metrics.calibration_error(positive, probability))


def test_the_reliability_diagram_leaves_empty_bins_out() -> None:
    found = reliability(np.array([True, False, True]), np.array([0.1, 0.2, 1.0]), bins=4)
    np.testing.assert_allclose(found.predicted, [0.15, 1.0])
    np.testing.assert_allclose(found.observed, [0.5, 1.0])
    np.testing.assert_array_equal(found.n, [2, 1])
    assert reliability(np.zeros(0, bool), np.zeros(0)).n.size == 0


def test_the_decision_curve_has_the_model_beside_referring_everybody() -> None:
    positive, probability = labelled(150)
    found = decision_curve(positive, probability, np.array([0.2, 0.5]))
    share = positive.mean()
    np.testing.assert_allclose(found.refer_all, [share - (1 - share) / 4, share - (1 - share)])
    assert found.model[1] == metrics.net_benefit(positive, probability, 0.5)
    assert decision_curve(positive, probability).thresholds[[0, -1]].tolist() == [0.01, 0.99]


def test_a_band_holds_the_curve_and_is_wider_for_whole_groups() -> None:
    positive, score = labelled(120)
    curve = roc_on_grid(positive, score, GRID)

    def drawn(i: Any) -> Any:
        return roc_on_grid(positive[i], score[i], GRID)

    low, high = bootstrap_band(drawn, 120, replicates=300)
    assert (low <= curve).all()
    assert (curve <= high).all()
    order = np.argsort(score)
    groups = np.empty(120, int)
    groups[order] = np.arange(120) // 12
    low_of_groups, high_of_groups = bootstrap_band(drawn, 120, groups=groups, replicates=300)
    assert (high_of_groups - low_of_groups).sum() > (high - low).sum()


def test_a_band_is_of_the_draws_that_have_a_curve() -> None:
    positive = np.array([True, False, False])
    low, high = bootstrap_band(lambda i: roc_on_grid(positive[i], np.arange(3.0)[i], GRID), 3, replicates=50)
    assert np.isfinite([low, high]).all()
    for n in (0, 3):
        ends = bootstrap_band(lambda i: np.full(5, np.nan), n, replicates=10)
        assert np.isnan(ends).all()
        assert np.shape(ends) == (2, 5)


def test_the_risk_coverage_curve_ends_at_the_share_of_wrong_cases() -> None:
    wrong, confidence = np.array([False, True, False, True]), np.array([0.9, 0.5, 0.7, 0.1])
    coverage, risk = risk_coverage(wrong, confidence)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 2])
    assert at_coverage(risk, np.array([0.1, 0.5, 0.51, 1.0])).tolist() == pytest.approx([0, 0, 1 / 3, 0.5])
    assert np.isnan(at_coverage(np.zeros(0), np.array([0.5, 1.0]))).all()
