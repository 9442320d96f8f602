"""Do the shards of a plan with processes of this machine."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from typing import Final

from osteo_edge.archive.careful import screen_carefully
from osteo_edge.archive.plan import Plan
from osteo_edge.archive.shards import ShardSummary
from osteo_edge.archive.worker_process import Worker

ATTEMPTS: Final = 3
"""How often a shard may end its process before its films are screened one by one."""


class LocalEngine:
    """A process a core, each of which does one shard after the other; see `osteo_edge.archive.engine.Engine`.

    A shard whose process is killed is done again by another one; one that has ended three of them is done film by film,
    so that only the film that does it is left out.
    """

    name = "local"

    def __init__(self, *, isolated: bool = True) -> None:
        self._isolated = isolated

    def require_ready(self) -> None:
        """There is nothing that it needs beside this program."""

    def run(self, plan: Plan, shards: Sequence[int], *, workers: int, on_done: Callable[[ShardSummary], None]) -> None:
        waiting, ended = deque(shards), Counter[int]()
        running: dict[Future[ShardSummary], tuple[Worker, int]] = {}
        with ExitStack() as stack:
            count = min(workers, len(shards))
            idle = [stack.enter_context(Worker(plan, isolated=self._isolated)) for _ in range(count)]
            while waiting or running:
                while waiting and idle:
                    worker, shard = idle.pop(), waiting.popleft()
                    running[worker.shard(shard)] = worker, shard
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    worker, shard = running.pop(future)
                    done = self._done(future, plan, worker, shard, ended)
                    if done is None:
                        waiting.appendleft(shard)
                    else:
                        on_done(done)
                    idle.append(worker)

    def _done(
        self, future: Future[ShardSummary], plan: Plan, worker: Worker, shard: int, ended: Counter[int]
    ) -> ShardSummary | None:
        """What a shard came to; None where it has ended its process and is to be tried again."""
        try:
            return future.result()
        except BrokenProcessPool:
            worker.replace()
            ended[shard] += 1
        return screen_carefully(plan, shard, isolated=self._isolated) if ended[shard] == ATTEMPTS else None
