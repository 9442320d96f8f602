"""OpenVINO as a runner: its CPU plug-in, which reads TFLite files itself."""

from typing import Any

import numpy as np

from osteo_edge.benchmarks.runtimes.peer_file import ModelEnds
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.extras import load_extra
from osteo_edge.preprocessing import Tensor
from osteo_edge.runtime import Floats, dequantize, quantize


def open_model(spec: RunnerSpec, ends: ModelEnds) -> "OpenVinoRunner":
    """Compile the TFLite file; `OsteoEdgeError` if OpenVINO is not installed or cannot take it.

    Floats stay float32: left to itself OpenVINO computes in bfloat16 where the processor can, and answers otherwise.
    """
    (openvino,) = load_extra(("openvino",), feature="this peer", package="openvino", extra="peers")
    settings = {
        "INFERENCE_NUM_THREADS": spec.threads,
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
    }
    try:
        core = openvino.Core()
        request = core.compile_model(core.read_model(spec.model), "CPU", settings).create_infer_request()
    except RuntimeError as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise OsteoEdgeError(f"{spec.model}: openvino cannot take it ({reason})") from error
    return OpenVinoRunner(openvino, request, ends)


class OpenVinoRunner:
    """`Runner` over an `InferRequest` of OpenVINO, one stream of the threads asked for."""

    delegate = None

    def __init__(self, openvino: Any, request: Any, ends: ModelEnds) -> None:
        self.version = str(openvino.__version__).partition("-")[0]
        self._tensor, self._request, self._ends = openvino.Tensor, request, ends

    def set_input(self, tensor: Tensor) -> None:
        stored = np.ascontiguousarray(quantize(tensor, self._ends.input.detail))
        self._request.set_input_tensor(self._tensor(stored))

    def run(self) -> None:
        self._request.infer()

    def outputs(self) -> tuple[Floats, ...]:
        found = (self._request.get_output_tensor(place).data for place in range(len(self._ends.outputs)))
        return tuple(dequantize(stored, end.detail) for stored, end in zip(found, self._ends.outputs, strict=True))
