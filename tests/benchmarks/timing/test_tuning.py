import os
from collections.abc import Sequence
from typing import Any

import pytest

from osteo_edge.benchmarks.measuring.results import Latency, Turn
from osteo_edge.benchmarks.measuring.summaries import summarize
from osteo_edge.benchmarks.timing import tuning
from osteo_edge.benchmarks.timing.tuning import search_space, tune
from osteo_edge.benchmarks.timing.turns import Rival
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3})
    monkeypatch.setattr(tuning, "default_threads", lambda: 4)


def latency(milliseconds: float) -> Latency:
    turns = tuple(Turn(number, 0.0, (milliseconds * (1 + 0.001 * number),) * 5) for number in range(4))
    return Latency(summarize(turns), turns, ())


def taking(times: dict[tuple[int, bool], float | str], otherwise: float = 20.0) -> Any:
    """A measurement that finds these medians by threads and delegate, or why there is none."""

    def measure(rivals: Sequence[Rival], **_: object) -> dict[str, Latency | str]:
        found = {rival.name: times.get((rival.spec.threads, rival.spec.delegate), otherwise) for rival in rivals}
        return {name: value if isinstance(value, str) else latency(value) for name, value in found.items()}

    return measure


def tuned(bundle: Bundle, times: dict[tuple[int, bool], float | str]) -> Any:
    return tune(bundle, runs=20, seconds=0.1, measure=taking(times))


def test_every_thread_count_up_to_four_is_tried_then_doubles() -> None:
    assert [threads for threads, delegate in search_space(12, default=4) if delegate] == [1, 2, 3, 4, 8, 12]
    assert search_space(1, default=1) == ((1, True), (1, False))


def test_the_usual_configuration_that_is_the_fastest_passes(bundle: Bundle) -> None:
    found = tuned(bundle, {(4, True): 5.0})
    assert (found.configurations[0].threads, found.configurations[0].delegate) == (4, True)
    assert (found.slowdown.value, found.passed, len(found.configurations)) == (1.0, True, 8)


@pytest.mark.parametrize(("usual", "passed"), [(5.2, True), (5.5, False)])
def test_five_percent_more_than_the_fastest_is_let_through(bundle: Bundle, usual: float, passed: bool) -> None:
    found = tuned(bundle, {(4, True): usual, (2, True): 5.0})
    assert (found.configurations[0].threads, found.default_threads) == (2, 4)
    assert found.slowdown.value == pytest.approx(usual / 5)
    assert found.passed is passed


def test_a_configuration_that_fails_is_left_out(bundle: Bundle) -> None:
    found = tuned(bundle, {(4, True): 5.0, (1, False): "ended by SIGSEGV"})
    assert len(found.configurations) == 7


def test_without_the_usual_configuration_there_is_nothing_to_compare(bundle: Bundle) -> None:
    with pytest.raises(OsteoEdgeError, match="the usual configuration cannot be measured: ended by SIGSEGV"):
        tuned(bundle, {(4, True): "ended by SIGSEGV"})


def test_without_a_runtime_it_says_what_to_install(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "installed_backends", lambda: ())
    with pytest.raises(OsteoEdgeError, match="pip install ai-edge-litert"):
        tuned(bundle, {})
