"""Which variants are measured, what they are called, and why others are not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.benchmarks.bench.candidates import EVERYTHING, load_bundles, own_runtime, plan_candidates
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.runtime import BACKENDS, installed_backends


def test_a_bundle_that_cannot_be_measured_is_missing_and_the_others_stay(
    bundle: Bundle, keras_bundle: Bundle, tmp_path: Path
) -> None:
    found, missing = load_bundles([keras_bundle.path, bundle.path, tmp_path / "none"])
    assert [each.name for each in found] == ["golden"]
    assert [each.what for each in missing] == [EVERYTHING, EVERYTHING]
    assert "convert it first" in missing[0].reason
    assert str(tmp_path / "none") in missing[1].reason


def test_the_same_bundle_twice_gets_two_names(bundle: Bundle) -> None:
    found, _ = load_bundles([bundle.path, bundle.path, bundle.path])
    assert [each.name for each in found] == ["golden", "golden (2)", "golden (3)"]


def test_every_bundle_is_run_with_every_number_of_threads_and_by_every_peer(
    network_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    found, _ = load_bundles([network_bundle("a"), network_bundle("b", "float32")])
    candidates, missing = plan_candidates(found, (1, 2), ("TensorFlow",), tmp_path)
    assert not missing
    assert [each.variant.name for each in candidates] == [
        "a, 1 thread",
        "a, 2 threads",
        "a, TensorFlow, 1 thread",
        "a, TensorFlow, 2 threads",
        "b, 1 thread",
        "b, 2 threads",
        "b, TensorFlow, 1 thread",
        "b, TensorFlow, 2 threads",
    ]
    assert [each.is_first for each in candidates] == [True, False, False, False] * 2
    assert [each.variant.is_peer for each in candidates] == [False, False, True, True] * 2
    assert {each.spec.runtime for each in candidates} == {own_runtime(), "TensorFlow"}
    assert candidates[0].variant.network == "MobileNetV2 1.0"
    rival = candidates[0].rival
    assert (rival.height, rival.width, rival.channels) == (32, 32, 3)


def test_a_peer_that_is_not_installed_is_missing_for_each_bundle(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = installed_backends()[0]
    monkeypatch.setattr("osteo_edge.benchmarks.bench.candidates.installed_backends", lambda: (first,))
    found, _ = load_bundles([bundle.path])
    candidates, missing = plan_candidates(found, (1,), ("tflite-runtime",), tmp_path)
    assert len(candidates) == 1
    assert [(each.of, each.what) for each in missing] == [("golden", "tflite-runtime")]
    assert "pip install tflite-runtime" in missing[0].reason


def test_a_peer_is_to_be_installed_by_the_name_that_pip_knows(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    litert, tensorflow = BACKENDS[0], BACKENDS[2]
    monkeypatch.setattr("osteo_edge.benchmarks.bench.candidates.installed_backends", lambda: (tensorflow,))
    found, _ = load_bundles([bundle.path])
    _, (missing,) = plan_candidates(found, (1,), (litert.title,), tmp_path)
    assert missing.reason == "LiteRT is not installed: pip install ai-edge-litert"


def test_the_toolkits_own_runtime_is_no_peer(bundle: Bundle, tmp_path: Path) -> None:
    found, _ = load_bundles([bundle.path])
    with pytest.raises(OsteoEdgeError, match="is what the toolkit runs every bundle in already; leave this peer out"):
        plan_candidates(found, (1,), ("TensorFlow", own_runtime()), tmp_path)


def test_without_any_runtime_there_is_nothing_to_measure_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osteo_edge.benchmarks.bench.candidates.installed_backends", lambda: ())
    with pytest.raises(OsteoEdgeError, match="pip install ai-edge-litert"):
        own_runtime()
