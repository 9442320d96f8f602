"""A recorded baseline: a float model on an accelerator, as a versioned file that edge figures are set beside."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from osteo_edge.benchmarks.measuring.lineage import TITLES, WITH_ALPHA
from osteo_edge.benchmarks.measuring.results import Latency, Machine, Missing
from osteo_edge.console import without_nan
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.strict import FieldError, from_dict, to_dict
from osteo_edge.writing import write_whole

SCHEMA: Final = 1
KIND: Final = "osteo-edge baseline"
RANDOM_WEIGHTS: Final = "random"

FloatPrecision = Literal["float32", "float16", "bfloat16"]


@dataclass(frozen=True)
class Device:
    """What computed. `kind` is "cpu" where there was no accelerator: such a baseline says nothing of a GPU.

    `memory_bytes` is that of the device itself, `driver` its driver in its own words; None where they are not told.
    `compiler` is what the framework runs the model with.
    """

    kind: str
    name: str
    count: int
    memory_bytes: int | None
    driver: str | None
    framework: str
    framework_version: str
    compiler: str

    @property
    def is_accelerator(self) -> bool:
        return self.kind != "cpu"

    def __str__(self) -> str:
        name = self.name if self.is_accelerator else f"CPU only, no accelerator: {self.name}"
        return f"{name} ({self.framework} {self.framework_version})"


@dataclass(frozen=True)
class Architecture:
    """Which network it is, and what it takes: two models are compared only where all of this is the same."""

    backbone: str
    alpha: float | None
    height: int
    width: int
    channels: int

    def __str__(self) -> str:
        title = TITLES.get(self.backbone, self.backbone)
        width = f" {self.alpha}" if self.backbone in WITH_ALPHA else ""
        return f"{title}{width} at {self.height} x {self.width}"


@dataclass(frozen=True)
class ImageAnswer:
    """What the model answers for the image with this SHA-256: calibrated probabilities, and the bundle's decision."""

    sha256: str
    probabilities: tuple[float, ...]
    is_positive: bool


@dataclass(frozen=True)
class BaselineRow:
    """One precision and batch size; times are of whole batches, from the input on the device to the answer there.

    `compile_ms` is the first run of each process, compilation included, and `transfer_ms` the median time to bring a
    batch to the device; neither is in the latency. `device_peak_bytes` is the framework's own count of what it held
    there, None where it does not count; `peak_bytes` is the process's resident set. Without answers no data was given.
    """

    precision: FloatPrecision
    batch: int
    latency: Latency
    compile_ms: tuple[float, ...]
    transfer_ms: float
    device_peak_bytes: int | None
    peak_bytes: int
    weight_bytes: int
    answers: tuple[ImageAnswer, ...] | None

    @property
    def images_per_second(self) -> float:
        return 1000 * self.batch / self.latency.summary.median.value

    @property
    def memory_bytes(self) -> int:
        """On the device where the framework counts it, else of the process."""
        return self.peak_bytes if self.device_peak_bytes is None else self.device_peak_bytes


@dataclass(frozen=True)
class BaselineNetwork:
    """One network. `weights` is the SHA-256 of the Keras model's file, or "random"."""

    architecture: Architecture
    weights: str
    parameters: int
    labels: tuple[str, ...] | None
    rows: tuple[BaselineRow, ...]

    @property
    def has_random_weights(self) -> bool:
        return self.weights == RANDOM_WEIGHTS


@dataclass(frozen=True)
class Baseline:
    """All that one call of `bench baseline` recorded, with its environment, and what could not be measured."""

    kind: Literal["osteo-edge baseline"]
    schema: int
    created_by: str
    created_at: str
    runs: int
    seconds: float
    device: Device
    machine: Machine
    networks: tuple[BaselineNetwork, ...]
    missing: tuple[Missing, ...]


def write_baseline(baseline: Baseline, path: Path) -> Path:
    """Write the file whole or not at all; `OsteoEdgeError` if it cannot be written."""
    text = json.dumps(without_nan(to_dict(baseline)), indent=1, allow_nan=False)
    return write_whole(path, f"{text}\n".encode(), "the baseline")


def read_baseline(path: Path) -> Baseline:
    """Read a recorded baseline; `OsteoEdgeError` in one line if it is none, of another schema, or damaged."""
    document = _load(path)
    if document.get("kind") != KIND:
        raise OsteoEdgeError(f"{path}: is no baseline; give a file that `osteo-edge bench baseline` wrote")
    if document.get("schema") != SCHEMA:
        raise OsteoEdgeError(
            f"{path}: is of schema {document.get('schema')}, and this version reads {SCHEMA}; "
            "record it again with `osteo-edge bench baseline`"
        )
    try:
        return from_dict(Baseline, document)
    except FieldError as error:
        raise OsteoEdgeError(f"{path}: is damaged ({error}); record it again") from error


def _load(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise OsteoEdgeError(f"{path}: cannot be read ({error.strerror}); give a recorded baseline") from error
    except (ValueError, RecursionError) as error:
        raise OsteoEdgeError(f"{path}: is no JSON ({error}); give a recorded baseline") from error
    return found if isinstance(found, dict) else {}
