"""What the figures of times show: every interval, the steps end to end, and the front that no other bundle beats."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from osteo_edge.benchmarks.measuring.results import Latency, Measurement, Report, Turn
from osteo_edge.benchmarks.measuring.summaries import summarize
from osteo_edge.benchmarks.report.figures import Candidate, draw_candidates, draw_latencies, draw_waterfall, longest_of
from osteo_edge.benchmarks.report.rows import BLUE, ORANGE, VERMILION
from osteo_edge.intervals import Estimate


def timed(measurement: Measurement, *turns_ms: tuple[float, ...]) -> Measurement:
    turns = tuple(Turn(number, 0.0, runs_ms) for number, runs_ms in enumerate(turns_ms))
    return replace(measurement, latency=Latency(summarize(turns), turns, ()))


def lines(axes: Any, color: str) -> list[tuple[list[float], list[float]]]:
    """The ends of each line of one colour: across, and up."""
    found = [line for line in axes.get_lines() if line.get_color() == color]
    return [(list(map(float, line.get_xdata())), list(map(float, line.get_ydata()))) for line in found]


def candidate(name: str, cost: float, auroc: float, half: float = 0.02) -> Candidate:
    return Candidate(name, cost, Estimate(auroc, auroc - half, auroc + half, 90))


def test_the_scale_of_latencies_holds_every_interval(bare_report: Report, drawn: list[Any]) -> None:
    """Two processes that are far apart have an interval that reaches far beyond all runs."""
    found = timed(bare_report.measurements[0], (1.0,) * 9, (1.5,) * 9)
    assert found.latency is not None
    median = found.latency.summary.median
    assert median.low < 1.0
    assert median.high > 1.5
    draw_latencies([found])
    low, high = drawn[0].get_xlim()
    assert low < median.low
    assert high > median.high


def test_a_row_has_its_percentiles_and_no_run_beyond_the_last(bare_report: Report, drawn: list[Any]) -> None:
    runs = np.linspace(1.0, 2.0, 200)
    found = timed(bare_report.measurements[0], tuple(runs), tuple(runs), (9.0,))
    assert found.latency is not None
    summary = found.latency.summary
    draw_latencies([found])
    ticks = [across[0] for across, _ in lines(drawn[0], VERMILION)]
    assert ticks == [summary.p90, summary.p99]
    (shape,) = drawn[0].collections
    assert shape.get_paths()[0].vertices[:, 0].max() < 1.1 * summary.p99


def test_each_step_begins_where_the_one_before_ends(golden_report: Report, drawn: list[Any]) -> None:
    stages = golden_report.measurements[0].stages
    assert stages is not None
    stages = replace(
        stages,
        decode_ms=(20.0,),
        preprocess_ms=(9.0, 10.0, 11.0),
        inference_ms=(5.0,),
        activation_map_ms=(1.0,),
        end_to_end_ms=(37.0,),
    )
    longest_ms = longest_of([stages])
    draw_waterfall("knee", stages, longest_ms)
    bars = [(bar.get_x(), bar.get_width()) for bar in drawn[0].patches]
    assert bars == [(0, 20), (20, 10), (30, 5), (35, 1), (0, 37)]
    assert longest_ms == 37
    assert drawn[0].get_xlim()[1] > 37


def test_the_line_joins_what_no_other_bundle_beats_in_both(drawn: list[Any]) -> None:
    found = [
        candidate("large and no better", 9.0, 0.90),
        candidate("best", 8.0, 0.95),
        candidate("small", 1.0, 0.80),
        candidate("as good and dearer", 2.5, 0.85),
        candidate("middle", 2.0, 0.85),
        candidate("as dear and worse", 2.0, 0.70),
    ]
    draw_candidates(found, "size, MB", "osteoporosis")
    ((costs, aurocs),) = lines(drawn[0], VERMILION)
    assert (costs, aurocs) == ([1.0, 2.0, 8.0], [0.80, 0.85, 0.95])
    ((costs, aurocs),) = lines(drawn[0], BLUE)
    assert sorted(zip(costs, aurocs, strict=True)) == sorted((one.cost, one.auroc.value) for one in found)


def test_every_bundle_has_its_interval_and_its_name(drawn: list[Any]) -> None:
    found = [candidate("one", 1.0, 0.8, half=0.1), candidate("other", 2.0, 0.9, half=0.05)]
    draw_candidates(found, "size, MB", "osteoporosis")
    upright = [(across[0], *up) for across, up in _lines_of_two(drawn[0]) if across[0] == across[1]]
    assert np.array(upright) == pytest.approx(np.array([(1.0, 0.7, 0.9), (2.0, 0.85, 0.95)]))
    assert {text.get_text() for text in drawn[0].texts} == {"one", "other"}


def _lines_of_two(axes: Any) -> list[tuple[list[float], list[float]]]:
    found = [(list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()]
    return [(across, up) for across, up in found if len(across) == 2]


@pytest.mark.parametrize(
    ("costs", "scale", "ticks"),
    [
        ((1.0, 3.0), "linear", None),
        ((1.0, 9.0), "log", [1.0, 2.0, 5.0, 10.0]),
        ((0.5, 5000.0), "log", [1, 10, 100, 1000]),
    ],
)
def test_costs_that_are_far_apart_have_a_scale_of_ratios_with_round_numbers(
    costs: tuple[float, float], scale: str, ticks: list[float] | None, drawn: list[Any]
) -> None:
    draw_candidates([candidate(str(cost), cost, 0.8) for cost in costs], "size, MB", "osteoporosis")
    (axes,) = drawn
    assert axes.get_xscale() == scale
    assert axes.get_xlim() == pytest.approx((costs[0] / 1.25, costs[1] * 1.25))
    if ticks is not None:
        assert list(axes.get_xticks()) == ticks
        assert [label.get_text() for label in axes.get_xticklabels()] == [f"{tick:g}" for tick in ticks]
        assert list(axes.get_xticks(minor=True)) == []


def test_the_measured_whole_is_told_from_the_steps_by_its_colour(golden_report: Report, drawn: list[Any]) -> None:
    stages = golden_report.measurements[0].stages
    assert stages is not None
    draw_waterfall("knee", stages, longest_of([stages]))
    colours = [_hex(bar.get_facecolor()) for bar in drawn[0].patches]
    assert colours == [BLUE] * 4 + [ORANGE]


def _hex(colour: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(255 * part):02X}" for part in colour[:3])
