"""Run a model in a process that may die of it: `python -m osteo_edge.preflight_probe MODULE MODEL THREADS...`.

Prints the median time of an inference for each number of threads, in milliseconds, as one JSON object. It loads nothing
but the runtime, so that what kills the process is the runtime.
"""

import importlib
import json
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

WARM_UPS = 2
FEWEST, MOST, LONG_ENOUGH_S = 5, 25, 0.3


def median_ms(interpreter: Any) -> float:
    """The median time of an inference: after two of them, of at least five, at most 25 and not for long."""
    times: list[float] = []
    for _ in range(WARM_UPS):
        interpreter.invoke()
    while len(times) < FEWEST or (len(times) < MOST and sum(times) < LONG_ENOUGH_S):
        start = time.perf_counter()
        interpreter.invoke()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def measure(module: str, model: str, threads: Sequence[int]) -> dict[int, float]:
    """The median time for each number of threads, with the model's input as the runtime makes it."""
    found = {}
    for count in threads:
        interpreter = importlib.import_module(module).Interpreter(model_path=model, num_threads=count)
        interpreter.allocate_tensors()
        found[count] = median_ms(interpreter)
    return found


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], [int(word) for word in sys.argv[3:]])))  # noqa: T201
