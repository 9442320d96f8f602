import doctest
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from osteo_edge.benchmarks.measuring import summaries
from osteo_edge.benchmarks.measuring.results import Latency, Turn
from osteo_edge.benchmarks.measuring.summaries import (
    MARGIN_APART,
    compare,
    compare_apart,
    differs,
    latency_of,
    percentile_of,
    summarize,
)
from osteo_edge.intervals import Estimate

Random = np.random.Generator
Process = Callable[[Random, int], float]


def measured(random: Random, process: Process, *, processes: int = 10, runs: int = 40, times: float = 1.0) -> Latency:
    """A latency whose processes have factors of their own, and whose runs scatter by 3 % around these."""
    turns = [
        Turn(number, number * 1.0, tuple(times * process(random, number) * np.exp(random.normal(0, 0.03, runs))))
        for number in range(processes)
    ]
    return Latency(summarize(turns), tuple(turns), ())


def lucky(random: Random, number: int) -> float:
    """Luck of 1 % in each process."""
    return float(np.exp(random.normal(0, 0.01)))


def preempted(random: Random, number: int) -> float:
    """Three processes in ten share their core with something else."""
    return lucky(random, number) * (1.4 if random.random() < 0.3 else 1.0)


def heating(random: Random, number: int) -> float:
    """A machine that gets slower by 10 % over ten processes."""
    return lucky(random, number) * (1 + 0.01 * number)


def test_a_summary_is_of_all_runs() -> None:
    turns = [Turn(0, 0.0, tuple(range(1, 51))), Turn(1, 9.0, tuple(range(51, 101)))]
    found = summarize(turns)
    assert (found.median.value, found.median.n) == (50.5, 100)
    assert (found.p90, found.p95, found.p99) == pytest.approx((90.1, 95.05, 99.01))
    assert (found.minimum, found.mean) == (1.0, 50.5)
    assert found.standard_deviation == pytest.approx(np.std(np.arange(1, 101), ddof=1))


def test_the_interval_of_a_percentile_holds_the_true_one_though_runs_of_a_process_are_alike() -> None:
    random, held = np.random.default_rng(0), 0
    truth = float(np.percentile(np.exp(random.normal(0, np.hypot(0.01, 0.03), 1_000_000)), 95))
    for _ in range(60):
        found = percentile_of(measured(random, lucky), 95)
        assert found.low < found.value < found.high
        held += found.low <= truth <= found.high
    assert held >= 52


def test_a_tail_that_some_processes_have_leaves_the_median_sharp_and_the_95th_percentile_not() -> None:
    calm, troubled = (1.0,) * 40, (1.0,) * 32 + (3.0,) * 8
    turns = tuple(Turn(number, 0.0, troubled if number < 4 else calm) for number in range(10))
    latency = Latency(summarize(turns), turns, ())
    assert (latency.summary.median.low, latency.summary.median.high) == (1.0, 1.0)
    found = percentile_of(latency, 95)
    assert found.value == 3.0
    assert found.high / found.low > 1.5


def test_the_50th_percentile_is_the_median() -> None:
    latency = measured(np.random.default_rng(0), lucky)
    assert percentile_of(latency, 50) == latency.summary.median


def test_a_single_run_has_no_interval() -> None:
    found = summarize([Turn(0, 0.0, (2.0,))])
    assert (found.median.value, found.standard_deviation) == (2.0, 0.0)
    assert math.isnan(found.median.low)


@pytest.mark.parametrize("processes", [5, 20])
def test_the_interval_holds_the_true_median_though_runs_of_a_process_are_alike(processes: int) -> None:
    random, held = np.random.default_rng(0), 0
    for _ in range(60):
        found = measured(random, lucky, processes=processes, runs=200).summary.median
        held += found.low <= 1.0 <= found.high
    assert held >= 54
    naive = 1.2533 * 0.03 / np.sqrt(200 * processes)  # the standard error if all runs were independent
    assert found.high - found.low > 2 * 2 * naive


def test_turns_of_one_process_are_drawn_where_there_is_one_and_tenths_of_a_single_turn() -> None:
    turns = [Turn(0, float(number), (1.0 + number / 10,) * 9) for number in range(4)]
    found = summarize(turns).median
    assert found.low < 1.1 < 1.2 < found.high
    slowing = latency_of(np.linspace(1, 2, 100).tolist())
    assert slowing.summary.median.low < 1.4 < 1.6 < slowing.summary.median.high
    assert (len(slowing.turns), slowing.warm_up_ms) == (1, ())


@pytest.mark.parametrize("same_run", [True, False])
@pytest.mark.parametrize("process", [lucky, preempted, heating])
def test_a_variant_beside_itself_differs_at_most_once_in_twenty(process: Process, same_run: bool) -> None:
    random = np.random.default_rng(2)
    ratios = [compare(*(measured(random, process) for _ in "AB"), same_run=same_run) for _ in range(60)]
    assert sum(differs(ratio) for ratio in ratios) <= 3


