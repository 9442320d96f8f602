import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from osteo_edge.benchmarks.facets.energy_meters import NO_COUNTER, PmicMeter, RaplMeter, open_energy_meter, pmic_watts
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.host import Host

MOST_UJ = 262_143_328_850
PMIC = """\
3V7_WL_SW_A current(0)=0.10000000A
3V3_SYS_A current(1)=0.05000000A
DDR_VDDQ_A current(4)=0.00000000A
VDD_CORE_A current(7)=0.80000000A
3V7_WL_SW_V volt(8)=3.70000000V
3V3_SYS_V volt(9)=3.30000000V
DDR_VDDQ_V volt(12)=0.60000000V
VDD_CORE_V volt(15)=0.75000000V
EXT5V_V volt(24)=5.16000000V
BATT_V volt(25)=0.00976800V"""
PMIC_WATTS = 0.1 * 3.7 + 0.05 * 3.3 + 0.8 * 0.75


def nothing(_: Sequence[str]) -> str | None:
    return None


def write_counter(root: Path, domain: str, name: str, microjoules: int | None) -> None:
    folder = root / "sys/class/powercap" / domain
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "max_energy_range_uj").write_text(f"{MOST_UJ}\n")
    if microjoules is not None:
        (folder / "energy_uj").write_text(f"{microjoules}\n")


@pytest.fixture
def pc(tmp_path: Path) -> Host:
    """A PC with one package, its cores, its memory, and the whole platform as counters."""
    names = {"intel-rapl:0": "package-0", "intel-rapl:0:0": "core", "intel-rapl:0:1": "dram", "intel-rapl:1": "psys"}
    for domain, name in names.items():
        write_counter(tmp_path, domain, name, 1_000_000)
    return Host(tmp_path, nothing)


def test_a_package_and_its_memory_are_added_up_and_nothing_counts_twice(pc: Host) -> None:
    meter = open_energy_meter(pc)
    assert isinstance(meter, RaplMeter)
    assert meter.source == "RAPL (package-0, dram)"

    def work() -> None:
        write_counter(pc.root, "intel-rapl:0", "package-0", 3_500_000)
        write_counter(pc.root, "intel-rapl:0:0", "core", 3_000_000)
        write_counter(pc.root, "intel-rapl:0:1", "dram", 1_250_000)
        write_counter(pc.root, "intel-rapl:1", "psys", 9_000_000)

    assert meter.measure(work).joules == pytest.approx(2.5 + 0.25)


def test_a_counter_that_starts_again_from_0_goes_on(pc: Host) -> None:
    write_counter(pc.root, "intel-rapl:0", "package-0", MOST_UJ - 400_000)
    meter = open_energy_meter(pc)
    assert isinstance(meter, RaplMeter)
    found = meter.measure(lambda: write_counter(pc.root, "intel-rapl:0", "package-0", 599_999))
    assert found.joules == pytest.approx(1.0)


def test_a_counter_that_vanishes_is_reported(pc: Host) -> None:
    meter = open_energy_meter(pc)
    assert isinstance(meter, RaplMeter)
    with pytest.raises(OsteoEdgeError, match="could be read before, but no more"):
        meter.measure(lambda: (pc.root / "sys/class/powercap/intel-rapl:0/energy_uj").unlink())


def test_counters_that_only_root_may_read_are_named_with_what_to_do(tmp_path: Path) -> None:
    write_counter(tmp_path, "intel-rapl:0", "package-0", None)
    reason = open_energy_meter(Host(tmp_path, nothing))
    assert reason == (
        "/sys/class/powercap/intel-rapl:0/energy_uj is not readable: run as root, or make it so with chmod a+r"
    )


def test_a_machine_without_a_counter_says_so(tmp_path: Path) -> None:
    assert open_energy_meter(Host(tmp_path, nothing)) == NO_COUNTER


def test_the_power_chip_s_rails_are_added_up_where_both_readings_are_there(tmp_path: Path) -> None:
    assert pmic_watts(Host(tmp_path, lambda command: PMIC)) == pytest.approx(PMIC_WATTS)
    assert pmic_watts(Host(tmp_path, lambda command: "error=1 error_msg='Command not registered'")) is None


def test_the_power_chip_is_sampled_while_work_goes_on(tmp_path: Path) -> None:
    meter = open_energy_meter(Host(tmp_path, lambda command: PMIC))
    assert isinstance(meter, PmicMeter)
    found = meter.measure(lambda: time.sleep(0.25))
    assert found.seconds >= 0.25
    assert found.joules == pytest.approx(PMIC_WATTS * found.seconds)


def test_a_power_chip_that_falls_silent_is_reported(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match="vcgencmd pmic_read_adc: answered before, but no more"):
        PmicMeter(Host(tmp_path, nothing)).measure(lambda: None)
