"""Measures on all draws at once: the same figures as one draw at a time, and rankings that stay within a stratum."""

from dataclasses import replace

import numpy as np
import pytest

from osteo_edge import metrics
from osteo_edge.answers import Answers
from osteo_edge.intervals import draws
from osteo_edge.measuring import measure_answers
from osteo_edge.train import replicates
from osteo_edge.train.replicates import Drawn, all_values, draw_weights, in_blocks, rank, screening_values, to_estimate


def _answers(n: int = 60, *, strata: bool = False, seed: int = 0) -> Answers:
    """Probabilities with ties, groups of two."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    probabilities = np.stack([rng.dirichlet(1 + 2 * np.eye(3)[label]) for label in truth]).round(1)
    folds = rng.integers(0, 4, n) if strata else np.zeros(n, np.intp)
    groups = (np.arange(n) // 2).astype(str)
    return Answers(truth, probabilities, ("a", "b", "c"), ("b", "c"), np.full(n, 0.7), groups, folds)


def test_every_measure_and_interval_is_that_of_one_draw_at_a_time() -> None:
    answers = _answers()
    expected, _ = measure_answers(answers)
    values = in_blocks(all_values, answers, draw_weights(answers.groups))
    assert list(values) == list(expected)
    for name, found in expected.items():
        mine = to_estimate(values[name], found.n)
        assert (mine.value, mine.low, mine.high) == pytest.approx((found.value, found.low, found.high), abs=1e-6), name


def test_auroc_within_strata_is_that_of_the_metrics_on_every_draw() -> None:
    answers = _answers(strata=True)
    strata = np.asarray(answers.strata)
    weights = draw_weights(answers.groups, replicates=20)
    positive, score = answers.asked(("c",))
    expected = [metrics.auroc(positive[i], score[i], strata[i]) for i in draws(60, answers.groups, 20)]
    np.testing.assert_allclose(rank(answers, ("c",), weights.astype(float)).auroc[1:], expected)


def test_scores_of_different_folds_are_not_ranked_against_each_other() -> None:
    """Within each fold the order is right; the second fold's scores all lie above the first's."""
    truth = np.array([0, 1, 0, 1])
    score = np.array([0.1, 0.2, 0.8, 0.9])
    answers = Answers(
        truth, np.stack([1 - score, score], axis=1), ("a", "b"), ("b",), np.full(4, 0.5),
        np.arange(4).astype(str), np.array([0, 0, 1, 1]),
    )  # fmt: skip
    drawn = all_values(Drawn(answers, np.ones((4, 1))))
    assert drawn["AUROC b"] == 1
    assert drawn["AUPRC b"] == 1
    assert drawn["specificity at 90 % sensitivity"] == 1
    pooled = all_values(Drawn(replace(answers, strata=None), np.ones((4, 1))))
    assert pooled["AUROC b"] == 0.75


def test_a_missing_class_gives_nan_and_no_warning() -> None:
    answers = _answers()
    only = answers.take(answers.truth == 0)
    values = all_values(Drawn(only, np.ones((only.truth.size, 1))))
    assert np.isnan(values["AUROC b or c"]).all()
    assert np.isnan(values["sensitivity"]).all()
    assert values["specificity"] >= 0


def test_working_in_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = _answers(strata=True)
    weights = draw_weights(answers.groups, replicates=30)
    whole = in_blocks(screening_values, answers, weights)
    monkeypatch.setattr(replicates, "BLOCK", 60 * 7)
    parts = in_blocks(screening_values, answers, weights)
    for name, values in whole.items():
        np.testing.assert_array_equal(parts[name], values)


def test_the_first_column_counts_every_case_once_and_the_others_whole_groups() -> None:
    weights = draw_weights(np.array(["x", "x", "y", "z"]), replicates=9)
    assert weights.shape == (4, 10)
    assert (weights[:, 0] == 1).all()
    assert (weights[0] == weights[1]).all()
