"""What a figure was measured on, kept beside it: another machine, or a busy one, gives another figure."""

import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from osteo_edge.runtime import installed_backends

CPU_INFO = Path("/proc/cpuinfo")


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


def read_environment() -> Environment:
    """Describe this machine and the TFLite runtime that would be used on it."""
    return Environment(
        cpu=cpu_model(CPU_INFO.read_text("utf-8") if CPU_INFO.is_file() else ""),
        cores=len(os.sched_getaffinity(0)),
        load_average=round(os.getloadavg()[0], 2),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        runtime=_runtime(),
    )


def cpu_model(cpu_info: str) -> str:
    r"""The processor in the words of /proc/cpuinfo: "model name" on PCs, "Model" on a Raspberry Pi.

    >>> cpu_model("processor\t: 0\nmodel name\t: Cortex-A72\n\nModel\t\t: Raspberry Pi 4 Model B")
    'Raspberry Pi 4 Model B'
    """
    pairs = (line.partition(":")[::2] for line in cpu_info.splitlines())
    fields = {key.strip(): value.strip() for key, value in pairs}
    return fields.get("Model") or fields.get("model name") or platform.machine()


def _runtime() -> str:
    backends = installed_backends()
    if not backends:
        return "no TFLite runtime"
    try:
        return f"{backends[0].title} {metadata.version(backends[0].package)}"
    except metadata.PackageNotFoundError:
        return f"{backends[0].title} of unknown version"
