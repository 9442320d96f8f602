import platform

import pytest

from osteo_edge.benchmarks.environment import Environment, cpu_model, read_environment


def environment(load_average: float) -> Environment:
    return Environment("Cortex-A72", 4, load_average, "Linux 6", "3.11", "LiteRT 2")


def test_this_machine_is_described() -> None:
    found = read_environment()
    assert found.cpu
    assert found.cores >= 1
    assert found.load_average >= 0
    assert found.python == platform.python_version()
    assert found.runtime.startswith(("LiteRT", "tflite-runtime", "TensorFlow"))


def test_a_pc_gives_its_processor_and_a_raspberry_pi_its_model() -> None:
    assert cpu_model("processor\t: 0\nmodel name\t: AMD EPYC\n") == "AMD EPYC"
    assert cpu_model("model name\t: ARMv7\n\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n").startswith("Raspberry Pi 4")


def test_a_machine_that_says_nothing_gives_its_architecture() -> None:
    assert cpu_model("") == platform.machine()


@pytest.mark.parametrize(("load_average", "busy"), [(0.0, False), (1.99, False), (2.0, True), (7.0, True)])
def test_a_machine_with_half_of_its_cores_taken_is_busy(load_average: float, busy: bool) -> None:
    assert environment(load_average).is_busy is busy


def test_it_reads_as_one_line() -> None:
    assert str(environment(0.5)) == "4 cores of Cortex-A72, load 0.50 at the start; LiteRT 2, Python 3.11, Linux 6"
