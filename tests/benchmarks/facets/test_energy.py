import time
from collections.abc import Callable, Iterator

import pytest

from osteo_edge.benchmarks.facets.energy import inferences, measure_energy
from osteo_edge.benchmarks.facets.energy_meters import Consumption
from osteo_edge.benchmarks.measuring.results import Energy
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec
from osteo_edge.bundle import Bundle


def test_an_inference_pays_for_the_idle_machine_too_and_what_it_adds_can_be_told() -> None:
    found = measure_energy(
        DrawnUp(iter([Consumption(10.0, 5.0), Consumption(60.0, 10.0)])), lambda seconds: 500, idle_s=0
    )
    assert found == Energy("drawn up", millijoules=120.0, idle_watts=2.0, runs=500, seconds=10.0)
    assert found.millijoules_above_idle == pytest.approx(80.0)
    assert Energy("old", 120.0, 2.0).millijoules_above_idle is None


def test_inferences_are_run_for_as_long_as_is_asked(bundle: Bundle) -> None:
    infer = inferences(RunnerSpec("LiteRT", str(bundle.model_path), threads=1), bundle.manifest.input)
    start = time.monotonic()
    assert infer(0.05) > 10
    assert time.monotonic() - start >= 0.05
    assert infer(0.0) == 1


class DrawnUp:
    """A meter that gives what was drawn up."""

    source = "drawn up"

    def __init__(self, consumptions: Iterator[Consumption]) -> None:
        self._consumptions = consumptions

    def measure(self, work: Callable[[], None]) -> Consumption:
        work()
        return next(self._consumptions)
