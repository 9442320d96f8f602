"""The tables of a benchmark report: a head and rows of text, for the page and for Markdown alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from osteo_edge.benchmarks.measuring.results import Instructions, Measurement, Report, Stages
from osteo_edge.benchmarks.report.quantities import (
    DASH,
    SPACE,
    change,
    count,
    milliseconds,
    milliseconds_with_interval,
    optional,
    optional_size,
    percent,
    percent_with_interval,
    score,
    size,
    three_digits,
)
from osteo_edge.benchmarks.report.standings import Standing, bundle_names, runs_of, standings, way_of


@dataclass(frozen=True)
class Table:
    """Text by rows; every row has as many cells as the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def overview(report: Report) -> Table:
    """One row a bundle: its fastest way, size, memory and quality."""
    found = standings(report)
    questions = list(dict.fromkeys(question for one in found if one.fidelity for question in one.fidelity.aurocs))
    head = ("Bundle", "Fastest as", "Median", "99 of 100 below", "Model file", "Peak memory", "Decides as float")
    rows = tuple((*_overview_row(one), *_aurocs(one, questions)) for one in found)
    return Table((*head, *(f"AUROC {question}" for question in questions)), rows)


def latencies(report: Report) -> Table:
    """One row a variant that was timed; what must not be missed comes first, where a narrow page shows it."""
    times = ("p90, ms", "p95, ms", "p99, ms", "Least, ms", "Mean, ms", "SD, ms")
    head = ("Variant", "Delegate", "Median [95 %]", "Remarks", *times, "Runs")
    return Table(head, tuple(_latency_row(found) for found in report.measurements if found.latency is not None))


def doubts(report: Report) -> Table:
    """One row a variant whose times are not to be trusted, with the reasons."""
    rows = ((found.variant.name, "; ".join(found.unstable)) for found in report.measurements if found.unstable)
    return Table(("Variant", "Why its times are not to be trusted"), tuple(rows))


def stages(report: Report) -> Table:
    """Medians of the steps, one row a variant; the values of a step lie between the numbers in brackets."""
    head = ("Variant", "Decode", "Preprocess", "Inference", "Activation map", "End to end", "Cold start")
    rows = ((found.variant.name, found.stages) for found in report.measurements)
    return Table(head, tuple((name, *_steps(found)) for name, found in rows if found is not None))


def memory(report: Report) -> Table:
    """One row a variant."""
    head = ("Variant", "Peak", "Model adds", "Bare interpreter", "Proportional", "Arena", "Model file is")
    rows = []
    for found in report.measurements:
        if (held := found.memory) is not None:
            mapped = {None: DASH, True: "mapped", False: "copied"}[held.model_is_mapped]
            optional = (optional_size(held.proportional_bytes), optional_size(held.arena_bytes))
            sizes = (size(held.peak_bytes), size(held.added_bytes), size(held.bare_peak_bytes))
            rows.append((found.variant.name, *sizes, *optional, mapped))
    return Table(head, tuple(rows))


def sizes(report: Report) -> Table:
    """One row a bundle."""
    head = ("Bundle", "Model file", "Gzipped", "Parameters", "of them zero", "Multiply-accumulates")
    rows = []
    for one in standings(report):
        if (found := one.size) is not None:
            zeros = percent(found.zero_parameters / found.parameters) if found.parameters else DASH
            counted = (count(found.parameters), zeros, count(found.macs))
            rows.append((one.name, size(found.model_bytes), size(found.gzip_bytes), *counted))
    return Table(head, tuple(rows))


def fidelity(report: Report) -> Table:
    """One row a bundle and question; changes are against its float bundle, on the same images."""
    columns = ("Question", "AUROC", "Change", "Calibration error", "Decides as float", "Mean difference")
    rows = []
    for one in standings(report):
        if (found := one.fidelity) is not None:
            agree = percent_with_interval(found.decisions_agree) if found.decisions_agree else DASH
            mean = optional(found.mean_difference, ".4f")
            images = f"{found.n} ({found.part})"
            for question, auroc in found.aurocs.items():
                changed = (found.auroc_changes or {}).get(question)
                cells = (question, score(auroc), change(changed) if changed else DASH)
                rows.append((one.name, images, *cells, score(found.calibration_error), agree, mean))
    return Table(("Bundle", "Images", *columns), tuple(rows))


def placement(report: Report) -> Table:
    """One row a variant: what the delegate took, what it did not, and what computes in floating point."""
    head = ("Variant", "Delegate", "Operators taken", "Multiply-accumulates taken", "Not taken", "In floating point")
    rows = []
    for found in report.measurements:
        if (placed := found.placement) is not None:
            operators = f"{placed.delegated_operators} of {placed.operators}"
            macs = percent(placed.delegated_macs / placed.macs) if placed.macs else DASH
            kinds = (_counted(placed.undelegated), _counted(placed.in_float))
            rows.append((found.variant.name, placed.delegate or "none", operators, macs, *kinds))
    return Table(head, tuple(rows))


