import json
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.benchmarks.baselines.file import Architecture, Baseline, read_baseline, write_baseline
from osteo_edge.errors import OsteoEdgeError


def test_a_baseline_is_read_as_it_was_written(baseline: Baseline, tmp_path: Path) -> None:
    assert read_baseline(write_baseline(baseline, tmp_path / "gpu.json")) == baseline


def test_a_baseline_of_a_cpu_says_so(baseline: Baseline) -> None:
    on_cpu = replace(baseline.device, kind="cpu", name="AMD EPYC")
    assert str(on_cpu) == "CPU only, no accelerator: AMD EPYC (JAX 0.10)"
    assert str(baseline.device) == "Imaginary GPU (JAX 0.10)"
    assert baseline.device.is_accelerator
    assert not on_cpu.is_accelerator


def test_an_architecture_is_named_with_its_width_and_input() -> None:
    assert str(Architecture("mobilenet_v2", 0.35, 224, 224, 3)) == "MobileNetV2 0.35 at 224 x 224"
    assert str(Architecture("efficientnet_b0", None, 224, 448, 3)) == "EfficientNet-B0 at 224 x 448"


def test_memory_is_that_of_the_device_where_it_is_known(baseline: Baseline) -> None:
    row = baseline.networks[0].rows[0]
    assert row.memory_bytes == row.device_peak_bytes == 1 << 26
    assert replace(row, device_peak_bytes=None).memory_bytes == row.peak_bytes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "is of schema 2, and this version reads 1; record it again with `osteo-edge bench baseline`"),
        ({"schema": None}, "is of schema None"),
        ({"kind": "osteo-edge report"}, "is no baseline; give a file that `osteo-edge bench baseline` wrote"),
        ({"device": {}}, "is damaged .missing field 'kind' in device.; record it again"),
        ({"speed": 3}, "is damaged .unknown field 'speed'.; record it again"),
    ],
)
def test_another_file_is_refused_in_one_line(
    baseline: Baseline, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = write_baseline(baseline, tmp_path / "gpu.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(OsteoEdgeError, match=message) as caught:
        read_baseline(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("text", "message"), [("{", "is no JSON"), ("[1]", "is no baseline"), (None, "cannot be read")]
)
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "gpu.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(OsteoEdgeError, match=message):
        read_baseline(path)
