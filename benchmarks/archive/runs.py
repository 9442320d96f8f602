"""One run of `osteo-edge screen-archive` in a process of its own: how fast, once begun, and with how much memory."""

import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from osteo_edge.archive.summary import JSON_NAME
from osteo_edge.errors import OsteoEdgeError

SAMPLED_S: Final = 0.5
FEWEST: Final = 9
"""Fewer samples tell nothing of growth."""


@dataclass(frozen=True)
class Memory:
    """Memory of its own (PSS), in MiB, time after time while films were done: of the command, and of all others."""

    command_mb: tuple[float, ...]
    others_mb: tuple[float, ...]

    @property
    def grown(self) -> tuple[float, float]:
        """By how much each is larger in the last third than in the middle one, by their medians; NaN of few samples."""
        return _grown(self.command_mb), _grown(self.others_mb)

    @property
    def growth(self) -> tuple[float, float]:
        """The same as the last third over the middle one."""
        middle, last = zip(*(_thirds(samples) for samples in (self.command_mb, self.others_mb)), strict=True)
        return last[0] / middle[0], last[1] / middle[1]


@dataclass(frozen=True)
class ArchiveRun:
    """`films_per_second` counts from when every worker has done a shard to the last one, by when these were written.

    `start_s` is the time until the first shard was done. `stage_ms` are the medians that the summary gives.
    """

    engine: str
    workers: int
    films: int
    start_s: float
    films_per_second: float
    stage_ms: dict[str, float]
    memory: Memory


def run_archive(
    folder: Path, bundle: Path, out: Path, *, engine: str, workers: int, shard_size: int, options: Sequence[str] = ()
) -> ArchiveRun:
    """Screen a folder of films; OsteoEdgeError with the command's own words where that fails."""
    arguments = [str(folder), "--bundle", str(bundle), "--out", str(out), "--engine", engine]
    sizes = ["--workers", str(workers), "--shard-size", str(shard_size)]
    command = [sys.executable, "-m", "osteo_edge", "screen-archive", *arguments, *sizes, *options]
    begun, samples = time.time(), list[tuple[float, tuple[float, float]]]()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            if _parts(out):
                samples.append((time.time(), _memory(process.pid)))
            time.sleep(SAMPLED_S)
        errors = process.stderr.read() if process.stderr is not None else ""
    told = out / JSON_NAME
    if not told.is_file():
        raise OsteoEdgeError(errors.strip() or f"screen-archive ended with {process.returncode}")
    summary = json.loads(told.read_bytes())
    written = sorted(path.stat().st_mtime for path in _parts(out))
    while_at_films = [found for at, found in samples if at <= written[-1]]
    memory = Memory(*(tuple(each) for each in zip(*while_at_films, strict=True))) if while_at_films else Memory((), ())
    return ArchiveRun(
        engine=engine,
        workers=workers,
        films=summary["films"],
        start_s=written[0] - begun,
        films_per_second=steady_rate(written, summary["films"], workers, shard_size),
        stage_ms={stage["stage"]: stage["ms"]["median"] for stage in summary["stages"]},
        memory=memory,
    )


def steady_rate(written: Sequence[float], films: int, workers: int, shard_size: int) -> float:
    """Films a second after each worker's first shard, by when the shards were written, in seconds and in order.

    >>> steady_rate([10.0, 10.5, 11.0, 12.0], 16, 2, 4)
    5.333333333333333
    """
    return (films - workers * shard_size) / (written[-1] - written[workers - 1])


def _parts(out: Path) -> list[Path]:
    return list(out.glob("films/*/part-*.parquet"))


def _memory(process: int) -> tuple[float, float]:
    return _pss_mb(process), sum(_pss_mb(each) for each in _descendants(process))


def _descendants(process: int) -> Iterator[int]:
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in map(int, (task / "children").read_text("ascii").split()):
                yield child
                yield from _descendants(child)


def _pss_mb(process: int) -> float:
    """Nothing where it has ended by now."""
    with suppress(OSError):
        text = Path(f"/proc/{process}/smaps_rollup").read_text("ascii")
        return int(text.partition("\nPss:")[2].split()[0]) / 1024
    return 0.0


def _grown(samples: Sequence[float]) -> float:
    middle, last = _thirds(samples)
    return last - middle


def _thirds(samples: Sequence[float]) -> tuple[float, float]:
    """The medians of the middle and of the last third; NaN of few samples."""
    if len(samples) < FEWEST:
        return math.nan, math.nan
    third = len(samples) // 3
    return median(samples[third : 2 * third]), median(samples[-third:])
