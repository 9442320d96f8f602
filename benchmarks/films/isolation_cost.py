"""What it costs to decode films in a process apart, beside decoding them here, in turns.

python -m osteo_edge.benchmarks.films.isolation_cost FILM... --rounds 20
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import NamedTuple

import click

from osteo_edge.console import show_json, show_table
from osteo_edge.heap import keep_little_memory
from osteo_edge.isolated_reading import IsolatedReader
from osteo_edge.radiograph import Radiograph, read_radiograph
from osteo_edge.standalone import Standalone


@dataclass(frozen=True)
class Cost:
    """For one film: medians over the rounds, `ratio` of neighbours in time; and the mean CPU time, wherever spent."""

    film: str
    megapixels: float
    here_ms: float
    apart_ms: float
    ratio: float
    here_cpu_ms: float
    apart_cpu_ms: float


@dataclass(frozen=True)
class Costs:
    """The films, the memory (PSS) of the process that waits, and how long it took until its first film."""

    films: tuple[Cost, ...]
    waiting_mb: float
    start_ms: float


class Spent(NamedTuple):
    """Seconds that reading a film once took."""

    wall: float
    cpu: float


def measure(films: Sequence[Path], rounds: int) -> Costs:
    """Read each film by turns here and apart; neither is timed the first time."""
    others, start = set(_children()), time.perf_counter()
    with IsolatedReader() as read:
        read(films[0])
        start_ms = 1000 * (time.perf_counter() - start)
        (forker,) = set(_children()) - others
        costs = [_cost_of(film, read, forker, rounds) for film in films]
        return Costs(tuple(costs), _pss_mb(forker), start_ms)


def _cost_of(film: Path, read: IsolatedReader, forker: int, rounds: int) -> Cost:
    megapixels = read_radiograph(film).pixels.size / 1e6
    read(film)
    pairs = [(_spent(read_radiograph, film, forker), _spent(read, film, forker)) for _ in range(rounds)]
    here, apart = ([pair[side] for pair in pairs] for side in (0, 1))
    return Cost(
        film.name,
        megapixels,
        1000 * statistics.median(each.wall for each in here),
        1000 * statistics.median(each.wall for each in apart),
        statistics.median(second.wall / first.wall for first, second in pairs),
        1000 * statistics.mean(each.cpu for each in here),
        1000 * statistics.mean(each.cpu for each in apart),
    )


def _spent(read: Callable[[Path], Radiograph], film: Path, forker: int) -> Spent:
    cpu, start = _cpu_s(forker), time.perf_counter()
    read(film)
    wall = time.perf_counter() - start
    return Spent(wall, _cpu_s(forker) - cpu)


def _cpu_s(forker: int) -> float:
    """Of this process, of the one that forks, and of those that have ended; of these in steps of a tick."""
    ticks = Path(f"/proc/{forker}/stat").read_text("ascii").rpartition(")")[2].split()[11:15]
    return time.process_time() + sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _children() -> Iterator[int]:
    for task in Path("/proc/self/task").iterdir():
        yield from map(int, (task / "children").read_text("ascii").split())


def _pss_mb(process: int) -> float:
    text = Path(f"/proc/{process}/smaps_rollup").read_text("ascii")
    return int(text.partition("\nPss:")[2].split()[0]) / 1024


@click.command(cls=Standalone, short_help="What decoding films in a process apart costs.")
@click.argument("films", type=click.Path(path_type=Path, exists=True, dir_okay=False), nargs=-1, required=True)
@click.option("--rounds", type=click.IntRange(3, 1000), default=20, show_default=True, help="How often each is read.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
def isolation_cost(films: tuple[Path, ...], rounds: int, as_json: bool) -> None:
    """Read films in this process and in a confined one, in turns, as `osteo-edge watch` does with and without
    --one-process. On Linux alone.

    \b
    Example:
      python -m osteo_edge.benchmarks.films.isolation_cost knees/*.jpg --rounds 20
    """
    keep_little_memory()
    costs = measure(films, rounds)
    if as_json:
        show_json(asdict(costs))
        return
    columns = ["film", "megapixels", "here, ms", "apart, ms", "ratio", "here, CPU ms", "apart, CPU ms"]
    rows = []
    for cost in costs.films:
        film, megapixels, here, apart, ratio, here_cpu, apart_cpu = astuple(cost)
        times = [f"{ms:.1f}" for ms in (here, apart)]
        rows.append([film, f"{megapixels:.1f}", *times, f"{ratio:.2f}", f"{here_cpu:.0f}", f"{apart_cpu:.0f}"])
    show_table("Decoding a film", columns, rows)
    click.echo(
        f"The process that waits takes {costs.waiting_mb:.0f} MB (PSS) and {costs.start_ms:.0f} ms until its first film"
    )


if __name__ == "__main__":
    isolation_cost(prog_name="python -m osteo_edge.benchmarks.films.isolation_cost")
