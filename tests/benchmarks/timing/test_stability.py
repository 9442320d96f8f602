from dataclasses import replace

import numpy as np
import pytest

from osteo_edge.benchmarks.measuring.results import Latency, MachineState, Settings, Turn
from osteo_edge.benchmarks.measuring.summaries import summarize
from osteo_edge.benchmarks.timing.stability import reasons

QUICK = Settings("quick", runs=128, seconds=0.1, budget_s=None, seed=0)
IDLE = MachineState("2026-11-21T10:00:00Z", 0.2, 8 << 30, 1800.0, 50.0, ())


def turns(*, processes: int = 12, runs: int = 30, seed: int = 0, waited: float | None = 0.002) -> list[Turn]:
    """An idle machine: luck of 0.5 %, runs that scatter by 2 %, one in fifty a third longer."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(processes):
        times = 5 * np.exp(random.normal(0, 0.005) + random.normal(0, 0.02, runs))
        times[random.random(runs) < 0.02] *= 1.3
        wall = float(times.sum())
        wait = None if waited is None else waited * wall
        found.append(Turn(number, number * 1.0, tuple(times.tolist()), 0.99 * wall, wait, 1))
    return found


def slowed(turn: Turn, times: float) -> Turn:
    return replace(turn, runs_ms=tuple(time * times for time in turn.runs_ms))


def told(
    found: list[Turn],
    before: MachineState = IDLE,
    after: MachineState = IDLE,
    *,
    settings: Settings = QUICK,
    cores: int = 4,
    threads: int = 1,
) -> tuple[str, ...]:
    latency = Latency(summarize(found), tuple(found), ())
    return reasons(latency, before, after, settings=settings, cores=cores, threads=threads)


def test_an_idle_machine_gives_no_reason() -> None:
    busy_before_us = replace(IDLE, load_average=1.0, clock_mhz=None, temperature_c=None)
    for seed in range(20):
        assert told(turns(seed=seed)) == ()
        assert told(turns(seed=seed, processes=10), IDLE, replace(busy_before_us, load_average=4.0)) == ()


def test_an_idle_clock_that_falls_is_no_reason_by_itself() -> None:
    assert told(turns(), IDLE, replace(IDLE, clock_mhz=600.0)) == ()


def test_a_drift_is_told_with_the_clock_that_may_explain_it() -> None:
    found = [slowed(turn, 1 + 0.02 * turn.process) for turn in turns()]
    reason = told(found)[0]
    assert reason.startswith("drifted: the last third was 1")
    assert reason.endswith("% slower than the first")
    assert (
        told(found, IDLE, replace(IDLE, clock_mhz=1200.0))[0] == f"{reason}, and the clock fell from 1800 to 1200 MHz"
    )
    faster = [slowed(turn, 1 / (1 + 0.02 * turn.process)) for turn in turns()]
    assert "faster than the first" in told(faster)[0]


def test_waiting_for_a_core_is_starving() -> None:
    assert told(turns(waited=0.14)) == ("starved: it waited for a core in 14% of the time",)
    assert told(turns(waited=0.04)) == ()


def test_where_waiting_is_not_counted_the_lack_of_cpu_time_tells_for_one_thread() -> None:
    found = [replace(turn, cpu_ms=0.8 * sum(turn.runs_ms)) for turn in turns(waited=None)]
    assert told(found) == ("starved: it waited for a core in 20% of the time",)
    assert told(found, threads=2) == ()
    assert told([replace(turn, cpu_ms=None) for turn in found]) == ()


def test_throttling_before_or_after_is_told_in_the_machines_words() -> None:
    hot = replace(IDLE, temperature_c=84.0, throttling=("frequency capped", "under-voltage"))
    assert told(turns(), IDLE, hot) == ("throttled: the machine reported frequency capped, under-voltage at 84 °C",)
    assert told(turns(), hot, IDLE) == ("throttled: the machine reported frequency capped, under-voltage at 50 °C",)


def test_what_a_machine_remembers_from_before_is_no_fault_of_the_run() -> None:
    old = replace(IDLE, throttling=("core throttled 12 times since boot",))
    new = replace(IDLE, throttling=("core throttled 13 times since boot",))
    assert told(turns(), old, old) == ()
    assert told(turns(), old, new) == ("throttled: the machine reported core throttled 13 times since boot at 50 °C",)


def test_a_load_before_and_too_many_threads_are_told() -> None:
    assert told(turns(), replace(IDLE, load_average=2.3)) == ("busy: a load of 2.3 on 4 cores before it began",)
    assert told(turns(), cores=1, threads=2) == ("2 threads share 1 core",)


def test_a_heavy_tail_is_told() -> None:
    found = [replace(turn, runs_ms=(*turn.runs_ms[1:], 40.0)) for turn in turns()]
    (reason,) = told(found)
    assert reason.startswith("heavy tail: one run in a hundred takes 8.")


def test_processes_of_two_speeds_are_uneven() -> None:
    found = [slowed(turn, 1.5 if turn.process % 2 else 1.0) for turn in turns()]
    (reason,) = told(found)
    assert reason.startswith("uneven: the median is known to ±")
    _, told_range = reason.split(", turns took ")
    fastest, slowest = (float(word) for word in told_range.removesuffix(" times it").split(" to "))
    assert fastest <= 1 <= slowest
    assert slowest / fastest == pytest.approx(1.5, rel=0.1)


@pytest.mark.parametrize(
    ("goal", "short"),
    [({"runs": 1024}, "360 of 1024 runs"), ({"seconds": 60.0}, "1.8 of 60 s of inference")],
)
def test_a_budget_that_was_spent_is_told_with_what_fell_short(goal: dict[str, float], short: str) -> None:
    settings = replace(QUICK, budget_s=10.0, **goal)  # type: ignore[arg-type]
    assert told(turns(), settings=settings) == (f"cut short: {short}, then the time budget was spent",)


def test_few_processes_show_no_luck_and_no_useful_interval() -> None:
    assert told(turns(processes=1, runs=200)) == ("1 process only: it takes 5 to tell a process's luck from speed",)
    uneven = [slowed(turn, 1.0 + turn.process) for turn in turns(processes=2, runs=200)]
    assert told(uneven) == ("2 processes only: it takes 5 to tell a process's luck from speed",)
