"""What a report says of each bundle, and where another runtime is faster."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

from osteo_edge.benchmarks.measuring.results import (
    Fidelity,
    Latency,
    Measurement,
    Memory,
    Report,
    Size,
    Stages,
    Variant,
)
from osteo_edge.benchmarks.measuring.summaries import compare, differs
from osteo_edge.intervals import Estimate

T = TypeVar("T")


@dataclass(frozen=True)
class Standing:
    """One bundle in all the ways that it was run by the toolkit, peers left out; None for what was not measured.

    `fastest` has the lowest median of those with stable times, or of all where none is stable.
    """

    name: str
    fastest: Measurement | None
    size: Size | None
    memory: Memory | None
    fidelity: Fidelity | None
    stages: Stages | None
    measurements: tuple[Measurement, ...]


@dataclass(frozen=True)
class PeerStanding:
    """A peer beside the toolkit's own runtime: same model, same threads. `ratio` is the peer's median over ours.

    `differs` says whether the two can be told apart.
    """

    peer: Measurement
    ours: Measurement
    ratio: Estimate
    differs: bool

    @property
    def is_faster(self) -> bool:
        return self.differs and self.ratio.value < 1


def standings(report: Report) -> tuple[Standing, ...]:
    """All bundles, in the report's order."""
    names = bundle_names(report.measurements)
    by_bundle: dict[str, list[Measurement]] = {}
    for measurement in report.measurements:
        if not measurement.variant.is_peer:
            by_bundle.setdefault(measurement.variant.bundle, []).append(measurement)
    return tuple(_standing(names[bundle], found) for bundle, found in by_bundle.items())


def bundle_names(measurements: Sequence[Measurement]) -> dict[str, str]:
    """The folder's name of each bundle, or its path as it was given where two folders have the same name."""
    paths = list(dict.fromkeys(measurement.variant.bundle for measurement in measurements))
    folders = [Path(path).name for path in paths]
    return {path: folder if folders.count(folder) == 1 else path for path, folder in zip(paths, folders, strict=True)}


def way_of(variant: Variant) -> str:
    """How a bundle was run.

    >>> way_of(Variant("knee, 1", "knee", "mobilenet_v2", "int8", "", "LiteRT", 1, "XNNPACK", False))
    'LiteRT, 1 thread'
    """
    return f"{variant.runtime}, {variant.threads} {'thread' if variant.threads == 1 else 'threads'}"


def peer_standings(report: Report) -> tuple[PeerStanding, ...]:
    """Every peer that was timed beside the toolkit's own runtime on the same model and threads."""
    return tuple(_peers(report))


def median_of(measurement: Measurement) -> float:
    """The median latency in ms; infinite where there is none."""
    return float("inf") if measurement.latency is None else measurement.latency.summary.median.value


def as_fast(latency: Latency, other: Latency) -> bool:
    """Whether two latencies of one report cannot be told apart."""
    return not differs(ratio_of(latency, other))


def ratio_of(latency: Latency, other: Latency) -> Estimate:
    """The ratio of two medians of one report, whose processes took turns."""
    shared = {turn.process for turn in latency.turns} & {turn.process for turn in other.turns}
    return compare(latency, other, same_run=bool(shared))


def runs_of(latency: Latency) -> list[float]:
    """All timed runs, in ms and in order."""
    return [run for turn in latency.turns for run in turn.runs_ms]


def _standing(name: str, measurements: Sequence[Measurement]) -> Standing:
    timed = [found for found in measurements if found.latency is not None]
    stable = [found for found in timed if not found.unstable]
    fastest = min(stable or timed, key=median_of, default=None)
    first = ([fastest] if fastest else []) + list(measurements)
    return Standing(
        name,
        fastest,
        _first(found.size for found in first),
        _first(found.memory for found in first),
        _first(found.fidelity for found in first),
        _first(found.stages for found in first),
        tuple(measurements),
    )


def _first(values: Iterator[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)


def _peers(report: Report) -> Iterator[PeerStanding]:
    alike = attrgetter("bundle", "threads")
    own: dict[tuple[str, int], Measurement] = {}
    for found in report.measurements:
        if not found.variant.is_peer and found.latency is not None:
            own.setdefault(alike(found.variant), found)
    for peer in report.measurements:
        ours = own.get(alike(peer.variant))
        if not peer.variant.is_peer or peer.latency is None or ours is None or ours.latency is None:
            continue
        ratio = ratio_of(peer.latency, ours.latency)
        yield PeerStanding(peer, ours, ratio, differs(ratio))
