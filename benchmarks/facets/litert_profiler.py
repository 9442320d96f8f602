"""LiteRT's own profile of a model, operator by operator, the delegate's included: run as a process by `operator_times`.

python -m osteo_edge.benchmarks.facets.litert_profiler < JOB, as `isolated.run_isolated` gives it.

LiteRT's Python offers no profiler, but the library that its wheel ships has one in its C API (litert/c in LiteRT's
sources, 2.x), which is called here. That API is young: where a later LiteRT breaks with it this process may die, which
is why it is one of its own.
"""

import ctypes
import importlib
import time
from collections.abc import Iterator
from ctypes import byref, c_bool, c_char_p, c_int, c_int32, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge.benchmarks.measuring.isolated import serve
from osteo_edge.errors import OsteoEdgeError

LIBRARY = "libLiteRt.so"
WARM_UP_RUNS = 3
MIN_RUNS = 3
CPU = 1
LOCK_TO_WRITE = 1
MAX_RANK = 8
ELEMENT_TYPES = {np.float32: 1, np.int32: 2, np.uint8: 3, np.int16: 7, np.int8: 9}
"""LiteRtElementType of litert_model_types.h."""

NO_DELETER = ctypes.CFUNCTYPE(None, c_void_p)(lambda payload: None)


class Layout(ctypes.Structure):
    """LiteRtLayout of litert_layout.h; `bits` hold the rank and whether there are strides."""

    _fields_ = (("bits", c_uint32), ("dimensions", c_int32 * MAX_RANK), ("strides", c_uint32 * MAX_RANK))


class TensorType(ctypes.Structure):
    """LiteRtRankedTensorType of litert_model_types.h."""

    _fields_ = (("element_type", c_int32), ("layout", Layout))


