"""Run an engine over what is missing of a plan, and keep a record of it."""

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from osteo_edge.archive.engine import Engine
from osteo_edge.archive.parts import read_part
from osteo_edge.archive.plan import RUNS, Plan
from osteo_edge.archive.reasons import READ_ERRORS
from osteo_edge.archive.shards import ShardSummary
from osteo_edge.console import Advance
from osteo_edge.durable import append_durably, remove
from osteo_edge.interruption import interruption_taken

EndedHow = Literal["done", "interrupted", "failed"]


@dataclass
class Tally:
    """What a run has done so far."""

    plan: Plan
    on_progress: Advance
    done_before: int
    films: int = 0
    shards: int = 0
    refer: int = 0
    unreadable: int = 0

    def add(self, summary: ShardSummary) -> None:
        """Count a shard, and show it."""
        self.films += summary.films
        self.shards += 1
        self.refer += summary.outcomes.get("refer", 0)
        self.unreadable += summary.outcomes.get("unreadable", 0)
        note = f"{self.refer} to refer, {self.unreadable} unreadable"
        self.on_progress(self.done_before + self.films, self.plan.films, note, "films")


def run_engine(plan: Plan, engine: Engine, *, workers: int, on_progress: Advance) -> EndedHow:
    """Do what is missing; how that ended. An OsteoEdgeError is raised when it is in the record.

    To be called by whoever has the sole use of the results: what a killed run was writing there is removed.
    """
    for leftover in list(plan.out.rglob(".*.partial")):
        remove(leftover)
    missing = plan.missing()
    tally = Tally(plan, on_progress, plan.films - sum(map(plan.films_in, missing)))
    on_progress(tally.done_before, plan.films, stage="films")
    started_at, start = datetime.now(timezone.utc).isoformat(timespec="seconds"), perf_counter()
    ended: EndedHow = "failed"
    try:
        if missing:
            engine.run(plan, missing, workers=workers, on_done=tally.add)
        ended = "done"
    except KeyboardInterrupt:
        interruption_taken()
        ended = "interrupted"
    finally:
        if missing:
            about = {"engine": engine.name, "workers": workers, "films": tally.films, "shards": tally.shards}
            seconds = round(perf_counter() - start, 3)
            _note(plan.out / RUNS, {"started_at": started_at, "seconds": seconds, **about, "ended": ended})
    return ended


def forget_unread(plan: Plan) -> int:
    """Take back the shards with films that could not be opened, so that they are done again; how many shards."""
    done = set(range(plan.shards)) - set(plan.missing())
    unread = [shard for shard in sorted(done) if _has_unread(plan.part(shard))]
    for shard in unread:
        plan.part(shard).unlink()
    return len(unread)


def _has_unread(part: Path) -> bool:
    reasons = read_part(part, ["reason"]).column("reason").to_pylist()
    return any(reason in READ_ERRORS.values() for reason in reasons)


def _note(path: Path, run: dict[str, Any]) -> None:
    append_durably(path, (json.dumps(run) + "\n").encode(), "the record of runs")
