"""Films that change over time are noticed, and chance is not."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from osteo_edge.edge_app.history.drift import Drift, measure_drift, rank_sum_test
from osteo_edge.edge_app.history.entry import Entry

FilmsOf = Callable[..., list[Entry]]


@pytest.fixture
def films_of(entry: Callable[..., Entry]) -> FilmsOf:
    """Films whose mean is normally distributed around the value of their month, each month with 40 films."""
    template = entry()

    def make(means: Sequence[float], n: int = 40, spread: float = 0.1, seed: int = 0) -> list[Entry]:
        rng = np.random.default_rng(seed)
        return [
            replace(
                template,
                taken_at=f"{2026 + number // 12}-{number % 12 + 1:02d}-15T00:00:00+00:00",
                image_sha256=rng.bytes(32).hex(),
                image_stats={"mean": float(rng.normal(mean, spread))},
            )
            for number, mean in enumerate(means)
            for _ in range(n)
        ]

    return make


def only(drifts: tuple[Drift, ...]) -> Drift:
    (drift,) = drifts
    return drift


@pytest.mark.parametrize("after", [0.3, 0.7])
def test_a_month_of_darker_or_brighter_films_is_noticed(films_of: FilmsOf, after: float) -> None:
    drift = only(measure_drift(films_of([0.5, 0.5, 0.5, after])))
    assert (drift.statistic, drift.reference_n) == ("mean", 80)
    assert [month.drifted for month in drift.months] == [False, False, False, True]
    assert drift.drifted
    newest = drift.months[-1]
    assert newest.month == "2026-04"
    assert newest.median == pytest.approx(after, abs=0.05)
    assert newest.lower_quartile < newest.median < newest.upper_quartile
    assert newest.higher is not None
    assert (newest.higher > 0.5) == (after > 0.5)


def test_few_steady_films_a_month_raise_no_alarm_in_a_hundred_years(films_of: FilmsOf) -> None:
    decades = [only(measure_drift(films_of([0.5] * 120, n=10, seed=seed))) for seed in range(10)]
    assert not any(month.drifted for drift in decades for month in drift.months)


def test_a_small_change_is_no_alarm_however_sure_it_is(films_of: FilmsOf) -> None:
    drift = only(measure_drift(films_of([0.5, 0.54], n=600)))
    newest = drift.months[-1]
    assert newest.p is not None
    assert newest.p < 1e-4
    assert not drift.drifted


def test_a_change_that_went_away_is_seen_in_its_month_only(films_of: FilmsOf) -> None:
    drift = only(measure_drift(films_of([0.5, 0.5, 0.8, 0.5])))
    assert [month.drifted for month in drift.months] == [False, False, True, False]
    assert not drift.drifted


def test_few_films_are_shown_and_not_judged(films_of: FilmsOf) -> None:
    young = only(measure_drift(films_of([0.5, 0.9], n=24)))
    assert (young.reference_n, young.drifted) == (0, False)
    quiet = only(measure_drift([*films_of([0.5], n=60), *films_of([0.5, 0.9], n=9, seed=1)[9:]]))
    assert [(month.n, month.p) for month in quiet.months] == [(60, None), (9, None)]


def test_a_film_that_was_screened_twice_counts_once(films_of: FilmsOf) -> None:
    films = films_of([0.5], n=60)
    assert measure_drift([*films, *films]) == measure_drift(films)


def test_the_order_in_which_entries_come_changes_nothing(films_of: FilmsOf) -> None:
    films = films_of([0.5, 0.6, 0.7])
    later = [replace(film, taken_at="2026-06-15T00:00:00+00:00") for film in films[:40]]
    entries = [*films, *later]
    expected = measure_drift(entries)
    months = [(month.month, month.n) for month in only(expected).months]
    assert months == [("2026-01", 40), ("2026-02", 40), ("2026-03", 40)]
    for seed in range(3):
        assert measure_drift([entries[at] for at in np.random.default_rng(seed).permutation(160)]) == expected


@pytest.mark.parametrize("change", [{"outcome": "rejected"}, {"is_demo": True}])
def test_what_is_no_film_of_this_site_is_left_out(films_of: FilmsOf, change: dict[str, Any]) -> None:
    films = films_of([0.5, 0.5])
    strange = [replace(film, **change) for film in films_of([0.9, 0.9], seed=1)]
    assert measure_drift([*films, *strange]) == measure_drift(films)
    first = [replace(film, taken_at="2025-12-15T00:00:00+00:00", **change) for film in films]
    assert measure_drift([*first, *films]) == measure_drift(films)


def test_entries_without_statistics_are_left_out(films_of: FilmsOf, entry: Callable[..., Entry]) -> None:
    assert measure_drift([entry(image_stats={})]) == ()
    films = films_of([0.5])
    assert measure_drift([*films, entry(image_stats={})]) == measure_drift(films)


@pytest.mark.parametrize("decimals", [9, 1])
def test_the_test_is_that_of_scipy(decimals: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    values, reference = rng.normal(0.2, 1, 25).round(decimals), rng.normal(0, 1, 40).round(decimals)
    expected = stats.mannwhitneyu(values, reference, method="asymptotic")
    higher, p = rank_sum_test(values, reference)
    assert (higher, p) == pytest.approx((expected.statistic / (25 * 40), expected.pvalue))


def test_values_that_are_all_the_same_do_not_differ() -> None:
    assert rank_sum_test(np.ones(10), np.ones(10)) == (0.5, 1.0)
