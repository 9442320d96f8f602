import gc
import logging
import random
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from queue import Empty, SimpleQueue

import pytest

from osteo_edge.edge_app.jobs import NO_MEMORY, UNEXPECTED, Call, JobCancelledError, Jobs, Progress, Task
from osteo_edge.errors import OsteoEdgeError

LONG_S = 20.0


class Window:
    """A window's thread: this one. What is posted waits until it is taken."""

    def __init__(self) -> None:
        self.calls: SimpleQueue[Call] = SimpleQueue()
        self.thread = threading.current_thread()

    def post(self, call: Call) -> None:
        assert threading.current_thread() is not self.thread
        self.calls.put(call)

    def turn(self, until: Callable[[], bool]) -> None:
        """Make the calls that are posted, until something is so."""
        end = time.monotonic() + LONG_S
        while not until():
            assert time.monotonic() < end
            try:
                self.calls.get(timeout=0.01)()
            except Empty:
                continue

    def turn_all(self) -> None:
        while not self.calls.empty():
            self.calls.get()()


@pytest.fixture
def window() -> Window:
    return Window()


@contextmanager
def open_jobs(window: Window, workers: int = 2) -> Iterator[Jobs]:
    """Jobs whose threads are gone in the end."""
    before = set(threading.enumerate())
    jobs = Jobs(window.post, workers=workers)
    yield jobs
    jobs.shutdown()
    assert set(threading.enumerate()) <= before


@pytest.fixture
def jobs(window: Window) -> Iterator[Jobs]:
    with open_jobs(window) as jobs:
        yield jobs


def never(told: object) -> None:
    raise AssertionError(told)


def wait_for(event: threading.Event) -> None:
    assert event.wait(LONG_S)


def until_cancelled(task: Task) -> None:
    while True:
        task.check()
        time.sleep(0.001)


def test_work_is_done_beside_the_window_and_told_on_its_thread(jobs: Jobs, window: Window) -> None:
    told: list[tuple[threading.Thread, threading.Thread]] = []
    jobs.start("a", lambda _: threading.current_thread(), lambda t: told.append((t, threading.current_thread())), never)
    window.turn(lambda: bool(told))
    ((worked, told_on),) = told
    assert worked is not window.thread
    assert told_on is window.thread


def test_nothing_is_told_before_the_window_takes_it(jobs: Jobs, window: Window) -> None:
    told: list[int] = []
    jobs.start("a", lambda _: 1, told.append, never)
    while window.calls.empty():
        time.sleep(0.001)
    assert told == []
    window.turn_all()
    assert told == [1]


def test_a_newer_job_makes_the_older_one_unwanted_even_when_it_has_finished(jobs: Jobs, window: Window) -> None:
    told: list[str] = []
    jobs.start("a", lambda _: "old", told.append, never)
    while window.calls.empty():
        time.sleep(0.001)
    jobs.start("a", lambda _: "new", told.append, never)
    jobs.start("b", lambda _: "other", told.append, never)
    window.turn(lambda: len(told) >= 2)
    window.turn_all()
    assert sorted(told) == ["new", "other"]


def test_a_newer_job_asks_the_older_one_to_cancel(jobs: Jobs, window: Window) -> None:
    told: list[str] = []
    started = threading.Event()

    def old(task: Task) -> None:
        started.set()
        until_cancelled(task)

    task = jobs.start("a", old, lambda _: told.append("old"), told.append)
    wait_for(started)
    jobs.start("a", lambda _: "new", told.append, never)
    assert task.cancelled
    window.turn(lambda: bool(told))
    assert told == ["new"]


def test_a_job_that_waits_and_is_not_wanted_any_more_is_not_begun(window: Window) -> None:
    gate, begun, told = threading.Event(), list[int](), list[int]()

    def begin(number: int, _: Task) -> int:
        begun.append(number)
        return number

    with open_jobs(window, workers=1) as jobs:
        jobs.start("gate", lambda _: wait_for(gate), lambda _: None, never)
        for number in range(100):
            jobs.start("a", partial(begin, number), told.append, never)
        gate.set()
        window.turn(lambda: bool(told))
    assert (begun, told) == ([99], [99])


