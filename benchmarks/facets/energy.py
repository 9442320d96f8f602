"""The energy of an inference, where the machine has a counter of it."""

import time
from collections.abc import Callable

from osteo_edge.benchmarks.facets.energy_meters import EnergyMeter
from osteo_edge.benchmarks.measuring.results import Energy
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec, open_runner
from osteo_edge.benchmarks.timing.worker import steady_input
from osteo_edge.preprocessing import InputSpec

IDLE_S, LOADED_S = 5.0, 10.0
WARM_UP_RUNS = 5


def measure_energy(
    meter: EnergyMeter,
    infer: Callable[[float], int],
    *,
    idle_s: float = IDLE_S,
    loaded_s: float = LOADED_S,
) -> Energy:
    """The energy of one inference; `infer` runs inferences for the seconds that it is given and says how many.

    The machine is left alone first, for what it takes when idle.
    """
    idle = meter.measure(lambda: time.sleep(idle_s))
    runs: list[int] = []
    loaded = meter.measure(lambda: runs.append(infer(loaded_s)))
    return Energy(
        source=meter.source,
        millijoules=1000 * loaded.joules / runs[0],
        idle_watts=idle.joules / idle.seconds,
        runs=runs[0],
        seconds=loaded.seconds,
    )


def inferences(spec: RunnerSpec, image: InputSpec) -> Callable[[float], int]:
    """Load a model, warm it up, and give what `measure_energy` calls."""
    runner = open_runner(spec)
    runner.set_input(steady_input(image.height, image.width, image.channels))
    for _ in range(WARM_UP_RUNS):
        runner.run()

    def infer(seconds: float) -> int:
        end, count = time.monotonic() + seconds, 0
        while count == 0 or time.monotonic() < end:
            runner.run()
            count += 1
        return count

    return infer
