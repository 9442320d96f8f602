"""One model in one runtime, with an input in place, ready to be run: what is timed, and nothing around it."""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.preprocessing import Tensor
from osteo_edge.quiet import native_messages_held
from osteo_edge.runtime import BACKENDS, Backend, Floats, dequantize, installed_backends, quantize

DELEGATE_NODE = "DELEGATE"
XNNPACK = "XNNPACK"  # the only delegate that these runtimes use unasked on a CPU


@dataclass(frozen=True)
class RunnerSpec:
    """One way of running one model.

    `runtime` is the title of a TFLite runtime (`osteo_edge.runtime.BACKENDS`) or the name of a peer, `model` the path
    of the file that it loads. Without `delegate` a TFLite runtime keeps to its own kernels; peers have none to switch.
    """

    runtime: str
    model: str
    threads: int
    delegate: bool = True


class Runner(Protocol):
    """One loaded model; not to be shared between threads.

    `delegate` names the delegate that really took part of the graph, None where none did.
    """

    @property
    def version(self) -> str: ...

    @property
    def delegate(self) -> str | None: ...

    def set_input(self, tensor: Tensor) -> None:
        """Put one float32 tensor (1, height, width, channels) in place, quantized where the model's input is."""

    def run(self) -> None:
        """One inference, and nothing else."""

    def outputs(self) -> tuple[Floats, ...]:
        """What the last run answered, in the model's order, in real values."""


def open_runner(spec: RunnerSpec) -> Runner:
    """Load the model into its runtime.

    `OsteoEdgeError` if the runtime is not installed or does not load, `BundleError` if it cannot load the model.
    """
    backend = next((backend for backend in BACKENDS if backend.title == spec.runtime), None)
    if backend is not None:
        return TFLiteRunner(spec, backend)
    from osteo_edge.benchmarks.runtimes.peers import open_peer

    return open_peer(spec)


class TFLiteRunner:
    """`Runner` over the TFLite API that LiteRT, tflite-runtime and TensorFlow share."""

    def __init__(self, spec: RunnerSpec, backend: Backend) -> None:
        with native_messages_held():
            self._interpreter = _load(spec, _module(backend))
        (self._input,) = self._interpreter.get_input_details()
        self._outputs: list[dict[str, Any]] = self._interpreter.get_output_details()
        self.version = str(getattr(sys.modules[backend.package], "__version__", "of unknown version"))
        self.delegate = XNNPACK if _has_delegate(self._interpreter) else None

    def set_input(self, tensor: Tensor) -> None:
        self._interpreter.set_tensor(self._input["index"], quantize(tensor, self._input))

    def run(self) -> None:
        self._interpreter.invoke()

    def outputs(self) -> tuple[Floats, ...]:
        return tuple(dequantize(self._stored(detail), detail) for detail in self._outputs)

    def _stored(self, detail: dict[str, Any]) -> npt.NDArray[Any]:
        return np.asarray(self._interpreter.get_tensor(detail["index"]))


def package_of(backend: Backend) -> str:
    """The package that has the runtime, as pip knows it.

    >>> package_of(BACKENDS[0])
    'ai-edge-litert'
    """
    return backend.package.replace("_", "-")


def _module(backend: Backend) -> Any:
    package = package_of(backend)
    try:
        return importlib.import_module(backend.module)
    except ImportError as error:
        if backend not in installed_backends():
            raise OsteoEdgeError(f"{backend.title} is not installed: pip install {package}") from error
        raise OsteoEdgeError(
            f"{backend.title} does not load here ({_first_line(error)}): install a build of {package} for this system"
        ) from error


def _load(spec: RunnerSpec, module: Any) -> Any:
    if not Path(spec.model).is_file():
        raise BundleError(f"{spec.model}: there is no such file; give a TFLite model")
    options: dict[str, Any] = {"model_path": spec.model, "num_threads": spec.threads}
    if not spec.delegate:
        options["experimental_op_resolver_type"] = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        interpreter = module.Interpreter(**options)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise BundleError(f"{spec.model}: {spec.runtime} cannot load it ({_first_line(error)})") from error
    return interpreter


def _has_delegate(interpreter: Any) -> bool:
    return any(node["op_name"] == DELEGATE_NODE for node in interpreter._get_ops_details())


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
