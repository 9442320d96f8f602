"""Run a model: one small protocol over LiteRT, tflite-runtime and TensorFlow's interpreter, whichever is there."""

import importlib
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from osteo_edge.backends import ANDROID, ANDROID_GPU
from osteo_edge.backends import BACKENDS as BACKENDS
from osteo_edge.backends import Backend as Backend
from osteo_edge.backends import default_threads as default_threads
from osteo_edge.backends import installed_backends as installed_backends
from osteo_edge.bundle import Bundle, read_model
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.preprocessing import Tensor
from osteo_edge.quiet import native_messages_held
from osteo_edge.trust import trusted_folder
from osteo_edge.wording import SEVERITIES

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network answers for one image.

    `logits` are (labels,), before calibration; `activation_map` is (rows, columns, labels) in logit units, its spatial
    mean being the logits, or None where the model has none. `severity` are (3,), logits of the unsupervised grades low,
    medium and high, or None. `embedding` is (features,), the pooled output of the last layer, or None.
    """

    logits: Floats
    activation_map: Floats | None
    severity: Floats | None = None
    embedding: Floats | None = None


class Interpreter(Protocol):
    """A loaded model that takes one prepared image at a time; not to be shared between threads."""

    @property
    def name(self) -> str:
        """The runtime and its version, for reports."""

    def run(self, tensor: Tensor) -> Prediction:
        """Answer for one float32 tensor (1, height, width, channels), whatever the model's own types are."""


def open_interpreter(bundle: Bundle, *, threads: int | None = None, backend: Backend | None = None) -> Interpreter:
    """Load the bundle's TFLite model into the best runtime that is installed, or into `backend`.

    `BundleError` if the model is not TFLite or not loadable, `OsteoEdgeError` if no runtime is installed or loads.
    """
    model = bundle.manifest.model
    if model.format != "tflite":
        raise BundleError(
            f"{bundle.path}: a {model.format} bundle; convert it first: "
            f"osteo-edge convert {bundle.path} --precision int8 --out {bundle.path}-int8"
        )
    return TFLiteInterpreter(bundle, backend, threads or default_threads())


class TFLiteInterpreter:
    """`Interpreter` over the TFLite API that all three runtimes share; integer ends are handled inside."""

    def __init__(self, bundle: Bundle, backend: Backend | None, threads: int) -> None:
        with native_messages_held():
            found, module = _import_first(installed_backends() if backend is None else (backend,))
            self._interpreter, self._input, outputs = _load(bundle, module, threads, _source(bundle, found))
        self.name = _name(found, threads)
        places = bundle.manifest.outputs
        try:
            self._logits = outputs[places.logits]
            self._map = None if places.activation_map is None else outputs[places.activation_map]
            self._severity = None if places.severity is None else outputs[places.severity]
            self._embedding = None if places.embedding is None else outputs[places.embedding]
        except IndexError as error:
            raise BundleError(
                f"{bundle.model_path}: has {len(outputs)} outputs, fewer than its manifest says"
            ) from error
        _check_shapes(bundle, self._input, self._logits, self._map, self._severity, self._embedding)

    def run(self, tensor: Tensor) -> Prediction:
        self._interpreter.set_tensor(self._input["index"], quantize(tensor, self._input))
        self._interpreter.invoke()
        return Prediction(
            logits=self._read(self._logits),
            activation_map=None if self._map is None else self._read(self._map),
            severity=None if self._severity is None else self._read(self._severity),
            embedding=None if self._embedding is None else self._read(self._embedding),
        )

    def _read(self, detail: dict[str, Any]) -> Floats:
        return dequantize(self._interpreter.get_tensor(detail["index"])[0], detail)


def quantize(values: Floats, detail: dict[str, Any]) -> npt.NDArray[Any]:
    """Real values to what a tensor holds: q = round(value / scale) + zero point, clipped to its type (TFLite spec)."""
    scale, zero_point = detail["quantization"]
    dtype = detail["dtype"]
    if dtype == np.float32 or scale == 0.0:
        return values.astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    return np.asarray(np.clip(np.rint(values / scale) + zero_point, limits.min, limits.max), dtype)


def dequantize(stored: npt.NDArray[Any], detail: dict[str, Any]) -> Floats:
    """What a tensor holds to real values: (q - zero point) * scale."""
    scale, zero_point = detail["quantization"]
    if stored.dtype == np.float32 or scale == 0.0:
        return np.array(stored, np.float32)
    return np.asarray((stored.astype(np.float32) - zero_point) * np.float32(scale), np.float32)