class Profiled:
    """A model compiled for the CPU with the profiler switched on, and noise as its input.

    The profiler's summary sums up all runs that it was ever taken of: one model is there for one profile.
    """

    def __init__(self, model: Path, threads: int) -> None:
        module = _interpreter_module()
        plain = module.Interpreter(model_path=str(model))
        self._given, self._answers = plain.get_input_details(), plain.get_output_details()
        self._library = _library(module)
        self._c = ctypes.CDLL(None)
        self._c.free.argtypes = [c_void_p]
        self._payloads: list[Any] = []
        self._environment = self._made("LiteRtCreateEnvironment", c_int(0), ctypes.create_string_buffer(1))
        loaded = self._made("LiteRtCreateModelFromFile", self._environment, c_char_p(str(model).encode()))
        self._model = self._made("LiteRtCreateCompiledModel", self._environment, loaded, self._options(threads))
        self._profiler = self._made("LiteRtCompiledModelGetProfiler", self._model)
        self._inputs = (c_void_p * 1)(self._input_buffer().value)
        self._outputs = (c_void_p * len(self._answers))(*(buffer.value for buffer in self._output_buffers()))

    def close(self) -> None:
        """Give back what the model holds; its buffers stay until the process ends."""
        self._library.LiteRtDestroyCompiledModel(self._model)

    def run(self) -> None:
        sizes = c_size_t(len(self._inputs)), c_size_t(len(self._outputs))
        self._call("LiteRtRunCompiledModel", self._model, c_size_t(0), sizes[0], self._inputs, sizes[1], self._outputs)

    def profile(self) -> str:
        """One run, and the profiler's summary of it."""
        self._call("LiteRtStartProfiler", self._profiler)
        self.run()
        self._call("LiteRtStopProfiler", self._profiler)
        summary = self._made("LiteRtGetProfileSummary", self._profiler, self._model)
        text = ctypes.string_at(summary.value or 0).decode("utf-8", "replace")
        self._c.free(summary)
        return text

    def _options(self, threads: int) -> c_void_p:
        options = self._made("LiteRtCreateOptions")
        self._call("LiteRtSetOptionsHardwareAccelerators", options, c_int(CPU))
        for identifier, payload in (
            (b"runtime_options_string", b"enable_profiling = true\n"),
            (b"xnnpack", f"num_threads = {threads}\n".encode()),
        ):
            self._payloads.append(ctypes.create_string_buffer(payload))
            content = ctypes.cast(self._payloads[-1], c_void_p)
            more = self._made("LiteRtCreateOpaqueOptions", c_char_p(identifier), content, NO_DELETER)
            self._call("LiteRtAddOpaqueOptions", options, more)
        return options

    def _input_buffer(self) -> c_void_p:
        (detail,) = self._given
        layout = Layout()
        self._call("LiteRtGetCompiledModelInputTensorLayout", self._model, c_size_t(0), c_size_t(0), byref(layout))
        buffer = self._buffer("Input", 0, detail, layout)
        place = c_void_p()
        self._call("LiteRtLockTensorBuffer", buffer, byref(place), c_int(LOCK_TO_WRITE))
        noise = _noise(tuple(detail["shape"]), detail["dtype"])
        ctypes.memmove(place, noise.ctypes.data, noise.nbytes)
        self._call("LiteRtUnlockTensorBuffer", buffer)
        return buffer

    def _output_buffers(self) -> Iterator[c_void_p]:
        layouts = (Layout * len(self._answers))()
        sizes = c_size_t(0), c_size_t(len(layouts))
        self._call("LiteRtGetCompiledModelOutputTensorLayouts", self._model, *sizes, layouts, c_bool(False))
        for place, (detail, layout) in enumerate(zip(self._answers, layouts, strict=True)):
            yield self._buffer("Output", place, detail, layout)

    def _buffer(self, end: str, place: int, detail: dict[str, Any], layout: Layout) -> c_void_p:
        where = c_size_t(0), c_size_t(place)
        needs = self._made(f"LiteRtGetCompiledModel{end}BufferRequirements", self._model, *where)
        kind = TensorType(ELEMENT_TYPES[detail["dtype"]], layout)
        return self._made("LiteRtCreateManagedTensorBufferFromRequirements", self._environment, byref(kind), needs)

    def _made(self, function: str, *arguments: Any) -> c_void_p:
        """What the function writes to its last argument."""
        made = c_void_p()
        self._call(function, *arguments, byref(made))
        return made

    def _call(self, function: str, *arguments: Any) -> None:
        try:
            status = getattr(self._library, function)(*arguments)
        except AttributeError as error:
            raise OsteoEdgeError(f"this LiteRT has no {function}") from error
        if status != 0:
            raise OsteoEdgeError(f"{function} of LiteRT failed with status {status}")


def _noise(shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
    noise = np.random.default_rng(0).uniform(-1, 1, shape)
    return noise.astype(dtype) if dtype is np.float32 else (noise * np.iinfo(dtype).max).astype(dtype)


def profile_runs(model: Path, threads: int, *, runs: int, seconds: float) -> list[str]:
    """The summaries of single runs, each after a warm-up: as many as asked for, or at least 3 if time runs out.

    `OsteoEdgeError` if LiteRT is not there, or has not what is called here.
    """
    deadline, found = time.monotonic() + seconds, list[str]()
    while len(found) < min(runs, MIN_RUNS) or (len(found) < runs and time.monotonic() < deadline):
        profiled = Profiled(model, threads)
        for _ in range(WARM_UP_RUNS):
            profiled.run()
        found.append(profiled.profile())
        profiled.close()
    return found


def _library(module: Any) -> ctypes.CDLL:
    path = Path(module.__file__).parent / LIBRARY
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise OsteoEdgeError(f"this LiteRT has no {LIBRARY}") from error


def _interpreter_module() -> Any:
    try:
        return importlib.import_module("ai_edge_litert.interpreter")
    except ImportError as error:
        raise OsteoEdgeError("LiteRT is not installed: pip install ai-edge-litert") from error


def _answer(job: dict[str, Any]) -> list[str]:
    return profile_runs(Path(job["model"]), job["threads"], runs=job["runs"], seconds=job["seconds"])


if __name__ == "__main__":
    serve(_answer)
