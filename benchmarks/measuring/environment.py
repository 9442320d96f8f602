"""What a figure was measured on, kept beside it in a line: another machine, or a busy one, gives another figure."""

from dataclasses import dataclass
from importlib import metadata

from osteo_edge.benchmarks.measuring.machine import read_machine, read_state
from osteo_edge.host import THIS_MACHINE, Host
from osteo_edge.runtime import installed_backends


@dataclass(frozen=True)
class Environment:
    """The machine and the runtime; `load_average` is that of the last minute, at the start of the measurement."""

    cpu: str
    cores: int
    load_average: float
    system: str
    python: str
    runtime: str

    @property
    def is_busy(self) -> bool:
        """Whether other work kept at least half of the cores when the measurement began."""
        return self.load_average >= self.cores / 2

    def __str__(self) -> str:
        busy = f"load {self.load_average:.2f} at the start"
        return f"{self.cores} cores of {self.cpu}, {busy}; {self.runtime}, Python {self.python}, {self.system}"


def read_environment(host: Host = THIS_MACHINE) -> Environment:
    """The machine as reports describe it, in short, and the TFLite runtime that would be used on it."""
    state = read_state(host)
    machine = read_machine(state, state, host)
    return Environment(
        cpu=machine.cpu,
        cores=machine.cores,
        load_average=state.load_average,
        system=machine.system,
        python=machine.python,
        runtime=_runtime(),
    )


def _runtime() -> str:
    backends = installed_backends()
    if not backends:
        return "no TFLite runtime"
    try:
        return f"{backends[0].title} {metadata.version(backends[0].package)}"
    except metadata.PackageNotFoundError:
        return f"{backends[0].title} of unknown version"
