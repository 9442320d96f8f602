"""Plots for reports: SVG that stands in a page and takes its colours from it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.curves import DecisionCurve, Reliability
from osteo_edge.intervals import Estimate
from osteo_edge.svg_figure import COLOURS, INK, svg_axes

Floats = npt.NDArray[np.floating[Any]]
STRIP_SEED = 0

Band = tuple[Floats, Floats, Floats]
"""A curve on a grid, and its pointwise lower and upper ends; (grid,) each."""


def plot_roc(grid: Floats, bands: Mapping[str, Band]) -> str:
    """Receiver operating characteristics over `grid`, 1 - specificity, with their bands, by name."""
    with svg_axes("1 - specificity", "sensitivity", square=True) as (axes, svg):
        axes.plot([0, 1], [0, 1], ":", color=INK, linewidth=0.8)
        _draw_bands(axes, grid, bands, "lower right")
    return svg()


def plot_precision_recall(grid: Floats, bands: Mapping[str, Band], prevalence: float) -> str:
    """Precision over recall with bands; the dotted line is what guessing reaches, the share of positive cases."""
    with svg_axes("recall (sensitivity)", "precision (positive predictive value)", square=True) as (axes, svg):
        axes.axhline(prevalence, linestyle=":", color=INK, linewidth=0.8)
        _draw_bands(axes, grid, bands, "lower right" if prevalence > 0.5 else "upper right")
    return svg()


def plot_reliability(diagrams: Mapping[str, Reliability]) -> str:
    """Observed share over predicted probability by bins; the size of a point is its number of cases."""
    with svg_axes("predicted probability", "observed share", square=True) as (axes, svg):
        axes.plot([0, 1], [0, 1], ":", color=INK, linewidth=0.8)
        for colour, (name, found) in _coloured(diagrams):
            axes.plot(found.predicted, found.observed, color=colour, linewidth=1, label=name)
            axes.scatter(found.predicted, found.observed, s=6 + 90 * found.n / max(1, found.n.sum()), color=colour)
        axes.legend(loc="best")
    return svg()


def plot_decision(curves: Mapping[str, DecisionCurve]) -> str:
    """Net benefit over the threshold, beside referring everybody and referring nobody."""
    with svg_axes("threshold", "net benefit") as (axes, svg):
        axes.axhline(0, linestyle=":", color=INK, linewidth=0.8, label="refer nobody")
        highest = 0.05
        for colour, (name, found) in _coloured(curves):
            axes.plot(found.thresholds, found.model, color=colour, linewidth=1.4, label=name)
            highest = max(highest, float(np.nanmax([found.model.max(), found.refer_all.max()])))
        everybody = next(iter(curves.values()))
        axes.plot(everybody.thresholds, everybody.refer_all, "--", color=INK, linewidth=0.8, label="refer everybody")
        axes.set_ylim(-0.25 * highest, 1.1 * highest)
        axes.legend(loc="best")
    return svg()


def plot_confusion(counts: npt.NDArray[Any], labels: Sequence[str], title: str) -> str:
    """A confusion matrix, (given, answered); shades are shares of the given label, numbers are cases."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with svg_axes("answered", "given", title=title) as (axes, svg):
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            ink = "white" if share > 0.55 else "black"
            axes.text(column, row, _count(float(counts[row, column])), ha="center", va="center", color=ink)
        axes.set_xticks(range(len(labels)), labels)
        axes.set_yticks(range(len(labels)), labels)
    return svg()


def plot_learning(curves: Mapping[str, Sequence[Sequence[float]]]) -> str:
    """Loss over the epoch, by name; several runs of one name (folds) are drawn thin, their mean thick."""
    with svg_axes("epoch", "loss") as (axes, svg):
        for colour, (name, runs) in _coloured(curves):
            for run in runs:
                axes.plot(range(len(run)), run, color=colour, linewidth=0.5, alpha=0.4)
            shortest = min(map(len, runs))
            mean = np.mean([run[:shortest] for run in runs], axis=0)
            axes.plot(range(shortest), mean, color=colour, linewidth=1.8, label=name)
        axes.legend(loc="upper right")
    return svg()


def plot_forest(rows: Sequence[tuple[str, Estimate]], *, label: str, line: float) -> str:
    """Values with their intervals, one below the other; `line` is the value that means nothing was found."""
    height = 0.6 + 0.26 * len(rows)
    with svg_axes(label, "", size=(7.2, height)) as (axes, svg):
        axes.axvline(line, linestyle=":", color=INK, linewidth=0.8)
        for place, (_, found) in enumerate(rows):
            axes.plot([found.low, found.high], [place, place], color=COLOURS[0], linewidth=1.6)
            axes.plot(found.value, place, "o", color=COLOURS[0], markersize=5)
        axes.set_yticks(range(len(rows)), [f"{name}  (n = {found.n})" for name, found in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
    return svg()


def plot_scores(scores: Mapping[str, Floats], threshold: float | None) -> str:
    """The predicted probability of each case, by its true label; the line is the threshold to refer."""
    rng = np.random.default_rng(STRIP_SEED)
    with svg_axes("predicted probability of low bone density", "", size=(7.2, 0.7 + 0.6 * len(scores))) as (axes, svg):
        for place, (colour, (_, values)) in enumerate(_coloured(scores)):
            axes.scatter(values, place + rng.uniform(-0.25, 0.25, values.size), s=9, color=colour, alpha=0.7)
        if threshold is not None:
            axes.axvline(threshold, linestyle="--", color=INK, linewidth=0.8)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(len(scores) - 0.5, -0.5)
        axes.set_yticks(range(len(scores)), [f"{name}  (n = {values.size})" for name, values in scores.items()])
    return svg()


def _count(cases: float) -> str:
    """A whole number, or a mean over repeats to a tenth."""
    return f"{cases:.0f}" if cases == round(cases) else f"{cases:.1f}"


def _draw_bands(axes: Any, grid: Floats, bands: Mapping[str, Band], place: str) -> None:
    for colour, (name, (values, low, high)) in _coloured(bands):
        axes.fill_between(grid, low, high, color=colour, alpha=0.12, linewidth=0)
        axes.plot(grid, values, color=colour, linewidth=1.6, label=name)
    axes.legend(loc=place, fontsize=8)


def _coloured(series: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, Any]]]:
    for number, item in enumerate(series.items()):
        yield COLOURS[number % len(COLOURS)], item
