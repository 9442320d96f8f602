"""Make the file that a peer loads from a TFLite model, and see whether it answers alike; a process of its own.

python -m osteo_edge.benchmarks.runtimes.peer_preparation < job.json
"""

import importlib
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge.benchmarks.measuring.isolated import serve
from osteo_edge.benchmarks.runtimes.peer_file import ModelEnd, ModelEnds, PeerFile, write_peer_file
from osteo_edge.benchmarks.runtimes.peers import open_with_ends
from osteo_edge.benchmarks.runtimes.runners import Runner, RunnerSpec, open_runner
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.extras import load_extra
from osteo_edge.preprocessing import Tensor
from osteo_edge.quiet import native_messages_held
from osteo_edge.runtime import Floats, default_threads, installed_backends

OPSET = 18


def prepare(job: dict[str, Any]) -> None:
    """Write `job["out"]` for `job["runtime"]` from the TFLite file `job["model"]`, and its peer file beside it.

    `job["images"]` is a .npy file of the images to compare answers on, (n, height, width, channels).
    """
    model, out, runtime = Path(job["model"]), Path(job["out"]), job["runtime"]
    if out.suffix == ".onnx":
        convert_to_onnx(model, out)
    else:
        shutil.copyfile(model, out)
    ends, images = read_ends(model), np.load(job["images"], allow_pickle=False)
    backend, threads = installed_backends()[0].title, default_threads()
    reference = open_runner(RunnerSpec(backend, str(model), threads))
    peer = open_with_ends(RunnerSpec(runtime, str(out), threads), ends)
    difference = _largest_difference(peer, reference, images)
    beside = f"{backend} {reference.version}"
    write_peer_file(out, PeerFile(runtime, peer.version, beside, ends, difference, len(images)))


def convert_to_onnx(model: Path, out: Path) -> None:
    """TFLite to ONNX; quantized tensors become QuantizeLinear and DequantizeLinear around floating-point operators.

    `OsteoEdgeError` if tf2onnx, or the TensorFlow that it is built on, is not installed or cannot convert the model.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    (tf2onnx,) = load_extra(
        ("tf2onnx.convert",), feature="conversion to ONNX", package="tf2onnx and TensorFlow", extra="peers,train"
    )
    try:
        with native_messages_held():
            tf2onnx.from_tflite(str(model), opset=OPSET, output_path=str(out))
    except Exception as error:  # whatever an operator's handler stumbles over
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise OsteoEdgeError(f"tf2onnx cannot convert it ({reason}); leave this peer out") from error


def read_ends(model: Path) -> ModelEnds:
    """The number types at the ends of a TFLite model."""
    with native_messages_held():
        interpreter = importlib.import_module(installed_backends()[0].module).Interpreter(model_path=str(model))
    (given,) = interpreter.get_input_details()
    return ModelEnds(_end(given), tuple(_end(detail) for detail in interpreter.get_output_details()))


def relative_difference(answers: Floats, reference: Floats) -> float:
    """The root mean square of the difference over that of the reference.

    >>> relative_difference(np.array([3.0, 3.75], np.float32), np.array([3.0, 4.0], np.float32))
    0.05
    """
    difference, scale = (
        float(np.sqrt(np.mean(np.square(values, dtype=np.float64)))) for values in (answers - reference, reference)
    )
    return difference / max(scale, float(np.finfo(np.float32).tiny))


def _largest_difference(peer: Runner, reference: Runner, images: Tensor) -> float:
    """Of the output that differs most, each over all images."""
    pairs = list(zip(_answers(peer, images), _answers(reference, images), strict=True))
    if any(found.shape != expected.shape or not np.isfinite(found).all() for found, expected in pairs):
        raise OsteoEdgeError("its answers have other shapes, or are no numbers; leave this peer out")
    return max(relative_difference(found, expected) for found, expected in pairs)


def _answers(runner: Runner, images: Tensor) -> list[Floats]:
    """Each output for all images, (n, ...)."""
    answers = []
    for image in images:
        runner.set_input(image[np.newaxis])
        runner.run()
        answers.append(runner.outputs())
    return [np.concatenate(outputs) for outputs in zip(*answers, strict=True)]


def _end(detail: dict[str, Any]) -> ModelEnd:
    scale, zero_point = detail["quantization"]
    return ModelEnd(np.dtype(detail["dtype"]).name, float(scale), int(zero_point))


if __name__ == "__main__":
    serve(prepare)
