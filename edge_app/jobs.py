"""Work beside the window: on threads of its own, with only what is still wanted coming back to the window's thread.

There are two kinds. A job of a slot ("screen", "thumbnail 3") is for the eyes: a newer one in the same slot makes it
unwanted. It is then asked to cancel, and whatever it comes to is dropped. A saving job is for the disk: it is never
dropped, saving jobs run one after another in the order in which they were started, and leaving waits for them.

    jobs = Jobs(lambda call: Clock.schedule_once(lambda _: call()))
    jobs.start("screen", lambda task: screen(path, bundle, interpreter), show, complain)
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from osteo_edge.errors import OsteoEdgeError

Call = Callable[[], None]
Post = Callable[[Call], None]
"""Have a call made soon on the window's thread; must be callable from any thread and must not make it at once."""

WORKERS: Final = 2
GRACE_S: Final = 2.0
UNEXPECTED: Final = "Something unexpected happened. The log file says more."
NO_MEMORY: Final = "There is not enough memory for this. Close other programs and try again."

T = TypeVar("T")


class JobCancelledError(Exception):
    """What ends a job that has been asked to cancel; nobody is told."""


@dataclass(frozen=True)
class Progress:
    """How far a job is: the share that is done in [0, 1], None where that is not known, and a message to translate."""

    share: float | None
    message: str = ""


class Task:
    """What a job sees of itself: whether it is still wanted, and where to tell how far it is. Any thread may use it."""

    def __init__(self, tell: Callable[["Task"], None]) -> None:
        self._tell = tell
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._progress: Progress | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the job should stop as soon as it can."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise `JobCancelledError` if the job should stop: to be called between steps."""
        if self.cancelled:
            raise JobCancelledError

    def report(self, share: float | None, message: str = "") -> None:
        """Tell how far the job is; `check` too. Of reports that come faster than they are shown, the last counts."""
        self.check()
        with self._lock:
            is_waiting, self._progress = self._progress is not None, Progress(share, message)
        if not is_waiting:
            self._tell(self)

    def cancel(self) -> None:
        """Ask the job to stop."""
        self._cancelled.set()

    def take_progress(self) -> Progress | None:
        """The last report that has not been taken yet."""
        with self._lock:
            progress, self._progress = self._progress, None
        return progress


