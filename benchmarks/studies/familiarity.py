"""Which pictures a bundle refuses as unlike the films that it learned from; docs/safety.md has the figures.

python -m osteo_edge.benchmarks.studies.familiarity BUNDLE KNEES --split SPLIT OTHERS...
"""

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from osteo_edge.benchmarks.studies.familiarity_pictures import CHANGED, STILL_KNEES, drawn
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.console import progress, show_json, show_table
from osteo_edge.dataset import read_dataset
from osteo_edge.errors import BundleError, MissingExtraError, OsteoEdgeError, RadiographError
from osteo_edge.familiarity import FilmStatistics, fit_familiarity, read_statistics
from osteo_edge.gate import knee_rejections, rejections
from osteo_edge.hashing import sha256_bytes
from osteo_edge.intervals import Estimate, bootstrap, wilson
from osteo_edge.metrics import auroc
from osteo_edge.preprocessing import lay_out, to_tensor
from osteo_edge.radiograph import Pixels, read_radiograph
from osteo_edge.runtime import Interpreter, open_interpreter
from osteo_edge.screening import screen
from osteo_edge.split import EXCLUDED, read_split
from osteo_edge.standalone import Standalone

FOLDS = 5
CHANGE_EVERY = 4
"""Every fourth knee film is changed: the pictures made of it are alike."""
TIMED = 20
KNEES = "knees"
HALVES = ("looked at in development", "held back")
PATIENT = re.compile(r"(?:patient0)?(\d{4})(?:_|$)")
TEST = "test"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture as the model sees it; of a knee film, or made of one, with the group and part of its split.

    `is_refused` says that the checks before the model refuse it already.
    """

    kind: str
    group: str
    part: str
    is_refused: bool
    embedding: npt.NDArray[np.float32]

    @property
    def half(self) -> int:
        """Which half of the files it is in, by the hash of its name: 0 was looked at in development, 1 was not."""
        return int(sha256_bytes(self.group.encode()), 16) % 2


@dataclass(frozen=True)
class Row:
    """What happens to one kind of picture: the share that the checks before the model refuse, the share that is refused
    in all, and how well the distance tells it from knees (AUROC; None for what is a knee)."""

    kind: str
    refused_before: Estimate
    refused: Estimate
    auroc: Estimate | None


@dataclass(frozen=True)
class Times:
    """Medians of a screening without and with the distance, in turns, and of the distance alone."""

    without_ms: float
    with_ms: float
    distance_ms: float


def look(pixels: Pixels, kind: str, group: str, part: str, bundle: Bundle, interpreter: Interpreter) -> Seen:
    """The embedding of a picture that no file holds, and whether a knee was found where knees are looked for."""
    spec = bundle.manifest.input
    film = np.ascontiguousarray(pixels, np.float32)
    layout = lay_out(film, spec)
    embedding = interpreter.run(to_tensor(film, spec, layout)).embedding
    if embedding is None:
        raise BundleError(f"{bundle.path}: gives no embedding; train or convert it again")
    return Seen(kind, group, part, bool(knee_rejections(layout)), embedding)


def score_anew(seen: Sequence[Seen]) -> Floats:
    """The log of distance over threshold of each picture, (n,): what lies above 0 is refused.

    Fitted five times on three fifths of the knees' groups, the threshold chosen on another fifth. What is of a group
    is scored by the fit that saw nothing of it, all else by the mean of the five.
    """
    knees = [number for number, one in enumerate(seen) if one.kind == KNEES]
    embeddings = np.stack([one.embedding for one in seen])
    fold_of = _folds(sorted({seen[number].group for number in knees}))
    folds = np.array([fold_of[seen[number].group] for number in knees])
    scores = np.empty((len(seen), FOLDS))
    for fold in range(FOLDS):
        chosen = (fold + 1) % FOLDS
        fitting = embeddings[knees][(folds != fold) & (folds != chosen)]
        known = fit_familiarity(fitting, embeddings[knees][folds == chosen], fitted_on="", chosen_on="")
        if known is None:
            raise OsteoEdgeError(f"{len(knees)} knee films are too few to fit on five times; give more")
        scores[:, fold] = _relative(known.statistics, known.record.threshold, embeddings)
    own = [fold_of.get(one.group) for one in seen]
    return np.array([row.mean() if fold is None else row[fold] for row, fold in zip(scores, own, strict=True)])


def score_as_shipped(seen: Sequence[Seen], bundle: Bundle) -> Floats:
    """The same by the statistics and the threshold that the bundle carries."""
    statistics, record = read_statistics(bundle), bundle.manifest.familiarity
    if statistics is None or record is None:
        raise BundleError(f"{bundle.path}: knows nothing of the films that it learned from; train it again")
    return _relative(statistics, record.threshold, np.stack([one.embedding for one in seen]))


def rows_of(seen: Sequence[Seen], scores: Floats) -> list[Row]:
    """A row for each kind of picture, in the order in which they come; knees first, all real others by half last."""
    by_kind: defaultdict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(seen):
        by_kind[one.kind].append(number)
    for half in HALVES:
        together = [number for number, one in enumerate(seen) if one.kind.endswith(f", {half}")]
        by_kind |= {f"all of these, {half}": together} if together else {}
    return [_row(kind, numbers, by_kind[KNEES], seen, scores) for kind, numbers in by_kind.items()]


def subject_of(path: Path) -> str:
    """Whose picture it is: the patient's number, where a name begins with four digits or a folder is a patient's, else
    the name of the file.

    >>> subject_of(Path("train/patient01068/image1.png")), subject_of(Path("1068_1253.png")), subject_of(Path("a.png"))
    ('1068', '1068', 'a.png')
    """
    found = [match for part in path.parts if (match := PATIENT.match(part))]
    return found[0][1] if found else path.name


def is_frozen(bundle: Bundle) -> bool:
    """Whether the network's features are those that it came with, so that they have seen no film in training."""
    recipe: Any = bundle.manifest.parent.recipe
    while isinstance(recipe, Mapping) and "train" not in recipe:
        recipe = recipe.get("parent")
    return isinstance(recipe, Mapping) and recipe["train"].get("trainable_layers") == 0


