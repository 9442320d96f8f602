import time
from typing import Any

import numpy as np
import pytest

from osteo_edge import metrics
from osteo_edge.intervals import (
    Estimate,
    Indices,
    as_share,
    bootstrap,
    estimate,
    estimate_many,
    paired_difference,
    wilson,
)


def labelled(n: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.4
    return positive, np.round(rng.normal(size=n) + positive, 1)


def hits(k: int, n: int) -> Any:
    return np.arange(n) < k


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


def test_many_metrics_share_their_draws_and_each_is_as_alone() -> None:
    positive, score = labelled(60)
    groups = np.arange(60) // 2

    def area(i: Indices) -> float:
        return metrics.auroc(positive[i], score[i])

    def mean(i: Indices) -> float:
        return float(score[i].mean())

    found = estimate_many(lambda i: (area(i), mean(i)), 60, groups=groups)
    assert found == [estimate(area, 60, groups=groups), estimate(mean, 60, groups=groups)]


def test_a_metric_that_is_never_defined_leaves_its_neighbour_alone() -> None:
    nothing, something = estimate_many(lambda i: (float("nan"), float(i.mean())), 10, replicates=50)
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()
    assert something.low < something.value < something.high


def test_without_cases_there_is_nothing_but_nan() -> None:
    (found,) = estimate_many(lambda i: (float("nan"),), 0)
    assert np.isnan([found.value, found.low, found.high]).all()
    assert found.n == 0


def test_a_paired_difference_is_narrower_than_two_intervals_apart() -> None:
    positive, score = labelled(200)
    better = score + 0.2 * positive
    first, second, difference = paired_difference(
        lambda i: metrics.auroc(positive[i], better[i]), lambda i: metrics.auroc(positive[i], score[i]), 200
    )
    assert difference.value == pytest.approx(first.value - second.value)
    assert 0 < difference.low < difference.high
    assert difference.high - difference.low < (first.high - first.low) / 2


@pytest.mark.parametrize(("value", "low", "high"), [(0.0, 0.0, 0.4345), (1.0, 0.5655, 1.0)])
def test_a_share_of_all_or_none_has_the_interval_of_its_groups(value: float, low: float, high: float) -> None:
    groups = np.repeat(["a", "b", "c", "d", "e"], 4)
    found = as_share(Estimate(value, value, value, 99), groups)
    assert (found.value, found.low, found.high) == pytest.approx((value, low, high), abs=1e-4)
    assert found.n == 20


def test_a_share_between_keeps_its_bootstrap_interval_and_counts_its_cases() -> None:
    assert as_share(Estimate(0.5, 0.3, 0.8, 99), np.arange(12)) == Estimate(0.5, 0.3, 0.8, 12)


def test_a_share_of_nothing_stays_undefined() -> None:
    nan = float("nan")
    assert str(as_share(Estimate(nan, nan, nan, 99), np.zeros(0))) == "not defined (n = 0)"
