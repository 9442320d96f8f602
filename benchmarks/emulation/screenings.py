"""AArch64 instructions of whole screenings on an emulated board: Python, imports, film, inference and answer."""

import json
import shutil
import struct
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

import osteo_edge
from osteo_edge.benchmarks.emulation.boards import Board, find_board
from osteo_edge.benchmarks.emulation.guest import RUNTIMES, Guest, prepare_guest, run_in_guest
from osteo_edge.benchmarks.emulation.host import available, last_line
from osteo_edge.benchmarks.emulation.instructions import MAX_SPREAD
from osteo_edge.benchmarks.emulation.plugin import Kind, compiled_plugin, plugin_option
from osteo_edge.benchmarks.measuring.results import Instructions, ScreeningInstructions
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError

RUNTIME = "LiteRT"
RUNS = 3
MODULE = "osteo_edge"
SETTINGS = {"OSTEO_EDGE_PREFLIGHT": "0", "OPENCV_FOR_THREADS_NUM": "1"}
"""Without the pre-flight, which a device goes through once and keeps, and with one thread, as in one process, wherever
there could be more: the counters are exact for one only, and those that wait for each other would add what varies."""

Counts = tuple[int, ...]
"""By `Kind`."""


@dataclass(frozen=True)
class Screened:
    """What one process of `osteo-edge screen` took, and the outcome of its last film with the reason."""

    counts: Counts
    outcome: str
    reason: str


def count_screening(
    bundle: Bundle,
    film: Path,
    inference: Instructions,
    *,
    on_progress: Callable[[str], None] = lambda note: None,
) -> ScreeningInstructions:
    """Guest instructions of `osteo-edge screen BUNDLE FILM --threads 1`, cold, and of one more film in it, warm.

    Films are decoded in one process (--one-process); what one apart costs, `benchmarks.films.isolation_cost` tells.

    `inference` is what `count_instructions` found for the bundle's model: the screening is counted on the same
    processor, and must hold an inference by the same kernels. Medians of three processes with one film and of three
    with two, after one that is not counted and compiles Python's modules, as an installer does. This program's own
    modules are those that run now. `OsteoEdgeError` if emulation is not available here, the film cannot be read or is
    rejected, or runs differ by more than 1 %.
    """
    board = find_board(inference.cpu)
    missing = available()
    if missing is not None:
        raise OsteoEdgeError(missing)
    guest = prepare_guest(RUNTIMES[RUNTIME], on_progress)
    with tempfile.TemporaryDirectory(prefix="osteo-edge-program-") as folder:
        _copy_program(Path(folder))
        screen = partial(_screen, guest, board, Path(folder), bundle, film)
        on_progress(f"{film.name} on {board.cpu}: the first screening compiles modules")
        _check(screen(1), film)
        one, two = list[Counts](), list[Counts]()
        for run in range(RUNS):
            on_progress(f"{film.name} on {board.cpu}: run {run + 1} of {RUNS}")
            one.append(screen(1).counts)
            two.append(screen(2).counts)
    warm = _summed_up(
        [tuple(both - alone for both, alone in zip(two[run], one[run], strict=True)) for run in range(RUNS)],
        inference,
        f"warm screenings of {film}",
    )
    _check_inferred(warm, inference, film)
    return ScreeningInstructions(film.name, _summed_up(one, inference, f"cold screenings of {film}"), warm)


def _copy_program(folder: Path) -> None:
    """The modules that a screening needs, without those compiled for this machine's Python: the core's own folders."""
    source = Path(osteo_edge.__file__).parent
    (folder / MODULE).mkdir()
    for file in source.iterdir():
        if file.is_file():
            shutil.copy2(file, folder / MODULE)
    compiled = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source / "raster", folder / MODULE / "raster", ignore=compiled)


def _screen(guest: Guest, board: Board, programs: Path, bundle: Bundle, film: Path, films: int) -> Screened:
    """Screen the film in a process of its own, `films` times."""
    words = ["-m", MODULE, "screen", str(bundle.path.resolve()), *([str(film.resolve())] * films)]
    counters = programs / "counters"
    finished = run_in_guest(
        guest,
        board,
        [*words, "--json", "--force", "--threads", "1", "--one-process"],
        plugin=plugin_option(compiled_plugin(), counters),
        what=str(film),
        programs=programs,
        settings=SETTINGS,
    )
    counts = struct.unpack(f"={len(Kind)}Q", counters.read_bytes()[: 8 * len(Kind)])
    try:
        answer = json.loads(last_line(finished.output))
        return Screened(counts, answer["outcome"], next(iter(answer["reasons"]), ""))
    except (ValueError, KeyError, TypeError) as error:
        raise OsteoEdgeError(f"{film}: the guest did not print an answer ({last_line(finished.messages)})") from error


def _check(screened: Screened, film: Path) -> None:
    if screened.outcome == "rejected":
        raise OsteoEdgeError(f"{film}: is rejected ({screened.reason}), so nothing is inferred; give a radiograph")


def _summed_up(runs: Sequence[Counts], inference: Instructions, what: str) -> Instructions:
    totals = [sum(run) for run in runs]
    spread = max(totals) / min(totals) - 1
    if spread > MAX_SPREAD:
        raise OsteoEdgeError(f"{what} on {inference.cpu} differ by {spread:.1%} in instructions: no count")
    kinds = [round(median(kind)) for kind in zip(*runs, strict=True)]
    return replace(
        inference,
        total=sum(kinds),
        dot_product=kinds[Kind.DOT_PRODUCT],
        multiply_accumulate=kinds[Kind.MULTIPLY_ACCUMULATE],
        load=kinds[Kind.LOAD],
        store=kinds[Kind.STORE],
        other=kinds[Kind.OTHER],
        spread=spread,
        estimated_ms=None,
        calibration=None,
        estimated_threads=None,
    )


def _check_inferred(warm: Instructions, inference: Instructions, film: Path) -> None:
    """The arithmetic of the inference must be in there: other kernels, or none, would take another amount."""
    for kind in ("dot_product", "multiply_accumulate"):
        if getattr(warm, kind) < getattr(inference, kind) * (1 - MAX_SPREAD):
            raise OsteoEdgeError(
                f"{film}: its screening on {warm.cpu} has fewer instructions of the kind {kind.replace('_', ' ')} than "
                "an inference, so the model did not run there by the same kernels: no count"
            )