class Jobs:
    """The jobs of one window.

    `start`, `save`, `cancel` and `shutdown` are called on the window's thread, where `post` makes the calls; a result
    that a newer job or `cancel` has made unwanted is then never seen. An error comes as one line: that of an
    `OsteoEdgeError`, or a message to translate, with the traceback in `log`.
    """

    def __init__(self, post: Post, *, workers: int = WORKERS, log: logging.Logger | None = None) -> None:
        self._post_call = post
        self._log = log or logging.getLogger(__name__)
        self._lock = threading.Lock()
        self._closed = False
        self._wanted: dict[str, Task] = {}
        self._saving: dict[Task, str | None] = {}
        self._work, self._background, self._saves = _Lane("work", workers), _Lane("background", 1), _Lane("save", 1)

    def start(
        self,
        slot: str,
        work: Callable[[Task], T],
        on_result: Callable[[T], None],
        on_error: Callable[[str], None],
        on_progress: Callable[[Progress], None] | None = None,
        *,
        background: bool = False,
    ) -> Task:
        """Begin a job in a slot, in place of the one that is there.

        `background` is for what there may be much of, such as thumbnails: it goes one by one on a thread of its own,
        so that a stick that does not answer holds up nothing else.
        """
        task = Task(partial(self._post_progress, slot, on_progress))
        with self._lock:
            self._require_open()
            older, self._wanted[slot] = self._wanted.get(slot), task
            lane = self._background if background else self._work
            lane.put(partial(self._run, slot, task, work, on_result, on_error))
        if older is not None:
            older.cancel()
        return task

    def save(self, work: Callable[[], T], on_result: Callable[[T], None], on_error: Callable[[str], None]) -> None:
        """Begin a saving job."""
        task = Task(lambda _: None)
        with self._lock:
            self._require_open()
            self._saving[task] = None
            self._saves.put(partial(self._run, None, task, lambda _: work(), on_result, on_error))

    def cancel(self, slot: str) -> bool:
        """Make the job in a slot unwanted; whether there was one. Neither its result nor its end is told."""
        with self._lock:
            task = self._wanted.pop(slot, None)
        if task is not None:
            task.cancel()
        return task is not None

    @property
    def saving(self) -> bool:
        """Whether something is being saved, or its outcome has not been told yet."""
        with self._lock:
            return bool(self._saving)

    def flush(self, patience_s: float) -> bool:
        """Wait until what is being saved now is on the disk, told or not; whether that was within `patience_s`.

        For the moment in which the system may take the program away without another word.
        """
        is_done = threading.Event()
        with self._lock:
            if self._closed:
                return True
            self._saves.put(is_done.set)
        return is_done.wait(patience_s)

    def shutdown(self, grace_s: float = GRACE_S) -> tuple[str, ...]:
        """Wait for all saving jobs, drop the others, and end the threads; nothing is told after that.

        Gives the lines of those saving jobs that failed and whose failure has not been told. A job of a slot that does
        not stop within `grace_s` seconds is left behind; its thread does not keep the program from ending.
        """
        with self._lock:
            self._closed = True
            unwanted = list(self._wanted.values())
            self._wanted.clear()
        for task in unwanted:
            task.cancel()
        for lane in (self._work, self._background, self._saves):
            lane.close()
        self._saves.join()
        end = time.monotonic() + grace_s
        self._work.join(end)
        self._background.join(end)
        with self._lock:
            failures = tuple(line for line in self._saving.values() if line is not None)
            self._saving.clear()
        return failures

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeError("the jobs have been shut down")

    def _run(
        self,
        slot: str | None,
        task: Task,
        work: Callable[[Task], Any],
        on_result: Callable[[Any], None],
        on_error: Callable[[str], None],
    ) -> None:
        """Do a job, on a worker thread, and post what became of it."""
        try:
            task.check()
            call = partial(on_result, work(task))
        except BaseException as error:  # whatever it is, the window must hear of it, and the thread go on
            if task.cancelled:
                return
            line = self._line(error)
            call = partial(on_error, line)
            with self._lock:
                if task in self._saving:
                    self._saving[task] = line
        self._post(partial(self._deliver, slot, task, call))

    def _line(self, error: BaseException) -> str:
        if isinstance(error, OsteoEdgeError):
            return str(error)
        self._log.error("a job failed", exc_info=error)
        return NO_MEMORY if isinstance(error, MemoryError) else UNEXPECTED

    def _deliver(self, slot: str | None, task: Task, call: Call) -> None:
        """Make the call, on the window's thread, if it is still wanted."""
        with self._lock:
            if slot is None:
                wanted = task in self._saving
                self._saving.pop(task, None)
            else:
                wanted = self._wanted.get(slot) is task
                if wanted:
                    del self._wanted[slot]
        if wanted:
            call()

    def _post_progress(self, slot: str, on_progress: Callable[[Progress], None] | None, task: Task) -> None:
        if on_progress is not None:
            self._post(partial(self._deliver_progress, slot, on_progress, task))

    def _deliver_progress(self, slot: str, on_progress: Callable[[Progress], None], task: Task) -> None:
        with self._lock:
            wanted = self._wanted.get(slot) is task
        progress = task.take_progress()
        if wanted and progress is not None:
            on_progress(progress)

    def _post(self, call: Call) -> None:
        try:
            self._post_call(call)
        except Exception as error:  # a window that is closing; what failed to be saved is told by `shutdown`
            self._log.error("a result could not be delivered", exc_info=error)


class _Lane:
    """Threads that do what is put, in its order; they are started as there is something for them to do."""

    def __init__(self, name: str, limit: int) -> None:
        self._name, self._limit = name, limit
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def put(self, call: Call) -> None:
        self._calls.put(call)
        if len(self._threads) < self._limit:
            name = f"{self._name} {len(self._threads) + 1}"
            thread = threading.Thread(target=self._loop, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Have the threads end when all that was put is done."""
        for _ in self._threads:
            self._calls.put(None)

    def join(self, end: float | None = None) -> None:
        """Wait for the threads to end, until `end` on the monotonic clock at most."""
        for thread in self._threads:
            thread.join(None if end is None else max(0.0, end - time.monotonic()))

    def _loop(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call  # what it holds, such as a film, must not stay until the next one
