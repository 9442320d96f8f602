"""LiteRT's Java library, the AAR of an Android app, behind the part of the TFLite Python API that `runtime` uses.

There is no LiteRT for Python on Android, so the AAR is called by pyjnius. Four things follow from how that works:

- A thread that Java has not started finds no class of the app (JNI's FindClass asks the system's class loader there).
  So `prepare`, on the main thread, finds every class that is used later and loads the native library. After it a model
  may be loaded and run on any thread: on a worker, since the window must not stand still while megabytes are read.
- `object.method` keeps its object in the one method object of its class, which all threads share (pyjnius#563). So
  every call is made in `turn`: two interpreters on two threads would otherwise read each other's buffers.
- An array of objects that is handed to Java leaves a reference behind, of which a thread of Android 7 holds 512. So a
  film goes in by one direct buffer that is made once, and an answer is read where the tensor has it: with no array.
- Java frees what an interpreter holds natively when it comes to it. So an `Interpreter` that is dropped is closed at
  once, on whatever thread, or by the one whose turn it is.
"""

import logging
import re
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from osteo_edge.errors import OsteoEdgeError

CLASSES: Final = (
    "java.io.File",
    "java.nio.Buffer",
    "java.nio.ByteBuffer",
    "java.nio.ByteOrder",
    "org.tensorflow.lite.DataType",
    "org.tensorflow.lite.Interpreter",
    "org.tensorflow.lite.Interpreter$Options",
    "org.tensorflow.lite.InterpreterApi$Options",
    "org.tensorflow.lite.Tensor",
    "org.tensorflow.lite.Tensor$QuantizationParams",
    "org.tensorflow.lite.TensorFlowLite",
)
"""All whose objects are made or come back, also those that only a signature names."""
TYPES: Final[dict[str, type[np.generic]]] = {
    "FLOAT32": np.float32,
    "INT8": np.int8,
    "UINT8": np.uint8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
}
LAYERS: Final = re.compile(
    "Contents of .* does not encode a valid TensorFlow ?Lite model: "
    "|Internal error: (Cannot create interpreter: |Unexpected failure when preparing tensor allocations: )?"
)
"""What the library's layers put before the reason, the first with the file's name."""

Values = npt.NDArray[Any]


@dataclass(frozen=True)
class Library:
    """What `prepare` has found: the version of the native library, and the classes by their full names."""

    version: str
    classes: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.classes[name]


_library: Library | None = None
_TURN = threading.Lock()
_dropped: deque[Any] = deque()


def prepare() -> None:
    """Find the classes and load the native library: once, on the main thread, before anything else of this module.

    `OsteoEdgeError` where they are not in this app, or not for this processor.
    """
    global _library
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("to be called on the main thread")
    try:
        found = find_classes(CLASSES)
        with turn():
            version = str(found["org.tensorflow.lite.TensorFlowLite"].runtimeVersion())
    except (ImportError, RuntimeError) as error:
        reason = str(error).rstrip(":")
        raise OsteoEdgeError(f"LiteRT for Android cannot be used ({reason}): install the app again") from error
    _library = Library(version, found)


def is_prepared() -> bool:
    """Whether this is an app that has LiteRT's Java library, and has prepared it."""
    return _library is not None


def runtime_version() -> str:
    """What the native library says of itself."""
    return prepared().version


def prepared() -> Library:
    """What `prepare` has found; `LookupError` before it."""
    if _library is None:
        raise LookupError("osteo_edge.litert_java.prepare has not been called")
    return _library


def find_classes(names: tuple[str, ...]) -> dict[str, Any]:
    """Java classes by their names; `RuntimeError` for one that is not in this app. For the main thread."""
    from jnius import autoclass

    with turn():
        return {name: autoclass(name) for name in names}


@contextmanager
def turn() -> Iterator[None]:
    """The time in which one thread may call Java; what Java throws comes out as `RuntimeError`, its first line."""
    from jnius import JavaException

    try:
        with _TURN:
            yield
    except JavaException as error:
        raise RuntimeError(_told(error)) from error
    finally:
        _close_dropped()


