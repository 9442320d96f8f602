"""Memory and time of `osteo-edge data audit` by the number of files: flat but for the records, and linear.

python -m osteo_edge.benchmarks.training.scaling
"""

import math
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import click
import cv2
import numpy as np
import numpy.typing as npt

from osteo_edge.benchmarks.measuring.cold_process import ColdRun, run_cold
from osteo_edge.benchmarks.measuring.command import finish
from osteo_edge.benchmarks.measuring.comparison import Check, interleave, median_ratio
from osteo_edge.benchmarks.measuring.environment import Environment, read_environment
from osteo_edge.console import Advance, progress, show_table
from osteo_edge.dataset import Case, read_dataset
from osteo_edge.errors import DatasetError
from osteo_edge.metrics import Estimate
from osteo_edge.radiograph import Pixels, read_radiograph
from osteo_edge.standalone import Standalone
from osteo_edge.table import write_table

Phantom = tuple[Pixels, Case]

MAX_MEMORY_RATIO = 1.15
RECORD_BYTES = 3072
"""What the audit may keep of a file: its line of the data set (about 750 bytes, names included), its fingerprint (about
950, of which 256 are perceptual hashes), its part of the result as JSON (about 650), and what allocators round up."""
MAX_TIME_RATIO = 1.5
"""The search for near copies is not quite linear, and what fits into caches is quicker; quadratic time gives 10."""

PHANTOMS_PER_CLASS = 34
HEIGHT_PX = 256
WIDTHS_PX = (200, 257)
COLUMNS = ("path", "label", "patient", "age", "sex", "weight")


@dataclass(frozen=True)
class Scaling:
    """Every run over each number of files, in the order of the rounds; rates and ratios are derived."""

    environment: Environment
    runs: dict[int, tuple[ColdRun, ...]]

    @property
    def checks(self) -> tuple[Check, ...]:
        least, most = min(self.runs), max(self.runs)
        memory = f"peak memory, {most:,} / {least:,} files, {RECORD_BYTES} bytes for each file more taken off"
        time = f"CPU time for each file more, up to {most:,} / from {least:,} files"
        return (
            Check(memory, self._memory_ratio(least, most), "at most", MAX_MEMORY_RATIO),
            Check(time, self._time_ratio(), "at most", MAX_TIME_RATIO),
        )

    @property
    def ms_per_file(self) -> dict[int, float]:
        """By number of files, the CPU time of each file more than in the next smaller size: the median of rounds."""
        return {more: median(values) for (_, more), values in self._rates().items()}

    def to_dict(self) -> dict[str, Any]:
        """The result for machines: raw values first, what is derived from them last."""
        derived = {"ms_per_file": self.ms_per_file, "checks": [check.to_dict() for check in self.checks]}
        return {**asdict(self), "record_bytes": RECORD_BYTES, **derived}

    def _rates(self) -> dict[tuple[int, int], list[float]]:
        """CPU milliseconds for each file more, between neighbouring sizes: starting the program is in neither.

        CPU time, because what else the machine does in minutes would decide the ratio otherwise.
        """
        return {
            (few, more): [
                (larger.cpu_ms - smaller.cpu_ms) / (more - few)
                for smaller, larger in zip(self.runs[few], self.runs[more], strict=True)
            ]
            for few, more in pairwise(sorted(self.runs))
        }

    def _memory_ratio(self, least: int, most: int) -> Estimate:
        records_mib = (most - least) * RECORD_BYTES / 2**20
        flat = [run.peak_mib - records_mib for run in self.runs[most]]
        return median_ratio(flat, [run.peak_mib for run in self.runs[least]])

    def _time_ratio(self) -> Estimate:
        rates = list(self._rates().values())
        return median_ratio(rates[-1], rates[0])


def measure_scaling(
    folder: Path,
    sizes: Sequence[int],
    *,
    runs: int,
    measure: Callable[[list[str]], ColdRun] = run_cold,
    on_progress: Advance,
) -> Scaling:
    """Draw the files into `folder` and audit the first of them, as many as each of `sizes` says, in `runs` rounds.

    The first audit of all is not counted. Raises `OsteoEdgeError` if the audit fails.
    """
    environment = read_environment()
    listed = draw_files(folder, sizes, on_progress=partial(on_progress, stage="Drawing files"))
    measures = {size: partial(measure, _osteo_edge("data", "audit", table, "--json")) for size, table in listed.items()}
    measures[min(sizes)]()
    named = {str(size): each for size, each in measures.items()}
    found = interleave(named, runs, on_progress=partial(on_progress, stage="Audits"))
    return Scaling(environment, {int(size): values for size, values in found.items()})


def draw_files(folder: Path, sizes: Sequence[int], *, on_progress: Callable[[int, int], None]) -> dict[int, Path]:
    """Draw as many films as the largest of `sizes` into `folder`; returns a data set CSV for each size.

    Each film is two of about 100 phantoms, each turned, cropped and moved by chance, laid over each other by chance,
    with a gamma and noise of its own: no two are copies, exact or near. It has the first one's label, and a patient
    of its own.
    """
    phantoms = _draw_phantoms(folder / "phantoms")
    rows: list[Sequence[object]] = []
    for number in range(max(sizes)):
        film, case = vary(phantoms, np.random.default_rng([0, number]))
        name = f"{number:07}.jpg"
        (folder / name).write_bytes(cv2.imencode(".jpg", film)[1].tobytes())
        rows.append((name, case.label, f"S{number:07}", case.age, case.sex, case.weight))
        on_progress(number + 1, max(sizes))
    tables = {size: folder / f"files-{size}.csv" for size in sizes}
    for size, table in tables.items():
        write_table(table, COLUMNS, rows[:size])
    return tables


