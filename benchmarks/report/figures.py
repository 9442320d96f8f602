"""Figures of times: their distributions, the steps from a file to an answer, and what AUROC costs in size and time.

Narrow enough to be read on a phone: names stand above their rows. Colours are those of Okabe and Ito (2008), which the
colour-blind can tell apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.benchmarks.measuring.results import Latency, Measurement, Stages
from osteo_edge.benchmarks.report.quantities import milliseconds
from osteo_edge.benchmarks.report.rows import (
    BLUE,
    LABEL_POINTS,
    ORANGE,
    VERMILION,
    WIDTH_INCHES,
    label_rows,
    rows_size,
    scale_across,
    short,
)
from osteo_edge.benchmarks.report.standings import runs_of
from osteo_edge.intervals import Estimate
from osteo_edge.label_places import Box, place_labels
from osteo_edge.svg_figure import INK, svg_axes

Floats = npt.NDArray[np.float64]
Picture = tuple[str, str]
"""An SVG and its caption."""
BINS, SMOOTHING = 160, 2.5
"""Of a density: its bins, and the standard deviation in bins of the Gaussian that it is smoothed with."""
HALF_HEIGHT = 0.3
CHARACTER_PER_HEIGHT = 0.55
POINT_PX, FAR_PX = 5.0, 14.0
STEPS = {
    "decode": "decode_ms",
    "preprocess": "preprocess_ms",
    "inference": "inference_ms",
    "activation map": "activation_map_ms",
}


@dataclass(frozen=True)
class Candidate:
    """A bundle in a plot of cost against AUROC."""

    name: str
    cost: float
    auroc: Estimate


def draw_latencies(measurements: Sequence[Measurement]) -> Picture:
    """The distribution of all runs of each variant that was timed, one row each."""
    timed = [(found.variant.name, found.latency) for found in measurements if found.latency is not None]
    summaries = [latency.summary for _, latency in timed]
    with svg_axes("milliseconds for one image", "", size=rows_size(len(timed), each=0.5)) as (axes, svg):
        for place, (_, latency) in enumerate(timed):
            _draw_density(axes, place, latency)
        lowest = np.nanmin([(found.minimum, found.median.low) for found in summaries])
        highest = np.nanmax([(found.p99, found.median.high) for found in summaries])
        scale_across(axes, lowest * 0.97, highest * 1.03)
        words = [f"{short(name, 44)}: {milliseconds(latency.summary.median.value)}" for name, latency in timed]
        label_rows(axes, words)
    return svg(), (
        "How long single inferences took. The shape is the distribution of all runs up to the 99th percentile; the dot "
        "is the median with its 95 % interval, the tick the 90th percentile, the last tick the 99th."
    )


def draw_waterfall(name: str, stages: Stages, longest_ms: float) -> Picture:
    """The median of each step from a file to an answer, where the one before ends; the axis goes to `longest_ms`."""
    medians = {step: float(np.median(getattr(stages, field) or [0.0])) for step, field in STEPS.items()}
    whole = _whole(stages)
    rows = [*medians.items(), ("end to end, measured", whole)]
    with svg_axes("milliseconds", "", title=short(name, 44), size=rows_size(len(rows), each=0.42)) as drawn:
        axes, svg = drawn
        start = 0.0
        for place, (step, median) in enumerate(rows):
            is_whole = step not in medians
            left = 0.0 if is_whole else start
            axes.barh(place, median, left=left, height=0.4, color=ORANGE if is_whole else BLUE)
            start += median
        axes.set_xlim(0, longest_ms * 1.02)
        label_rows(axes, [f"{step}: {milliseconds(median)}" for step, median in rows])
    return svg(), f"{name}: from a file ({stages.image}) to an answer, step by step; medians."


def longest_of(stages: Sequence[Stages]) -> float:
    """What the longest of several waterfalls comes to, in ms."""
    sums = (sum(float(np.median(getattr(one, field) or [0.0])) for field in STEPS.values()) for one in stages)
    return max(*sums, *map(_whole, stages))


def draw_candidates(candidates: Sequence[Candidate], across: str, question: str) -> Picture:
    """Bundles by their cost and the AUROC of one question, with the line of those that no other beats in both."""
    with svg_axes(across, f"AUROC {question}", size=(WIDTH_INCHES, 3.4)) as (axes, svg):
        for found in candidates:
            axes.plot([found.cost] * 2, [found.auroc.low, found.auroc.high], color=INK, linewidth=0.7, alpha=0.5)
        axes.plot(*_front(candidates), drawstyle="steps-post", color=VERMILION, linewidth=1)
        axes.plot([found.cost for found in candidates], [found.auroc.value for found in candidates], "o", color=BLUE)
        costs = [found.cost for found in candidates]
        scale_across(axes, min(costs) / 1.25, max(costs) * 1.25)
        _label_points(axes, candidates)
    return svg(), (
        f"AUROC {question} against {across}: up and left is better. Vertical lines are 95 % intervals; where these "
        "overlap, the images cannot tell the bundles apart. The line joins what no other bundle beats in both."
    )


def _whole(stages: Stages) -> float:
    return float(np.median(stages.end_to_end_ms or [0.0]))


def _draw_density(axes: Any, place: int, latency: Latency) -> None:
    summary = latency.summary
    runs = np.array(runs_of(latency))
    runs = runs[runs <= summary.p99]
    if runs.size > 1 and runs.min() < runs.max():
        times, density = _density(runs)
        half = HALF_HEIGHT * density / density.max()
        axes.fill_between(times, place - half, place + half, color=BLUE, alpha=0.45, linewidth=0)
    axes.plot([summary.median.low, summary.median.high], [place, place], color=INK, linewidth=2)
    axes.plot(summary.median.value, place, "o", color=INK, markersize=4)
    for percentile in (summary.p90, summary.p99):
        axes.plot([percentile] * 2, [place - 0.12, place + 0.12], color=VERMILION, linewidth=1.4)


def _density(runs: Floats) -> tuple[Floats, Floats]:
    """Times, evenly spaced by ratio, and how dense the runs lie there; both ends come down to 0."""
    logs = np.log(runs)
    counts, edges = np.histogram(logs, bins=BINS, range=(logs.min(), logs.max()))
    reach = math.ceil(3 * SMOOTHING)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / SMOOTHING) ** 2)
    step = edges[1] - edges[0]
    middles = edges[0] + step * (np.arange(-reach, BINS + reach) + 0.5)
    return np.exp(middles), np.convolve(counts, kernel / kernel.sum(), mode="full")


def _front(candidates: Sequence[Candidate]) -> tuple[list[float], list[float]]:
    costs, aurocs, best = [], [], -np.inf
    for found in sorted(candidates, key=lambda one: (one.cost, -one.auroc.value)):
        if found.auroc.value > best:
            best = found.auroc.value
            costs.append(found.cost)
            aurocs.append(best)
    return costs, aurocs


def _label_points(axes: Any, candidates: Sequence[Candidate]) -> None:
    """Names beside their points, none over another or the front, far ones with a line to theirs.

    They take no part in the layout, which is made first.
    """
    figure = axes.figure
    figure.draw_without_rendering()
    to_pixels, to_data = axes.transData.transform, axes.transData.inverted().transform
    height = LABEL_POINTS * figure.dpi / 72
    names = [short(found.name, 24) for found in candidates]
    sizes = [(len(name) * height * CHARACTER_PER_HEIGHT + 4, 1.2 * height) for name in names]
    points = [to_pixels((found.cost, found.auroc.value)) for found in candidates]
    corners = [to_pixels(corner) for corner in zip(*_front(candidates), strict=True)]
    front = [Box(one[0], one[1] - 1, other[0], one[1] + 1) for one, other in pairwise(corners)]
    frame = axes.get_window_extent()
    inside = Box(frame.x0, frame.y0, frame.x1, frame.y1)
    labels = place_labels([(*point, POINT_PX) for point in points], sizes, inside, front)
    for name, point, label in zip(names, points, labels, strict=True):
        at = to_data(((label.left + label.right) / 2, (label.top + label.bottom) / 2))
        text = axes.text(*at, name, ha="center", va="center", fontsize=LABEL_POINTS)
        text.set_in_layout(False)
        near = (min(max(point[0], label.left), label.right), min(max(point[1], label.top), label.bottom))
        if math.dist(near, point) > FAR_PX:
            axes.plot(*zip(to_data(near), to_data(point), strict=True), color=INK, linewidth=0.4)
