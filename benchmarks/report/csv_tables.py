"""A benchmark report as two CSV tables: one line a variant, and one line a timed run, with numbers as in its JSON."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from osteo_edge.benchmarks.measuring.results import Measurement, Report, Stages
from osteo_edge.benchmarks.report.json_file import DECIMALS

RUN_COLUMNS = ("variant", "process", "turn", "run", "ms")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def variant_table(report: Report) -> str:
    """One line a variant with everything that is one number; empty cells are not known."""
    rows = [dict(_cells(found)) for found in report.measurements]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return _to_csv(columns, ([row.get(column) for column in columns] for row in rows))


def run_table(report: Report) -> str:
    """One line a timed run, in order; runs of a warm-up are not among them."""
    return _to_csv(RUN_COLUMNS, _runs(report))


def _runs(report: Report) -> Iterator[tuple[object, ...]]:
    for found in report.measurements:
        for number, turn in enumerate(found.latency.turns if found.latency else ()):
            for run, milliseconds in enumerate(turn.runs_ms):
                yield found.variant.name, turn.process, number, run, round(milliseconds, DECIMALS)


def _cells(found: Measurement) -> Iterator[tuple[str, Any]]:
    """Columns and their values, in order; a column is there for all variants or for those that have it."""
    yield from _numbers(found.variant, "")
    if found.latency is not None:
        summary = found.latency.summary
        yield "runs", sum(len(turn.runs_ms) for turn in found.latency.turns)
        yield from _estimate("median_ms", summary.median)
        for name in ("p90", "p95", "p99", "minimum", "mean", "standard_deviation"):
            yield f"{name}_ms", getattr(summary, name)
    if found.stages is not None:
        yield from _stages(found.stages)
    for facet in (found.memory, found.size):
        yield from _numbers(facet, "")
    if found.placement is not None:
        for name in ("operators", "delegated_operators", "delegated_macs"):
            yield name, getattr(found.placement, name)
    yield from _fidelity(found)
    yield from _numbers(found.energy, "energy_")
    for counted in found.instructions or ():
        yield f"instructions {counted.cpu} {counted.runtime}", counted.total
    for screened in found.screenings or ():
        for way, counted in (("cold", screened.cold), ("warm", screened.warm)):
            yield f"instructions of a {way} screening {counted.cpu} {counted.runtime}", counted.total
    for beside in found.baselines or ():
        yield from _estimate(f"latency over {beside.device} {beside.precision}", beside.latency_ratio)
    yield "unstable", "; ".join(found.unstable or ())


def _stages(stages: Stages) -> Iterator[tuple[str, float]]:
    for field in fields(stages):
        values = getattr(stages, field.name)
        if field.name.endswith("_ms") and values:
            yield f"{field.name.removesuffix('_ms')}_median_ms", float(np.median(values))


def _fidelity(found: Measurement) -> Iterator[tuple[str, Any]]:
    if found.fidelity is None:
        return
    yield "images", found.fidelity.n
    yield "part", found.fidelity.part
    for question, auroc in found.fidelity.aurocs.items():
        yield from _estimate(f"auroc {question}", auroc)
    yield from _estimate("calibration_error", found.fidelity.calibration_error)
    if found.fidelity.decisions_agree is not None:
        yield from _estimate("decisions_agree", found.fidelity.decisions_agree)


def _numbers(facet: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """The fields of a facet that hold one value each."""
    for field in fields(facet) if facet is not None else ():
        if "tuple" not in str(field.type):
            yield f"{prefix}{field.name}", getattr(facet, field.name)


def _estimate(name: str, found: Any) -> Iterator[tuple[str, float | None]]:
    for suffix, value in (("", found.value), (" low", found.low), (" high", found.high)):
        yield f"{name}{suffix}", None if np.isnan(value) else value


def _to_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def _harmless(cell: object) -> object:
    """A text that a spreadsheet would take for a formula gets an apostrophe in front, which makes it text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
