"""LiteRT's GPU delegate in an Android app, behind the same methods as `litert_java`, which says what pyjnius asks for.

The delegate must be run by the thread that made it, so each interpreter has a thread of its own. Whether the GPU is to
be trusted is another question: `litert_trial` asks it.
"""

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from osteo_edge import litert_java
from osteo_edge.litert_java import Library, Values, find_classes, turn
from osteo_edge.litert_java import runtime_version as runtime_version

DELEGATE: Final = "org.tensorflow.lite.Delegate"
LIST: Final = "org.tensorflow.lite.gpu.CompatibilityList"
GPU_DELEGATE: Final = "org.tensorflow.lite.gpu.GpuDelegate"
OPTIONS: Final = "org.tensorflow.lite.gpu.GpuDelegateFactory$Options"

T = TypeVar("T")
Calls = SimpleQueue["tuple[Callable[[], Any], Future[Any]] | None"]

_library: Library | None = None


def prepare() -> bool:
    """Find the delegate's classes, after `litert_java.prepare` and on the main thread; whether this app has them."""
    global _library
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("to be called on the main thread")
    if not litert_java.is_prepared():
        return False
    try:
        _library = Library(runtime_version(), find_classes((DELEGATE, LIST, GPU_DELEGATE, OPTIONS)))
    except RuntimeError:
        return False
    return True


def is_prepared() -> bool:
    """Whether this is an app that has LiteRT's GPU delegate, and has prepared it."""
    return _library is not None


def is_listed() -> bool:
    """Whether LiteRT knows this device as one whose GPU works; `RuntimeError` if it cannot say."""
    with turn():
        compatible = _prepared()[LIST]()
        try:
            return bool(compatible.isDelegateSupportedOnThisDevice())
        finally:
            compatible.close()


class Interpreter:
    """As `litert_java.Interpreter`, computed by the GPU in 32-bit floating point; what it cannot do, by the CPU."""

    def __init__(self, model_path: str, num_threads: int) -> None:
        self._calls: Calls = SimpleQueue()
        threading.Thread(target=_serve, args=(self._calls,), name="gpu", daemon=True).start()
        try:
            self._java, delegate = self._do(_open, model_path, num_threads)
        except BaseException:
            self._calls.put(None)
            raise
        weakref.finalize(self, _end, self._calls, self._java, delegate).atexit = False

    def allocate_tensors(self) -> None:
        """Nothing: a model that is loaded has its tensors."""

    def get_input_details(self) -> list[dict[str, Any]]:
        """Index, shape, dtype and quantization (scale, zero point) of the input."""
        return self._java.get_input_details()

    def get_output_details(self) -> list[dict[str, Any]]:
        """Index, shape, dtype and quantization (scale, zero point) of each output."""
        return self._java.get_output_details()

    def set_tensor(self, index: int, values: Values) -> None:
        """Put the values, of the tensor's own shape and type, into the input's buffer."""
        self._java.set_tensor(index, values)

    def invoke(self) -> None:
        """Compute the outputs from the inputs."""
        self._do(self._java.invoke)

    def get_tensor(self, index: int) -> Values:
        """The values of an output, as they were when it was computed last."""
        return self._java.get_tensor(index)

    def _do(self, work: Callable[..., T], *arguments: Any) -> T:
        done: Future[T] = Future()
        self._calls.put((partial(work, *arguments), done))
        try:
            return done.result()
        finally:
            del done  # an error in it would hold this frame, and all that called it, until garbage is collected


def _prepared() -> Library:
    if _library is None:
        raise LookupError("osteo_edge.litert_gpu.prepare has not found the delegate")
    return _library


def _open(model_path: str, num_threads: int) -> tuple[litert_java.Interpreter, Any]:
    """The interpreter and the delegate that it runs on, which must be closed after it."""
    from jnius import cast

    library = _prepared()
    with turn():
        options = library[OPTIONS]()
        options.setPrecisionLossAllowed(False)
        delegate = library[GPU_DELEGATE](options)
        as_declared = cast(library[DELEGATE], delegate)  # else pyjnius looks for the class, in vain here (LiteRT#1599)
    try:
        return litert_java.Interpreter(model_path, num_threads, delegate=as_declared), delegate
    except BaseException:
        with turn():
            delegate.close()
        raise


def _end(calls: Calls, java: litert_java.Interpreter, delegate: Any) -> None:
    """Have the thread close what it has opened, and end."""
    calls.put((partial(_close, java, delegate), Future()))
    calls.put(None)


def _close(java: litert_java.Interpreter, delegate: Any) -> None:
    java.close()
    with turn():
        delegate.close()


def _serve(calls: Calls) -> None:
    """Make the calls on this thread, until there is a None. A queue, since it may be put into by a finalizer."""
    while (call := calls.get()) is not None:
        work, done = call
        try:
            done.set_result(work())
        except BaseException as error:  # it belongs to who waits for it
            done.set_exception(error)
        del call, work, done