def output_shapes(model: bytes) -> tuple[tuple[int, ...], ...]:
    """The shapes of a TFLite model's outputs, in the model's order."""
    with native_messages_held():
        _, module = _import_first(installed_backends())
        details = module.Interpreter(model_content=model).get_output_details()
    return tuple(tuple(int(side) for side in detail["shape"]) for detail in details)


def output_places(model: bytes) -> tuple[int, ...]:
    """Where each output of the converted function lies among the TFLite model's, in the function's order.

    Two outputs may have one shape; the names in the model's signature, which are numbered, tell them apart.
    """
    with native_messages_held():
        _, module = _import_first(installed_backends())
        interpreter = module.Interpreter(model_content=model)
        named = interpreter.get_signature_runner().get_output_details()
    places = {detail["index"]: place for place, detail in enumerate(interpreter.get_output_details())}
    return tuple(places[named[name]["index"]] for name in sorted(named))


def _name(backend: Backend, threads: int) -> str:
    """A runtime, its version and its threads: whole for one and for several, since the app translates it."""
    version = _version(backend)
    if backend.on_gpu:
        return f"{backend.title} {version}, on the GPU"
    return f"{backend.title} {version}, 1 thread" if threads == 1 else f"{backend.title} {version}, {threads} threads"


def _import_first(backends: Iterable[Backend]) -> tuple[Backend, ModuleType]:
    """The first runtime that loads: one that is installed may still be built for another system."""
    problems = []
    for backend in backends:
        if backend.clash in sys.modules:
            problems.append(f"{backend.title} cannot run beside the app's window")
            continue
        try:
            return backend, importlib.import_module(backend.module)
        except ImportError as error:
            problems.append(f"{backend.title} does not load here ({_first_line(error)})")
    raise OsteoEdgeError(
        f"{'; '.join(problems) or 'no TFLite runtime is installed'}: pip install ai-edge-litert "
        "(or tflite-runtime on Python 3.11 and older); `osteo-edge doctor` tells more"
    )


def _source(bundle: Bundle, backend: Backend) -> dict[str, str | bytes]:
    """What the runtime is to load: the file, of which it reads what it needs when it needs it.

    On a locked device it is the file's content, verified, so that whoever can write the folder cannot exchange it after
    its signature was. Not on Android, where the files are the app's alone.
    """
    if trusted_folder() is None or backend in (ANDROID, ANDROID_GPU):
        return {"model_path": str(bundle.model_path)}
    return {"model_content": read_model(bundle)}


def _load(
    bundle: Bundle, module: Any, threads: int, source: dict[str, str | bytes]
) -> tuple[Any, dict[str, Any], list[dict[str, Any]]]:
    """The interpreter, ready to run, with the details of its one input and of its outputs."""
    make: Callable[..., Any] = module.Interpreter
    try:
        interpreter = make(**source, num_threads=threads)
        interpreter.allocate_tensors()
        return interpreter, interpreter.get_input_details()[0], interpreter.get_output_details()
    except (ValueError, RuntimeError) as error:
        reason = _first_line(error)
        raise BundleError(f"{bundle.model_path}: not a TFLite model that this runtime can load ({reason})") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _check_shapes(
    bundle: Bundle,
    given: dict[str, Any],
    logits: dict[str, Any],
    maps: dict[str, Any] | None,
    severity: dict[str, Any] | None,
    embedding: dict[str, Any] | None,
) -> None:
    spec, labels = bundle.manifest.input, len(bundle.manifest.labels)
    expected = {"input": (given, (1, spec.height, spec.width, spec.channels)), "logits": (logits, (1, labels))}
    if severity is not None:
        expected["severity"] = (severity, (1, len(SEVERITIES)))
    for what, (detail, shape) in expected.items():
        if tuple(detail["shape"]) != shape:
            found = tuple(int(side) for side in detail["shape"])
            raise BundleError(f"{bundle.model_path}: its {what} is {found}, but the manifest says {shape}")
    if maps is not None and (len(maps["shape"]) != 4 or maps["shape"][3] != labels):
        raise BundleError(f"{bundle.model_path}: its activation map is not (1, rows, columns, {labels})")
    if embedding is not None and (len(embedding["shape"]) != 2 or embedding["shape"][0] != 1):
        raise BundleError(f"{bundle.model_path}: its embedding is not (1, features)")


def _version(backend: Backend) -> str:
    """As the loaded module or its package tells it: much quicker than to ask `importlib.metadata`."""
    told = getattr(sys.modules.get(backend.module), "runtime_version", None)
    if told is not None:
        return str(told())
    return str(getattr(sys.modules.get(backend.package), "__version__", "of unknown version"))
