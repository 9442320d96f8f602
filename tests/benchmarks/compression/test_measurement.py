import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.agreement import Agreement, Paired
from osteo_edge.benchmarks.compression.measurement import (
    Figures,
    Sample,
    choose_sample,
    exact,
    measure_compression,
    size_of,
)
from osteo_edge.benchmarks.compression.models import Bounds, Named, find_compressed
from osteo_edge.dataset import read_dataset
from osteo_edge.errors import BundleError, DatasetError
from osteo_edge.manifest import Manifest
from osteo_edge.metrics import Estimate
from osteo_edge.preprocessing import Tensor
from osteo_edge.runtime import Prediction
from osteo_edge.split import read_split


@pytest.fixture
def sample(films: Path, manifest: Manifest) -> Sample:
    return choose_sample(read_dataset(films), read_split(films.parent / "split.csv"), "test", manifest.labels)


def same(estimate: Estimate) -> Paired:
    return Paired(exact(0.9), exact(0.9), estimate)


def measured(bounds: Bounds, **changes: Any) -> Figures:
    """Figures that are 2.75 MB, 0.45 of the dense ones, 0.99 alike and 1.5 times as fast."""
    aurocs = {"osteoporosis": same(Estimate(-0.005, -0.006, -0.004, 9))}
    agreement = Agreement(0.1, 0.01, exact(0.99), aurocs, same(Estimate(0.01, 0.01, 0.01, 9)))
    figures = Figures("knee", "knee", "float", "slow", 2_750_000, 1_000, 0.45, agreement, exact(1.5), bounds)
    return replace(figures, **changes)


def test_only_bounded_figures_are_checked_and_the_bound_itself_passes() -> None:
    assert measured(Bounds()).checks == ()
    bounds = Bounds(2_750_000, 0.99, 0.005, 0.01, 1.5, 0.45)
    checks = measured(bounds).checks
    assert [check.name for check in checks] == [
        "knee: size, MB",
        "knee: gzip size / that of the dense model",
        "knee: agreement of decisions",
        "knee: change of AUROC osteoporosis",
        "knee: rise of the calibration error",
        "knee: times as fast as slow",
    ]
    assert all(check.passed for check in checks)


@pytest.mark.parametrize(
    ("bounds", "changes"),
    [
        (Bounds(max_bytes=2_749_999), {}),
        (Bounds(max_packed=0.449), {}),
        (Bounds(min_agreement=0.991), {}),
        (Bounds(max_auroc_change=0.0049), {}),
        (Bounds(max_calibration_rise=0.009), {}),
        (Bounds(min_speed=1.6), {}),
        (Bounds(max_bytes=2_750_000), {"model_bytes": 2_750_001}),
    ],
    ids=str,
)
def test_each_bound_can_be_missed(bounds: Bounds, changes: dict[str, Any]) -> None:
    (check,) = measured(bounds, **changes).checks
    assert not check.passed


def test_a_change_counts_in_both_directions_and_its_interval_reaches_down_to_nothing() -> None:
    assert size_of(Estimate(-0.5, -1.0, 0.25, 9)) == Estimate(0.5, 0.0, 1.0, 9)
    assert size_of(Estimate(-0.5, -1.0, -0.25, 9)) == Estimate(0.5, 0.25, 1.0, 9)
    assert size_of(Estimate(0.5, 0.25, 1.0, 9)) == Estimate(0.5, 0.25, 1.0, 9)


def test_a_model_is_measured_beside_its_float_one(pair: tuple[Path, Path], sample: Sample) -> None:
    compressed = find_compressed(Named(pair))
    found = measure_compression(compressed, sample, "b" * 64, runs=5, on_progress=lambda *_, **__: None)
    assert {path: len(values) for path, values in found.runs.items()} == {str(path): 5 for path in pair}
    assert found.counts == {"normal": 3, "osteopenia": 3, "osteoporosis": 3}
    (figures,) = found.figures
    assert figures.model_bytes == (pair[1] / "model.tflite").stat().st_size
    assert 0 < figures.gzip_bytes < figures.model_bytes
    assert figures.agreement.decisions.n == 9
    assert 0 < figures.agreement.mean_difference < 0.05
    assert figures.packed is None
    assert not found.on_trained_split


@dataclass(frozen=True)
class Waiting:
    """Answers after a while in which it computes nothing."""

    name: str = "waiting"

    def run(self, tensor: Tensor) -> Prediction:
        time.sleep(0.003)
        return Prediction(np.zeros(3, np.float32), None)


def test_waiting_for_a_processor_is_no_computing_time(
    pair: tuple[Path, Path], sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osteo_edge.benchmarks.compression.measurement.open_interpreter", lambda *_, **__: Waiting())
    found = measure_compression(find_compressed(Named(pair)), sample, "", runs=3, on_progress=lambda *_, **__: None)
    for path in found.runs:
        assert found.median(path, "wall_ms") >= 3
        assert found.median(path, "cpu_ms") < 1.5


def test_a_sparse_model_is_packed_and_compared_with_the_dense_one(
    pair: tuple[Path, Path], network_bundle: Callable[..., Path], sample: Sample
) -> None:
    sparse = network_bundle("sparse", prune=("magnitude", 0.8))
    compressed = find_compressed(Named(pair, sparse=(sparse,)))
    found = measure_compression(compressed, sample, "", runs=3, on_progress=lambda *_, **__: None)
    dense, packed = found.figures
    assert packed.packed == 1.0  # the same bytes: no zeros, whatever its manifest says
    assert packed.agreement == dense.agreement
    assert [check.passed for check in packed.checks if "gzip" in check.name] == [False]


def test_an_image_that_cannot_be_read_is_left_out_by_all(pair: tuple[Path, Path], sample: Sample) -> None:
    sample.cases[0].path.write_bytes(b"no image")
    compressed = find_compressed(Named(pair))
    found = measure_compression(compressed, sample, "", runs=3, on_progress=lambda *_, **__: None)
    assert found.figures[0].agreement.decisions.n == 8
    assert len(found.skipped) == 1


def test_a_part_of_one_label_is_refused(films: Path, manifest: Manifest) -> None:
    dataset, split = read_dataset(films), read_split(films.parent / "split.csv")
    with pytest.raises(DatasetError, match="the train part holds no image; measure on a part with two labels"):
        choose_sample(dataset, split, "train", manifest.labels)


def test_answers_that_are_no_numbers_are_refused(
    pair: tuple[Path, Path], sample: Sample, monkeypatch: pytest.MonkeyPatch, answering: Callable[..., Any]
) -> None:
    broken = answering([float("nan")] * 3)
    monkeypatch.setattr("osteo_edge.benchmarks.compression.measurement.open_interpreter", lambda *_, **__: broken)
    with pytest.raises(BundleError, match="gives no number for some images"):
        measure_compression(find_compressed(Named(pair)), sample, "", runs=3, on_progress=lambda *_, **__: None)
