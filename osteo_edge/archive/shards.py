"""Do one shard of an archive: its films, one file of results that is there whole or not at all."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from time import perf_counter

from osteo_edge.archive.arrow import parquet
from osteo_edge.archive.plan import Plan, Source
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
    """Screen a shard's films and write its results; whoever does it at the same time writes the same.

    OsteoEdgeError where the source is gone, or the results cannot be written: no film is to blame.
    """
    start = perf_counter()
    rows = screener.rows(plan.films_of(shard))
    require_source(plan.record.source, rows)
    return write_shard(plan, shard, rows, screener.manifest, seconds=perf_counter() - start)


def write_shard(plan: Plan, shard: int, rows: Sequence[Row], manifest: Manifest, *, seconds: float) -> ShardSummary:
    """Write the results of a shard, in one step and on the disk."""
    buffer = BytesIO()
    parquet().write_table(table_of(rows, manifest), buffer, compression="zstd")
    write_durably(plan.part(shard), buffer.getvalue(), "the results")
    outcomes, reasons = Counter[str](row.outcome for row in rows), Counter(row.reason for row in rows)
    return ShardSummary(shard, len(rows), dict(outcomes), dict(reasons), seconds)


def require_source(source: Source, rows: Sequence[Row]) -> None:
    """Raise OsteoEdgeError where films cannot be read because the source as a whole is gone, as a disk that was taken
    out or a share that was lost: they must not be put down as unreadable."""
    if not any(row.reason in READ_ERRORS.values() for row in rows):
        return
    path = Path(source.path)
    try:
        is_there = path.is_file() if source.kind != "folder" else any(path.iterdir())
    except OSError:
        is_there = False
    if not is_there:
        raise OsteoEdgeError(f"{path}: is not there any more; connect it again, and the same command goes on")
