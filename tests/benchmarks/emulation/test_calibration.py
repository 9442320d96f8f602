from pathlib import Path

import pytest

from osteo_edge.benchmarks.emulation.calibration import CALIBRATIONS, find_calibration
from osteo_edge.benchmarks.emulation.gate import read_gate

GATE = Path(__file__).resolve().parents[3] / "benchmarks" / "emulation" / "gate.json"


def test_the_calibrations_counts_are_those_of_the_gate() -> None:
    recorded = {(bound.model, bound.cpu): bound.total for bound in read_gate(GATE).bounds}
    for calibration in CALIBRATIONS:
        model = f"MobileNetV2 1.0, {calibration.precisions[0]}, 224 x 224 x 3"
        assert calibration.instructions == pytest.approx(recorded[model, calibration.cpu], rel=1e-3)


def test_the_calibrated_network_itself_takes_the_published_time() -> None:
    for calibration in CALIBRATIONS:
        assert calibration.estimate_ms(calibration.instructions) == calibration.published_ms


def test_a_time_is_scaled_within_one_type() -> None:
    int8, float32 = (find_calibration("cortex-a72", "LiteRT", precision) for precision in ("int8", "float32"))
    assert int8 is not None
    assert float32 is not None
    assert int8.estimate_ms(150_020_000) == pytest.approx(22.5, abs=0.1)
    assert float32.estimate_ms(223_290_000) == pytest.approx(83.6, abs=0.1)
    assert "17 ms (XNNPACK README" in str(int8)
    assert "4 threads)" in str(int8)


@pytest.mark.parametrize(
    ("cpu", "runtime", "precision"),
    [
        ("cortex-a76", "LiteRT", "int8"),
        ("cortex-a72", "tflite-runtime", "int8"),
        ("cortex-a72", "LiteRT", "dynamic"),
        ("cortex-a72", "LiteRT", None),
    ],
)
def test_nothing_is_estimated_without_a_published_time(cpu: str, runtime: str, precision: str | None) -> None:
    assert find_calibration(cpu, runtime, precision) is None
