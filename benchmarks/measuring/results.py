"""What `osteo-edge bench` found, as values: one `Report` of measurements, raw values included, for files and pages.

Times are in milliseconds of a monotonic clock unless a name says otherwise, memory and sizes in bytes. A facet that was
not measured is None, and the report's `missing` says why. Everything is read and written by `osteo_edge.strict`.
"""

from dataclasses import dataclass
from typing import Literal

from osteo_edge.intervals import Estimate

SCHEMA = 1


@dataclass(frozen=True)
class Summary:
    """What a distribution of times comes to; the median has a 95 % interval by a bootstrap over turns, not runs."""

    median: Estimate
    p90: float
    p95: float
    p99: float
    minimum: float
    mean: float
    standard_deviation: float


@dataclass(frozen=True)
class Turn:
    """Runs that followed each other in one process, while the other variants waited.

    `process` is the number of the process, from 0: each is started afresh. `at_s` is when the turn began, in seconds
    since the measurement began. `cpu_ms` is the time of all the process's threads, `waited_ms` the longest that one of
    them was ready to run but had no core, `switches` how often one was taken its core: all over the turn.
    `yardstick_ms` is what a fixed calculation took right after it, the same for every model: the machine's own speed.
    """

    process: int
    at_s: float
    runs_ms: tuple[float, ...]
    cpu_ms: float | None = None
    waited_ms: float | None = None
    switches: int | None = None
    yardstick_ms: float | None = None


@dataclass(frozen=True)
class Latency:
    """Inference alone, from the input in place to the output in place, with every run that was timed, in order.

    `warm_up_ms` are the first runs of each process, which count for nothing else, and `load_ms` is what each process
    took to import its runtime and load the model. `version` and `delegate` are what the runtime said of itself.
    """

    summary: Summary
    turns: tuple[Turn, ...]
    warm_up_ms: tuple[float, ...]
    load_ms: tuple[float, ...] | None = None
    version: str | None = None
    delegate: str | None = None


@dataclass(frozen=True)
class Stages:
    """Every value of each step from a file to an answer; `cold_start` is a whole process up to its first answer."""

    cold_start_ms: tuple[float, ...]
    decode_ms: tuple[float, ...]
    preprocess_ms: tuple[float, ...]
    inference_ms: tuple[float, ...]
    activation_map_ms: tuple[float, ...]
    end_to_end_ms: tuple[float, ...]
    image: str


@dataclass(frozen=True)
class Memory:
    """What a process holds that loads the model and runs it; `bare` is one with the interpreter but no model.

    Peaks are the kernel's high-water marks of the resident set, medians over the processes whose values are in
    `peaks_bytes` and `bare_peaks_bytes`. The proportional set counts shared pages by share. The arena is the span in
    which TFLite's own planner lays out what a run writes; a delegate keeps a workspace of its own, which is not in it.
    """

    peak_bytes: int
    bare_peak_bytes: int
    proportional_bytes: int | None
    arena_bytes: int | None
    model_is_mapped: bool | None
    peaks_bytes: tuple[int, ...] | None = None
    bare_peaks_bytes: tuple[int, ...] | None = None

    @property
    def added_bytes(self) -> int:
        """What the model adds over the bare interpreter."""
        return self.peak_bytes - self.bare_peak_bytes


@dataclass(frozen=True)
class Size:
    """Of the model file. Parameters and multiply-accumulate operations (of one image) are counted in its graph."""

    model_bytes: int
    gzip_bytes: int
    parameters: int
    zero_parameters: int
    macs: int


@dataclass(frozen=True)
class OperatorTime:
    """The median time of one operator in a run, and its share of all operators' time.

    `operator` is the model's operator or the delegate's kernel, `name` the tensor that it writes, or its place.
    """

    operator: str
    name: str
    median_ms: float
    share: float


@dataclass(frozen=True)
class Placement:
    """Who computes the graph: all operators and their MACs, and those that the delegate took.

    `in_float` counts, by operator, those that compute in floating point. `slowest` are the ten that take longest, as
    the runtime's profiler tells them, with the delegate on; `slowest_missing` says why there are none.
    """

    delegate: str | None
    operators: int
    delegated_operators: int
    macs: int
    delegated_macs: int
    in_float: dict[str, int]
    undelegated: dict[str, int]
    slowest: tuple[OperatorTime, ...]
    slowest_missing: str | None = None


@dataclass(frozen=True)
class Fidelity:
    """How well the bundle answers on labelled images, and how it changed beside `reference`, its float bundle, if any.

    AUROCs are by question. All changes are paired. `images_sha256` tells whether another report is of the same images
    under the same labels; reports of before have none.
    """

    part: str
    n: int
    on_trained_split: bool
    aurocs: dict[str, Estimate]
    calibration_error: Estimate
    reference: str | None = None
    auroc_changes: dict[str, Estimate] | None = None
    decisions_agree: Estimate | None = None
    mean_difference: float | None = None
    images_sha256: str | None = None


