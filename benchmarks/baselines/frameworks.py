"""The frameworks under Keras 3, each with its way to compile a model, to wait for the device and to count its memory.

The only module of the benchmarks that loads TensorFlow, and only in a process that records a baseline with it.
"""

import importlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from osteo_edge.benchmarks.baselines.file import Device
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import Tensor
from osteo_edge.quiet import native_messages_held
from osteo_edge.runtime import Floats

FRAMEWORKS = ("tensorflow", "jax", "torch")
TITLES = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
INSTALL = {
    "tensorflow": "'osteo-edge[train]'",
    "jax": "'osteo-edge[baseline]'",
    "torch": "torch 'osteo-edge[baseline]'",
}
DRIVER = Path("/proc/driver/nvidia/version")

Call = Callable[[Any], Sequence[Any]]


class Framework(Protocol):
    """One framework on its first accelerator, or on the CPU where there is none."""

    def device(self) -> Device:
        """What computes; a CPU is left nameless, as frameworks do not know its name."""

    def put(self, images: Tensor, precision: str) -> Any:
        """Images on the device, there for certain."""

    def compile(self, model: Any) -> Call:
        """A function from images on the device to the model's outputs there, which need not be done yet."""

    def wait(self, outputs: Sequence[Any]) -> None:
        """Return when the outputs are computed."""

    def fetch(self, output: Any) -> Floats: ...

    def peak_bytes(self) -> int | None:
        """The most that was ever held on the device, None where the framework does not count."""


def require_framework(name: str) -> None:
    """Raise `OsteoEdgeError` with what to install unless the framework is installed; it is not imported."""
    if importlib.util.find_spec(name) is None:
        raise OsteoEdgeError(f"a baseline on {TITLES[name]} needs {TITLES[name]}: pip install {INSTALL[name]}")


def open_framework(name: str) -> Framework:
    """Load a framework and tell Keras to stand on it, before Keras is imported; `OsteoEdgeError` if it is not there."""
    require_framework(name)
    os.environ["KERAS_BACKEND"] = name
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    kinds: dict[str, Callable[[Any], Framework]] = {"tensorflow": OnTensorFlow, "jax": OnJax, "torch": OnTorch}
    with native_messages_held():
        return kinds[name](importlib.import_module(name))


class OnTensorFlow:
    """A `tf.function`, compiled by XLA on an accelerator, as Keras does it when it is left to choose."""

    def __init__(self, tensorflow: Any) -> None:
        self._tf = tensorflow
        self._gpus = tensorflow.config.list_physical_devices("GPU")
        self._place = "GPU:0" if self._gpus else "CPU:0"
        for gpu in self._gpus:
            tensorflow.config.experimental.set_memory_growth(gpu, True)

    def device(self) -> Device:
        details = self._tf.config.experimental.get_device_details(self._gpus[0]) if self._gpus else {}
        compiler = "tf.function, XLA" if self._gpus else "tf.function"
        kind = "gpu" if self._gpus else "cpu"
        return _device(kind, details.get("device_name"), len(self._gpus), None, "tensorflow", self._tf, compiler)

    def put(self, images: Tensor, precision: str) -> Any:
        with self._tf.device(self._place):
            placed = self._tf.identity(self._tf.cast(self._tf.constant(images), precision))
        self.wait([placed])
        return placed

    def compile(self, model: Any) -> Call:
        call: Call = self._tf.function(lambda images: model(images, training=False), jit_compile=bool(self._gpus))
        return call

    def wait(self, outputs: Sequence[Any]) -> None:
        for output in outputs:
            output.numpy()

    def fetch(self, output: Any) -> Floats:
        found: Floats = self._tf.cast(output, "float32").numpy()
        return found

    def peak_bytes(self) -> int | None:
        return int(self._tf.config.experimental.get_memory_info(self._place)["peak"]) if self._gpus else None


class OnJax:
    """A function compiled by XLA, the weights being arguments: constants would be folded, and take long to compile."""

    def __init__(self, jax: Any) -> None:
        self._jax = jax
        self._device = jax.devices()[0]

    def device(self) -> Device:
        stats = self._device.memory_stats() or {}
        kind, name = self._device.platform, None if self._device.platform == "cpu" else self._device.device_kind
        count = 0 if kind == "cpu" else len(self._jax.devices())
        return _device(kind, name, count, stats.get("bytes_limit"), "jax", self._jax, "XLA")

    def put(self, images: Tensor, precision: str) -> Any:
        placed = self._jax.device_put(self._jax.numpy.asarray(images, precision), self._device)
        return self._jax.block_until_ready(placed)

    def compile(self, model: Any) -> Call:
        weights = [variable.value for variable in model.trainable_variables]
        others = [variable.value for variable in model.non_trainable_variables]

        def call(weights: Any, others: Any, images: Any) -> Any:
            outputs, _ = model.stateless_call(weights, others, images, training=False)
            return outputs

        compiled: Callable[..., Sequence[Any]] = self._jax.jit(call)
        return lambda images: compiled(weights, others, images)

    def wait(self, outputs: Sequence[Any]) -> None:
        self._jax.block_until_ready(outputs)

    def fetch(self, output: Any) -> Floats:
        found: Floats = self._jax.device_get(output).astype("float32")
        return found

    def peak_bytes(self) -> int | None:
        stats = self._device.memory_stats() or {}
        return stats.get("peak_bytes_in_use")


class OnTorch:
    """The model as it is, without gradients: Keras gives PyTorch no graph to compile."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._has_gpu = bool(torch.cuda.is_available())
        self._place = "cuda" if self._has_gpu else "cpu"

    def device(self) -> Device:
        name = self._torch.cuda.get_device_name() if self._has_gpu else None
        memory = int(self._torch.cuda.get_device_properties(0).total_memory) if self._has_gpu else None
        count = self._torch.cuda.device_count() if self._has_gpu else 0
        kind = "gpu" if self._has_gpu else "cpu"
        return _device(kind, name, count, memory, "torch", self._torch, "none, eager")

    def put(self, images: Tensor, precision: str) -> Any:
        placed = self._torch.from_numpy(images).to(self._place, getattr(self._torch, precision))
        self.wait([placed])
        return placed

    def compile(self, model: Any) -> Call:
        def call(images: Any) -> Any:
            with self._torch.inference_mode():
                return model(images, training=False)

        return call

    def wait(self, outputs: Sequence[Any]) -> None:
        if self._has_gpu:
            self._torch.cuda.synchronize()

    def fetch(self, output: Any) -> Floats:
        found: Floats = output.detach().float().cpu().numpy()
        return found

    def peak_bytes(self) -> int | None:
        return int(self._torch.cuda.max_memory_allocated()) if self._has_gpu else None


def _device(
    kind: str, name: str | None, count: int, memory: int | None, framework: str, module: Any, compiler: str
) -> Device:
    driver = DRIVER.read_text("utf-8").splitlines()[0] if DRIVER.is_file() and kind != "cpu" else None
    version = str(module.__version__)
    return Device(kind, name or "", count, memory, driver, TITLES[framework], version, compiler)