def vary(phantoms: Sequence[Phantom], rng: np.random.Generator) -> tuple[npt.NDArray[np.uint8], Case]:
    """A film of 8 bits that no phantom and no other variation is near to, and the first of its two phantoms' case."""
    first, second = rng.choice(len(phantoms), 2, replace=False)
    width, share = int(rng.integers(*WIDTHS_PX)), rng.uniform(0.55, 0.8)
    upper, lower = (_moved(phantoms[number][0], width, rng) for number in (first, second))
    film = (share * upper + (1 - share) * lower) ** rng.uniform(0.7, 1.4) + rng.normal(0, 0.01, upper.shape)
    return np.clip(np.rint(film * 255), 0, 255).astype(np.uint8), phantoms[first][1]


def _moved(film: Pixels, width: int, rng: np.random.Generator) -> Pixels:
    height, own_width = film.shape
    middle, angle = (own_width / 2, height / 2), rng.uniform(-20, 20)
    turn = np.asarray(cv2.getRotationMatrix2D(middle, angle, rng.uniform(1.05, 1.5)), np.float64)
    turn[:, 2] += rng.uniform(-0.12, 0.12, 2) * (own_width, height)
    return np.asarray(cv2.warpAffine(film, turn, (width, HEIGHT_PX), borderMode=cv2.BORDER_REFLECT), np.float32)


def _draw_phantoms(folder: Path) -> list[Phantom]:
    run_cold(_osteo_edge("data", "phantom", folder, "--per-class", PHANTOMS_PER_CLASS, "--size", HEIGHT_PX))
    return [(read_radiograph(case.path).pixels, case) for case in read_dataset(folder).cases]


def _osteo_edge(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "osteo_edge", *map(str, arguments)]


def read_sizes(ctx: click.Context, option: click.Parameter, text: str) -> tuple[int, ...]:
    """Numbers of files in ascending order; between two alone, their geometric mean is put, so that there are rates."""
    words = text.split(",")
    sizes = sorted({int(word) for word in words if word.strip().isdecimal()})
    if len(sizes) < 2 or len(sizes) != len(words) or sizes[0] < 100 or sizes[-1] < 10 * sizes[0]:
        raise click.BadParameter("give at least two numbers, the least 100 or more, the most ten times the least")
    return (sizes[0], round(math.sqrt(sizes[0] * sizes[1])), sizes[1]) if len(sizes) == 2 else tuple(sizes)


@contextmanager
def _folder_for(keep: Path | None) -> Iterator[Path]:
    """`keep`, which must be new, or a folder that is removed at the end, also if that is Ctrl-C."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="osteo-edge-scaling-") as folder:
            yield Path(folder)
        return
    try:
        keep.mkdir(parents=True)
    except OSError as error:
        raise DatasetError(f"{keep}: cannot be made ({error.strerror}); name a new folder") from error
    yield keep


@click.command(cls=Standalone, short_help="Memory and time of an audit, by the number of files.")
@click.option("--sizes", default="200,20000", show_default=True, callback=read_sizes, help="Numbers of files.")
@click.option("--runs", type=click.IntRange(1, 100), default=3, show_default=True, help="Audits of each size.")
@click.option("--keep", type=click.Path(path_type=Path), help="A new folder to draw the files into, and leave there.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines, with every value measured.")
@click.pass_context
def scaling(ctx: click.Context, sizes: tuple[int, ...], runs: int, keep: Path | None, as_json: bool) -> None:
    """Measure whole processes of `osteo-edge data audit` over few and over many files.

    The files are drawn: about 100 phantoms once, 256 pixels high, and each file two of them, turned, cropped, moved
    and laid over each other by chance, with another gamma and noise, as JPEG; none is a copy of another, exact or
    near. They take 20 KB each and lie in a temporary folder. Between two sizes a third one is put.

    The exit code is 1 if the peak of the resident memory over the most files is more than 1.15 times that over the
    least, 3 KiB for each file more taken off; or if a file more takes more than 1.5 times the CPU time among the
    many that it takes among the few.

    \b
    Example:
      python -m osteo_edge.benchmarks.training.scaling --sizes 200,2000,20000
    """
    with _folder_for(keep) as folder, progress("Phantoms") as advance:
        result = measure_scaling(folder, sizes, runs=runs, on_progress=advance)
    if not as_json:
        _show(result)
    finish(ctx, result, as_json=as_json)


def _show(result: Scaling) -> None:
    rates = result.ms_per_file
    rows = [
        (
            f"{size:,}",
            f"{median(run.wall_ms for run in runs) / 1000:.2f}",
            f"{median(run.cpu_ms for run in runs) / 1000:.2f}",
            f"{rates[size]:.2f}" if size in rates else "",
            f"{median(run.peak_mib for run in runs):.1f}",
        )
        for size, runs in sorted(result.runs.items())
    ]
    columns = ("Files", "Time, median s", "CPU time, median s", "CPU time, each file more, ms", "Peak memory, MiB")
    show_table(f"osteo-edge data audit: {len(result.runs[min(result.runs)])} cold processes of each", columns, rows)


if __name__ == "__main__":
    scaling()
