"""Do one shard of an archive: its films, one file of results that is there whole or not at all."""

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import Any

from osteo_edge.archive.arrow import parquet, pyarrow
from osteo_edge.archive.film import Film
from osteo_edge.archive.film_folders import answers
from osteo_edge.archive.parts import opened_in
from osteo_edge.archive.plan import Plan
from osteo_edge.archive.planning import program
from osteo_edge.archive.reasons import READ_ERRORS
from osteo_edge.archive.row import Row, table_of
from osteo_edge.archive.worker import FilmScreener
from osteo_edge.durable import write_durably
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import FILE_NAME, Manifest


@dataclass(frozen=True)
class ShardSummary:
    """What a shard came to: how many films, how many of each outcome and reason, and the seconds that it took."""

    shard: int
    films: int
    outcomes: dict[str, int]
    reasons: dict[str, int]
    seconds: float


def screener_for(plan: Plan, *, isolated: bool = True) -> FilmScreener:
    """What screens the films of a plan; OsteoEdgeError unless bundle and program are those that it was begun with."""
    record = plan.record
    with ExitStack() as opened:
        screener = opened.enter_context(FilmScreener(plan.bundle, record.options, out=plan.out, isolated=isolated))
        if sha256_file(plan.bundle / FILE_NAME) != record.bundle_sha256:
            raise BundleError(f"{plan.bundle}: is another bundle than {plan.out} was begun with; put that one back")
        if program(screener.runtime) != record.program:
            raise OsteoEdgeError(f"{plan.out}: was begun with {record.program}; here is {program(screener.runtime)}")
        opened.pop_all()
    return screener


def run_shard(plan: Plan, shard: int, screener: FilmScreener) -> ShardSummary:
    """Screen what is left of a shard and write its results; whoever does it at the same time writes the same.

    OsteoEdgeError where the films' disk is gone, or the results cannot be written: no film is to blame.
    """
    start = perf_counter()
    rows = screener.rows(films_left(plan, shard))
    require_folders(plan, rows)
    return write_shard(plan, shard, rows, screener.manifest, seconds=perf_counter() - start)


def films_left(plan: Plan, shard: int) -> list[Film]:
    """The films of a shard that have no row yet; where it was done before, those that could not be opened then."""
    part = plan.part(shard)
    opened = set(opened_in(part, ["film", "reason"])["film"].to_pylist()) if part.exists() else set()
    return [film for film in plan.films_of(shard) if film.name not in opened]


def write_shard(plan: Plan, shard: int, rows: Sequence[Row], manifest: Manifest, *, seconds: float) -> ShardSummary:
    """Write the results of a shard, in one step and on the disk; the rows of films that were not left stay."""
    table, buffer = _with_opened(table_of(rows, manifest), plan, shard), BytesIO()
    parquet().write_table(table, buffer, compression="zstd")
    write_durably(plan.part(shard), buffer.getvalue(), "the results")
    outcomes, reasons = (Counter[str](table[name].to_pylist()) for name in ("outcome", "reason"))
    return ShardSummary(shard, len(table), dict(outcomes), dict(reasons), seconds)


def _with_opened(table: Any, plan: Plan, shard: int) -> Any:
    """The rows, and those that the shard's part has already, in the order of the plan."""
    part = plan.part(shard)
    if not part.exists():
        return table
    both = pyarrow().concat_tables([opened_in(part, table.schema.names).cast(table.schema), table])
    places = {name: place for place, name in enumerate(both["film"].to_pylist())}
    return both.take([places[film.name] for film in plan.films_of(shard)])


def require_folders(plan: Plan, rows: Sequence[Row]) -> None:
    """Raise OsteoEdgeError where films cannot be opened because the folder that holds all of them is gone, as with a
    disk that was taken out or a share that was lost: they must not be put down as unreadable."""
    unread = {(plan.root / row.film).parent for row in rows if row.reason in READ_ERRORS.values()}
    gone = [folder for folder in plan.record.folders if unread and not answers(folder)]
    for place in (Path(os.path.realpath(parent)) for parent in unread if gone):
        for folder in filter(place.is_relative_to, gone):
            raise OsteoEdgeError(f"{folder}: is no longer there; connect it and run the same command again")
