"""Instructions counted for real: these make the guest on first use, and then take some seconds for each count."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.benchmarks.emulation.instructions import count_instructions
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.manifest import Manifest, Parent

REPOSITORY = Path(__file__).resolve().parents[3]
GOLDEN = REPOSITORY / "tests" / "data"
GATE = REPOSITORY / "benchmarks" / "emulation" / "gate.json"
PATCHES, FILTERS, TAPS = 8 * 8, 2, 4 * 4 * 3
PRODUCTS = PATCHES * FILTERS * TAPS
"""Multiplications of the golden network's first layer."""

pytestmark = [pytest.mark.slow, pytest.mark.device, pytest.mark.usefixtures("emulator")]


def test_the_newer_processor_computes_int8_by_dot_products_and_the_older_one_cannot() -> None:
    newer, older = (count_instructions(GOLDEN / "golden-int8.tflite", cpu) for cpu in ("cortex-a76", "cortex-a72"))
    assert newer.dot_product >= PRODUCTS / 16
    assert older.dot_product == 0
    assert older.multiply_accumulate >= PRODUCTS / 8
    assert older.total > newer.total
    for counted in (newer, older):
        assert counted.uses_xnnpack
        assert counted.runtime == "LiteRT 2.3.0"
        kinds = (counted.dot_product, counted.multiply_accumulate, counted.load, counted.store, counted.other)
        assert sum(kinds) == counted.total
        assert counted.spread is not None
        assert counted.spread < 0.01


def test_another_process_counts_the_same() -> None:
    first, second = (count_instructions(GOLDEN / "golden-float32.tflite", "cortex-a76") for _ in range(2))
    assert second.total == pytest.approx(first.total, rel=0.01)
    assert first.dot_product == 0
    assert first.multiply_accumulate >= PRODUCTS / 4


def test_a_file_that_is_no_model_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"no model")
    with pytest.raises(OsteoEdgeError, match=r"model\.tflite: does not run on the emulated cortex-a76") as caught:
        count_instructions(tmp_path / "model.tflite", "cortex-a76")
    assert "\n" not in str(caught.value)


@pytest.mark.tf
def test_an_untrained_mobilenet_stays_within_the_recorded_gate(
    golden_bundle: Callable[..., Bundle], manifest: Manifest
) -> None:
    from osteo_edge.convert.tflite import to_tflite
    from osteo_edge.train.backbones import input_spec
    from osteo_edge.train.config import TrainConfig
    from osteo_edge.train.models import build

    config = TrainConfig(alpha=0.35, weights="none")
    spec = input_spec(config)
    planes = np.random.default_rng(0).uniform(size=(4, spec.height, spec.width)).astype(np.float32)
    model = to_tflite(build(config, spec).model, spec, "int8", planes)
    parent = Parent("a" * 64, {"train": {"backbone": "mobilenet_v2", "alpha": 0.35}})
    bundle = golden_bundle(model=model, input=replace(manifest.input, height=224, width=224, channels=3), parent=parent)
    command = [sys.executable, "-m", "osteo_edge.benchmarks.emulation", str(bundle.path), "--gate", str(GATE), "--json"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr or finished.stdout
    rows = json.loads(finished.stdout)
    assert [(row["cpu"], row["verdict"], row["uses_xnnpack"]) for row in rows] == [
        ("cortex-a72", "PASS", True),
        ("cortex-a76", "PASS", True),
    ]
    assert finished.stderr == ""