@pytest.mark.parametrize("same_run", [True, False])
@pytest.mark.parametrize("times", [1.05, 1 / 1.05])
def test_a_difference_of_5_percent_is_found_and_its_size_told(times: float, same_run: bool) -> None:
    random = np.random.default_rng(3)
    for _ in range(20):
        slower, reference = measured(random, lucky, times=times), measured(random, lucky)
        ratio = compare(slower, reference, same_run=same_run)
        assert differs(ratio)
        assert ratio.value == pytest.approx(times, rel=0.03)
        assert ratio.n == 10


def test_slow_moments_that_both_had_widen_nothing_in_one_run() -> None:
    random = np.random.default_rng(4)
    slow = [1.8 if number % 3 == 0 else 1.0 for number in range(20)]
    rivals = [measured(random, lambda r, number: slow[number] * lucky(r, number), processes=20) for _ in "AB"]
    together, apart = compare(*rivals, same_run=True), compare(*rivals)
    assert together.high / together.low < 1.05 < apart.high / apart.low


def test_few_blocks_have_students_interval() -> None:
    """The closed forms of one and two degrees of freedom; tables have the rest (Abramowitz and Stegun 1964, 26.10)."""
    assert doctest.testmod(summaries).failed == 0
    found = summarize([Turn(number, 0.0, (time,) * 9) for number, time in enumerate((1.0, 1.1))]).median
    drawn = np.log([1.0, 1.0, 1.0, 1.1])  # of two blocks, equally often; the lower median of the mixed draws
    assert np.log(found.high / found.value) == pytest.approx(12.706 * np.sqrt(2) * drawn.std(), rel=0.05)


def test_only_rounds_that_both_were_in_are_compared() -> None:
    one = [Turn(number, 0.0, (1.0, 1.1, 1.2)) for number in range(6)]
    other = [Turn(number, 0.0, (2.0, 2.2, 2.4)) for number in range(4)]
    first, second = (Latency(summarize(turns), tuple(turns), ()) for turns in (one, other))
    ratio = compare(first, second, same_run=True)
    assert (ratio.value, ratio.n) == (0.5, 4)
    with pytest.raises(ValueError, match="not measured in the same run"):
        compare(first, Latency(second.summary, (Turn(9, 0.0, (1.0,)),), ()), same_run=True)


def test_one_process_each_is_compared_by_its_turns() -> None:
    one, other = ([Turn(0, float(number), (times + 0.01 * number,) * 5) for number in range(8)] for times in (1.0, 1.2))
    first, second = (Latency(summarize(turns), tuple(turns), ()) for turns in (one, other))
    assert differs(compare(second, first, same_run=True))


def test_a_machine_of_another_speed_is_no_difference_between_reports_but_a_slower_model_is() -> None:
    random = np.random.default_rng(6)
    then, now, slower = (
        with_yardsticks(measured(random, lucky, times=times), yardstick_ms)
        for times, yardstick_ms in ((1.0, 0.2), (1.15, 0.23), (1.10, 0.2))
    )
    assert differs(compare(now, then), margin=MARGIN_APART)
    assert not differs(compare_apart(now, then), margin=MARGIN_APART)
    assert differs(compare_apart(slower, then), margin=MARGIN_APART)
    assert compare_apart(slower, then).value == pytest.approx(1.1, rel=0.02)
    old = measured(random, lucky)
    assert compare_apart(now, old) == compare(now, old)


def with_yardsticks(latency: Latency, yardstick_ms: float) -> Latency:
    return replace(latency, turns=tuple(replace(turn, yardstick_ms=yardstick_ms) for turn in latency.turns))


def test_values_of_older_reports_can_be_compared_too() -> None:
    random = np.random.default_rng(5)
    fast, slow = (latency_of((times * np.exp(random.normal(0, 0.02, 500))).tolist()) for times in (1.0, 1.1))
    assert differs(compare(slow, fast))
    assert not differs(compare(fast, fast))


@pytest.mark.parametrize(
    ("ratio", "margin", "said"),
    [
        (Estimate(1.05, 1.03, 1.07, 10), 0.01, True),
        (Estimate(0.95, 0.93, 0.97, 10), 0.01, True),
        (Estimate(1.05, 0.99, 1.11, 10), 0.01, False),
        (Estimate(1.05, 1.005, 1.097, 10), 0.01, False),  # within a 99 % interval
        (Estimate(1.009, 1.008, 1.010, 10), 0.01, False),  # certain, but nothing
        (Estimate(1.03, 1.02, 1.04, 10), 0.05, False),
        (Estimate(1.05, math.nan, math.nan, 1), 0.01, False),
        (Estimate(1.5, 1.2, 1.875, 20), 0.01, True),
        (Estimate(1.5, 1.2, 1.875, 3), 0.01, False),  # Student's t: 99 % of three reach 2.3 times as far as 95 %
        (Estimate(2.0, 1.7, 2.353, 2), 0.01, False),  # and of two 5 times
        (Estimate(2.0, 1.75, 2.286, 2), 0.01, True),
    ],
)
def test_a_difference_is_certain_and_of_some_size(ratio: Estimate, margin: float, said: bool) -> None:
    assert differs(ratio, margin=margin) is said