def slowest_operators(measurement: Measurement) -> Table:
    """The operators that take longest, slowest first; empty where nobody profiled."""
    head = ("Operator", "Name in the graph", "Median", "Share of all")
    slowest = measurement.placement.slowest if measurement.placement else ()
    rows = tuple((each.operator, each.name, milliseconds(each.median_ms), percent(each.share)) for each in slowest)
    return Table(head, rows)


def energy(report: Report) -> Table:
    """One row a variant."""
    head = ("Variant", "For one inference", "above idle", "Idle", "Counter")
    rows = tuple(
        (
            one.variant.name,
            _millijoules(used.millijoules),
            _millijoules(used.millijoules_above_idle),
            f"{three_digits(used.idle_watts)}{SPACE}W",
            used.source,
        )
        for one in report.measurements
        if (used := one.energy) is not None
    )
    return Table(head, rows)


def instructions(report: Report) -> Table:
    """One row a variant and emulated CPU; a time stands only as an estimate, with what it was scaled by."""
    head = ("Variant", "CPU", "Total", "Dot product", "Multiply-accumulate", "Load", "Store", "Other", "Time")
    rows = tuple(
        (found.variant.name, _emulated(counted), *_kinds(counted), _estimated(counted))
        for found in report.measurements
        for counted in found.instructions or ()
    )
    return Table(head, rows)


def screenings(report: Report) -> Table:
    """Two rows a bundle and emulated CPU: a whole process that screens one film, and one more film in it."""
    head = (
        "Bundle",
        "Screening",
        "CPU",
        "Total",
        "Dot product",
        "Multiply-accumulate",
        "Load",
        "Store",
        "Other",
        "Film",
    )
    names = bundle_names(report.measurements)
    rows = tuple(
        (names[found.variant.bundle], way, _emulated(counted), *_kinds(counted), screened.image)
        for found in report.measurements
        for screened in found.screenings or ()
        for way, counted in (("cold", screened.cold), ("warm", screened.warm))
    )
    return Table(head, rows)


def _millijoules(amount: float | None) -> str:
    return DASH if amount is None else f"{three_digits(amount)}{SPACE}mJ"


def _overview_row(one: Standing) -> Iterator[str]:
    latency = one.fastest.latency if one.fastest else None
    doubt = " (unstable)" if one.fastest and one.fastest.unstable else ""
    yield one.name
    yield f"{way_of(one.fastest.variant)}{doubt}" if one.fastest else DASH
    yield milliseconds_with_interval(latency.summary.median) if latency else DASH
    yield milliseconds(latency.summary.p99) if latency else DASH
    yield size(one.size.model_bytes) if one.size else DASH
    yield size(one.memory.peak_bytes) if one.memory else DASH
    agree = one.fidelity.decisions_agree if one.fidelity else None
    yield percent_with_interval(agree) if agree else DASH


def _aurocs(one: Standing, questions: Sequence[str]) -> Iterator[str]:
    known = one.fidelity.aurocs if one.fidelity else {}
    return (score(known[question]) if question in known else DASH for question in questions)


def _latency_row(found: Measurement) -> tuple[str, ...]:
    assert found.latency is not None
    summary = found.latency.summary
    others = (summary.p90, summary.p95, summary.p99, summary.minimum, summary.mean, summary.standard_deviation)
    remarks = ["unstable"] if found.unstable else []
    remarks += ["peer"] if found.variant.is_peer else []
    return (
        found.variant.name,
        found.variant.delegate or found.latency.delegate or (DASH if found.variant.is_peer else "none"),
        milliseconds_with_interval(summary.median),
        "; ".join(remarks),
        *map(three_digits, others),
        f"{len(runs_of(found.latency)):,}",
    )


def _steps(found: Stages) -> Iterator[str]:
    lists = (found.decode_ms, found.preprocess_ms, found.inference_ms, found.activation_map_ms)
    for values in (*lists, found.end_to_end_ms, found.cold_start_ms):
        if values:
            least, most = (milliseconds(value).removesuffix(f"{SPACE}ms") for value in (min(values), max(values)))
            yield f"{milliseconds(float(np.median(values)))} ({least} to {most})"
        else:
            yield DASH


def _emulated(counted: Instructions) -> str:
    return f"{counted.cpu}, {counted.runtime} {'with' if counted.uses_xnnpack else 'without'} XNNPACK"


def _kinds(counted: Instructions) -> Iterator[str]:
    kinds = (counted.dot_product, counted.multiply_accumulate, counted.load, counted.store, counted.other)
    spread = "" if counted.spread is None else f" (spread {percent(counted.spread)})"
    yield f"{count(counted.total)}{spread}"
    yield from map(count, kinds)


def _estimated(counted: Instructions) -> str:
    if counted.estimated_ms is None:
        return DASH
    threads = "" if counted.estimated_threads is None else f" on {counted.estimated_threads} threads"
    source = counted.calibration or "an unnamed time"
    return f"estimated {milliseconds(counted.estimated_ms)}{threads}, scaled by {source}"


def _counted(kinds: dict[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in kinds.items()) or "none"