class Interpreter:
    """A loaded model, with the methods of the TFLite Python API of the same names; one thread at a time.

    The input's index is 0, the outputs follow. Dropping the last reference closes it. `ValueError` for a model of
    several inputs, or of tensors that hold no numbers; `RuntimeError` for what Java throws: a file that is no model,
    an operator that the library lacks.
    """

    def __init__(self, model_path: str, num_threads: int, *, delegate: Any = None) -> None:
        library = prepared()
        with turn():
            options = library["org.tensorflow.lite.Interpreter$Options"]()
            options.setNumThreads(num_threads)
            options.setUseXNNPACK(True)
            if delegate is not None:
                options.addDelegate(delegate)
            java = library["org.tensorflow.lite.Interpreter"](library["java.io.File"](model_path), options)
        self._java = java
        self._dropping = weakref.finalize(self, _drop, java)
        self._dropping.atexit = False
        try:
            self._look_at_ends(library)
        except BaseException:
            self.close()
            raise

    def allocate_tensors(self) -> None:
        """Nothing: a model that is loaded has its tensors."""

    def get_input_details(self) -> list[dict[str, Any]]:
        """Index, shape, dtype and quantization (scale, zero point) of the input."""
        return [self._ends[0].detail]

    def get_output_details(self) -> list[dict[str, Any]]:
        """Index, shape, dtype and quantization (scale, zero point) of each output."""
        return [end.detail for end in self._ends[1:]]

    def set_tensor(self, index: int, values: Values) -> None:
        """Put the values, of the tensor's own shape and type, into the input's buffer, where `invoke` finds them."""
        end = self._ends[index]
        if values.shape != end.shape or values.dtype != end.dtype:
            raise ValueError(f"{values.dtype} {values.shape} for an input of {end.dtype} {end.shape}")
        with turn():
            self._buffer.rewind()
            self._buffer.put(values.tobytes())
            self._buffer.rewind()

    def invoke(self) -> None:
        """Compute the outputs from the input."""
        with turn():
            self._java.run(self._buffer, None)  # no output asked for: each is read where it lies

    def get_tensor(self, index: int) -> Values:
        """The values of an output, as they were when it was computed last."""
        end = self._ends[index]
        content = bytearray(end.size)
        with turn():
            end.tensor.asReadOnlyBuffer().get(content)
        return np.frombuffer(content, end.dtype).reshape(end.shape)

    def close(self) -> None:
        """Free the native memory now, on this thread; after it, nothing can be computed."""
        if self._dropping.detach() is not None:
            with turn():
                self._java.close()

    def _look_at_ends(self, library: Library) -> None:
        """Find the tensors at both ends, and make the input's buffer."""
        java = self._java
        with turn():
            java.allocateTensors()
            inputs = [java.getInputTensor(place) for place in range(java.getInputTensorCount())]
            outputs = [java.getOutputTensor(place) for place in range(java.getOutputTensorCount())]
            if len(inputs) != 1:
                raise ValueError(f"has {len(inputs)} inputs")
            self._ends = tuple(_end(index, tensor) for index, tensor in enumerate((*inputs, *outputs)))
            self._buffer = library["java.nio.ByteBuffer"].allocateDirect(self._ends[0].size)
            self._buffer.order(library["java.nio.ByteOrder"].nativeOrder())


@dataclass(frozen=True, eq=False)
class _End:
    """An input or an output, and Java's tensor."""

    index: int
    shape: tuple[int, ...]
    dtype: "np.dtype[Any]"
    quantization: tuple[float, int]
    tensor: Any

    @property
    def size(self) -> int:
        return int(np.prod(self.shape)) * self.dtype.itemsize

    @property
    def detail(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "shape": np.array(self.shape, np.int32),
            "dtype": self.dtype.type,
            "quantization": self.quantization,
        }


def _end(index: int, tensor: Any) -> _End:
    kind = tensor.dataType().toString()
    if kind not in TYPES:
        raise ValueError(f"has a tensor of type {kind}")
    steps = tensor.quantizationParams()
    return _End(index, tuple(tensor.shape()), np.dtype(TYPES[kind]), (steps.getScale(), steps.getZeroPoint()), tensor)


def _drop(java: Any) -> None:
    _dropped.append(java)
    _close_dropped()


def _close_dropped() -> None:
    """Close what has been dropped, unless it is another's turn: whoever has it does so at its end.

    Never waits: an interpreter may be dropped on the window's thread, or by a collection of garbage in a turn.
    """
    while _dropped and _TURN.acquire(blocking=False):
        try:
            while _dropped:
                _dropped.popleft().close()
        except Exception:  # no fault of whoever's turn it was
            logging.getLogger(__name__).exception("a model could not be closed")
        finally:
            _TURN.release()


def _told(error: Any) -> str:
    """The first line of what Java says, without what its own layers put before it."""
    name = (error.classname or "").rpartition(".")[2]
    message = (error.innermessage or name or str(error)).strip().splitlines()[0]
    if name in ("NoClassDefFoundError", "ClassNotFoundException"):
        return f"there is no class {message}"
    return LAYERS.sub("", message, count=1)
