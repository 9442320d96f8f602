import platform
from pathlib import Path

import pytest

from osteo_edge.benchmarks.measuring.environment import Environment, read_environment
from osteo_edge.benchmarks.measuring.machine import read_machine, read_state
from osteo_edge.host import Host


def environment(load_average: float) -> Environment:
    return Environment("Cortex-A72", 4, load_average, "Linux 6", "3.11", "LiteRT 2")


def test_this_machine_is_described() -> None:
    found = read_environment()
    assert found.cpu
    assert found.cores >= 1
    assert found.load_average >= 0
    assert found.python == platform.python_version()
    assert found.runtime.startswith(("LiteRT", "tflite-runtime", "TensorFlow"))


def test_a_machine_has_one_description_for_all_benchmarks(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_text("CPU part\t: 0xd08\n\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n")
    (tmp_path / "proc" / "loadavg").write_text("0.42 0.31 0.18 1/213 2345\n")
    host = Host(tmp_path, lambda command: None)
    found, state = read_environment(host), read_state(host)
    machine = read_machine(state, state, host)
    assert found.cpu == machine.cpu == "Raspberry Pi 4 Model B Rev 1.4 (Cortex-A72)"
    assert (found.system, found.load_average) == (machine.system, 0.42)


@pytest.mark.parametrize(("load_average", "busy"), [(0.0, False), (1.99, False), (2.0, True), (7.0, True)])
def test_a_machine_with_half_of_its_cores_taken_is_busy(load_average: float, busy: bool) -> None:
    assert environment(load_average).is_busy is busy


def test_it_reads_as_one_line() -> None:
    assert str(environment(0.5)) == "4 cores of Cortex-A72, load 0.50 at the start; LiteRT 2, Python 3.11, Linux 6"
