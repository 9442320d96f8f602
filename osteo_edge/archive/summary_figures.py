"""What became of an archive's films, in numbers: version 1 of the summary."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final, Literal

from osteo_edge.archive.film import Options
from osteo_edge.archive.plan import FILMS, RUNS, Plan
from osteo_edge.archive.row import OUTCOMES
from osteo_edge.archive.spread import Spread
from osteo_edge.archive.summary_counts import ANSWERED, STAGES, Counts, Scores, count_rows
from osteo_edge.archive.summary_drift import Drift, find_drift, not_compared, share
from osteo_edge.bundle import Bundle
from osteo_edge.console import without_nan
from osteo_edge.intervals import Estimate
from osteo_edge.strict import to_dict
from osteo_edge.version import VERSION

SCHEMA: Final = 1


@dataclass(frozen=True)
class Reason:
    """How many films have an outcome for one reason, of all that are done, and the first of them by name."""

    outcome: str
    reason: str
    films: int
    share: Estimate
    example: str


@dataclass(frozen=True)
class Quantiles:
    """How values lie: how many there are, and between which they do; right to 0.5 %, NaN of none."""

    n: int
    low_5_percent: float
    median: float
    high_95_percent: float


@dataclass(frozen=True)
class ScoreShape:
    """The scores of one bone's films, in equal bins from 0 to 1; `bone` is "" for a model of one."""

    bone: str
    bins: tuple[int, ...]
    quantiles: Quantiles


@dataclass(frozen=True)
class StageTime:
    """What a stage took of the films that got there, in milliseconds, and its share of all the time of all films."""

    stage: str
    ms: Quantiles
    share: float


@dataclass(frozen=True)
class Run:
    """One run of the command on these results: when, with what, what it did in how long, and how it ended."""

    started_at: str
    seconds: float
    engine: str
    workers: int
    films: int
    shards: int
    ended: str

    @property
    def films_per_second(self) -> float:
        return self.films / self.seconds if self.seconds > 0 else math.nan


@dataclass(frozen=True)
class Summary:
    """What became of an archive's films. `first` has, by what they are for, the films that a person should see first.

    `worker_films_per_second` is what one worker does while it is at a film; `runs` say what came of that.
    """

    schema: Literal[1]
    created_by: str
    created_at: str
    intended_use: str
    source: str
    bundle: str
    bundle_sha256: str
    model_sha256: str
    options: Options
    films_planned: int
    films: int
    shards: int
    shards_done: int
    left_out: dict[str, int]
    outcomes: dict[str, Estimate]
    outcome_films: dict[str, int]
    reasons: tuple[Reason, ...]
    scores: tuple[ScoreShape, ...]
    distance: Quantiles
    figures: dict[str, Quantiles]
    drift: tuple[Drift, ...]
    not_compared: tuple[str, ...]
    stages: tuple[StageTime, ...]
    worker_films_per_second: float
    runs: tuple[Run, ...]
    first: dict[str, list[dict[str, Any]]]

    @property
    def is_whole(self) -> bool:
        """Whether every film of the plan is in it."""
        return self.shards_done == self.shards

    @property
    def answered(self) -> int:
        return sum(self.outcome_films.get(outcome, 0) for outcome in ANSWERED)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; what is not defined is null, and a drift says whether it differs."""
        plain: dict[str, Any] = to_dict(self)
        drift = [{**to_dict(found), "differs": found.differs} for found in self.drift]
        runs = [{**to_dict(run), "films_per_second": run.films_per_second} for run in self.runs]
        whole: dict[str, Any] = without_nan({**plain, "is_whole": self.is_whole, "drift": drift, "runs": runs})
        return whole


def summarize(plan: Plan, bundle: Bundle) -> Summary:
    """What is done of the plan by now, in numbers."""
    counts, record, missing = count_rows(plan.out / FILMS, bundle.manifest), plan.record, len(plan.missing())
    outcomes = counts.outcomes
    return Summary(
        schema=SCHEMA,
        created_by=f"osteo-edge {VERSION}",
        created_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        intended_use=bundle.manifest.intended_use,
        source=record.source.path,
        bundle=bundle.manifest.name,
        bundle_sha256=record.bundle_sha256,
        model_sha256=record.model_sha256,
        options=record.options,
        films_planned=plan.films,
        films=counts.films,
        shards=plan.shards,
        shards_done=plan.shards - missing,
        left_out=dict(sorted(record.left_out.items())),
        outcomes={name: share(outcomes[name], counts.films) for name in OUTCOMES},
        outcome_films={name: outcomes[name] for name in OUTCOMES},
        reasons=tuple(_reasons(counts)),
        scores=tuple(_shape(bone, scores) for bone, scores in sorted(counts.scores.items())),
        distance=_quantiles(counts.distances),
        figures={name: _quantiles(spread) for name, spread in counts.figures.items()},
        drift=find_drift(counts, bundle.manifest),
        not_compared=not_compared(counts, bundle.manifest),
        stages=tuple(_stages(counts.stages)),
        worker_films_per_second=_a_second(counts.stages["total"]),
        runs=tuple(read_runs(plan)),
        first=counts.first,
    )


def read_runs(plan: Plan) -> Iterable[Run]:
    """The runs on these results, the oldest first; lines that hold none, as a power cut may leave them, are no runs."""
    path = plan.out / RUNS
    lines = path.read_text("utf-8", errors="replace").splitlines() if path.is_file() else []
    for line in lines:
        run = _run(line)
        if run is not None:
            yield run


def _run(line: str) -> Run | None:
    try:
        return Run(**json.loads(line))
    except (ValueError, TypeError):
        return None


def _reasons(counts: Counts) -> Iterable[Reason]:
    """Outcome by outcome, the most frequent reason first."""
    order = sorted(counts.kinds, key=lambda kind: (OUTCOMES.index(kind[0]), -counts.kinds[kind], kind[1]))
    for kind in order:
        films = counts.kinds[kind]
        yield Reason(*kind, films, share(films, counts.films), counts.examples[kind])


def _shape(bone: str, scores: Scores) -> ScoreShape:
    return ScoreShape(bone, tuple(int(films) for films in scores.bins), _quantiles(scores.spread))


def _quantiles(spread: Spread) -> Quantiles:
    return Quantiles(spread.n, *(spread.quantile(share) for share in (0.05, 0.5, 0.95)))


def _stages(found: Mapping[str, Spread]) -> Iterable[StageTime]:
    whole = found["total"].total
    for name in STAGES:
        if found[name].n:
            yield StageTime(name, _quantiles(found[name]), found[name].total / whole if whole else math.nan)


def _a_second(total: Spread) -> float:
    return 1000 * total.n / total.total if total.total else math.nan
