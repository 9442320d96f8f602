"""Fixtures of the benchmarks: films with a split, and bundles that say to be of some network."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.benchmarks.baselines.file import (
    Architecture,
    Baseline,
    BaselineNetwork,
    BaselineRow,
    Device,
    FloatPrecision,
    ImageAnswer,
)
from osteo_edge.benchmarks.measuring.results import Machine, MachineState, Report, ScreeningInstructions
from osteo_edge.benchmarks.measuring.summaries import latency_of
from osteo_edge.benchmarks.report.json_file import read_report_file
from osteo_edge.bundle import Bundle, write_bundle
from osteo_edge.hashing import sha256_bytes, sha256_file
from osteo_edge.manifest import Manifest, Outputs, Parent
from osteo_edge.split import Split, SplitRow, write_split

GOLDEN_REPORT = Path(__file__).resolve().parent.parent / "data" / "report-1.json"
BRIGHTNESS = {"normal": 0.2, "osteopenia": 0.45, "osteoporosis": 0.7}


@pytest.fixture
def films(draw_film: Callable[..., Path], tmp_path: Path) -> Path:
    """Four films of each label; `split.csv` beside has the last one in validation and the others in test."""
    rows = []
    for label, brightness in BRIGHTNESS.items():
        for number in range(4):
            name = f"{label}/{number}.png"
            film = draw_film(f"knees/{name}", brightness=brightness + 0.05 * number)
            rows.append(SplitRow(name, label, name, "validation" if number == 3 else "test", sha256_file(film)))
    write_split(Split(tuple(rows)), tmp_path / "split.csv")
    return tmp_path / "knees"


@pytest.fixture
def network_bundle(golden_bundle: Callable[..., Bundle], films: Path, manifest: Manifest) -> Callable[..., Path]:
    """Write a bundle of the golden model that says to be of some network, trained on the split of `films`."""
    data = replace(manifest.data, split_sha256=sha256_file(films.parent / "split.csv"))

    def write(
        name: str,
        precision: str = "int8",
        *,
        backbone: str = "mobilenet_v2",
        alpha: float = 1.0,
        prune: tuple[str, float] | None = None,
        qat: bool = False,
        sha256: str = "a" * 64,
        **changes: Any,
    ) -> Path:
        recipe: dict[str, Any] = {"train": {"backbone": backbone, "alpha": alpha}}
        if prune is not None:
            recipe = {"prune": dict(zip(("method", "amount"), prune, strict=True)), "parent": recipe}
        if qat:
            recipe = {"qat": {"epochs": 5}, "parent": recipe}
        parent = Parent(sha256, {"convert": {"precision": precision}, "parent": recipe})
        return golden_bundle(name, precision=precision, **{"parent": parent, "data": data, **changes}).path

    return write


@pytest.fixture
def pair(network_bundle: Callable[..., Path]) -> tuple[Path, Path]:
    """MobileNetV2 1.0 in float32 and in int8, as it says."""
    return network_bundle("float", "float32"), network_bundle("int8")


@pytest.fixture(scope="session")
def golden_report() -> Report:
    """A benchmark report with something in every field, of numbers that nobody measured."""
    return read_report_file(GOLDEN_REPORT)


@pytest.fixture
def screened_report(golden_report: Report) -> Report:
    """The golden report with whole screenings counted, too: 700 million instructions cold and 100 million warm."""
    first, *others = golden_report.measurements
    assert first.instructions is not None
    screenings = tuple(
        ScreeningInstructions(
            "knee.png", replace(counted, total=700_000_000), replace(counted, total=100_000_000, estimated_ms=None)
        )
        for counted in first.instructions
    )
    return replace(golden_report, measurements=(replace(first, screenings=screenings), *others))


@pytest.fixture
def keras_bundle(tmp_path: Path, manifest: Manifest) -> Bundle:
    """A Keras bundle of the golden network, as Keras 2 writes one (see tests/data/make_golden.py); said to be of one.

    Written by hand, so that it needs no TensorFlow.
    """
    data = _golden_archive()
    model = replace(manifest.model, file="model.keras", format="keras", precision="float32", sha256=sha256_bytes(data))
    outputs = Outputs(logits=0, activation_map=1)
    recipe = {"train": {"backbone": "custom_cnn", "alpha": 1.0}}
    described = replace(manifest, model=model, outputs=outputs, parent=Parent(None, recipe), parity=None)
    return write_bundle(tmp_path / "golden-keras", described, {"model.keras": data})


def _golden_archive() -> bytes:
    h5py = pytest.importorskip("h5py")
    convolution: dict[str, Any] = {
        "padding": "valid",
        "activation": "linear",
        "kernel_initializer": {"class_name": "GlorotUniform"},
    }
    described: list[tuple[str, str, dict[str, Any], str | None]] = [
        ("InputLayer", "image", {"batch_input_shape": [1, 32, 32, 3], "dtype": "float32"}, None),
        ("Conv2D", "patches", {**convolution, "filters": 2, "kernel_size": [4, 4], "strides": [4, 4]}, "image"),
        ("ReLU", "rectified", {"max_value": None}, "patches"),
        ("Conv2D", "activation_map", {**convolution, "filters": 3, "kernel_size": [1, 1]}, "rectified"),
        ("GlobalAveragePooling2D", "logits", {}, "activation_map"),
    ]
    layers: list[dict[str, Any]] = [
        {
            "class_name": kind,
            "config": {"name": name, **options},
            "inbound_nodes": [] if source is None else [[[source, 0, 0, {}]]],
        }
        for kind, name, options, source in described
    ]
    ends: dict[str, Any] = {
        "input_layers": [["image", 0, 0]],
        "output_layers": [["logits", 0, 0], ["activation_map", 0, 0]],
    }
    config = {"class_name": "Functional", "config": {"name": "golden", "layers": layers, **ends}}
    brightness = np.full((4, 4, 3, 1), 1 / 96, np.float32)
    weights = {
        "conv2d": (np.concatenate([brightness, -brightness], axis=-1), np.array([0.5, 0.5])),
        "conv2d_1": (np.array([[[[0.0, 0.0, 6.0], [4.0, 0.0, 0.0]]]]), np.array([0.0, 1.0, 0.0])),
    }
    stored = io.BytesIO()
    with h5py.File(stored, "w") as file:
        for name, arrays in weights.items():
            for place, values in enumerate(arrays):
                file[f"layers/{name}/vars/{place}"] = values
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("config.json", json.dumps(config))
        packed.writestr("model.weights.h5", stored.getvalue())
    return archive.getvalue()


@pytest.fixture
def baseline() -> Baseline:
    """A made-up baseline of MobileNetV2 1.0: 2 ms in float32, 1 ms an image in batches of eight, 1 ms in float16."""
    answers = (ImageAnswer("1" * 64, (0.2, 0.2, 0.6), True), ImageAnswer("2" * 64, (0.1, 0.1, 0.8), True))

    def row(precision: FloatPrecision, batch: int, milliseconds: float) -> BaselineRow:
        measured = latency_of([milliseconds] * 40)
        given = answers if precision == "float32" else None
        return BaselineRow(precision, batch, measured, (900.0,), 0.1, 1 << 26, 1 << 28, 400, given)

    state = MachineState("2026-11-21T10:00:00Z", 0.2, None, None, None, ())
    return Baseline(
        kind="osteo-edge baseline",
        schema=1,
        created_by="a test",
        created_at="2026-11-21T10:00:00Z",
        runs=40,
        seconds=0.1,
        device=Device("gpu", "Imaginary GPU", 1, 1 << 34, None, "JAX", "0.10", "XLA"),
        machine=Machine("CPU", (), 4, None, None, "Linux", "3.11", {}, None, state, state),
        networks=(
            BaselineNetwork(
                architecture=Architecture("mobilenet_v2", 1.0, 32, 32, 3),
                weights="c" * 64,
                parameters=100,
                labels=("normal", "osteopenia", "osteoporosis"),
                rows=(row("float32", 1, 2.0), row("float32", 8, 8.0), row("float16", 1, 1.0)),
            ),
        ),
        missing=(),
    )
