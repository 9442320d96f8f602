"""What the input gate refuses: knee films, which it should not, and wrong or spoilt pictures, which it should.

python -m osteo_edge.benchmarks.studies.gate DATA

DATA holds knee films in class folders in knees/images, and where there are such, originals in knees/full_size and
pictures of other things in ood/*, mura_layout and dicom. docs/safety.md has the figures.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import click
import cv2
import numpy as np

from osteo_edge.benchmarks.measuring.command import finish
from osteo_edge.benchmarks.measuring.comparison import Check, interleave, median_ratio
from osteo_edge.benchmarks.measuring.environment import Environment, read_environment
from osteo_edge.benchmarks.studies.gate_pictures import (
    CHOSEN,
    DRAWN,
    REPORTED,
    Picture,
    as_they_are,
    drawn_films,
    knee_films,
    other_pictures,
    spoilt,
)
from osteo_edge.benchmarks.studies.spoilt_films import KINDS
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import progress, show_table
from osteo_edge.errors import RadiographError
from osteo_edge.gate import DEFAULT_GATE, fault_of, knee_rejections, rejections
from osteo_edge.image_quality import ImageQuality, measure_quality
from osteo_edge.intervals import Estimate, wilson
from osteo_edge.preprocessing import InputSpec, lay_out, to_tensor
from osteo_edge.radiograph import decode, read_radiograph
from osteo_edge.runtime import open_interpreter
from osteo_edge.screening import screen
from osteo_edge.standalone import Standalone

MAX_REFUSED_KNEES = 0.05
MAX_TIME_SHARE = 0.1
CHECKS, KNEE_SCREENING, PLAIN_SCREENING = "the checks", "reading and preparing, knees", "reading and preparing, whole"
SCREENING = "a screening by the bundle"
NOT_READABLE = "not readable"
SPECS = {
    KNEE_SCREENING: InputSpec(224, 448, resize="knees"),
    PLAIN_SCREENING: InputSpec(224, 224),
}


@dataclass(frozen=True)
class Verdict:
    """What the gate says of one picture: the first reason, None where the quality checks let it through.

    `has_knee` is whether a knee is found then, which models that look for knees ask for; None where none was looked
    for, as in films that were spoilt. `quality` is None for a file that cannot be read.
    """

    kind: str
    strength: int | None
    name: str
    reason: str | None
    has_knee: bool | None
    quality: ImageQuality | None


@dataclass(frozen=True)
class GateStudy:
    """Every verdict, and every CPU time in milliseconds, in the order of the rounds; shares are derived."""

    environment: Environment
    data: str
    verdicts: tuple[Verdict, ...]
    times_ms: dict[str, tuple[float, ...]]

    @property
    def checks(self) -> tuple[Check, ...]:
        """The bounds: real knees, drawn films, and time."""
        own = tuple(
            Check(f"refused, {kind}{what}", self.refused(kind, with_search=search), "at most", limit)
            for kind, limit in ((REPORTED, MAX_REFUSED_KNEES), (DRAWN, 0.0))
            for what, search in (("", False), (", with the search for knees", True))
            if kind == REPORTED or not search
        )
        times = {name: list(values) for name, values in self.times_ms.items()}
        whole = SCREENING if SCREENING in times else KNEE_SCREENING
        share = median_ratio(times[CHECKS], times[whole])
        return (*own, Check(f"time of {CHECKS} / {whole}", share, "at most", MAX_TIME_SHARE))

    def of(self, kind: str, strength: int | None = None) -> list[Verdict]:
        """The verdicts on one kind, of one strength if it is given."""
        found = [verdict for verdict in self.verdicts if verdict.kind == kind]
        return [verdict for verdict in found if strength is None or verdict.strength == strength]

    def refused(self, kind: str, strength: int | None = None, *, with_search: bool = False) -> Estimate:
        """The share that is refused, with Wilson's interval."""
        found = self.of(kind, strength)
        return wilson(np.array([bool(one.reason) or (with_search and one.has_knee is False) for one in found], bool))

    @property
    def rows(self) -> tuple[dict[str, Any], ...]:
        """One a kind and strength."""
        keys = dict.fromkeys((verdict.kind, verdict.strength) for verdict in self.verdicts)
        order = {kind: place for place, kind in enumerate(dict.fromkeys(kind for kind, _ in keys))}
        return tuple(
            {
                "kind": kind,
                "strength": strength,
                "refused": self.refused(kind, strength).to_dict(),
                "with_search": self.refused(kind, strength, with_search=True).to_dict(),
                "reasons": dict(Counter(one.reason for one in self.of(kind, strength) if one.reason).most_common()),
            }
            for kind, strength in sorted(keys, key=lambda key: (order[key[0]], key[1] or 0))
        )

    def ranges(self, kind: str) -> dict[str, tuple[float, float]]:
        """The least and the largest value of each figure."""
        found = [asdict(one.quality) for one in self.of(kind) if one.quality is not None]
        return {name: (min(one[name] for one in found), max(one[name] for one in found)) for name in found[0]}

    def to_dict(self) -> dict[str, Any]:
        """The result for machines: raw values first, what is derived from them last."""
        medians = {name: median(values) for name, values in self.times_ms.items()}
        ranges = {kind: self.ranges(kind) for kind in (CHOSEN, REPORTED)}
        derived = {"rows": self.rows, "ranges": ranges, "median_ms": medians}
        return {**asdict(self), **derived, "checks": [check.to_dict() for check in self.checks]}


