"""The Ray engine: a shard is a Ray task, on a cluster or on a local Ray that is started for the run and ended after it.

Ray places the tasks, keeps a process for each, which keeps its interpreter, and runs a task again whose process or node
has died. Nothing goes through Ray but the number of a shard and the counts that it gave: films, bundle and results are
read and written where all nodes see them.
"""

import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, Final

from osteo_edge.archive.careful import screen_carefully
from osteo_edge.archive.freed_memory import keep_freed_memory
from osteo_edge.archive.plan import Plan, read_plan
from osteo_edge.archive.shards import ShardSummary, run_shard, screener_for
from osteo_edge.archive.worker import FilmScreener, keep_to_one_thread
from osteo_edge.bundle import read_bundle
from osteo_edge.errors import MissingExtraError, OsteoEdgeError
from osteo_edge.extras import load_extra
from osteo_edge.quiet import native_messages_held
from osteo_edge.version import VERSION

FEATURE: Final = "--engine ray"
AUTO: Final = "auto"
"""The address of whatever cluster this machine is a node of, which Ray itself finds."""
EXTRA: Final = "cluster"
TRIES: Final = 3
TASK_BYTES: Final = 2**30
"""The memory that a task asks of a node: Ray starts no more of them there than it holds."""
OBJECT_STORE_BYTES: Final = 80 * 2**20
"""The least that Ray takes: hardly anything goes through it."""
AHEAD: Final = 2
"""Tasks for each processor, so that the next one is there when one is done."""
REACH_S: Final = 5.0
CHECK_S: Final = 120.0
LOOK_S: Final = 10.0
"""How often it is asked whether a cluster that gives nothing still has processors."""
PRIVATE: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""Of a local Ray: it tells nobody of itself, listens on the loopback device alone, and answers those with its token."""
NO_RAY: Final = "start it with `ray start --head`, or leave --address out for a local one"
GO_ON: Final = "run the same command again to go on"
SHARED: Final = "put SOURCE, the bundle and --out on storage that every node sees under the same path"


@dataclass(frozen=True)
class Stop:
    """Why a worker cannot go on, in one line: not every error can be sent between processes as it is."""

    line: str


class RayEngine:
    """Does shards as tasks of the Ray at `address` (HOST:PORT, or "auto" on a node of a cluster), or of a local one.

    See `osteo_edge.archive.engine.Engine`; films are decoded in a process apart unless `isolated` is false.
    """

    name = "ray"

    def __init__(self, address: str | None = None, *, isolated: bool = True) -> None:
        self._address, self._isolated = address, isolated

    def require_ready(self) -> None:
        """Raise OsteoEdgeError where Ray is not installed, or nobody answers at the address."""
        if find_spec("ray") is None:
            raise MissingExtraError(FEATURE, "ray", EXTRA)
        if self._address == AUTO:
            with _quiet(), self._connected(0):
                pass
        elif self._address is not None:
            _require_reachable(self._address)

    def run(self, plan: Plan, shards: Sequence[int], *, workers: int, on_done: Callable[[ShardSummary], None]) -> None:
        """Screen the shards, `workers` at a time, or as many as the cluster has processors for where it is 0.

        OsteoEdgeError where Ray is missing or cannot be reached, where a node does not see what it needs, and for what
        must end a run (`run_shard`); every shard that is done by then is whole.
        """
        with _quiet(), self._connected(workers) as ray:
            everywhere = replace(plan, out=plan.out.absolute())
            _require_nodes(ray, everywhere)
            _Tasks(ray, everywhere, workers, self._isolated).run(shards, on_done)

    @contextmanager
    def _connected(self, workers: int) -> Iterator[Any]:
        started = _local(workers) if self._address is None else _joined(self._address)
        with started as ray:
            try:
                yield ray
            finally:
                ray.shutdown()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep from standard output what Ray says there of every task that it runs again, and cannot be told not to."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield


@contextmanager
def _local(workers: int) -> Iterator[Any]:
    """A Ray of this machine alone, in a folder of its own that nobody else may read."""
    for name, value in {**PRIVATE, "RAY_AUTH_TOKEN": secrets.token_hex(32)}.items():
        os.environ.setdefault(name, value)
    ray = _load()
    private = tempfile.mkdtemp(prefix="osteo-edge-ray-", dir="/tmp")  # sockets lie there: their paths must be short
    try:
        _start(
            ray,
            "a local Ray",
            address="local",  # whatever RAY_ADDRESS says
            num_cpus=workers or None,
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            _temp_dir=f"{private}/ray",  # which Ray opens to everybody
        )
        yield ray
    finally:
        shutil.rmtree(private, ignore_errors=True)


@contextmanager
def _joined(address: str) -> Iterator[Any]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray = _load()
    _require_reachable(address)
    _start(ray, f"--address {address}", address=address)
    yield ray


def _load() -> Any:
    (ray,) = load_extra(["ray"], feature=FEATURE, package="ray", extra=EXTRA)
    return ray


def _start(ray: Any, what: str, **options: Any) -> None:
    """Start or join it. What it raises where it cannot is of many kinds, none of them a mistake of ours."""
    try:
        with native_messages_held():
            ray.init(log_to_driver=False, logging_level="ERROR", **options)
    except Exception as error:
        ray.shutdown()
        if options["address"] == AUTO and isinstance(error, ConnectionError):
            raise OsteoEdgeError(f"{what}: this machine is no node of a running Ray; {NO_RAY}") from error
        raise OsteoEdgeError(
            f"{what}: cannot be used ({_first_line(error)}); see `ray status`, or leave out --engine ray"
        ) from error


def _require_reachable(address: str) -> None:
    """Raise within seconds what Ray would find out within minutes."""
    if address == AUTO:
        return
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or "/" in host:
        raise OsteoEdgeError(
            f'--address {address}: name the head node as HOST:PORT, or "{AUTO}" on a node of the cluster'
        )
    try:
        socket.create_connection((host, int(port)), REACH_S).close()
    except (OSError, OverflowError) as error:
        raise OsteoEdgeError(f"--address {address}: no Ray answers there ({error}); {NO_RAY}") from error


def _require_nodes(ray: Any, plan: Plan) -> None:
    """Have every node look whether it sees what it needs; OsteoEdgeError names the first that does not."""
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
    if not any(node["Resources"].get("memory", 0) >= TASK_BYTES for node in nodes):
        raise OsteoEdgeError(
            f"Ray has no node with a processor and {TASK_BYTES / 2**30:g} GiB of free memory; add one, or free some"
        )
    looks = [(node["NodeManagerAddress"], _look_on(ray, node["NodeID"], plan)) for node in nodes]
    for address, look in looks:
        try:
            fault = ray.get(look, timeout=CHECK_S)
        except (ray.exceptions.RayError, RuntimeError) as error:
            needs = f"osteo-edge[cluster] {VERSION} must be installed on every node"
            raise OsteoEdgeError(f"Ray node {address}: cannot screen ({_first_line(error)}); {needs}") from error
        if fault is not None:
            raise OsteoEdgeError(f"Ray node {address}: {fault}")


def _look_on(ray: Any, node: str, plan: Plan) -> Any:
    on_node = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=False)
    task = ray.remote(num_cpus=0, max_retries=TRIES, scheduling_strategy=on_node)(find_fault)
    return task.remote(plan, VERSION)


def find_fault(plan: Plan, version: str) -> str | None:
    """Why this machine cannot work on the plan as the one of osteo-edge `version` that made it can; None if it can."""
    if version != VERSION:
        return f"has osteo-edge {VERSION}, and {version} is asked for; install the same on every node"
    try:
        seen = read_plan(plan.out)
        read_bundle(plan.bundle)
    except OsteoEdgeError as error:
        return f"{error}; {SHARED}"
    if seen is None or replace(seen.record, bundle=plan.record.bundle) != plan.record:  # it may have been moved
        return f"{plan.out}: does not hold this run's plan; {SHARED}"
    if not plan.root.exists():
        return f"{plan.root}: is not there; {SHARED}"
    return None


class _Tasks:
    """The shards that Ray is at."""

    def __init__(self, ray: Any, plan: Plan, workers: int, isolated: bool) -> None:
        task = ray.remote(num_cpus=1, memory=TASK_BYTES, max_retries=TRIES, retry_exceptions=[OSError])
        self._ray, self._plan, self._workers, self._isolated = ray, ray.put(plan), workers, isolated
        self._screen, self._carefully = task(screen_shard), task(screen_shard_carefully)
        self._running: dict[Any, int] = {}
        self._careful: set[int] = set()

    def run(self, shards: Sequence[int], on_done: Callable[[ShardSummary], None]) -> None:
        """Hand out the shards, never more than Ray will soon begin: a million at once would fill the memory."""
        waiting = iter(shards)
        while True:
            processors = self._processors()
            room = (self._workers or AHEAD * processors) - len(self._running)
            for shard in islice(waiting, max(0, room)):
                self._running[self._screen.remote(self._plan, shard, self._isolated)] = shard
            if not self._running:
                return
            done, _ = self._ray.wait(list(self._running), timeout=LOOK_S)
            for answer in done:
                found = self._found(answer, self._running.pop(answer))
                if found is not None:
                    on_done(found)

    def _processors(self) -> int:
        """Of the whole cluster; OsteoEdgeError where none is left."""
        found = int(self._ray.cluster_resources().get("CPU", 0))
        if not found:
            raise OsteoEdgeError(f"the Ray cluster has no processors left; start its nodes again, then {GO_ON}")
        return found

    def _found(self, answer: Any, shard: int) -> ShardSummary | None:
        """What a shard came to; None where it ends its process, again and again, and is now done carefully."""
        errors = self._ray.exceptions
        try:
            found: ShardSummary | Stop = self._ray.get(answer)
        except (errors.WorkerCrashedError, errors.OutOfMemoryError) as error:
            if shard in self._careful:
                raise OsteoEdgeError(f"shard {shard}: ends every process that does it; {GO_ON}") from error
            self._careful.add(shard)
            self._running[self._carefully.remote(self._plan, shard, self._isolated)] = shard
            return None
        except errors.RayTaskError as error:
            if not isinstance(error.cause, OSError):
                raise
            raise OsteoEdgeError(f"shard {shard}: failed {TRIES + 1} times ({error.cause}); {GO_ON}") from error
        except errors.RayError as error:
            raise OsteoEdgeError(f"Ray gave up on shard {shard} ({_first_line(error)}); {GO_ON}") from error
        if isinstance(found, Stop):
            raise OsteoEdgeError(found.line)
        return found


def screen_shard(plan: Plan, shard: int, isolated: bool) -> ShardSummary | Stop:
    """What a task does: the shard, with the screener that its process keeps."""
    try:
        return run_shard(plan, shard, _kept_screener(plan, isolated))
    except OsteoEdgeError as error:
        return Stop(str(error))


def screen_shard_carefully(plan: Plan, shard: int, isolated: bool) -> ShardSummary | Stop:
    """The same for a shard that has ended its process again and again."""
    try:
        return screen_carefully(plan, shard, isolated=isolated)
    except OsteoEdgeError as error:
        return Stop(str(error))


@lru_cache(maxsize=1)
def _kept_screener(plan: Plan, isolated: bool) -> FilmScreener:
    """The screener of this process, opened once for a plan; the process that decodes its films ends with this one."""
    keep_to_one_thread()
    keep_freed_memory()
    return screener_for(plan, isolated=isolated)


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
