"""Other runtimes on the same weights: onnxruntime and OpenVINO, prepared and checked once, then run like any other.

A model is prepared in a process of its own (`peer_preparation`): conversion to ONNX needs TensorFlow, and a wheel built
for another processor ends the process that imports it.
"""

import importlib
import importlib.util
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from osteo_edge.benchmarks.measuring.isolated import run_isolated
from osteo_edge.benchmarks.runtimes.peer_file import ModelEnds, read_peer_file
from osteo_edge.benchmarks.runtimes.runners import Runner, RunnerSpec
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import InputSpec, Tensor, normalize

TIMEOUT_S = 540
DRAWN_IMAGES = 8
MAX_DIFFERENCE, MAX_QUANTIZED_DIFFERENCE = 0.01, 0.3
"""Of answers, relative to them. Integer kernels that round elsewhere come to a seventh on images that the network was
not calibrated for; a conversion that went wrong gives answers that have nothing to do with the others: about 1."""


@dataclass(frozen=True)
class Peer:
    """A runtime to compare with: the module here that runs it, and what must be installed to prepare a model for it."""

    module: str
    packages: tuple[str, ...]
    suffix: str


PEERS = {
    "onnxruntime": Peer("osteo_edge.benchmarks.runtimes.onnxruntime_peer", ("onnxruntime", "onnx", "tf2onnx"), ".onnx"),
    "openvino": Peer("osteo_edge.benchmarks.runtimes.openvino_peer", ("openvino",), ".tflite"),
}


def prepare_peer(bundle: Bundle, runtime: str, folder: Path, *, tensors: Sequence[Tensor] | None = None) -> Path:
    """Make the file that the peer loads from the bundle's TFLite model, in `folder`, and check its answers.

    They are compared with the TFLite runtime's on `tensors`, prepared images, or on drawn ones; the peer file beside
    tells how they differ. `OsteoEdgeError`, one line, if the peer is not known or not installed, does not run here,
    cannot take the model, or answers otherwise.
    """
    peer = _installed(runtime)
    _require_tflite(bundle)
    out = folder / f"{bundle.manifest.model.sha256[:16]}{peer.suffix}"
    folder.mkdir(parents=True, exist_ok=True)
    given = drawn_images(bundle.manifest.input) if tensors is None else np.concatenate(list(tensors))
    _prepare(bundle, runtime, out, given)
    difference = read_peer_file(out).difference
    limit = MAX_DIFFERENCE if bundle.manifest.model.precision in ("float32", "float16") else MAX_QUANTIZED_DIFFERENCE
    if not difference <= limit:
        raise OsteoEdgeError(
            f"{bundle.path}: on {runtime} its answers differ by {difference:.0%} from those of the TFLite runtime, so "
            "its time is no fair comparison; leave this peer out"
        )
    return out


def open_peer(spec: RunnerSpec) -> Runner:
    """Load a model that `prepare_peer` made into its runtime; `OsteoEdgeError` if that cannot be."""
    return open_with_ends(spec, read_peer_file(Path(spec.model)).ends)


def open_with_ends(spec: RunnerSpec, ends: ModelEnds) -> Runner:
    """The same where the number types at the model's ends are known."""
    module = importlib.import_module(_installed(spec.runtime).module)
    runner: Runner = module.open_model(spec, ends)
    return runner


def drawn_images(spec: InputSpec, *, images: int = DRAWN_IMAGES, seed: int = 0) -> Tensor:
    """Smooth random patterns as the network takes them, (images, height, width, channels): any input will do."""
    random = np.random.default_rng(seed)
    patterns = [
        cv2.resize(random.random((7, 7), np.float32), (spec.width, spec.height), interpolation=cv2.INTER_CUBIC)
        for _ in range(images)
    ]
    return normalize(np.clip(np.stack(patterns), 0, 1), spec)


def _installed(runtime: str) -> Peer:
    peer = PEERS.get(runtime)
    if peer is None:
        raise OsteoEdgeError(f"peer {runtime!r}: not known; choose from {', '.join(PEERS)}")
    missing = [package for package in peer.packages if importlib.util.find_spec(package) is None]
    if missing:
        raise OsteoEdgeError(f"peer {runtime}: {' and '.join(missing)} not installed: pip install 'osteo-edge[peers]'")
    return peer


def _require_tflite(bundle: Bundle) -> None:
    if bundle.manifest.model.format != "tflite":
        raise OsteoEdgeError(
            f"{bundle.path}: a Keras bundle, and peers are compared on TFLite models; convert it first: "
            f"osteo-edge convert {bundle.path} --precision float32 --out {bundle.path}-float32"
        )


def _prepare(bundle: Bundle, runtime: str, out: Path, tensors: Tensor) -> None:
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.npy"
        np.save(images, tensors, allow_pickle=False)
        job = {"runtime": runtime, "model": str(bundle.model_path), "out": str(out), "images": str(images)}
        try:
            run_isolated("osteo_edge.benchmarks.runtimes.peer_preparation", job, timeout_s=TIMEOUT_S)
        except OsteoEdgeError as error:
            raise OsteoEdgeError(f"{bundle.path}: cannot be measured on {runtime}: {error}") from error