def judge(picture: Picture) -> Verdict:
    """Read a picture as `screen` does, and ask the gate."""
    tell = partial(Verdict, picture.kind, picture.strength, picture.name)
    try:
        radiograph = decode(picture.data, Path(picture.name))
    except RadiographError:
        return tell(NOT_READABLE, None, None)
    quality = measure_quality(radiograph.pixels)
    for reason in rejections(radiograph, DEFAULT_GATE):
        return tell(in_short(reason), None, quality)
    if picture.strength is not None:
        return tell(None, None, quality)
    return tell(None, not knee_rejections(lay_out(radiograph.pixels, SPECS[KNEE_SCREENING])), quality)


def in_short(reason: str) -> str:
    """What is wrong, without numbers and without what to do.

    >>> in_short("a strip, 3.7 times as long as wide: use a film that shows the whole joint")
    'a strip'
    """
    return re.split("[:,]", reason)[0]


def measure_times(
    paths: Sequence[Path], rounds: int, bundle: Bundle | None, on_progress: Callable[[int, int], None]
) -> dict[str, tuple[float, ...]]:
    """Milliseconds of CPU time a film, of all of `paths`, each way once a round, in random order, on one thread.

    CPU time, because what else the machine does would decide about work of a few milliseconds otherwise.
    """
    films = [read_radiograph(path).pixels for path in paths]
    measures = {CHECKS: partial(_time_each, lambda film: fault_of(measure_quality(film)), films)}
    measures |= {name: partial(_time_each, partial(_prepare, spec), paths) for name, spec in SPECS.items()}
    if bundle is not None:
        interpreter = open_interpreter(bundle)
        measures[SCREENING] = partial(_time_each, lambda path: screen(path, bundle, interpreter), paths)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for measure in measures.values():
            measure()
        return interleave(measures, rounds, on_progress=on_progress)
    finally:
        cv2.setNumThreads(threads)


def _prepare(spec: InputSpec, path: Path) -> None:
    pixels = read_radiograph(path).pixels
    to_tensor(pixels, spec, lay_out(pixels, spec))


def _time_each(work: Callable[[Any], object], things: Sequence[Any]) -> float:
    start = time.process_time()
    for thing in things:
        work(thing)
    return (time.process_time() - start) * 1000 / len(things)


