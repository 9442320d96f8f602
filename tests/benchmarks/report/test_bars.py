"""What the figures of amounts show: bars as long as the numbers beside them, and the ticks where they belong."""

from dataclasses import replace
from typing import Any

import pytest

from osteo_edge.benchmarks.measuring.results import Report
from osteo_edge.benchmarks.report.bars import draw_baselines, draw_instructions, draw_memory, draw_placement
from osteo_edge.benchmarks.report.rows import BLUE, VERMILION
from osteo_edge.intervals import Estimate


def bars(axes: Any) -> list[tuple[float, float]]:
    """Where each bar begins and how long it is, in the order of drawing."""
    return [(float(bar.get_x()), float(bar.get_width())) for bar in axes.patches]


def across(axes: Any, color: str) -> list[list[float]]:
    return [list(map(float, line.get_xdata())) for line in axes.get_lines() if line.get_color() == color]


def test_what_the_model_adds_stands_behind_what_the_bare_interpreter_holds(
    golden_report: Report, drawn: list[Any]
) -> None:
    first, second, *_ = golden_report.measurements
    assert first.memory is not None
    less = replace(first, memory=replace(first.memory, peak_bytes=first.memory.bare_peak_bytes - 1_000_000))
    draw_memory([first, second, less])
    (axes,) = drawn
    assert bars(axes) == [
        (0.0, pytest.approx(41.0)),
        (pytest.approx(41.0), pytest.approx(9.6)),
        (0.0, pytest.approx(41.0)),
        (pytest.approx(41.0), pytest.approx(16.1)),
        (0.0, pytest.approx(41.0)),
        (pytest.approx(41.0), 0.0),  # a bare process may have held more by chance
    ]
    assert "50.6\N{NO-BREAK SPACE}MB" in axes.texts[0].get_text()


def test_the_share_of_the_delegate_is_a_bar_for_work_and_a_tick_for_operators(
    golden_report: Report, drawn: list[Any]
) -> None:
    first = golden_report.measurements[0]
    assert first.placement is not None
    half = replace(first.placement, macs=200, delegated_macs=150, operators=10, delegated_operators=4)
    none = replace(first.placement, macs=0, delegated_macs=0, operators=0, delegated_operators=0)
    draw_placement([replace(first, placement=half), replace(first, placement=none)])
    (axes,) = drawn
    assert bars(axes) == [(0.0, 100.0), (0.0, 75.0), (0.0, 100.0), (0.0, 0.0)]
    assert across(axes, VERMILION) == [[40.0, 40.0], [0.0, 0.0]]
    assert axes.get_xlim()[1] >= 100


def test_the_kinds_of_instructions_add_up_to_their_total(golden_report: Report, drawn: list[Any]) -> None:
    first = golden_report.measurements[0]
    assert first.instructions is not None
    draw_instructions([first])
    (axes,) = drawn
    found, kinds = bars(axes), 5
    for place, counted in enumerate(first.instructions):
        row = found[place * kinds : (place + 1) * kinds]
        assert [start for start, _ in row] == pytest.approx(
            [sum(w for _, w in row[:number]) for number in range(kinds)]
        )
        assert sum(width for _, width in row) == pytest.approx(counted.total / 1e6)
    _, labels = axes.get_legend_handles_labels()
    assert labels == ["dot product", "multiply-accumulate", "load", "store", "other"]


def test_ratios_to_a_baseline_lie_on_a_scale_that_holds_1_and_every_interval(
    golden_report: Report, drawn: list[Any]
) -> None:
    first = golden_report.measurements[0]
    assert first.baselines is not None
    ratios = (Estimate(20.0, 15.0, 30.0, 9), Estimate(3.0, 2.0, 4.0, 9))
    beside = tuple(replace(first.baselines[0], latency_ratio=ratio) for ratio in ratios)
    draw_baselines([replace(first, baselines=beside)])
    (axes,) = drawn
    assert across(axes, BLUE) == [[15.0, 30.0], [20.0], [2.0, 4.0], [3.0]]
    low, high = axes.get_xlim()
    assert low < 1
    assert high > 30
    assert axes.get_xscale() == "log"
    assert list(axes.get_xticks()) == [1, 2, 5, 10, 20]
