"""Figures of amounts: memory, what the delegate took, instructions, and the time beside recorded baselines."""

from collections.abc import Sequence

from osteo_edge.benchmarks.measuring.results import Measurement
from osteo_edge.benchmarks.report.figures import Picture
from osteo_edge.benchmarks.report.quantities import MB, count, percent, size, with_interval
from osteo_edge.benchmarks.report.rows import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    label_rows,
    rows_size,
    scale_across,
    short,
)
from osteo_edge.benchmarks.report.standings import bundle_names
from osteo_edge.svg_figure import INK, svg_axes

KINDS = {
    "dot product": ("dot_product", BLUE),
    "multiply-accumulate": ("multiply_accumulate", ORANGE),
    "load": ("load", GREEN),
    "store": ("store", PURPLE),
    "other": ("other", SKY),
}
EACH = 0.44
BAR = 0.34


def draw_memory(measurements: Sequence[Measurement]) -> Picture:
    """Peak memory: the bare interpreter, and what the model adds."""
    known = [(found.variant.name, found.memory) for found in measurements if found.memory is not None]
    with svg_axes("MB", "", size=rows_size(len(known), each=EACH)) as (axes, svg):
        for place, (_, memory) in enumerate(known):
            axes.barh(place, memory.bare_peak_bytes / MB, height=BAR, color=SKY)
            axes.barh(
                place, max(memory.added_bytes, 0) / MB, left=memory.bare_peak_bytes / MB, height=BAR, color=VERMILION
            )
        label_rows(axes, [f"{short(name, 42)}: {size(memory.peak_bytes)}" for name, memory in known])
    return svg(), (
        "The most memory that a process held. Light: the program and its interpreter without a model; dark: what the "
        "model adds."
    )


def draw_placement(measurements: Sequence[Measurement]) -> Picture:
    """The share of the multiply-accumulate operations and of the operators that the delegate took."""
    known = [(found.variant.name, found.placement) for found in measurements if found.placement is not None]
    with svg_axes("% taken by the delegate", "", size=rows_size(len(known), each=EACH)) as (axes, svg):
        labels = []
        for place, (name, placement) in enumerate(known):
            macs = placement.delegated_macs / max(placement.macs, 1)
            operators = placement.delegated_operators / max(placement.operators, 1)
            axes.barh(place, 100, height=BAR, facecolor="none", edgecolor=INK, linewidth=0.5)
            axes.barh(place, 100 * macs, height=BAR, color=GREEN)
            axes.plot([100 * operators] * 2, [place - BAR / 2, place + BAR / 2], color=VERMILION, linewidth=2)
            labels.append(f"{short(name, 42)}: {percent(macs)}")
        axes.set_xlim(0, 101)
        label_rows(axes, labels)
    return svg(), (
        "What the accelerated kernels (the delegate) took over. Bar: share of the multiply-accumulate operations; "
        "tick: share of the operators. The rest runs on slower reference kernels."
    )


def draw_instructions(measurements: Sequence[Measurement]) -> Picture:
    """Instructions of one inference by kind, a row for each bundle and emulated CPU."""
    names = bundle_names(measurements)
    known = [(names[found.variant.bundle], counted) for found in measurements for counted in found.instructions or ()]
    with svg_axes("million instructions", "", size=rows_size(len(known) + 1, each=EACH)) as (axes, svg):
        for place, (_, counted) in enumerate(known):
            start = 0.0
            for kind, (field, colour) in KINDS.items():
                amount = getattr(counted, field) / 1e6
                label = kind if place == 0 else None
                axes.barh(place, amount, left=start, height=BAR, color=colour, label=label)
                start += amount
        label_rows(axes, [f"{short(name, 24)}, {short(found.cpu, 16)}: {count(found.total)}" for name, found in known])
        axes.figure.legend(loc="outside lower left", ncols=3, fontsize=8)
    return svg(), "Instructions of one inference on an emulated CPU, one thread, by kind: a proxy for cost, not a time."


def draw_baselines(measurements: Sequence[Measurement]) -> Picture:
    """The latency of each variant over that of each recorded baseline."""
    rows = [(found.variant.name, beside) for found in measurements for beside in found.baselines or ()]
    ratios = [beside.latency_ratio for _, beside in rows]
    with svg_axes("times the baseline's latency", "", size=rows_size(len(rows), each=EACH)) as (axes, svg):
        for place, ratio in enumerate(ratios):
            axes.plot([1, 1], [place - BAR / 2, place + BAR / 2], ":", color=INK, linewidth=1)
            axes.plot([ratio.low, ratio.high], [place, place], color=BLUE, linewidth=2)
            axes.plot(ratio.value, place, "o", color=BLUE, markersize=5)
        lowest = min(1.0, *(ratio.low for ratio in ratios))
        highest = max(1.0, *(ratio.high for ratio in ratios))
        scale_across(axes, lowest / 1.2, highest * 1.2)
        label_rows(axes, [f"{short(name, 40)}: {with_interval(beside.latency_ratio)}" for name, beside in rows])
    return svg(), (
        "The time for one image as a multiple of the recorded baseline's, with its 95 % interval. Left of the "
        "dotted line this machine is faster."
    )
