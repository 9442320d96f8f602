"""AArch64 instructions of one inference on an emulated board: repeatable, so a machine can watch them."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from osteo_edge.benchmarks.emulation.boards import Board, find_board
from osteo_edge.benchmarks.emulation.calibration import find_calibration
from osteo_edge.benchmarks.emulation.guest import RUNTIMES, Finished, GuestRuntime, prepare_guest, run_in_guest
from osteo_edge.benchmarks.emulation.host import available, emulator_version, last_line
from osteo_edge.benchmarks.emulation.plugin import Kind, compiled_plugin, plugin_option
from osteo_edge.benchmarks.measuring.results import Instructions
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.strict import from_dict

SCRIPT = Path(__file__).with_name("guest_count.py")
RUNS = 3
MAX_SPREAD = 0.01
XNNPACK_OPENED = "Created TensorFlow Lite XNNPACK delegate"


@dataclass(frozen=True)
class GuestCounts:
    """What the guest printed: by run, the counts of each `Kind` that an empty run and an inference added."""

    version: str
    delegated: bool
    empty: tuple[tuple[int, ...], ...]
    inferences: tuple[tuple[int, ...], ...]

    @property
    def runs(self) -> tuple[tuple[int, ...], ...]:
        """The inferences without what reading the counters itself costs."""
        overhead = [round(median(kind)) for kind in zip(*self.empty, strict=True)]
        return tuple(
            tuple(max(0, count - cost) for count, cost in zip(run, overhead, strict=True)) for run in self.inferences
        )

    @property
    def spread(self) -> float:
        """How much more the dearest inference took than the cheapest."""
        totals = [sum(run) for run in self.runs]
        return max(totals) / min(totals) - 1


def count_instructions(
    model: Path,
    cpu: str,
    *,
    precision: str | None = None,
    runtime: str = "LiteRT",
    on_progress: Callable[[str], None] = lambda note: None,
) -> Instructions:
    """Guest instructions of one inference of a TFLite file on the board with that processor, one thread, by kind.

    The median of three inferences after a warm-up, through the Python interface of the runtime, whose own share is
    some 20,000 instructions. `precision` is the manifest's; without it no time is estimated. What the guest needs is
    made on first use, and `on_progress` is told. `OsteoEdgeError` if emulation is not available here, the model does
    not run there, the runtime did not know the processor, or runs differ by more than 1 %.
    """
    board, guest_runtime = find_board(cpu), _find_runtime(runtime)
    missing = available()
    if missing is not None:
        raise OsteoEdgeError(missing)
    found = _count(model, board, guest_runtime, on_progress)
    if found.spread > MAX_SPREAD:
        raise OsteoEdgeError(f"{model}: its inferences on {cpu} differ by {found.spread:.1%} in instructions: no count")
    kinds = [round(median(kind)) for kind in zip(*found.runs, strict=True)]
    total = sum(kinds)
    calibration = find_calibration(cpu, runtime, precision)
    return Instructions(
        cpu=cpu,
        emulator=f"QEMU {emulator_version()}",
        runtime=f"{runtime} {found.version}",
        total=total,
        dot_product=kinds[Kind.DOT_PRODUCT],
        multiply_accumulate=kinds[Kind.MULTIPLY_ACCUMULATE],
        load=kinds[Kind.LOAD],
        store=kinds[Kind.STORE],
        other=kinds[Kind.OTHER],
        uses_xnnpack=found.delegated,
        spread=found.spread,
        estimated_ms=None if calibration is None else calibration.estimate_ms(total),
        calibration=None if calibration is None else str(calibration),
        estimated_threads=None if calibration is None else calibration.threads,
    )


def _count(model: Path, board: Board, runtime: GuestRuntime, on_progress: Callable[[str], None]) -> GuestCounts:
    guest = prepare_guest(runtime, on_progress)
    plugin = compiled_plugin()
    on_progress(f"{model} on {board.cpu}")
    with tempfile.NamedTemporaryFile(prefix="osteo-edge-counters-") as counters:
        arguments = [runtime.module, str(model.resolve()), counters.name, str(len(Kind)), str(RUNS)]
        option = plugin_option(plugin, Path(counters.name))
        words = [str(SCRIPT.resolve()), *arguments]
        finished = run_in_guest(guest, board, words, plugin=option, what=str(model))
    if runtime.always_opens_xnnpack and XNNPACK_OPENED not in finished.messages:
        raise OsteoEdgeError(
            f"{model}: {runtime.title} left XNNPACK out, so it did not know the emulated {board.cpu}: no count"
        )
    return _read(finished, model)


def _read(finished: Finished, model: Path) -> GuestCounts:
    try:
        return from_dict(GuestCounts, json.loads(last_line(finished.output)))
    except ValueError as error:
        raise OsteoEdgeError(f"{model}: the guest did not print its counts ({last_line(finished.messages)})") from error


def _find_runtime(title: str) -> GuestRuntime:
    try:
        return RUNTIMES[title]
    except KeyError as error:
        raise OsteoEdgeError(f"{title}: no runtime of the guest; there are {', '.join(RUNTIMES)}") from error
