"""Which packages can run a TFLite file, and which of them are here; nothing is imported to find out."""

import importlib.util
import os
import sys
from dataclasses import dataclass
from typing import Final

MAX_THREADS: Final = 4


@dataclass(frozen=True)
class Backend:
    """One package that can run a TFLite file, its module that does, and a module beside which it crashes, if any.

    `on_gpu` says that threads of the processor are not what computes.
    """

    title: str
    module: str
    clash: str | None = None
    on_gpu: bool = False

    @property
    def package(self) -> str:
        return self.module.partition(".")[0]


BACKENDS: Final = (
    Backend("LiteRT", "ai_edge_litert.interpreter"),
    Backend("tflite-runtime", "tflite_runtime.interpreter"),
    Backend("TensorFlow", "tensorflow.lite.python.interpreter", clash="kivy.core.window"),  # two LLVMs
)
ANDROID: Final = Backend("LiteRT for Android", "osteo_edge.litert_java")
"""LiteRT in an Android app. It is here once the app has prepared it (`litert_java.prepare`), and nowhere else."""
ANDROID_GPU: Final = Backend(ANDROID.title, "osteo_edge.litert_gpu", on_gpu=True)
"""The same on the device's GPU: `litert_gpu.open_fastest` tries it, nothing takes it by itself."""


def installed_backends() -> tuple[Backend, ...]:
    """The runtimes that are installed here, best first, found without importing them."""
    android = sys.modules.get(ANDROID.module)
    prepared = (ANDROID,) if android is not None and android.is_prepared() else ()
    return (*prepared, *(backend for backend in BACKENDS if importlib.util.find_spec(backend.package)))


def default_threads() -> int:
    """The number of cores this process may use, at most 4: the networks here do not gain from more."""
    return min(MAX_THREADS, len(os.sched_getaffinity(0)))