def measure_times(film: Path, bundle: Bundle, interpreter: Interpreter, runs: int = TIMED) -> Times:
    """Screen a film with and without the distance, in turns."""
    statistics, times = read_statistics(bundle), defaultdict[bool, list[float]](list)
    if statistics is None:
        raise BundleError(f"{bundle.path}: knows nothing of the films that it learned from; train it again")
    for number in range(2 * runs + 2):
        start = time.perf_counter()
        screen(film, bundle, interpreter, force=True, any_film=number % 2 == 0)
        times[number % 2 == 1].append((time.perf_counter() - start) * 1000)
    alone = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        statistics.distances(statistics.mean[np.newaxis])
        alone.append((time.perf_counter() - start) * 1000)
    without, with_it, distance = (float(np.median(one[1:])) for one in (times[False], times[True], alone))
    return Times(without, with_it, distance)


@click.command(cls=Standalone, short_help="Which pictures a bundle refuses as unlike its training films.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("knees", type=click.Path(path_type=Path))
@click.argument("others", type=click.Path(path_type=Path), nargs=-1)
@click.option(
    "--split", "split_file", type=click.Path(path_type=Path), required=True, help="The split it was trained with."
)
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
def familiarity_study(bundle: Path, knees: Path, others: tuple[Path, ...], split_file: Path, *, as_json: bool) -> None:
    """Look at the knee films of a data set, at pictures made of them, at drawn ones, and at those in OTHERS.

    OTHERS are folders of pictures that are no knee films. Half of these files, by the hash of their names, were looked
    at when the procedure was chosen; the other half was not. Where the network's features were frozen, the statistics
    are also fitted anew in five folds, so that every knee film is held out once.

    \b
    Example:
      python -m osteo_edge.benchmarks.studies.familiarity knee-int8 knees/ ood/chest ood/photos --split split.csv
    """
    loaded = read_bundle(bundle)
    interpreter = open_interpreter(loaded)
    with progress("look") as advance:
        seen = list(_look_at_all(loaded, interpreter, knees, split_file, others, advance))
    shipped = [one for one in seen if one.part in ("", TEST)]
    tables = {"as shipped, knees of the test part": rows_of(shipped, score_as_shipped(shipped, loaded))}
    if is_frozen(loaded):
        tables["fitted anew in five folds, all knees held out"] = rows_of(seen, score_anew(seen))
    rows = read_split(split_file).rows
    timed = measure_times(knees / next(row.name for row in rows if row.part == TEST), loaded, interpreter)
    if as_json:
        facts = {"bundle": str(bundle), "runtime": interpreter.name, "times": asdict(timed)}
        show_json({**facts, **{title: [asdict(row) for row in found] for title, found in tables.items()}})
        return
    for title, found in tables.items():
        _show(f"{loaded.manifest.name}: {title} ({interpreter.name})", found)
    more = timed.with_ms / timed.without_ms - 1
    click.echo(
        f"A screening takes {timed.without_ms:.1f} ms without and {timed.with_ms:.1f} ms with the distance "
        f"({more:+.1%}, medians of {TIMED}); the distance alone takes {timed.distance_ms:.3f} ms."
    )


def _look_at_all(
    bundle: Bundle,
    interpreter: Interpreter,
    knees: Path,
    split_file: Path,
    others: Sequence[Path],
    advance: Any,
) -> Iterator[Seen]:
    rows = {row.name: row for row in read_split(split_file).rows if row.part != EXCLUDED}
    cases = [case for case in read_dataset(knees).cases if case.name in rows]
    see = partial(look, bundle=bundle, interpreter=interpreter)
    for number, case in enumerate(cases):
        advance(number, len(cases))
        film, row = read_radiograph(case.path).pixels, rows[case.name]
        yield see(film, KNEES, row.group, row.part)
        for kind, change in (STILL_KNEES | CHANGED).items() if number % CHANGE_EVERY == 0 else ():
            yield see(change(film), kind, row.group, row.part)
    for number, (kind, pixels) in enumerate(drawn()):
        yield see(pixels, kind, f"drawn {number}", "")
    for folder in others:
        yield from _look_at_folder(folder, bundle, interpreter)


def _look_at_folder(folder: Path, bundle: Bundle, interpreter: Interpreter) -> Iterator[Seen]:
    """The readable pictures of a folder, those of each half as a kind."""
    if not folder.is_dir():
        raise OsteoEdgeError(f"{folder}: no such folder; name one that holds pictures")
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            radiograph = read_radiograph(path)
        except (RadiographError, MissingExtraError) as error:
            click.echo(f"skipped {error}", err=True)
            continue
        seen = look(radiograph.pixels, folder.name, subject_of(path.relative_to(folder)), "", bundle, interpreter)
        is_refused = seen.is_refused or bool(rejections(radiograph, bundle.manifest.gate))
        yield Seen(f"{folder.name}, {HALVES[seen.half]}", seen.group, "", is_refused, seen.embedding)


def _folds(groups: Iterable[str]) -> dict[str, int]:
    """Each group's fold, dealt out in the order of the hashes of their names."""
    ordered = sorted(groups, key=lambda group: sha256_bytes(group.encode()))
    return {group: number % FOLDS for number, group in enumerate(ordered)}


def _relative(statistics: FilmStatistics, threshold: float, embeddings: npt.NDArray[np.float32]) -> Floats:
    return np.log(np.maximum(statistics.distances(embeddings), 1e-12) / threshold)


def _row(kind: str, numbers: list[int], knees: list[int], seen: Sequence[Seen], scores: Floats) -> Row:
    before = np.array([seen[number].is_refused for number in numbers])
    own = scores[numbers]
    is_knee = kind == KNEES or kind in STILL_KNEES
    return Row(
        kind, wilson(before), wilson(before | (own > 0)), None if is_knee else _auroc(own, numbers, knees, seen, scores)
    )


def _auroc(own: Floats, numbers: list[int], knees: list[int], seen: Sequence[Seen], scores: Floats) -> Estimate:
    both = np.concatenate([scores[knees], own])
    is_other = np.arange(both.size) >= len(knees)
    groups = np.array([seen[number].group for number in (*knees, *numbers)])
    interval = bootstrap(lambda drawn: auroc(is_other[drawn], both[drawn]), both.size, groups=groups)
    return Estimate(auroc(is_other, both), interval.low, interval.high, both.size)


def _show(title: str, rows: Sequence[Row]) -> None:
    columns = ("Pictures", "n", "Refused before the model", "Refused in all", "AUROC against knees")
    cells = [
        (row.kind, str(row.refused.n), _short(row.refused_before), _short(row.refused), _short(row.auroc))
        for row in rows
    ]
    show_table(title, columns, cells)


def _short(found: Estimate | None) -> str:
    return "" if found is None else f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


if __name__ == "__main__":
    familiarity_study()
