"""How fast the app starts, answers and searches, and what it takes; docs/app.md has the figures.

python -m osteo_edge.edge_app.app_timing
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
import cv2
import numpy as np

from osteo_edge.cli import EXIT_FAILED
from osteo_edge.console import Advance, progress, show_json, show_table
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.virtual_display import virtual_display
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.intervals import Estimate, Indices, estimate

FILM_PX: Final = (1600, 1250)
"""Height and width: two megapixels."""
LARGE_FILM_PX: Final = (2560, 2266)
"""As the largest of 199 public knee films has: 5.8 megapixels."""
TIMEOUT_S: Final = 900.0
LONGEST_FRAME_MS: Final = 3 / 60 * 1000
"""A frame that comes when two have been missed."""


@dataclass(frozen=True)
class Figure:
    """One measure with its 95 % bootstrap interval over runs (none where `n` is 1), and the most it may be."""

    measure: str
    found: Estimate
    bound: float
    digits: int = 2

    @property
    def holds(self) -> bool:
        return self.found.value <= self.bound


def measure_app(*, starts: int, screenings: int, series: int, advance: Advance) -> Iterator[Figure]:
    """Measure all; `starts` of the app and of a bare window take turns, the others come after."""
    with virtual_display() as display, TemporaryDirectory(prefix="app-timing-") as scratch:
        folder = Path(scratch)
        total = 2 * starts + 4
        runs = list[tuple[dict[str, Any], dict[str, Any]]]()
        for number in range(starts):
            advance(2 * number, total)
            runs.append((_probe(display, "bare", folder / "bare"), _probe(display, "start", folder / "clinic")))
        yield from _of_starts(runs)
        advance(2 * starts, total, stage="idle")
        idle = _probe(display, "idle", folder / "clinic")
        yield Figure("processor while idle, %", _single(100 * idle["cpu_share"]), 2)
        advance(2 * starts + 1, total, stage="screenings")
        film = _write_film(folder / "film.jpg", FILM_PX)
        answers = _probe(display, "screen", folder / "clinic", film, screenings)
        yield Figure("tap to drawn result, 2 megapixels, s", _median(answers["drawn_s"]), 0.7)
        longest = _single(max(answers["longest_working_s"]) * 1000)
        yield Figure("longest time without a frame while a film is screened, ms", longest, LONGEST_FRAME_MS, 0)
        longest = _single(max(answers["longest_s"]) * 1000)
        yield Figure("the same, with the building of the screens around it, ms", longest, LONGEST_FRAME_MS, 0)
        advance(2 * starts + 2, total, stage="memory")
        large = _write_film(folder / "large.jpg", LARGE_FILM_PX)
        memory = _probe(display, "screen", folder / "clinic", large, 3)
        yield Figure("peak memory, film of 5.8 megapixels open, MB", _single(memory["peak_mb"]), 250, 0)
        advance(2 * starts + 3, total, stage="a series")
        saved = _probe(display, "save", folder / "series", film, series)
        if saved["saved"] != series:
            raise OsteoEdgeError(f"{saved['saved']} of {series} screenings were saved")
        growth = _single(saved["late_mb"] - saved["early_mb"])
        yield Figure(f"growth of memory over {series} screenings, MB", growth, 10, 1)
        advance(total, total)


def _of_starts(runs: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> Iterator[Figure]:
    bare = np.array([run["drawn_at"] - run["started_at"] for run, _ in runs])
    home = np.array([run["drawn_at"] - run["started_at"] for _, run in runs])
    loaded = np.array([run["model_at"] - run["started_at"] for _, run in runs])

    def ratio(cases: Indices) -> float:
        return float(np.median(home[cases]) / np.median(bare[cases]))

    yield Figure("start to the home screen, s", _median(home), 2.5)
    yield Figure("start to the model named and loaded, s", _median(loaded), 2.5)
    yield Figure("start to the home screen over that of a bare window", estimate(ratio, len(runs)), 1.3)


def _probe(display: dict[str, str], job: str, folder: Path, film: Path | None = None, count: int = 1) -> dict[str, Any]:
    command = [
        sys.executable,
        "-P",
        "-m",
        "osteo_edge.edge_app.ui.probe",
        job,
        str(folder),
        str(film or ""),
        str(count),
    ]
    if sys.version_info < (3, 11):
        command.remove("-P")
    started_at = time.time()
    finished = subprocess.run(
        command, env=os.environ | display, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if finished.returncode != 0:
        reason = (finished.stderr.strip().splitlines() or ["no word"])[-1]
        raise OsteoEdgeError(f"the app could not be measured ({job}: {reason})")
    return {"started_at": started_at} | dict(json.loads(finished.stdout))


def _write_film(path: Path, shape: tuple[int, int]) -> Path:
    """The drawn film, enlarged to `shape`, as a JPEG file."""
    film = cv2.imread(str(DRAWN_FILM), cv2.IMREAD_GRAYSCALE)
    assert film is not None
    height, width = shape
    enlarged = cv2.resize(film, (width, height), interpolation=cv2.INTER_CUBIC)
    path.write_bytes(cv2.imencode(".jpg", enlarged, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
    return path


def _median(values: Any) -> Estimate:
    kept = np.asarray(values, np.float64)
    return estimate(lambda cases: float(np.median(kept[cases])), kept.size)


def _single(value: float) -> Estimate:
    return Estimate(value, value, value, 1)


def _cells(figure: Figure) -> tuple[str, ...]:
    def number(value: float) -> str:
        return f"{value:.{figure.digits}f}"

    found = figure.found
    interval = f"{number(found.low)} to {number(found.high)}" if found.n > 1 else ""
    verdict = "holds" if figure.holds else "missed"
    return figure.measure, number(found.value), interval, str(found.n), number(figure.bound), verdict


@click.command()
@click.option("--starts", default=15, show_default=True, type=click.IntRange(3, 500), help="Starts of each program.")
@click.option("--screenings", default=20, show_default=True, type=click.IntRange(3, 500), help="Films, one by one.")
@click.option("--series", default=500, show_default=True, type=click.IntRange(10, 5000), help="Films that are saved.")
@click.option("--json", "as_json", is_flag=True, help="The same for machines.")
@click.pass_context
def main(ctx: click.Context, starts: int, screenings: int, series: int, as_json: bool) -> None:
    """Measure the app's window on a display that nobody sees, with OpenGL in software.

    The exit code is 1 if a bound was missed. Runs beside it make everything slower, the bare window too.
    """
    with progress("starts") as advance:
        figures = list(measure_app(starts=starts, screenings=screenings, series=series, advance=advance))
    if as_json:
        show_json([asdict(figure) | {"holds": figure.holds} for figure in figures])
    else:
        columns = ("measure", "median or value", "95 % interval", "n", "at most", "")
        show_table("osteo-edge app", columns, map(_cells, figures))
    ctx.exit(0 if all(figure.holds for figure in figures) else EXIT_FAILED)


if __name__ == "__main__":
    main()
