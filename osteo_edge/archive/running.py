"""Run an engine over what is missing of a plan, and keep a record of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from typing import Any, Final, Literal

from osteo_edge.archive.engine import Engine
from osteo_edge.archive.parts import read_part
from osteo_edge.archive.plan import RUNS, Plan
from osteo_edge.archive.reasons import READ_ERRORS
from osteo_edge.archive.shards import ShardSummary
from osteo_edge.console import Advance
from osteo_edge.durable import append_durably, remove
from osteo_edge.interruption import interruption_taken

EndedHow = Literal["done", "interrupted", "failed"]
NONE: Final[Mapping[int, int]] = MappingProxyType({})


@dataclass
class Tally:
    """What a run has done so far; `again` has the number of films that are tried again of shards done before."""

    plan: Plan
    on_progress: Advance
    again: Mapping[int, int]
    done_before: int
    films: int = 0
    shards: int = 0
    refer: int = 0
    unreadable: int = 0

    def add(self, summary: ShardSummary) -> None:
        """Count a shard, and show it."""
        self.films += self.again.get(summary.shard, summary.films)
        self.shards += 1
        self.refer += summary.outcomes.get("refer", 0)
        self.unreadable += summary.outcomes.get("unreadable", 0)
        note = f"{self.refer} to refer, {self.unreadable} unreadable"
        self.on_progress(self.done_before + self.films, self.plan.films, note, "films")


def run_engine(
    plan: Plan, engine: Engine, *, workers: int, on_progress: Advance, again: Mapping[int, int] = NONE
) -> EndedHow:
    """Do what is missing; how that ended. An OsteoEdgeError is raised when it is in the record.

    Of the shards `again` (`unread`) those films are tried again that could not be opened; each shard stays as it is
    until it is replaced. To be called by whoever has the sole use of the results: what a killed run was writing there
    is removed.
    """
    for leftover in list(plan.out.rglob(".*.partial")):
        remove(leftover)
    missing = plan.missing()
    done_before = plan.films - sum(map(plan.films_in, missing)) - sum(again.values())
    tally, to_do = Tally(plan, on_progress, again, done_before), sorted({*missing, *again})
    on_progress(tally.done_before, plan.films, stage="films")
    started_at, start = datetime.now(timezone.utc).isoformat(timespec="seconds"), perf_counter()
    ended: EndedHow = "failed"
    try:
        if to_do:
            engine.run(plan, to_do, workers=workers, on_done=tally.add)
        ended = "done"
    except KeyboardInterrupt:
        interruption_taken()
        ended = "interrupted"
    finally:
        if to_do:
            about = {"engine": engine.name, "workers": workers, "films": tally.films, "shards": tally.shards}
            seconds = round(perf_counter() - start, 3)
            _note(plan.out / RUNS, {"started_at": started_at, "seconds": seconds, **about, "ended": ended})
    return ended


def unread(plan: Plan) -> dict[int, int]:
    """The shards that are done with films that could not be opened, and how many of these each has."""
    done = sorted(set(range(plan.shards)) - set(plan.missing()))
    counts = {shard: _count_unread(plan.part(shard)) for shard in done}
    return {shard: count for shard, count in counts.items() if count}


def _count_unread(part: Path) -> int:
    reasons = read_part(part, ["reason"]).column("reason").to_pylist()
    return sum(reason in READ_ERRORS.values() for reason in reasons)


def _note(path: Path, run: dict[str, Any]) -> None:
    append_durably(path, (json.dumps(run) + "\n").encode(), "the record of runs")