@dataclass(frozen=True)
class Energy:
    """Of one inference, everything that the source sees included, what it takes when idle too: a supply pays for all.

    `source` is the counter's name. `runs` were measured, one after the other, in `seconds`; `idle_watts` were before.
    """

    source: str
    millijoules: float
    idle_watts: float
    runs: int | None = None
    seconds: float | None = None

    @property
    def millijoules_above_idle(self) -> float | None:
        """What one inference adds to an idle machine; None where the time was not kept."""
        if self.runs is None or self.seconds is None:
            return None
        return self.millijoules - self.idle_watts * self.seconds / self.runs * 1000


@dataclass(frozen=True)
class Instructions:
    """Guest instructions of one inference on an emulated CPU, one thread: a proxy for cost, no time.

    `estimated_ms` scales them by a published time, which `calibration` names; None where there is none to scale by.
    That time, and so the estimate, is of `estimated_threads` threads on the board.
    `spread` is the share by which the dearest run that was counted lies above the cheapest.
    """

    cpu: str
    emulator: str
    runtime: str
    total: int
    dot_product: int
    multiply_accumulate: int
    load: int
    store: int
    other: int
    uses_xnnpack: bool
    estimated_ms: float | None = None
    calibration: str | None = None
    spread: float | None = None
    estimated_threads: int | None = None


@dataclass(frozen=True)
class ScreeningInstructions:
    """Guest instructions of `osteo-edge screen` on an emulated CPU, for the film `image`.

    `cold` is a whole process that screens one film, from the start of Python to its end; `warm` is what another film
    adds to such a process.
    """

    image: str
    cold: Instructions
    warm: Instructions


@dataclass(frozen=True)
class BesideBaseline:
    """A variant beside one row of a recorded baseline, batch 1: ratios above 1 mean that the variant needs more.

    The baseline's images a second are at its best batch size, `baseline_batch`. Its memory is that on the device where
    the framework counts it, else of the process. One that is not `on_accelerator` was recorded on a CPU.
    """

    device: str
    precision: str
    latency_ratio: Estimate
    images_per_second: float
    baseline_images_per_second: float
    memory_ratio: float | None
    size_ratio: float | None
    decisions_agree: Estimate | None
    mean_difference: float | None
    baseline_batch: int | None = None
    on_accelerator: bool | None = None
    has_random_weights: bool | None = None


@dataclass(frozen=True)
class Configuration:
    """One way of running a model in one runtime, and what it took."""

    threads: int
    delegate: bool
    latency: Latency


@dataclass(frozen=True)
class Tuning:
    """Every configuration that was tried, the fastest first; the usual one has `default_threads` and the delegate.

    `slowdown` is its median over that of the fastest; `passed` tells whether that is within the bound.
    """

    bundle: str
    runtime: str
    configurations: tuple[Configuration, ...]
    default_threads: int
    slowdown: Estimate
    passed: bool


@dataclass(frozen=True)
class Variant:
    """One model in one way of running it; `name` is unique within a report.

    `bundle` is the path as it was given. `is_peer` marks a runtime that is only compared with, not used by the toolkit;
    `peer_difference` is that of its answers from the TFLite runtime's, relative to them.
    """

    name: str
    bundle: str
    network: str
    precision: str
    model_sha256: str
    runtime: str
    threads: int
    delegate: str | None
    is_peer: bool
    peer_difference: float | None = None


@dataclass(frozen=True)
class Measurement:
    """All that was found about one variant; `unstable` are the reasons, in words, not to trust its times."""

    variant: Variant
    latency: Latency | None = None
    stages: Stages | None = None
    memory: Memory | None = None
    size: Size | None = None
    placement: Placement | None = None
    fidelity: Fidelity | None = None
    energy: Energy | None = None
    instructions: tuple[Instructions, ...] | None = None
    baselines: tuple[BesideBaseline, ...] | None = None
    unstable: tuple[str, ...] | None = None
    screenings: tuple[ScreeningInstructions, ...] | None = None


@dataclass(frozen=True)
class MachineState:
    """What may change while one measures; None where the machine does not tell."""

    at: str
    load_average: float
    available_memory_bytes: int | None
    clock_mhz: float | None
    temperature_c: float | None
    throttling: tuple[str, ...]


@dataclass(frozen=True)
class Machine:
    """What was measured on; `libraries` are versions by package. `revision` is that of this program's git checkout."""

    cpu: str
    cpu_features: tuple[str, ...]
    cores: int
    memory_bytes: int | None
    governor: str | None
    system: str
    python: str
    libraries: dict[str, str]
    revision: str | None
    before: MachineState
    after: MachineState


@dataclass(frozen=True)
class Missing:
    """Something asked for that was not measured: of what, what, why and what to do."""

    of: str
    what: str
    reason: str


@dataclass(frozen=True)
class Settings:
    """How it was measured: at least so many runs and seconds for each variant, or what the budget allowed."""

    mode: Literal["full", "quick"]
    runs: int
    seconds: float
    budget_s: float | None
    seed: int


@dataclass(frozen=True)
class Report:
    """The whole result of one call, in the order in which bundles were given."""

    schema: int
    created_by: str
    created_at: str
    settings: Settings
    machine: Machine
    measurements: tuple[Measurement, ...]
    missing: tuple[Missing, ...]
    tunings: tuple[Tuning, ...] | None = None
