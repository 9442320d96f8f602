import platform
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from osteo_edge.benchmarks.measuring.machine import cpu_model, read_machine, read_revision, read_state, tells_throttling
from osteo_edge.host import Host

THERMAL, CPU = "sys/class/thermal", "sys/devices/system/cpu"
OS = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\n'
MEMORY = "MemTotal:        3885396 kB\nMemFree:          204716 kB\nMemAvailable:    2911688 kB\n"
PI4 = {
    "proc/cpuinfo": (
        "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\n"
        "CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n"
        "Revision\t: c03114\nSerial\t\t: 100000001234abcd\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n"
    ),
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "proc/meminfo": MEMORY,
    "proc/loadavg": "0.42 0.31 0.18 1/213 2345\n",
    "etc/os-release": OS,
    f"{THERMAL}/thermal_zone0/type": "cpu-thermal\n",
    f"{THERMAL}/thermal_zone0/temp": "59399\n",
    f"{CPU}/cpu0/cpufreq/scaling_governor": "ondemand\n",
    **{f"{CPU}/cpu{core}/cpufreq/scaling_cur_freq": f"{clock}\n" for core, clock in enumerate((600000, 1800000))},
}
PI5 = {
    "proc/cpuinfo": (
        "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp "
        "asimdhp cpuid asimdrdm lrcpc dcpop asimddp\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n\n"
        "Model\t\t: Raspberry Pi 5 Model B Rev 1.0\n"
    ),
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
}
INTEL = {
    "proc/cpuinfo": (
        "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: 11th Gen Intel(R) Core(TM) i5-1135G7 @ 2.40GHz\n"
        "cpu MHz\t\t: 2400.000\nflags\t\t: fpu vme sse sse2 ht ssse3 fma sse4_1 sse4_2 avx f16c avx2 smep avx512f "
        "avx512_vnni\n\nprocessor\t: 1\ncpu MHz\t\t: 3800.125\n"
    ),
    f"{THERMAL}/thermal_zone0/type": "acpitz\n",
    f"{THERMAL}/thermal_zone0/temp": "27800\n",
    f"{THERMAL}/thermal_zone9/type": "x86_pkg_temp\n",
    f"{THERMAL}/thermal_zone9/temp": "71000\n",
    f"{CPU}/cpu0/thermal_throttle/core_throttle_count": "3\n",
    f"{CPU}/cpu1/thermal_throttle/core_throttle_count": "12\n",
    f"{CPU}/cpu0/thermal_throttle/package_throttle_count": "0\n",
}

MakeHost = Callable[..., Host]


@pytest.fixture
def machine(tmp_path: Path) -> MakeHost:
    """A machine of the given files, on which the given commands answer."""

    def make(files: Mapping[str, str], **commands: str) -> Host:
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)

        def run(command: Sequence[str]) -> str | None:
            return commands.get(command[-1])

        return Host(tmp_path, run)

    return make


def test_a_raspberry_pi_4_that_was_short_of_power(machine: MakeHost) -> None:
    host = machine(PI4, get_throttled="throttled=0x50005", measure_temp="temp=59.9'C")
    state = read_state(host)
    assert (state.load_average, state.clock_mhz, state.temperature_c) == (0.42, 1800.0, 59.399)
    assert state.available_memory_bytes == 2911688 * 1024
    assert state.throttling == (
        "under-voltage now",
        "throttled now",
        "under-voltage since boot",
        "throttled since boot",
    )
    found = read_machine(state, state, host)
    assert found.cpu == "Raspberry Pi 4 Model B Rev 1.4 (Cortex-A72)"
    assert found.cpu_features == ("asimd",)
    assert (found.memory_bytes, found.governor) == (3885396 * 1024, "ondemand")
    assert found.system == f"Debian GNU/Linux 12 (bookworm), {platform.system()} {platform.release()}"


def test_a_raspberry_pi_5_has_dot_products_and_tells_its_temperature_by_a_command(machine: MakeHost) -> None:
    host = machine(PI5, get_throttled="throttled=0x0", measure_temp="temp=48.3'C")
    state = read_state(host)
    assert (state.temperature_c, state.throttling, state.clock_mhz) == (48.3, (), None)
    found = read_machine(state, state, host)
    assert found.cpu == "Raspberry Pi 5 Model B Rev 1.0 (Cortex-A76)"
    assert found.cpu_features == ("asimd", "asimddp", "asimdhp", "fphp")


def test_only_some_machines_would_tell_that_they_are_throttled(machine: MakeHost) -> None:
    assert not tells_throttling(machine(PI4))
    assert tells_throttling(machine(PI4, get_throttled="throttled=0x0"))
    assert tells_throttling(machine(INTEL))


def test_an_intel_pc_gives_its_package_s_temperature_and_how_often_it_was_throttled(machine: MakeHost) -> None:
    host = machine(INTEL)
    state = read_state(host)
    assert (state.clock_mhz, state.temperature_c) == (3800.125, 71.0)
    assert state.throttling == ("core throttled 12 times since boot",)
    found = read_machine(state, state, host)
    assert found.cpu == "11th Gen Intel(R) Core(TM) i5-1135G7 @ 2.40GHz"
    assert found.cpu_features == ("avx", "avx2", "avx512_vnni", "avx512f", "f16c", "fma", "sse4_1", "sse4_2", "ssse3")


def test_a_machine_that_tells_nothing_leaves_it_open(machine: MakeHost) -> None:
    host = machine({})
    state = read_state(host)
    assert (state.available_memory_bytes, state.clock_mhz, state.temperature_c, state.throttling) == (None,) * 3 + ((),)
    found = read_machine(state, state, host)
    assert (found.cpu, found.cpu_features, found.memory_bytes, found.governor) == (platform.machine(), (), None, None)


def test_this_machine_is_described_with_what_a_figure_depends_on() -> None:
    state = read_state()
    found = read_machine(state, state)
    assert found.cpu
    assert found.cores >= 1
    assert {"ai-edge-litert", "numpy", "opencv-python-headless", "osteo-edge"} <= set(found.libraries)
    assert found.python == platform.python_version()
    assert found.before == found.after == state


def test_the_revision_is_that_of_the_checkout_and_says_if_files_were_changed(tmp_path: Path) -> None:
    assert read_revision(tmp_path) is None, "no checkout: installed from a wheel"
    (tmp_path / "setup.cfg").write_text("[metadata]\n")
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    for words in (("init", "-q"), ("add", "setup.cfg"), (*identity, "commit", "-qm", "first")):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    revision = read_revision(tmp_path)
    assert revision is not None
    assert re.fullmatch("[0-9a-f]{12}", revision)
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = a\n")
    assert read_revision(tmp_path) == f"{revision} with changes"


def test_a_pc_gives_its_processor_and_a_raspberry_pi_its_model() -> None:
    assert cpu_model("processor\t: 0\nmodel name\t: AMD EPYC\n") == "AMD EPYC"
    assert cpu_model("model name\t: ARMv7\n\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n").startswith("Raspberry Pi 4")


def test_a_machine_that_says_nothing_gives_its_architecture() -> None:
    assert cpu_model("") == platform.machine()
