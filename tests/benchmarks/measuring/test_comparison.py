import itertools
import math
from functools import partial

import pytest

from osteo_edge.benchmarks.measuring.comparison import Check, interleave, median_ratio
from osteo_edge.metrics import Estimate


def check(value: float, low: float, high: float, **bound: object) -> Check:
    return Check("time", Estimate(value, low, high, 9), **{"bound": "at most", "limit": 2.0, **bound})  # type: ignore[arg-type]


def test_every_rival_is_measured_once_in_every_round_and_values_keep_their_round() -> None:
    clock = itertools.count()
    found = interleave({name: lambda: next(clock) for name in "abc"}, 20)
    for number, values in enumerate(zip(*found.values(), strict=True)):
        assert sorted(values) == [3 * number, 3 * number + 1, 3 * number + 2]


def test_the_order_within_a_round_is_random_and_the_same_again() -> None:
    first, second = list[str](), list[str]()
    for calls in (first, second):
        interleave({name: partial(calls.append, name) for name in "abc"}, 20)
    assert first == second
    assert {"".join(first[i : i + 3]) for i in range(0, 60, 3)} == {"abc", "acb", "bac", "bca", "cab", "cba"}


def test_progress_counts_the_rounds() -> None:
    seen: list[tuple[int, int]] = []
    interleave({"a": lambda: 0}, 3, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_the_ratio_is_that_of_the_medians() -> None:
    assert median_ratio([1.0, 3.0, 100.0], [2.0, 2.0, 1.0]).value == 1.5


def test_a_slow_round_counts_for_both_so_a_steady_ratio_has_no_spread() -> None:
    reference = [1.0, 5.0, 2.0, 9.0, 4.0]
    ratio = median_ratio([2 * value for value in reference], reference)
    assert (ratio.value, ratio.low, ratio.high, ratio.n) == (2.0, 2.0, 2.0, 5)


def test_the_interval_of_a_noisy_ratio_holds_its_value() -> None:
    ratio = median_ratio([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 1.0, 1.0, 1.0, 1.0])
    assert ratio.low < ratio.value == 3.0 < ratio.high
    assert ratio.low >= 1.0
    assert ratio.high <= 5.0


def test_values_of_different_rounds_are_not_compared() -> None:
    with pytest.raises(ValueError, match="not measured in the same rounds"):
        median_ratio([1.0], [1.0, 2.0])


def test_a_value_on_the_bound_passes_from_either_side() -> None:
    assert check(2.0, 1.9, 2.1).passed
    assert check(2.0, 1.9, 2.1, bound="at least").passed
    assert not check(2.01, 1.9, 2.1).passed
    assert not check(1.99, 1.9, 2.1, bound="at least").passed


def test_an_undefined_value_passes_nothing() -> None:
    assert not check(math.nan, math.nan, math.nan).passed
    assert not check(math.nan, math.nan, math.nan, bound="at least").passed


def test_a_check_says_when_its_interval_reaches_across_the_bound() -> None:
    assert str(check(1.5, 1.4, 1.6)) == "PASS  time: 1.500 [1.400, 1.600] (n = 9), at most 2"
    assert str(check(2.5, 1.9, 3.0)) == (
        "FAIL  time: 2.500 [1.900, 3.000] (n = 9), at most 2; the interval reaches across the bound"
    )
    assert check(2.5, 2.4, 3.0).certain


def test_a_check_for_machines_holds_value_bound_and_verdict() -> None:
    assert check(1.5, 1.4, 1.6).to_dict() == {
        "name": "time",
        "value": 1.5,
        "low": 1.4,
        "high": 1.6,
        "n": 9,
        "bound": "at most",
        "limit": 2.0,
        "passed": True,
        "certain": True,
    }
