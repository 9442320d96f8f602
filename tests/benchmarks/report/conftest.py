"""Fixtures of the report: one with little, and one whose names are hostile."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from osteo_edge.benchmarks.measuring.results import Measurement, Missing, Report
from osteo_edge.benchmarks.report import bars, figures
from osteo_edge.svg_figure import svg_axes

HOSTILE = '<script>alert("1")</script>|$x^{$\n=cmd|`*骨'


@pytest.fixture
def bare_report(golden_report: Report) -> Report:
    """Nothing but the latency of one variant."""
    first = golden_report.measurements[0]
    only = Measurement(first.variant, first.latency)
    return replace(golden_report, measurements=(only,), missing=(), tunings=None)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The axes of every figure that is drawn, in order, to see what is on them."""
    kept: list[Any] = []

    @contextmanager
    def keep(*words: Any, **options: Any) -> Iterator[Any]:
        with svg_axes(*words, **options) as (axes, svg):
            kept.append(axes)
            yield axes, svg

    for module in (figures, bars):
        monkeypatch.setattr(module, "svg_axes", keep)
    return kept


@pytest.fixture
def hostile_report(golden_report: Report) -> Report:
    """Every text that comes from outside is markup, a formula, mathematics and a line break at once."""
    measurements = []
    for number, found in enumerate(golden_report.measurements):
        variant = replace(
            found.variant,
            name=f"={HOSTILE}{number}",
            bundle=f"bundles/{HOSTILE.replace('/', '')}{number}",
            network=HOSTILE,
            delegate=HOSTILE,
        )
        measurements.append(replace(found, variant=variant, unstable=(HOSTILE,)))
    first = measurements[0]
    assert first.fidelity is not None
    assert first.stages is not None
    assert first.placement is not None
    assert first.instructions is not None
    auroc = next(iter(first.fidelity.aurocs.values()))
    measurements[0] = replace(
        first,
        fidelity=replace(first.fidelity, part=HOSTILE, aurocs={HOSTILE: auroc}),
        stages=replace(first.stages, image=HOSTILE),
        placement=replace(first.placement, undelegated={HOSTILE: 2}),
        instructions=tuple(replace(each, cpu=HOSTILE, calibration=HOSTILE) for each in first.instructions),
    )
    return replace(
        golden_report,
        measurements=tuple(measurements),
        machine=replace(golden_report.machine, cpu=HOSTILE),
        missing=(Missing(HOSTILE, HOSTILE, HOSTILE),),
    )
