"""How an archive is screened as workers are added, beside a plain loop, and with how much memory.

python -m osteo_edge.benchmarks.archive.scale knee-int8 phantoms/ --films 2000
"""

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any, Final

import click

from osteo_edge.benchmarks.archive.loop import LoopTimes
from osteo_edge.benchmarks.archive.runs import ArchiveRun, run_archive
from osteo_edge.benchmarks.measuring.command import finish
from osteo_edge.benchmarks.measuring.comparison import Check, interleave, median_ratio
from osteo_edge.benchmarks.measuring.environment import Environment, read_environment
from osteo_edge.console import progress, show_table
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.standalone import Standalone
from osteo_edge.strict import from_dict

LOOP: Final = "a plain loop with the gate"
LINEAR: Final = 0.85
BESIDE_LOOP: Final = 0.9
FLAT: Final = 1.05
"""Memory of the last third of a run over that of the middle one."""
LOOP_FILMS: Final = 300
FOLDER_FILMS: Final = 1000


@dataclass(frozen=True)
class Scale:
    """Every run, engine by engine and worker by worker, and the loops that were run in turns with them."""

    environment: Environment
    films: int
    runs: dict[str, tuple[ArchiveRun, ...]]
    loops: tuple[LoopTimes, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        return tuple(self._checks())

    def _checks(self) -> Iterator[Check]:
        loops = [loop.gated_films_per_second for loop in self.loops]
        for runs in self.runs.values():
            engine, workers, rates = runs[0].engine, runs[0].workers, _rates(runs)
            if workers == 1:
                ratio = median_ratio(rates, loops)
                yield Check(f"{engine}, 1 worker beside {LOOP}", ratio, "at least", BESIDE_LOOP)
            elif (alone := self.runs.get(_name(engine, 1))) is not None:
                ratio = median_ratio(rates, _rates(alone))
                yield Check(f"{engine}, {workers} workers beside 1", ratio, "at least", LINEAR * workers)
            for place, whose in enumerate(("command", "others")):
                growth = [run.memory.growth[place] for run in runs]
                if not any(map(math.isnan, growth)):
                    ratio = median_ratio(growth, [1.0] * len(growth))
                    yield Check(f"{_name(engine, workers)}: memory of the {whose}, last third", ratio, "at most", FLAT)

    def to_dict(self) -> dict[str, Any]:
        """The result for machines: raw values first."""
        return {**asdict(self), "checks": [check.to_dict() for check in self.checks]}


def measure(
    bundle: Path,
    drawn: Sequence[Path],
    *,
    films: int,
    engines: Sequence[str],
    workers: Sequence[int],
    rounds: int,
    shard_size: int,
    options: Sequence[str],
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Scale:
    """Screen `films` links to the drawn films with each engine and number of workers, and in a loop, in turns."""
    environment = read_environment()
    with tempfile.TemporaryDirectory() as scratch:
        archive, numbers = Path(scratch) / "archive", iter(range(10**6))
        fill(archive, drawn, films)

        def screen(engine: str, count: int) -> ArchiveRun:
            out = Path(scratch) / f"out-{next(numbers)}"
            return run_archive(
                archive, bundle, out, engine=engine, workers=count, shard_size=shard_size, options=options
            )

        variants: dict[str, Callable[[], ArchiveRun | LoopTimes]] = {
            _name(engine, count): partial(screen, engine, count) for engine in engines for count in workers
        }
        variants[LOOP] = partial(_loop, bundle, archive, min(films, LOOP_FILMS), options)
        found: dict[str, Any] = dict(interleave(variants, rounds, on_progress=on_progress))
    loops = found.pop(LOOP)
    return Scale(environment, films, found, loops)


def fill(folder: Path, drawn: Sequence[Path], films: int) -> None:
    """Make a folder tree of so many hard links to films, a thousand a folder; OsteoEdgeError for no films.

    Copies where they cannot be linked, as from another file system.
    """
    if not drawn:
        raise OsteoEdgeError("there are no films to screen; draw some: osteo-edge data phantom phantoms/")
    for number, film in enumerate(islice(cycle(drawn), films)):
        place = folder / f"{number // FOLDER_FILMS:04d}" / f"{number:08d}{film.suffix}"
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.hardlink_to(film)
        except OSError:
            place.write_bytes(film.read_bytes())


def _loop(bundle: Path, archive: Path, films: int, options: Sequence[str]) -> LoopTimes:
    """The loop in a process of its own, as the command is."""
    command = [sys.executable, "-m", "osteo_edge.benchmarks.archive.loop", str(bundle), str(archive)]
    done = subprocess.run([*command, "--films", str(films), *options], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OsteoEdgeError(done.stderr.strip())
    return from_dict(LoopTimes, json.loads(done.stdout))


def _name(engine: str, workers: int) -> str:
    return f"{engine}, {workers}"


def _rates(runs: Sequence[ArchiveRun]) -> list[float]:
    return [run.films_per_second for run in runs]


@click.command(cls=Standalone, short_help="Throughput and memory of screening an archive.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("drawn", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--films", type=click.IntRange(64), default=1000, show_default=True, help="How many files there are.")
@click.option(
    "--engine", "engines", type=click.Choice(["local", "ray"]), multiple=True, default=("local",), show_default=True
)
@click.option("--workers", type=click.IntRange(1), multiple=True, default=(1, 2), show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Turns of each variant.")
@click.option("--shard-size", type=click.IntRange(4), default=64, show_default=True)
@click.option("--one-process", is_flag=True, help="Decode films in the workers, and in the loop, themselves.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
@click.pass_context
def archive_scale(
    ctx: click.Context,
    bundle: Path,
    drawn: Path,
    films: int,
    engines: tuple[str, ...],
    workers: tuple[int, ...],
    rounds: int,
    shard_size: int,
    one_process: bool,
    as_json: bool,
) -> None:
    """Screen an archive of links to the films in the folder DRAWN, with each engine and number of workers, in turns
    with a plain loop over the same films in one process: decode, gate, prepare, infer.

    Held to bounds are one worker beside the loop, more workers beside one, and the growth of memory in runs that are
    long enough to tell it. Memory is that of the command, and of all processes that it starts, Ray's own among them,
    while films are screened. On Linux alone.

    \b
    Example:
      osteo-edge data phantom phantoms/ --size 512
      python -m osteo_edge.benchmarks.archive.scale knee-int8 phantoms/ --films 2000 --engine local --engine ray
    """
    if films <= 2 * shard_size * max(workers):
        raise click.UsageError("Too few films: each worker must have done at least two shards.", ctx)
    found = [path for path in sorted(drawn.rglob("*")) if path.suffix in (".png", ".jpg", ".dcm")]
    with progress("archives") as advance:
        scale = measure(
            bundle,
            found,
            films=films,
            engines=engines,
            workers=workers,
            rounds=rounds,
            shard_size=shard_size,
            options=["--one-process"] if one_process else [],
            on_progress=advance,
        )
    if not as_json:
        _show(scale)
    finish(ctx, scale, as_json=as_json)


def _show(scale: Scale) -> None:
    columns = ("engine, workers", "films a second", "first shard, s", "command, MB", "grown", "others, MB", "grown")
    show_table(f"{scale.films} films", columns, [_row(name, runs) for name, runs in scale.runs.items()])
    gated = median(loop.gated_films_per_second for loop in scale.loops)
    bare = median(loop.bare_films_per_second for loop in scale.loops)
    click.echo(f"{LOOP[0].upper()}{LOOP[1:]}: {gated:.1f} films a second; {bare:.1f} without the gate")
    for name, runs in scale.runs.items():
        if runs[0].workers == 1:
            ratio = median_ratio(_rates(runs), [loop.bare_films_per_second for loop in scale.loops])
            click.echo(f"  {name} beside the loop without the gate: {ratio}")
    for stage in scale.loops[0].stage_ms:
        click.echo(f"  {stage} {median(loop.stage_ms[stage] for loop in scale.loops):.2f} ms")


def _row(name: str, runs: Sequence[ArchiveRun]) -> tuple[str, ...]:
    last = runs[-1].memory
    grown = ["" if math.isnan(value) else f"{value:+.1f}" for value in last.grown]
    most = [f"{max(samples, default=math.nan):.0f}" for samples in (last.command_mb, last.others_mb)]
    rate, start = median(_rates(runs)), median(run.start_s for run in runs)
    return name, f"{rate:.1f}", f"{start:.1f}", most[0], grown[0], most[1], grown[1]


if __name__ == "__main__":
    archive_scale(prog_name="python -m osteo_edge.benchmarks.archive.scale")
