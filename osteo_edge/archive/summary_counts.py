"""What the rows of an archive come to, counted batch by batch: memory does not grow with the films."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from osteo_edge.archive.arrow import pyarrow
from osteo_edge.archive.parts import read_part
from osteo_edge.archive.row import QUALITY
from osteo_edge.archive.spread import Spread
from osteo_edge.extras import load_extra
from osteo_edge.image_quality import ImageQuality
from osteo_edge.manifest import Manifest

BATCH_ROWS: Final = 16_384
SCORE_BINS: Final = 20
SHOWN_FIRST: Final = 20
ANSWERED: Final = ("refer", "no_finding", "uncertain")
STAGES: Final = ("read", "prepare", "infer", "map", "total")
FIGURES: Final = ("contrast", "chroma", *(f"{QUALITY}{measure.name}" for measure in fields(ImageQuality)))
TOLD: Final = ("film", "outcome", "reason", "bone", "score", "distance")
COLUMNS: Final = (*TOLD, *FIGURES, *(f"ms_{stage}" for stage in STAGES))

Kind = tuple[str, str]
"""An outcome and the code of its reason."""


@dataclass
class Scores:
    """The scores of the films of one bone, in `SCORE_BINS` equal bins from 0 to 1 and as they lie."""

    bins: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(SCORE_BINS, np.int64))
    spread: Spread = field(default_factory=Spread)

    def add(self, scores: npt.NDArray[np.float64]) -> None:
        self.bins += np.histogram(scores, SCORE_BINS, (0.0, 1.0))[0]
        self.spread.add(scores)


@dataclass
class Counts:
    """What was counted so far. `examples` names the first film, by its name, of each kind.

    `scores` are by bone, "" for a model of one; `reached` of them are at the model's threshold or above, `beyond` of
    the `distances` above the one at which films are refused. `first` holds, by what they are for, the rows that a
    person should see first.
    """

    kinds: Counter[Kind] = field(default_factory=Counter)
    examples: dict[Kind, str] = field(default_factory=dict)
    scores: dict[str, Scores] = field(default_factory=dict)
    reached: int = 0
    distances: Spread = field(default_factory=Spread)
    beyond: int = 0
    figures: dict[str, Spread] = field(default_factory=lambda: {name: Spread() for name in FIGURES})
    stages: dict[str, Spread] = field(default_factory=lambda: {name: Spread() for name in STAGES})
    first: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def films(self) -> int:
        return self.kinds.total()

    @property
    def outcomes(self) -> Counter[str]:
        """How many films have each outcome."""
        found = Counter[str]()
        for (outcome, _), films in self.kinds.items():
            found[outcome] += films
        return found

    @property
    def scored(self) -> int:
        return sum(scores.spread.n for scores in self.scores.values())


def count_rows(films: Path, manifest: Manifest) -> Counts:
    """Count the rows of all parts below the folder `films`. OsteoEdgeError where a part cannot be read."""
    counts = Counts()
    for table in _tables(films):
        _count_kinds(counts, table)
        _count_numbers(counts, table, manifest)
        _keep_first(counts, table)
    return counts


def _tables(films: Path) -> Iterator[Any]:
    """The rows in tables of some `BATCH_ROWS`, which are so many parts: one part is soon counted, and begun slowly."""
    held, rows = list[Any](), 0
    for path in sorted(films.glob("*/part-*.parquet")):
        held.append(read_part(path, COLUMNS))
        rows += len(held[-1])
        if rows >= BATCH_ROWS:
            yield pyarrow().concat_tables(held)
            held, rows = [], 0
    if held:
        yield pyarrow().concat_tables(held)


def _count_kinds(counts: Counts, table: Any) -> None:
    found = table.group_by(["outcome", "reason"]).aggregate([("film", "count"), ("film", "min")])
    for row in found.to_pylist():
        kind, film = (row["outcome"], row["reason"]), row["film_min"]
        counts.kinds[kind] += row["film_count"]
        counts.examples[kind] = min(counts.examples.get(kind, film), film)


def _count_numbers(counts: Counts, table: Any, manifest: Manifest) -> None:
    scores, distances = _numbers(table, "score"), _numbers(table, "distance")
    bones = np.asarray(table["bone"].fill_null("").to_pylist())
    for bone in np.unique(bones[np.isfinite(scores)]):
        of_bone = np.isfinite(scores) & (bones == bone)
        counts.scores.setdefault(str(bone), Scores()).add(scores[of_bone])
    counts.reached += int((scores >= manifest.decision.threshold).sum())
    counts.distances.add(distances)
    if manifest.familiarity is not None:
        counts.beyond += int((distances > manifest.familiarity.threshold).sum())
    for name, spread in counts.figures.items():
        spread.add(_numbers(table, name))
    for name, spread in counts.stages.items():
        spread.add(_numbers(table, f"ms_{name}"))


def _numbers(table: Any, column: str) -> npt.NDArray[np.float64]:
    """A column, (rows,), NaN where there is no value."""
    return np.asarray(table[column].to_numpy(zero_copy_only=False), np.float64)


def _keep_first(counts: Counts, table: Any) -> None:
    """Keep the rows to be seen first; of equals those whose names come first."""
    (compute,) = load_extra(["pyarrow.compute"], feature="a summary", package="pyarrow", extra="archive")
    outcome, answered = table["outcome"], pyarrow().array(ANSWERED)
    wanted = {
        "refer": (compute.equal(outcome, "refer"), "score"),
        "uncertain": (compute.equal(outcome, "uncertain"), "score"),
        "furthest": (compute.is_in(outcome, value_set=answered), "distance"),
    }
    for name, (chosen, by) in wanted.items():
        rows = table.select(TOLD).filter(compute.and_(chosen, compute.is_finite(table[by])))
        top = rows.sort_by([(by, "descending"), ("film", "ascending")]).slice(0, SHOWN_FIRST).to_pylist()
        kept = [*counts.first.get(name, []), *top]
        counts.first[name] = sorted(kept, key=lambda row: (-row[by], row["film"]))[:SHOWN_FIRST]
