"""The process whose memory is read: it imports a runtime, and unless it is to stay bare loads a model and runs it.

python -m osteo_edge.benchmarks.facets.memory_probe < REQUEST, as `isolated.run_isolated` gives it.
"""

import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osteo_edge import strict
from osteo_edge.benchmarks.measuring.isolated import serve
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec, open_runner
from osteo_edge.benchmarks.timing.worker import steady_input
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.runtime import BACKENDS

PROCESS = Path("/proc/self")
KIBIBYTE = 1024
RUNS = 3


@dataclass(frozen=True)
class ProbeRequest:
    """What to load, the shape of the image that it takes, and whether to leave out the model after all."""

    spec: RunnerSpec
    height: int
    width: int
    channels: int
    bare: bool


@dataclass(frozen=True)
class Footprint:
    """What one process holds; None where the kernel does not tell.

    `peak_bytes` is the high-water mark of the resident set (VmHWM in proc(5)): it begins anew with each program, while
    ru_maxrss of getrusage(2) goes on from that of the process which started it. `proportional_bytes` is the
    proportional set at the end (Pss).
    """

    peak_bytes: int
    proportional_bytes: int | None
    model_is_mapped: bool


def probe(request: ProbeRequest) -> Footprint:
    """Do what is asked and read this process's memory; `OsteoEdgeError` where there is no /proc, as outside Linux."""
    image = steady_input(request.height, request.width, request.channels)
    if request.bare:
        _import_runtime(request.spec.runtime)
        return read_footprint(Path(request.spec.model))
    runner = open_runner(request.spec)
    runner.set_input(image)
    for _ in range(RUNS):
        runner.run()
    runner.outputs()
    return read_footprint(Path(request.spec.model))


def read_footprint(model: Path, process: Path = PROCESS) -> Footprint:
    """Read the memory of the process whose folder in /proc is `process`, and whether it maps the model's file."""
    peak = _field(process / "status", "VmHWM")
    if peak is None:
        raise OsteoEdgeError(f"{process}: tells no peak of memory; measure it on Linux")
    return Footprint(peak, _field(process / "smaps_rollup", "Pss"), _maps(process / "maps", model))


def _field(file: Path, name: str) -> int | None:
    """A field in kibibytes, in bytes; None if the file is not there or does not have it."""
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB$", file.read_text("ascii"), re.MULTILINE)
    except OSError:
        return None
    return None if found is None else int(found[1]) * KIBIBYTE


def _maps(file: Path, model: Path) -> bool:
    """Whether the file is among those that /proc/PID/maps lists, path last in the line."""
    path = str(model.resolve())
    return any(line.endswith(f" {path}") for line in file.read_text("utf-8", "surrogateescape").splitlines())


def _import_runtime(runtime: str) -> None:
    """Import a TFLite runtime by its title, or a peer, which is called by its module's name."""
    module = {backend.title: backend.module for backend in BACKENDS}.get(runtime, runtime)
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise OsteoEdgeError(f"{runtime} is not installed or does not load here ({error})") from error


def answer(job: dict[str, Any]) -> Any:
    """`probe` for JSON values."""
    return strict.to_dict(probe(strict.from_dict(ProbeRequest, job)))


if __name__ == "__main__":
    serve(answer)