def _pictures(
    data: Path, folder: Path, knees: dict[str, tuple[Path, ...]], films: int, phantoms: int
) -> Iterator[Picture]:
    for kind, paths in knees.items():
        yield from as_they_are(kind, paths)
    yield from as_they_are(DRAWN, drawn_films(folder / "phantoms", phantoms))
    for kind, found in other_pictures(data).items():
        yield from as_they_are(kind, found)
    yield from spoilt(knees[REPORTED][-films:])


def _judged(pictures: Iterable[Picture], on_progress: Callable[[int, int], None], expected: int) -> Iterator[Verdict]:
    for number, picture in enumerate(pictures, start=1):
        yield judge(picture)
        on_progress(number, max(number, expected))


@click.command(cls=Standalone, short_help="What the input gate refuses, rightly and wrongly.")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--films", type=click.IntRange(1), default=20, show_default=True, help="Knee films to be spoilt.")
@click.option("--phantoms", type=click.IntRange(1), default=20, show_default=True, help="Drawn films of each class.")
@click.option("--rounds", type=click.IntRange(1), default=15, show_default=True, help="Rounds of measuring the time.")
@click.option("--bundle", type=click.Path(path_type=Path), help="A TFLite bundle, whose screening is timed, too.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines, with every figure of every picture.")
@click.pass_context
def gate_study(
    ctx: click.Context, data: Path, films: int, phantoms: int, rounds: int, bundle: Path | None, as_json: bool
) -> None:
    """Ask the input gate about the pictures in DATA, drawn films, and knee films that are spoilt on purpose.

    The knee films are split as `osteo-edge data split` does: on one part the gate's limits were chosen, the others
    only tell. Exit code 1 if more than 5 % of those are refused, any drawn film, or if the checks take more than a
    tenth of the CPU time of reading a film and preparing it for a model of knees (or of a screening by the bundle).

    \b
    Example:
      python -m osteo_edge.benchmarks.studies.gate ../shared/data
    """
    environment = read_environment()
    loaded = None if bundle is None else read_bundle(bundle)
    with TemporaryDirectory(prefix="osteo-edge-gate-") as folder, progress("Judging pictures") as advance:
        knees = knee_films(data, Path(folder))
        expected = sum(map(len, knees.values())) + 3 * phantoms + films * len(KINDS) * 5
        pictures = _pictures(data, Path(folder), knees, films, phantoms)
        verdicts = tuple(_judged(pictures, advance, expected))
        measuring = partial(advance, stage="Measuring the time")
        times_ms = measure_times(knees[REPORTED][:8], rounds, loaded, measuring)
    study = GateStudy(environment, data.name, verdicts, times_ms)
    if not as_json:
        _show(study)
    finish(ctx, study, as_json=as_json)


def _show(study: GateStudy) -> None:
    columns = ("Pictures", "Strength", "n", "Refused", "95 %", "With the search", "Reasons")
    show_table("Refused by the input gate", columns, (_cells(row) for row in study.rows))
    figures = study.ranges(CHOSEN).items()
    show_table("Figures of the films that limits were chosen on", ("Figure", "Least", "Largest"),
               ((name, f"{low:.4g}", f"{high:.4g}") for name, (low, high) in figures))  # fmt: skip
    for name, values in study.times_ms.items():
        click.echo(f"{median(values):7.2f} ms of CPU time  {name} (median of {len(values)} rounds)")


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    refused, search = row["refused"], row["with_search"]
    reasons = ", ".join(f"{name} {count}" for name, count in row["reasons"].items())
    interval = f"{refused['low']:.0%} to {refused['high']:.0%}"
    strength = "" if row["strength"] is None else str(row["strength"])
    share, with_search = f"{refused['value']:.1%}", "" if strength else f"{search['value']:.1%}"
    return (row["kind"], strength, str(refused["n"]), share, interval, with_search, reasons)


if __name__ == "__main__":
    gate_study()
