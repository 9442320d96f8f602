"""Do a shard whose films end the process that screens them: film by film, so that the one that does it is found."""

from time import perf_counter
from typing import Final

from osteo_edge.archive.film import Film
from osteo_edge.archive.plan import Plan
from osteo_edge.archive.reasons import ENDS_WORKER
from osteo_edge.archive.row import Row
from osteo_edge.archive.shards import ShardSummary, films_left, require_folders, write_shard
from osteo_edge.archive.worker import unreadable
from osteo_edge.archive.worker_process import Worker, WorkerEndedError
from osteo_edge.bundle import read_bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.manifest import Manifest

ATTEMPTS: Final = 2
"""How often a film is tried: the system may have ended the first process for another reason."""
SENTENCE: Final = "ends the process that screens it, or takes more memory than there is"


def screen_carefully(plan: Plan, shard: int, *, isolated: bool = True) -> ShardSummary:
    """Screen what is left of a shard film by film and write its results.

    A film that ends its process twice is unreadable. OsteoEdgeError where a process ends without any film: it is this
    machine then, or the runtime.
    """
    start, manifest = perf_counter(), read_bundle(plan.bundle).manifest
    with Worker(plan, isolated=isolated) as worker:
        rows = [_row(film, worker, manifest) for film in films_left(plan, shard)]
    require_folders(plan, rows)
    return write_shard(plan, shard, rows, manifest, seconds=perf_counter() - start)


def _row(film: Film, worker: Worker, manifest: Manifest) -> Row:
    for _ in range(ATTEMPTS):
        try:
            return worker.film(film)
        except WorkerEndedError:
            _require_sound(worker)
    return unreadable(film, manifest, ENDS_WORKER, SENTENCE)


def _require_sound(worker: Worker) -> None:
    try:
        worker.check()
    except WorkerEndedError as error:
        raise OsteoEdgeError(
            "the processes that screen films end by themselves, without a film; `osteo-edge doctor` tells more"
        ) from error
