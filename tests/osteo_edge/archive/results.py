"""What tests ask of an archive's results: the rows, but for the times, which differ from run to run."""

from pathlib import Path
from typing import Any

import pyarrow.dataset

from osteo_edge.archive.plan import FILMS, Plan
from osteo_edge.archive.shards import ShardSummary, run_shard, screener_for

Rows = list[dict[str, Any]]


def rows_of(out: Path) -> Rows:
    """The rows of a folder of results without their times, sorted by film; two for one that is there twice."""
    table = pyarrow.dataset.dataset(out / FILMS, partitioning="hive").to_table()
    rows = [{name: cell for name, cell in row.items() if not name.startswith("ms_")} for row in table.to_pylist()]
    return sorted(rows, key=lambda row: str(row["film"]))


def outcomes_of(out: Path) -> dict[str, tuple[str, str]]:
    """The outcome and the reason of each film."""
    return {row["film"]: (row["outcome"], row["reason"]) for row in rows_of(out)}


def screen_here(plan: Plan, *shards: int) -> list[ShardSummary]:
    """Do some shards, or all, in this process."""
    with screener_for(plan, isolated=False) as screener:
        return [run_shard(plan, shard, screener) for shard in shards or range(plan.shards)]
