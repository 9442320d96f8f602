"""What a model costs in memory: processes that load and run it beside bare ones, and the arena of its tensors."""

from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

from osteo_edge import strict
from osteo_edge.benchmarks.facets.memory_probe import Footprint, ProbeRequest
from osteo_edge.benchmarks.measuring.comparison import interleave
from osteo_edge.benchmarks.measuring.isolated import run_isolated
from osteo_edge.benchmarks.measuring.results import Memory
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec
from osteo_edge.placement import load_graph
from osteo_edge.preprocessing import InputSpec
from osteo_edge.runtime import BACKENDS

PROCESSES = 5
TIMEOUT_S = 300.0
LOADED, BARE = "loaded", "bare"


def measure_memory(
    spec: RunnerSpec,
    image: InputSpec,
    *,
    processes: int = PROCESSES,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Memory:
    """Measure fresh processes with the model and bare ones in turns, and take the medians.

    A process holds Python, numpy, OpenCV and the runtime, as one that screens does. Of peers neither the arena is told,
    nor whether their files, of which they may have several, are mapped. `OsteoEdgeError` if the runtime is not there,
    cannot load the model, or dies of it.
    """
    requests = {
        name: ProbeRequest(spec, image.height, image.width, image.channels, bare=name == BARE)
        for name in (LOADED, BARE)
    }
    measures = {name: lambda request=request: _probe(request) for name, request in requests.items()}
    found = interleave(measures, processes, on_progress=on_progress)
    is_tflite = spec.runtime in {backend.title for backend in BACKENDS}
    return Memory(
        peak_bytes=_median(footprint.peak_bytes for footprint in found[LOADED]),
        bare_peak_bytes=_median(footprint.peak_bytes for footprint in found[BARE]),
        proportional_bytes=_median_if_known(footprint.proportional_bytes for footprint in found[LOADED]),
        arena_bytes=arena_bytes(Path(spec.model)) if is_tflite else None,
        model_is_mapped=found[LOADED][0].model_is_mapped if is_tflite else None,
        peaks_bytes=tuple(footprint.peak_bytes for footprint in found[LOADED]),
        bare_peaks_bytes=tuple(footprint.peak_bytes for footprint in found[BARE]),
    )


def arena_bytes(model: Path) -> int:
    """The span of memory in which TFLite's own planner lays out all that a run writes, scratch space within included.

    Read off the addresses of the input and of what each node writes, without a delegate: XNNPACK keeps a workspace of
    its own for the nodes that it takes, whose size cannot be asked for. Constants that are only
    unpacked, as float16 weights are, lie elsewhere.
    """
    interpreter = load_graph(model, delegate=False)
    spans = [_span(interpreter.tensor(tensor)()) for tensor in _written(interpreter)]
    return max(end for _, end in spans) - min(start for start, _ in spans)


def _written(interpreter: Any) -> set[int]:
    """The tensors that change from one run to the next: the inputs, and what is computed of them."""
    changing = {int(detail["index"]) for detail in interpreter.get_input_details()}
    for node in interpreter._get_ops_details():
        if changing.intersection(int(tensor) for tensor in node["inputs"]):
            changing.update(int(tensor) for tensor in node["outputs"])
    return changing


def _span(values: Any) -> tuple[int, int]:
    start = int(values.__array_interface__["data"][0])
    return start, start + int(values.nbytes)


def _probe(request: ProbeRequest) -> Footprint:
    found = run_isolated("osteo_edge.benchmarks.facets.memory_probe", strict.to_dict(request), timeout_s=TIMEOUT_S)
    return strict.from_dict(Footprint, found)


def _median(values: Iterable[int]) -> int:
    return round(median(values))


def _median_if_known(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return _median(known) if known else None
