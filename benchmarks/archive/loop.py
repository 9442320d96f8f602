"""Films one after the other in a single process: what the engines that screen an archive are held against.

python -m osteo_edge.benchmarks.archive.loop BUNDLE FOLDER --films 500
"""

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import median

import click

from osteo_edge.archive.worker import keep_to_one_thread
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import show_json
from osteo_edge.isolated_reading import IsolatedReader
from osteo_edge.preflight import open_checked
from osteo_edge.preprocessing import lay_out, to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.reading import Reader, read_film
from osteo_edge.runtime import Interpreter
from osteo_edge.standalone import Standalone


@dataclass(frozen=True)
class LoopTimes:
    """Films a second: of decoding, preparing and inference alone, and with the input gate, as every screening has it.

    `stage_ms` are the medians of the stages, that of the gate being what the second has over the first.
    """

    films: int
    bare_films_per_second: float
    gated_films_per_second: float
    stage_ms: dict[str, float]


def measure(bundle: Bundle, films: Sequence[Path], read: Reader) -> LoopTimes:
    """Screen the films without the gate, and once more with it; the first film is not timed."""
    interpreter = open_checked(bundle, threads=1)
    stages: dict[str, list[float]] = {"read": [], "prepare": [], "infer": []}
    gated: list[float] = []
    _bare(films[0], bundle, interpreter, read, {name: [] for name in stages})
    for film in films:
        _bare(film, bundle, interpreter, read, stages)
    for film in films:
        start = time.perf_counter()
        read_film(film, bundle, interpreter, any_film=True, read=read)
        gated.append(1000 * (time.perf_counter() - start))
    bare = sum(map(sum, stages.values()))
    medians = {name: median(times) for name, times in stages.items()}
    medians["gate"] = median(gated) - sum(medians.values())
    return LoopTimes(len(films), 1000 * len(films) / bare, 1000 * len(films) / sum(gated), medians)


def _bare(film: Path, bundle: Bundle, interpreter: Interpreter, read: Reader, stages: dict[str, list[float]]) -> None:
    start = time.perf_counter()
    radiograph = read(film)
    decoded = time.perf_counter()
    tensor = to_tensor(radiograph.pixels, bundle.manifest.input, lay_out(radiograph.pixels, bundle.manifest.input))
    prepared = time.perf_counter()
    interpreter.run(tensor)
    done = time.perf_counter()
    for name, seconds in zip(stages, (decoded - start, prepared - decoded, done - prepared), strict=True):
        stages[name].append(1000 * seconds)


@click.command(cls=Standalone, short_help="Films one after the other in a single process.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--films", type=click.IntRange(2), default=500, show_default=True, help="The first that are found.")
@click.option("--one-process", is_flag=True, help="Decode films in this process, and not in one apart.")
def archive_loop(bundle: Path, folder: Path, films: int, one_process: bool) -> None:
    """Screen films in a plain loop with one thread, and show as JSON how many that makes in a second.

    \b
    Example:
      python -m osteo_edge.benchmarks.archive.loop knee-int8 phantoms/ --films 500
    """
    keep_to_one_thread()
    found = list(islice((path for path in sorted(folder.rglob("*")) if path.is_file()), films))
    with ExitStack() as stack:
        apart = not one_process and sys.platform == "linux"
        read: Reader = stack.enter_context(IsolatedReader()) if apart else read_radiograph
        show_json(asdict(measure(read_bundle(bundle), found, read)))


if __name__ == "__main__":
    archive_loop(prog_name="python -m osteo_edge.benchmarks.archive.loop")
