"""onnxruntime as a runner: its CPU provider, with the input and the outputs bound so that a run is a run."""

from typing import Any

import numpy as np

from osteo_edge.benchmarks.runtimes.peer_file import ModelEnds
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.extras import load_extra
from osteo_edge.preprocessing import Tensor
from osteo_edge.runtime import Floats, dequantize, quantize

ERRORS_ONLY = 3


def open_model(spec: RunnerSpec, ends: ModelEnds) -> "OnnxRuntimeRunner":
    """Load the ONNX file; `OsteoEdgeError` if onnxruntime is not installed or cannot load it."""
    (runtime,) = load_extra(("onnxruntime",), feature="this peer", package="onnxruntime", extra="peers")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = spec.threads
    options.inter_op_num_threads = 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = ERRORS_ONLY
    try:
        session = runtime.InferenceSession(spec.model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own exceptions have no common class
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise OsteoEdgeError(f"{spec.model}: onnxruntime cannot load it ({reason})") from error
    return OnnxRuntimeRunner(runtime, session, ends)


class OnnxRuntimeRunner:
    """`Runner` over an `InferenceSession` of onnxruntime, kept to one thread pool of the threads asked for."""

    delegate = None

    def __init__(self, runtime: Any, session: Any, ends: ModelEnds) -> None:
        self.version = str(runtime.__version__)
        self._session, self._binding, self._ends = session, session.io_binding(), ends
        self._to_value = runtime.OrtValue.ortvalue_from_numpy
        (self._input,) = [given.name for given in session.get_inputs()]
        for output in session.get_outputs():
            self._binding.bind_output(output.name)

    def set_input(self, tensor: Tensor) -> None:
        stored = np.ascontiguousarray(quantize(tensor, self._ends.input.detail))
        self._binding.bind_ortvalue_input(self._input, self._to_value(stored))

    def run(self) -> None:
        self._session.run_with_iobinding(self._binding)

    def outputs(self) -> tuple[Floats, ...]:
        found = self._binding.copy_outputs_to_cpu()
        return tuple(dequantize(stored, end.detail) for stored, end in zip(found, self._ends.outputs, strict=True))
