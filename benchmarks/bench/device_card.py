"""What one machine does with one bundle, on a small card that can be sent to others: it names no person and no host."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

from osteo_edge.benchmarks.facets.stages import DRAWN
from osteo_edge.benchmarks.measuring.lineage import read_lineage
from osteo_edge.benchmarks.measuring.results import Energy, Latency, Measurement, Report
from osteo_edge.benchmarks.measuring.summaries import percentile_of
from osteo_edge.benchmarks.report.quantities import DASH, SPACE, milliseconds, milliseconds_with_interval, size
from osteo_edge.benchmarks.report.quantities import three_digits as digits
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.intervals import Estimate
from osteo_edge.throttling import throttled_meanwhile

KIND: Final = "osteo-edge device card"
SCHEMA: Final = 1
DIGEST_DIGITS = 12
NOT_MEASURED = "not measured"
NOT_TOLD = "not told by this machine"
OWN_FILM = "a film of the user's"
"""In place of its name, which may be a patient's."""


@dataclass(frozen=True)
class Power:
    """What the machine's own meter saw, in watts, when idle and while it inferred without a pause."""

    source: str
    idle_watts: float
    busy_watts: float | None


@dataclass(frozen=True)
class DeviceCard:
    """The figures of one bundle on one machine; None is what was not measured, or what the machine does not tell.

    Pairs are before and after. `throttling` are the flags that were raised meanwhile. `unstable` are the reasons not to
    trust the times.
    """

    kind: Literal["osteo-edge device card"]
    schema: Literal[1]
    date: str
    created_by: str
    mode: Literal["full", "quick"]
    processor: str
    cores: int
    memory_bytes: int | None
    system: str
    python: str
    runtime: str
    delegate: str | None
    threads: int
    bundle: str
    model: str
    model_sha256: str
    input: str
    runs: int
    processes: int
    median_ms: Estimate
    p95_ms: Estimate
    cold_start_ms: tuple[float, ...] | None
    film: str | None
    peak_memory_bytes: int | None
    temperature_c: tuple[float | None, ...]
    clock_mhz: tuple[float | None, ...]
    governor: str | None
    throttling: tuple[str, ...] | None
    power: Power | None
    unstable: tuple[str, ...]

    def rows(self) -> Iterator[tuple[str, str]]:
        """The card as a person reads it: what, and its value."""
        memory = "" if self.memory_bytes is None else f", {size(self.memory_bytes)} of memory"
        yield "Board and processor", f"{self.processor}, {self.cores} core{_s(self.cores)}{memory}"
        yield "System", self.system
        delegate = "" if self.delegate is None else f" with {self.delegate}"
        yield "Python, runtime", f"Python {self.python}, {self.runtime}{delegate}"
        yield "Bundle", f"{self.bundle} ({self.model_sha256}): {self.model}"
        yield "Input, threads", f"{self.input}, {self.threads} thread{_s(self.threads)}"
        yield "Inference, median", f"{milliseconds_with_interval(self.median_ms)}"
        yield "Inference, 95 of 100 below", f"{milliseconds_with_interval(self.p95_ms)}"
        yield (
            "Runs, processes",
            f"{self.runs:,} run{_s(self.runs)} in {self.processes} process{_s(self.processes, 'es')}",
        )
        yield "Cold start, file to answer", _cold_start(self)
        peak = self.peak_memory_bytes
        yield "Peak memory", NOT_MEASURED if peak is None else f"{size(peak)} (Python, OpenCV, runtime and model)"
        yield "Temperature", _pair(self.temperature_c, "°C")
        yield "Clock", _pair(self.clock_mhz, "MHz") + ("" if self.governor is None else f", governor {self.governor}")
        yield "Throttled", NOT_TOLD if self.throttling is None else "; ".join(self.throttling) or "no"
        yield "Power", NOT_MEASURED if self.power is None else _power(self.power)
        yield "Stable", "no, as told below" if self.unstable else "yes"
        quick = ", QUICK: to look, not to quote" if self.mode == "quick" else ""
        yield "Measured", f"{self.date} by {self.created_by}{quick}"

    def to_markdown(self) -> str:
        """A table of Markdown that reads as plain text as well, since its columns are filled up; then the doubts."""
        rows = [(what, _plain(value)) for what, value in (("What", "Value"), *self.rows())]
        widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
        lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        lines.insert(1, " | ".join("-" * width for width in widths))
        reasons = "".join(f"\nNot stable: {_plain(reason)}.\n" for reason in self.unstable)
        return "".join(f"| {line} |\n" for line in lines) + reasons