def test_what_is_cancelled_tells_nothing(jobs: Jobs, window: Window) -> None:
    ended, told = threading.Event(), list[str]()

    def work(task: Task) -> None:
        try:
            until_cancelled(task)
        finally:
            ended.set()

    jobs.start("a", work, never, never)
    assert jobs.cancel("a")
    assert not jobs.cancel("a")
    jobs.start("b", lambda _: "b", told.append, never)
    window.turn(lambda: ended.is_set() and told == ["b"])
    assert not jobs.cancel("b")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OsteoEdgeError("knee.png: the file is empty; copy or export it again"), None),
        (ValueError("patient's name"), UNEXPECTED),
        (MemoryError(), NO_MEMORY),
        (SystemExit(3), UNEXPECTED),
        (JobCancelledError(), UNEXPECTED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_is_one_line_and_an_unexpected_one_is_logged(
    error: BaseException, line: str | None, jobs: Jobs, window: Window, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    def work(_: Task) -> None:
        raise error

    for begin in (partial(jobs.start, "a", work), partial(jobs.save, partial(work, Task(lambda _: None)))):
        told.clear()
        begin(never, told.append)
        window.turn(lambda: bool(told))
        assert told == [line or str(error)]
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2 * (line is not None)
    assert all(record.exc_info for record in caplog.records)


def test_progress_is_told_on_the_window_and_what_comes_too_fast_is_left_out(jobs: Jobs, window: Window) -> None:
    told: list[object] = []
    reported = threading.Event()

    def work(task: Task) -> str:
        for step in range(1000):
            task.report(step / 1000, "Reading")
        reported.set()
        return "done"

    jobs.start("a", work, told.append, never, told.append)
    wait_for(reported)
    assert window.calls.qsize() <= 2
    window.turn(lambda: "done" in told)
    assert told == [Progress(0.999, "Reading"), "done"]


def test_progress_of_an_unwanted_job_is_not_told(jobs: Jobs, window: Window) -> None:
    reported = threading.Event()

    def work(task: Task) -> None:
        task.report(None)
        reported.set()
        until_cancelled(task)

    jobs.start("a", work, lambda _: None, never, never)
    wait_for(reported)
    jobs.cancel("a")
    window.turn_all()


def test_background_jobs_hold_up_no_others(jobs: Jobs, window: Window) -> None:
    stuck, told = threading.Event(), list[object]()
    for number in range(5):
        jobs.start(f"thumbnail {number}", lambda _: wait_for(stuck), told.append, never, background=True)
    jobs.start("screen", lambda _: "screened", told.append, never)
    window.turn(lambda: bool(told))
    assert told == ["screened"]
    stuck.set()
    window.turn(lambda: len(told) == 6)


def test_saving_jobs_are_all_done_in_their_order(jobs: Jobs, window: Window) -> None:
    saved, told = list[int](), list[int]()

    def save(number: int) -> int:
        time.sleep(random.random() / 500)
        saved.append(number)
        return number

    for number in range(50):
        jobs.save(partial(save, number), told.append, never)
        assert jobs.saving
    window.turn(lambda: not jobs.saving)
    assert saved == told == list(range(50))


def test_leaving_waits_for_what_is_being_saved_and_drops_the_rest(window: Window) -> None:
    gate, saved = threading.Event(), list[int]()
    with open_jobs(window) as jobs:
        for number in range(5):
            jobs.start(f"look {number}", until_cancelled, never, never, background=number > 2)
        jobs.save(lambda: wait_for(gate), never, never)
        jobs.save(lambda: saved.append(1), never, never)
        threading.Timer(0.05, gate.set).start()
        assert jobs.shutdown() == ()
        assert saved == [1]
        window.turn_all()
        with pytest.raises(RuntimeError):
            jobs.start("late", lambda _: None, never, never)
        with pytest.raises(RuntimeError):
            jobs.save(lambda: None, never, never)


def test_what_could_not_be_saved_is_told_even_when_the_window_leaves(window: Window) -> None:
    def full() -> None:
        raise OsteoEdgeError("the screening was not saved (disk is full); free some space")

    told: list[str] = []
    with open_jobs(window) as jobs:
        jobs.save(full, never, told.append)
        window.turn(lambda: bool(told))
        jobs.save(full, never, never)
        assert jobs.shutdown() == tuple(told)


def test_a_job_that_does_not_stop_is_left_behind(window: Window) -> None:
    stuck = threading.Event()
    with open_jobs(window) as jobs:
        jobs.start("a", lambda _: wait_for(stuck), never, never)
        started = time.monotonic()
        jobs.shutdown(grace_s=0.05)
        assert time.monotonic() - started < 2
        stuck.set()


def test_a_window_that_is_closing_ends_no_thread(caplog: pytest.LogCaptureFixture) -> None:
    posted = threading.Event()

    def closed(_: Call) -> None:
        posted.set()
        raise RuntimeError("no window")

    jobs = Jobs(closed, workers=1)
    for _ in range(2):
        posted.clear()
        jobs.start("a", lambda _: 1, never, never)
        wait_for(posted)
    jobs.shutdown()
    assert {record.message for record in caplog.records} == {"a result could not be delivered"}


class Film:
    """Something large."""


def test_no_film_stays_in_memory_when_its_job_is_done(jobs: Jobs, window: Window) -> None:
    films, told = list[weakref.ref[Film]](), list[str]()

    def kept(film: Film) -> Film:
        films.append(weakref.ref(film))
        return film

    jobs.start("a", lambda _: kept(Film()), lambda _: told.append("screened"), never)
    jobs.save(partial(kept, kept(Film())), lambda _: told.append("saved"), never)
    window.turn(lambda: len(told) == 2)
    end = time.monotonic() + 2
    while any(film() is not None for film in films):
        gc.collect()
        assert time.monotonic() < end


def test_threads_are_few_however_many_jobs_there_are_and_none_without_jobs(window: Window) -> None:
    before, told = threading.active_count(), list[int]()
    with open_jobs(window) as jobs:
        assert threading.active_count() == before
        for number in range(500):
            jobs.start(f"slot {number}", lambda _: 1, told.append, never, background=number % 2 == 0)
            jobs.save(lambda: 1, told.append, never)
        assert threading.active_count() <= before + 4
        window.turn(lambda: len(told) == 1000)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_timing_only_what_is_wanted_is_told_and_nothing_that_is_saved_is_lost(
    seed: int, window: Window
) -> None:
    """Each slot tells its newest job and no older one after it; a cancelled slot is silent; each save is told once."""
    chance = random.Random(seed)
    newest: dict[str, int] = {}
    told: dict[str, list[int]] = {f"slot {number}": [] for number in range(6)}
    errors, saved = list[str](), list[int]()

    def work(number: int, naps: list[float], fails: bool, task: Task) -> int:
        for at, nap in enumerate(naps):
            time.sleep(nap)
            task.report(at / len(naps)) if number % 3 else None
        if fails:
            raise OsteoEdgeError(str(number))
        return number

    def tell(slot: str, number: int) -> None:
        assert threading.current_thread() is window.thread
        assert newest.get(slot) == number
        told[slot].append(number)

    def progress(slot: str, number: int, _: Progress) -> None:
        assert newest.get(slot) == number
        assert number not in told[slot]

    def complain(slot: str, line: str) -> None:
        errors.append(line)
        tell(slot, int(line))

    def save(nap: float, number: int) -> int:
        time.sleep(nap)
        return number

    with open_jobs(window, workers=chance.randint(1, 4)) as jobs:
        for number in range(400):
            slot = f"slot {chance.randrange(6)}"
            naps = [chance.random() / 2000 for _ in range(chance.randrange(4))]
            match chance.randrange(8):
                case 0:
                    newest.pop(slot, None)
                    jobs.cancel(slot)
                case 1:
                    jobs.save(partial(save, sum(naps), number), saved.append, never)
                    newest[f"save {number}"] = number
                case _:
                    newest[slot] = number
                    job = partial(work, number, naps, chance.random() < 0.2)
                    jobs.start(
                        slot,
                        job,
                        partial(tell, slot),
                        partial(complain, slot),
                        partial(progress, slot, number),
                        background=chance.random() < 0.3,
                    )
            if chance.random() < 0.4:
                time.sleep(chance.random() / 1000)
                window.turn_all()
        newest["slot 0"] = 400
        jobs.start("slot 0", partial(work, 400, [], True), partial(tell, "slot 0"), partial(complain, "slot 0"))
        slots = [slot for slot in told if slot in newest]
        window.turn(lambda: not jobs.saving and all(newest[slot] in told[slot] for slot in slots))
        window.turn_all()
    for numbers in told.values():
        assert numbers == sorted(set(numbers))
    assert saved == [number for name, number in newest.items() if name.startswith("save")]
    assert "400" in errors
    assert sum(map(len, told.values())) > 20


def test_what_is_being_saved_can_be_waited_for_and_is_told_later(window: Window) -> None:
    with open_jobs(window) as jobs:
        is_slow, told = threading.Event(), list[str]()
        jobs.save(lambda: str(is_slow.wait(LONG_S)), told.append, told.append)
        assert not jobs.flush(0.01)
        is_slow.set()
        assert jobs.flush(LONG_S)
        assert told == []
        window.turn(lambda: not jobs.saving)
        assert told == ["True"]
    assert jobs.flush(LONG_S)
