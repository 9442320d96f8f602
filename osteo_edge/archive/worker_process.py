"""A process of this machine that screens films, and ends with the program that has started it."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Final, TypeVar

from osteo_edge.archive.film import Film
from osteo_edge.archive.freed_memory import keep_freed_memory
from osteo_edge.archive.plan import Plan
from osteo_edge.archive.row import Row
from osteo_edge.archive.shards import ShardSummary, run_shard, screener_for
from osteo_edge.archive.worker import FilmScreener, keep_to_one_thread
from osteo_edge.errors import OsteoEdgeError

ATTEMPTS: Final = 3
"""How often it is tried to start a process."""
AGAIN_S: Final = 0.5
"""How long to wait before another process is started: what has just been killed takes a moment to be gone."""

T = TypeVar("T")


class WorkerEndedError(Exception):
    """The process of a worker has ended, which tells nothing but that."""


class Worker:
    """A process that screens, and is replaced when it ends; a context manager that ends it at once.

    A pool of one process: where it breaks, it is known what broke it. The process ends with this program, however that
    ends, since it waits for the end of a pipe.
    """

    def __init__(self, plan: Plan, *, isolated: bool = True) -> None:
        self._plan, self._isolated = plan, isolated
        self._start()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def shard(self, shard: int) -> "Future[ShardSummary]":
        """Begin a shard."""
        return self._submit(_shard, self._plan, shard, self._isolated)

    def film(self, film: Film) -> Row:
        """Screen one film; WorkerEndedError if the process ends instead."""
        return self._wait(self._submit(_film, self._plan, film, self._isolated))

    def check(self) -> None:
        """Open the model; WorkerEndedError if the process ends instead."""
        self._wait(self._submit(_check, self._plan, self._isolated))

    def replace(self) -> None:
        """Begin anew with another process."""
        self._end()
        self._start()

    def _submit(self, deed: Callable[..., T], *given: object) -> "Future[T]":
        """Have the process do something; another one, where this one has ended meanwhile or does not start."""
        for _ in range(ATTEMPTS):
            try:
                with _interruption_held():
                    return self._pool.submit(deed, *given)
            except (BrokenProcessPool, EOFError, OSError) as error:  # the last two are of the server that forks it
                reason = str(error) or type(error).__name__
                time.sleep(AGAIN_S)
                self.replace()
        raise OsteoEdgeError(f"no process can be started to screen films ({reason}); the same command goes on later")

    def _wait(self, future: "Future[T]") -> T:
        try:
            return future.result()
        except BrokenProcessPool as error:
            self.replace()
            raise WorkerEndedError from error

    def _start(self) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        life, self._life = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=(life,))

    def _end(self) -> None:
        self._life.close()
        self._pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interruption_held() -> Iterator[None]:
    """Hold Ctrl-C back until the block has ended, and from the processes that it starts.

    The server that forks them ignores it only when its imports are done, and a process that begins when its pool has
    been given up cannot: each would tell an error on the terminal.
    """
    resource_tracker.ensure_running()  # whose own beginning would let it through
    came = list[int]()
    usual = signal.getsignal(signal.SIGINT)
    is_heard = threading.current_thread() is threading.main_thread() and callable(usual)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # which processes inherit, and threads do not
    if is_heard:
        signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        if is_heard:
            signal.signal(signal.SIGINT, usual)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if came:
            signal.raise_signal(signal.SIGINT)


def _begin(life: Connection) -> None:
    """In the process: leave Ctrl-C to the program that has started it, and end with that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_to_one_thread()
    keep_freed_memory()

    def end_with_program() -> None:
        life.poll(None)
        os._exit(1)

    threading.Thread(target=end_with_program, daemon=True).start()


def _shard(plan: Plan, shard: int, isolated: bool) -> ShardSummary:
    return _told(lambda: run_shard(plan, shard, _screener(plan, isolated)))


def _film(plan: Plan, film: Film, isolated: bool) -> Row:
    return _told(lambda: _screener(plan, isolated).row(film))


def _check(plan: Plan, isolated: bool) -> None:
    _told(lambda: _screener(plan, isolated).warm_up())


def _told(deed: Callable[[], T]) -> T:
    """What a deed gives; its error in a form that every process can read, which not each kind's is."""
    try:
        return deed()
    except OsteoEdgeError as error:
        raise OsteoEdgeError(str(error)) from None


@lru_cache(maxsize=1)
def _screener(plan: Plan, isolated: bool) -> FilmScreener:
    """The process's own, which it keeps."""
    return screener_for(plan, isolated=isolated)
