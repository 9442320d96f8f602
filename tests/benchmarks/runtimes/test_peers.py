import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.benchmarks.runtimes import peers
from osteo_edge.benchmarks.runtimes.peer_file import ModelEnd, ModelEnds, PeerFile, read_peer_file, write_peer_file
from osteo_edge.benchmarks.runtimes.peer_preparation import read_ends, relative_difference
from osteo_edge.benchmarks.runtimes.peers import PEERS, drawn_images, open_peer, prepare_peer
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec, open_runner
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError

ENDS = ModelEnds(ModelEnd("int8", 0.0078125, -1), (ModelEnd("int8", 0.25, 3), ModelEnd("float32", 0.0, 0)))
FILE = PeerFile("onnxruntime", "1.31", "LiteRT 2.3", ENDS, 0.125, 8)


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


@pytest.fixture
def answering_otherwise(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Preparation that finds the peer's answers to differ by so much; nothing is converted."""

    def differ(difference: float) -> None:
        def prepared(module: str, job: dict[str, Any], **_: object) -> None:
            write_peer_file(Path(job["out"]), PeerFile("openvino", "1", "LiteRT 2.3", ENDS, difference, 8))

        monkeypatch.setattr(peers, "run_isolated", prepared)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())

    return differ


def test_a_peer_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_peer_file(tmp_path / "model.onnx", FILE)
    assert read_peer_file(tmp_path / "model.onnx") == FILE


def test_a_model_that_was_not_prepared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=r"model\.onnx: not prepared for a peer"):
        open_peer(RunnerSpec("onnxruntime", str(tmp_path / "model.onnx"), 1))


def test_the_ends_of_a_model_are_those_of_its_tensors(bundle: Bundle) -> None:
    ends = read_ends(bundle.model_path)
    assert (ends.input.dtype, len(ends.outputs)) == ("int8", 2)
    assert ends.input.scale == pytest.approx(2 / 255, rel=0.01)


def test_drawn_images_are_as_the_network_takes_them(bundle: Bundle) -> None:
    images = drawn_images(bundle.manifest.input, images=3)
    assert images.shape == (3, 32, 32, 3)
    assert -1 <= images.min() < -0.5 < 0.5 < images.max() <= 1


def test_silence_beside_silence_does_not_differ() -> None:
    assert relative_difference(np.zeros(3, np.float32), np.zeros(3, np.float32)) == 0


def test_an_unknown_peer_is_named(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=r"^peer 'tvm': not known; choose from onnxruntime, openvino$"):
        prepare_peer(bundle, "tvm", tmp_path)


@pytest.mark.parametrize("runtime", PEERS)
def test_a_peer_that_is_not_installed_says_how_to_install_it(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OsteoEdgeError, match=r"not installed: pip install 'osteo-edge\[peers\]'$"):
        prepare_peer(bundle, runtime, tmp_path)


def test_answers_that_differ_are_not_timed(
    golden_bundle: Callable[..., Bundle], tmp_path: Path, answering_otherwise: Callable[[float], None]
) -> None:
    answering_otherwise(0.1)
    assert prepare_peer(golden_bundle(), "openvino", tmp_path / "peers").parent == tmp_path / "peers"
    with pytest.raises(OsteoEdgeError, match="on openvino its answers differ by 10% from those of the TFLite runtime"):
        prepare_peer(golden_bundle("float", precision="float32"), "openvino", tmp_path / "peers")


def test_a_bundle_that_is_not_tflite_is_refused(
    keras_bundle: Bundle, tmp_path: Path, answering_otherwise: Callable[[float], None]
) -> None:
    answering_otherwise(0.0)
    with pytest.raises(OsteoEdgeError, match="a Keras bundle, and peers are compared on TFLite models; convert it"):
        prepare_peer(keras_bundle, "openvino", tmp_path)


def check_answers(bundle: Bundle, runtime: str, folder: Path) -> None:
    """That the peer answers like the TFLite runtime, within a step of the int8 golden model, also for a new input."""
    model = prepare_peer(bundle, runtime, folder)
    assert read_peer_file(model).difference < 0.05
    mine = open_runner(RunnerSpec("LiteRT", str(bundle.model_path), 1))
    theirs = open_runner(RunnerSpec(runtime, str(model), 1))
    for seed in range(3):
        image = drawn_images(bundle.manifest.input, images=1, seed=seed + 1)
        for runner in (mine, theirs):
            runner.set_input(image)
            runner.run()
        for own, other in zip(mine.outputs(), theirs.outputs(), strict=True):
            np.testing.assert_allclose(other, own, atol=0.05 if bundle.manifest.model.precision == "int8" else 1e-4)
    assert theirs.version[0].isdigit()
    assert theirs.delegate is None


@needs("openvino")
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_openvino_answers_alike(golden_bundle: Callable[..., Bundle], tmp_path: Path, precision: str) -> None:
    check_answers(golden_bundle(precision=precision), "openvino", tmp_path / "peers")


@pytest.mark.slow
@pytest.mark.tf
@needs("onnxruntime")
@needs("tf2onnx")
def test_onnxruntime_answers_alike(bundle: Bundle, tmp_path: Path) -> None:
    check_answers(bundle, "onnxruntime", tmp_path / "peers")


@needs("openvino")
def test_a_file_that_the_peer_cannot_load_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "broken.tflite").write_bytes(b"no model")
    write_peer_file(tmp_path / "broken.tflite", FILE)
    with pytest.raises(OsteoEdgeError, match="openvino cannot take it") as caught:
        open_peer(RunnerSpec("openvino", str(tmp_path / "broken.tflite"), 1))
    assert "\n" not in str(caught.value)
