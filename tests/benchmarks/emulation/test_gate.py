import json
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.benchmarks.emulation.gate import Bound, read_gate, write_gate
from osteo_edge.benchmarks.measuring.results import Instructions
from osteo_edge.errors import OsteoEdgeError

Counted = Callable[..., Instructions]
MODEL = "MobileNetV2 0.35, int8, 224 x 224 x 3"
SCREENING = f"cold screening of film.png (01234567), {MODEL}"


@pytest.fixture
def gate_file(tmp_path: Path, counted: Counted) -> Path:
    """A gate of one model, whose cheaper twin was counted too."""
    return write_gate(tmp_path / "gate.json", [bound(counted(1_000_000)), bound(counted(999_000))])


def bound(counted: Instructions, model: str = MODEL, tolerance: float | None = None) -> Bound:
    """What was counted as a bound."""
    return Bound(model, counted.cpu, counted.runtime, counted.total, tolerance)


@pytest.mark.parametrize(("total", "verdict"), [(900_000, "PASS"), (1_020_000, "PASS"), (1_020_001, "FAIL")])
def test_a_count_may_lie_two_percent_above_its_bound(
    gate_file: Path, counted: Counted, total: int, verdict: str
) -> None:
    gate, found = read_gate(gate_file), counted(total)
    assert gate.verdict(gate.find(MODEL, found), found) == verdict


@pytest.mark.parametrize(("total", "verdict"), [(1_050_000, "PASS"), (1_050_001, "FAIL")])
def test_a_bound_may_have_a_tolerance_of_its_own(tmp_path: Path, counted: Counted, total: int, verdict: str) -> None:
    gate = read_gate(write_gate(tmp_path / "gate.json", [bound(counted(), SCREENING, 0.05)]))
    assert gate.verdict(gate.find(SCREENING, counted(total)), counted(total)) == verdict


def test_recording_replaces_what_was_counted_and_keeps_the_rest(gate_file: Path, counted: Counted) -> None:
    kept = read_gate(gate_file).bounds
    newer = counted(500_000, runtime="LiteRT 2.4.0")
    other = bound(counted(cpu="cortex-a72"))
    gate = read_gate(write_gate(gate_file, [bound(newer), bound(counted(7), SCREENING, 0.05)], (*kept, other)))
    assert {(each.model, each.cpu, each.runtime, each.total) for each in gate.bounds} == {
        (MODEL, "cortex-a76", "LiteRT 2.4.0", 500_000),
        (MODEL, "cortex-a72", "LiteRT 2.3.0", 1_000_000),
        (SCREENING, "cortex-a76", "LiteRT 2.3.0", 7),
    }
    assert gate_file.read_text("utf-8").count("tolerance") == 2


def test_another_model_or_processor_has_no_bound(gate_file: Path, counted: Counted) -> None:
    gate = read_gate(gate_file)
    assert gate.find("MobileNetV2 1.0, int8, 224 x 224 x 3", counted()) is None
    assert gate.find(MODEL, counted(cpu="cortex-a72")) is None
    assert gate.find(MODEL, counted(runtime="tflite-runtime 2.14.0")) is None
    assert gate.verdict(None, counted()) == "no bound"


def test_a_bound_of_another_version_is_not_compared_with(gate_file: Path, counted: Counted) -> None:
    with pytest.raises(
        OsteoEdgeError, match=r"is of LiteRT 2\.3\.0, and this is LiteRT 2\.4\.0: record the gate again"
    ):
        read_gate(gate_file).find(MODEL, counted(runtime="LiteRT 2.4.0"))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"schema": 2}, "schema must be one of 1"),
        ({"tolerance": 1.0}, "tolerance must be a share"),
        (
            {"bounds": [{"model": MODEL, "cpu": "x", "runtime": "y", "total": 0}]},
            r"bounds\[0\]\.total must be positive",
        ),
        (
            {"bounds": [{"model": MODEL, "cpu": "x", "runtime": "y", "total": 1, "tolerance": 5}]},
            r"bounds\[0\]\.tolerance must be a share",
        ),
        ({"more": 1}, "unknown field 'more'"),
    ],
)
def test_a_gate_is_read_strictly(gate_file: Path, change: dict[str, object], problem: str) -> None:
    gate_file.write_text(json.dumps({**json.loads(gate_file.read_text("utf-8")), **change}), "utf-8")
    with pytest.raises(OsteoEdgeError, match=f"gate.json: {problem}.*; record the gate again"):
        read_gate(gate_file)


def test_a_file_that_is_no_gate_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=r"none\.json: cannot be read"):
        read_gate(tmp_path / "none.json")
    (tmp_path / "gate.json").write_text("{", "utf-8")
    with pytest.raises(OsteoEdgeError, match="not readable as JSON"):
        read_gate(tmp_path / "gate.json")
