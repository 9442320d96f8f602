"""All figures of a report, by the section that they stand in."""

import math
from collections.abc import Iterator, Sequence

from osteo_edge.benchmarks.measuring.results import Measurement, Report
from osteo_edge.benchmarks.report.bars import draw_baselines, draw_instructions, draw_memory, draw_placement
from osteo_edge.benchmarks.report.figures import (
    Candidate,
    Picture,
    draw_candidates,
    draw_latencies,
    draw_waterfall,
    longest_of,
)
from osteo_edge.benchmarks.report.quantities import MB
from osteo_edge.benchmarks.report.standings import Standing, bundle_names, standings

Pictures = dict[str, list[Picture]]
SIZE_ACROSS, LATENCY_ACROSS = "size of the model file, MB", "milliseconds for one image, median"
FEWEST_CANDIDATES = 2
"""A single point shows no choice."""


def draw_pictures(report: Report) -> Pictures:
    """Every figure that there are values for. `MissingExtraError` without matplotlib."""
    return {name: list(drawn) for name, drawn in _sections(report) if drawn}


def _sections(report: Report) -> Iterator[tuple[str, Sequence[Picture]]]:
    found = report.measurements
    yield "latency", [draw_latencies(found)] if any(one.latency for one in found) else []
    yield "stages", _waterfalls(found)
    yield "fidelity", list(_candidates(standings(report)))
    yield "memory", [draw_memory(found)] if any(one.memory for one in found) else []
    yield "placement", [draw_placement(found)] if any(one.placement for one in found) else []
    yield "instructions", [draw_instructions(found)] if any(one.instructions for one in found) else []
    yield "baselines", [draw_baselines(found)] if any(one.baselines for one in found) else []


def _waterfalls(measurements: Sequence[Measurement]) -> list[Picture]:
    names = bundle_names(measurements)
    known = [(names[found.variant.bundle], found.stages) for found in measurements if found.stages is not None]
    longest_ms = longest_of([stages for _, stages in known]) if known else 0.0
    return [draw_waterfall(name, stages, longest_ms) for name, stages in known]


def _candidates(found: Sequence[Standing]) -> Iterator[Picture]:
    questions = dict.fromkeys(question for one in found if one.fidelity for question in one.fidelity.aurocs)
    for question in questions:
        by_size, by_latency = [], []
        for one in found:
            auroc = one.fidelity.aurocs.get(question) if one.fidelity else None
            if auroc is None or math.isnan(auroc.value):
                continue
            if one.size is not None:
                by_size.append(Candidate(one.name, one.size.model_bytes / MB, auroc))
            if one.fastest is not None and one.fastest.latency is not None:
                by_latency.append(Candidate(one.name, one.fastest.latency.summary.median.value, auroc))
        for candidates, across in ((by_size, SIZE_ACROSS), (by_latency, LATENCY_ACROSS)):
            if len(candidates) >= FEWEST_CANDIDATES:
                yield draw_candidates(candidates, across, question)
