"""The machine that a report was measured on, and what of it may change meanwhile: clock, temperature, throttling."""

import os
import platform
import re
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

import osteo_edge
from osteo_edge.benchmarks.measuring.results import Machine, MachineState
from osteo_edge.host import THIS_MACHINE, Host
from osteo_edge.throttling import read_clock_mhz, read_temperature_c, read_throttling

KIBIBYTE = 1024
LIBRARIES = (
    "ai-edge-litert",
    "jax",
    "keras",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "openvino",
    "osteo-edge",
    "tensorflow",
    "tensorflow-cpu",
    "tflite-runtime",
)
FEATURES = re.compile(
    r"sse4_1|sse4_2|ssse3|avx|avx2|fma|f16c|avx512\w*|avx_\w+|amx_\w+"
    r"|neon|asimd|asimdhp|asimddp|asimdfhm|fphp|i8mm|bf16|sve\w*|sme2?"
)
"""Instruction sets that the kernels of neural networks are written for, as Linux names them (x86, then ARM)."""
CORES = {
    0xD03: "Cortex-A53",
    0xD05: "Cortex-A55",
    0xD07: "Cortex-A57",
    0xD08: "Cortex-A72",
    0xD09: "Cortex-A73",
    0xD0B: "Cortex-A76",
    0xD0C: "Neoverse-N1",
    0xD40: "Neoverse-V1",
    0xD41: "Cortex-A78",
    0xD49: "Neoverse-N2",
}
"""ARM's part numbers (MIDR_EL1), as /proc/cpuinfo gives them."""
REVISION_DIGITS = 12


def read_state(host: Host = THIS_MACHINE) -> MachineState:
    """Read what may change while one measures; None where the machine does not tell.

    The clock is that of the fastest core, the temperature that of the processor, else of the hottest zone.
    `throttling` is empty where nothing is throttled and where the machine does not tell.
    """
    return MachineState(
        at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        load_average=_load_average(host),
        available_memory_bytes=_memory(host, "MemAvailable"),
        clock_mhz=read_clock_mhz(host),
        temperature_c=read_temperature_c(host),
        throttling=read_throttling(host),
    )


def tells_throttling(host: Host = THIS_MACHINE) -> bool:
    """Whether the machine would say so if it were throttled: a Raspberry Pi's firmware, or an Intel's counters."""
    return (
        host.run(["vcgencmd", "get_throttled"]) is not None
        or len(host.find("sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count")) > 0
    )


def read_machine(before: MachineState, after: MachineState, host: Host = THIS_MACHINE) -> Machine:
    """Describe the machine, with its state before and after what was measured on it."""
    return Machine(
        cpu=_cpu(host),
        cpu_features=_cpu_features(host),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=_memory(host, "MemTotal"),
        governor=host.read("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        system=_system(host),
        python=platform.python_version(),
        libraries=_libraries(),
        revision=read_revision(Path(osteo_edge.__file__).resolve().parent.parent, host),
        before=before,
        after=after,
    )


def read_revision(checkout: Path, host: Host = THIS_MACHINE) -> str | None:
    """The git revision of the program's own checkout, and whether files were changed since; None for a wheel."""
    if not ((checkout / ".git").exists() and (checkout / "setup.cfg").is_file()):
        return None
    revision = host.run(["git", "-C", str(checkout), "rev-parse", f"--short={REVISION_DIGITS}", "HEAD"])
    changed = host.run(["git", "-C", str(checkout), "status", "--porcelain", "--untracked-files=no"])
    return None if revision is None else f"{revision}{' with changes' if changed else ''}"


def cpu_model(cpu_info: str) -> str:
    r"""The processor in the words of /proc/cpuinfo: "model name" on PCs, "Model" on a Raspberry Pi.

    >>> cpu_model("processor\t: 0\nmodel name\t: Cortex-A72\n\nModel\t\t: Raspberry Pi 4 Model B")
    'Raspberry Pi 4 Model B'
    """
    pairs = (line.partition(":")[::2] for line in cpu_info.splitlines())
    fields = {key.strip(): value.strip() for key, value in pairs}
    return fields.get("Model") or fields.get("model name") or platform.machine()


def _cpu(host: Host) -> str:
    """The model of the processor, of a board the board's with its cores'."""
    cpu_info = host.read("proc/cpuinfo") or ""
    board = host.read("proc/device-tree/model")
    model = board or cpu_model(cpu_info)
    part = re.search(r"^CPU part\s*:\s*(0x[0-9a-f]+)", cpu_info, re.MULTILINE)
    core = None if part is None else CORES.get(int(part[1], 16))
    return model if core is None else f"{model} ({core})"


def _cpu_features(host: Host) -> tuple[str, ...]:
    """What the processor has of `FEATURES`, in order of the alphabet."""
    found = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", host.read("proc/cpuinfo") or "", re.MULTILINE)
    return () if found is None else tuple(sorted(word for word in found[1].split() if FEATURES.fullmatch(word)))


def _system(host: Host) -> str:
    kernel = f"{platform.system()} {platform.release()}"
    found = re.search(r'^PRETTY_NAME="?(.*?)"?$', host.read("etc/os-release") or "", re.MULTILINE)
    return kernel if found is None else f"{found[1]}, {kernel}"


def _libraries() -> dict[str, str]:
    """Versions of what a figure may depend on, as installed; nothing is imported."""
    found = {}
    for package in LIBRARIES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _load_average(host: Host) -> float:
    """Of the last minute."""
    text = host.read("proc/loadavg")
    return round(os.getloadavg()[0], 2) if text is None else float(text.split()[0])


def _memory(host: Host, field: str) -> int | None:
    found = re.search(rf"^{field}:\s+(\d+) kB$", host.read("proc/meminfo") or "", re.MULTILINE)
    return None if found is None else int(found[1]) * KIBIBYTE
