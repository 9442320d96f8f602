"""LiteRT itself behind the doubles of its Java library, for a process with a JVM (`tests.java_doubles`).

A file that is no TFLite but "ECHO type shape scale zero-point" is a model that gives back what it takes; with
"inputs=2" after it, one of two inputs that cannot be run.
"""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from jnius import PythonJavaClass, autoclass, java_method

Arrays = list[Any]


class LiteRT(PythonJavaClass):  # type: ignore[misc]
    """The native library, with its messages.

    `on_gpu` changes what a model on the GPU answers; `refuses_gpu` is what it says of loading one there.
    """

    __javainterfaces__ = ("org/tensorflow/lite/Native",)
    __javacontext__ = "app"

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[tuple[int, bool, bool]] = []
        """Threads, XNNPACK and GPU of each model that was opened."""
        self.on_gpu: Callable[[Arrays], Arrays] = lambda outputs: outputs
        self.refuses_gpu = ""
        self._models: dict[str, tuple[Any, bool]] = {}

    @java_method("(Ljava/lang/String;IZZ)Ljava/lang/String;")  # type: ignore[untyped-decorator]
    def open(self, path: str, threads: int, xnnpack: bool, gpu: bool) -> str:
        self.opened.append((threads, xnnpack, gpu))
        if gpu and self.refuses_gpu:
            return f"!{self.refuses_gpu}"
        try:
            model = _Echo(path) if Path(path).read_bytes().startswith(b"ECHO") else Interpreter(path, num_threads=1)
        except (OSError, ValueError) as error:
            if "Didn't find op" in str(error):
                return f"!Internal error: Cannot create interpreter: {error}"
            return f"!Contents of {path} does not encode a valid TensorFlow Lite model: {error}"
        try:
            model.allocate_tensors()
        except RuntimeError as error:
            return f"!Internal error: Unexpected failure when preparing tensor allocations: {error}"
        handle = str(len(self.opened))
        self._models[handle] = (model, gpu)
        return handle

    @java_method("(Ljava/lang/String;)Ljava/lang/String;")  # type: ignore[untyped-decorator]
    def tensors(self, handle: str) -> str:
        model, _ = self._models[handle]
        ends = [("input", detail) for detail in model.get_input_details()]
        ends += [("output", detail) for detail in model.get_output_details()]
        return "\n".join(_line(end, detail) for end, detail in ends)

    @java_method("(Ljava/lang/String;Ljava/lang/String;)Ljava/lang/String;")  # type: ignore[untyped-decorator]
    def run(self, handle: str, inputs: str) -> str:
        model, gpu = self._models[handle]
        for detail, sent in zip(model.get_input_details(), inputs.split(","), strict=True):
            values = np.frombuffer(base64.b64decode(sent), detail["dtype"])
            model.set_tensor(detail["index"], values.reshape(detail["shape"]))
        model.invoke()
        outputs = [model.get_tensor(detail["index"]) for detail in model.get_output_details()]
        outputs = self.on_gpu(outputs) if gpu else outputs
        return ",".join(base64.b64encode(output.tobytes()).decode() for output in outputs)

    @java_method("(Ljava/lang/String;)V")  # type: ignore[untyped-decorator]
    def close(self, handle: str) -> None:
        del self._models[handle]


class _Echo:
    """A model of one tensor that is its input and its output."""

    def __init__(self, path: str) -> None:
        _, kind, sides, scale, zero_point, *inputs = Path(path).read_text("utf-8").split()
        shape = tuple(map(int, sides.split(",")))
        steps = (float(scale), int(zero_point))
        self._detail = {"index": 0, "shape": shape, "dtype": np.dtype(kind.lower()).type, "quantization": steps}
        self._inputs = 2 if inputs else 1
        self._values: Any = None

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self) -> list[dict[str, Any]]:
        return [self._detail] * self._inputs

    def get_output_details(self) -> list[dict[str, Any]]:
        return [self._detail]

    def set_tensor(self, index: int, values: Any) -> None:
        self._values = values

    def invoke(self) -> None:
        pass

    def get_tensor(self, index: int) -> Any:
        return self._values


def _line(end: str, detail: dict[str, Any]) -> str:
    scale, zero_point = detail["quantization"]
    sides, kind = ",".join(map(str, detail["shape"])), np.dtype(detail["dtype"]).name.upper()
    return f"{end} {sides} {kind} {float(scale)!r} {zero_point}"


def put_litert_behind() -> LiteRT:
    """Have the doubles computed by LiteRT; keep what is returned as long as they are used."""
    library = LiteRT()
    autoclass("org.tensorflow.lite.TensorFlowLite").library = library
    return library