def card_of(report: Report, bundle: Bundle, *, throttling_is_told: bool, is_own_film: bool = False) -> DeviceCard:
    """The card of a report on one bundle; `OsteoEdgeError` with the reason if its latency could not be measured."""
    found, machine, manifest = report.measurements[0], report.machine, bundle.manifest
    latency = _latency(found, report)
    stages, given = found.stages, manifest.input
    flags = throttled_meanwhile(machine.before.throttling, machine.after.throttling)
    return DeviceCard(
        kind=KIND,
        schema=SCHEMA,
        date=report.created_at[: len("2026-11-21")],
        created_by=report.created_by,
        mode=report.settings.mode,
        processor=machine.cpu,
        cores=machine.cores,
        memory_bytes=machine.memory_bytes,
        system=machine.system,
        python=machine.python,
        runtime=f"{found.variant.runtime} {latency.version or 'of unknown version'}",
        delegate=latency.delegate,
        threads=found.variant.threads,
        bundle=manifest.name,
        model=f"{read_lineage(manifest)}, {manifest.model.precision}",
        model_sha256=found.variant.model_sha256[:DIGEST_DIGITS],
        input=f"{given.height} x {given.width} x {given.channels}",
        runs=sum(len(turn.runs_ms) for turn in latency.turns),
        processes=len({turn.process for turn in latency.turns}),
        median_ms=latency.summary.median,
        p95_ms=percentile_of(latency, 95),
        cold_start_ms=None if stages is None else stages.cold_start_ms,
        film=None if stages is None else (OWN_FILM if is_own_film else DRAWN),
        peak_memory_bytes=None if found.memory is None else found.memory.peak_bytes,
        temperature_c=(machine.before.temperature_c, machine.after.temperature_c),
        clock_mhz=(machine.before.clock_mhz, machine.after.clock_mhz),
        governor=machine.governor,
        throttling=(*flags,) if throttling_is_told or flags else None,
        power=None if found.energy is None else _power_of(found.energy),
        unstable=found.unstable or (),
    )


def _latency(found: Measurement, report: Report) -> Latency:
    if found.latency is None:
        reasons = [missing.reason for missing in report.missing if missing.what == "latency"]
        raise OsteoEdgeError(f"no device card without a latency: {'; '.join(reasons) or 'it was not measured'}")
    return found.latency


def _power_of(used: Energy) -> Power:
    known = used.runs is not None and used.seconds is not None and used.seconds > 0
    busy = used.millijoules / 1000 * (used.runs or 0) / (used.seconds or 1.0) if known else None
    return Power(used.source, used.idle_watts, busy)


def _cold_start(card: DeviceCard) -> str:
    if not card.cold_start_ms:
        return NOT_MEASURED
    times = card.cold_start_ms
    ends = f"{min(times):.0f} to {max(times):.0f}"
    return f"{milliseconds(median(times))} ({ends}, {len(times)} processes; {card.film})"


def _pair(values: tuple[float | None, ...], unit: str) -> str:
    if all(value is None for value in values):
        return NOT_TOLD
    before, after = (DASH if value is None else f"{value:.0f}" for value in values)
    return f"{before}{SPACE}{unit} before, {after}{SPACE}{unit} after"


def _s(number: int, ending: str = "s") -> str:
    return "" if number == 1 else ending


def _power(power: Power) -> str:
    busy = "" if power.busy_watts is None else f", {digits(power.busy_watts)}{SPACE}W while it infers"
    return f"{digits(power.idle_watts)}{SPACE}W idle{busy} ({power.source})"


def _plain(value: str) -> str:
    """Text of one line in which nothing ends a cell; ordinary spaces, since columns are counted in characters."""
    return " ".join(value.split()).replace("|", "/")
