"""Processes that are killed, and what comes of it: each film once, whatever ends a run."""

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.archive.film import Film
from osteo_edge.archive.local_engine import LocalEngine
from osteo_edge.archive.plan import Plan
from osteo_edge.archive.shards import ShardSummary
from osteo_edge.archive.worker_process import Worker, WorkerEndedError
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from tests.osteo_edge.archive.results import outcomes_of, rows_of, screen_here

DEADLY = Path(__file__).with_name("deadly_decoder.py")
PATIENCE_S = 120.0
Planned = Callable[..., Plan]


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and theirs, by /proc."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *descendants(child)]
    return found


def test_the_engine_does_what_one_process_does(planned: Planned) -> None:
    here, there = planned("here"), planned("there")
    screen_here(here)
    done: list[ShardSummary] = []
    LocalEngine(isolated=False).run(there, there.missing(), workers=2, on_done=done.append)
    assert rows_of(there.out) == rows_of(here.out)
    assert sorted(summary.shard for summary in done) == [0, 1, 2]
    assert sum(summary.films for summary in done) == 7
    assert multiprocessing.active_children() == []


def test_what_ends_a_run_comes_through_as_it_is(planned: Planned, archive: Path) -> None:
    plan = planned()
    shutil.rmtree(archive)
    with pytest.raises(OsteoEdgeError, match="archive: is no longer there"):
        LocalEngine(isolated=False).run(plan, [0], workers=1, on_done=lambda summary: None)
    assert multiprocessing.active_children() == []


def test_a_source_that_goes_away_half_way_ends_the_run_and_is_gone_on_with(
    planned: Planned, archive: Path, tmp_path: Path
) -> None:
    whole, plan, done = planned("whole"), planned(), list[int]()
    screen_here(whole)

    def lose(summary: ShardSummary) -> None:
        done.append(summary.shard)
        if archive.exists():
            archive.rename(tmp_path / "away")

    with pytest.raises(OsteoEdgeError, match="archive: is no longer there; connect it and run the same command again"):
        LocalEngine(isolated=False).run(plan, plan.missing(), workers=1, on_done=lose)
    assert done == [0]
    assert plan.missing() == [1, 2]
    (tmp_path / "away").rename(archive)
    LocalEngine(isolated=False).run(plan, plan.missing(), workers=1, on_done=lambda summary: None)
    assert rows_of(plan.out) == rows_of(whole.out)


def test_a_worker_that_is_killed_is_replaced(planned: Planned, archive: Path) -> None:
    plan = planned()
    bright = Film("bright.png", archive / "bright.png")
    with Worker(plan, isolated=False) as worker:
        expected = worker.film(bright)
        (pid,) = worker._pool._processes
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(WorkerEndedError):
            worker.film(bright)
        again = worker.film(bright)
    assert (again.outcome, again.score) == (expected.outcome, expected.score) == ("refer", again.score)


def test_a_worker_that_is_killed_while_it_waits_is_replaced_too(planned: Planned, archive: Path) -> None:
    plan = planned()
    bright = Film("bright.png", archive / "bright.png")
    with Worker(plan, isolated=False) as worker:
        worker.check()
        pids = descendants(os.getpid())
        (server, *_) = [pid for pid in pids if b"forkserver" in command_of(pid)]
        for pid in (*worker._pool._processes, server):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: worker._pool._broken)
        assert worker.film(bright).outcome == "refer"


class Run:
    """`screen-archive` in a process of its own, whose decoder can be told by a film to kill it."""

    def __init__(self, bundle: Bundle, archive: Path, notes: Path) -> None:
        self.archive, self.notes, self._bundle = archive, notes, bundle
        notes.mkdir()

    def start(self, out: Path, *options: str) -> "subprocess.Popen[str]":
        command = [sys.executable, DEADLY, "screen-archive", self.archive, "--bundle", self._bundle.path, "--out", out]
        environment = {**os.environ, "DEADLY_NOTES": str(self.notes), "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.Popen(
            [*map(str, command), "--shard-size", "3", "--workers", "2", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )

    def __call__(self, out: Path, *options: str) -> "subprocess.CompletedProcess[str]":
        with self.start(out, *options) as process:
            printed, told = process.communicate(timeout=PATIENCE_S)
        return subprocess.CompletedProcess(process.args, process.returncode, printed, told)


@pytest.fixture
def run(bundle: Bundle, archive: Path, tmp_path: Path) -> Run:
    return Run(bundle, archive, tmp_path / "notes")


def add_films(archive: Path, count: int, ending: str = "") -> None:
    """Add films of the same picture, each with bytes of its own after it."""
    data = (archive / "bright.png").read_bytes()
    for number in range(count):
        (archive / f"more-{number:03d}.png").write_bytes(data + f"{number}{ending}".encode())


@pytest.mark.slow
def test_a_film_that_kills_its_worker_each_time_is_the_only_one_without_an_answer(run: Run, tmp_path: Path) -> None:
    data = (run.archive / "bright.png").read_bytes()
    (run.archive / "always.png").write_bytes(data + b"#kill")
    (run.archive / "once.png").write_bytes(data + b"#kill once")
    done = run(tmp_path / "out", "--one-process")
    assert done.returncode == 1, done.stderr
    found = outcomes_of(tmp_path / "out")
    assert found["always.png"] == ("unreadable", "ends_worker")
    assert found["once.png"] == ("refer", "threshold_reached")
    assert len(found) == len(rows_of(tmp_path / "out")) == 9
    assert [reason for _, reason in found.values()].count("ends_worker") == 1
    assert (run.notes / "always.png").read_text().count("killed") == 5  # three times with its shard, twice alone


def wait_for(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["kill the program", "kill a worker", "interrupt twice"])
def test_a_run_that_is_ended_and_gone_on_with_is_as_one_that_is_not(
    how: str, run: Run, planned: Planned, tmp_path: Path
) -> None:
    add_films(run.archive, 36)
    whole = planned("whole")
    screen_here(whole)
    out = tmp_path / "out"
    with run.start(out) as process:
        wait_for(lambda: len(list(out.glob("films/block=*/part-*.parquet"))) >= 2)
        started = descendants(process.pid)
        if how == "kill the program":
            process.kill()
        elif how == "kill a worker":
            workers = [pid for pid in started if b"forkserver" in command_of(pid)]
            os.kill(workers[-1], signal.SIGKILL)
        else:
            for _ in range(2):
                os.killpg(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE_S)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))
    assert "Traceback" not in told
    if how == "kill a worker":
        assert process.returncode == 1  # for the damaged film alone
    else:
        assert 0 < len(rows_of(out)) < 43
        assert process.returncode == (-signal.SIGKILL if how == "kill the program" else 130)
    if how.startswith("interrupt"):
        assert "films are kept in" in told
        assert "the same command goes on from there" in told
    assert run(out).returncode == 1
    assert rows_of(out) == rows_of(whole.out)
    assert not list(out.rglob("*.partial"))


@pytest.mark.slow
def test_ctrl_c_does_not_end_the_server_that_forks_workers_while_it_begins(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with run.start(out) as process:

        def interrupted() -> bool:
            for pid in descendants(process.pid):
                if b"forkserver" in command_of(pid):
                    os.kill(pid, signal.SIGINT)
            return any(out.glob("films/block=*/part-*.parquet"))

        wait_for(interrupted)
        _, told = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1  # for the damaged film alone
    assert told == ""
    assert len(rows_of(out)) == 7


@pytest.mark.slow
def test_ctrl_c_while_the_first_worker_begins_is_one_line(run: Run, tmp_path: Path) -> None:
    add_films(run.archive, 300)
    with run.start(tmp_path / "out") as process:
        wait_for(lambda: any(b"forkserver" in command_of(pid) for pid in descendants(process.pid)))
        os.killpg(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert told.startswith("osteo-edge: interrupted; ")
    assert told.count("\n") == 1


@pytest.mark.release
def test_a_run_that_is_killed_again_and_again_comes_out_as_one_that_is_not(
    run: Run, planned: Planned, tmp_path: Path
) -> None:
    add_films(run.archive, 1500)
    whole = planned("whole")
    screen_here(whole)
    out, chance, kills = tmp_path / "out", random.Random(12), 0
    while True:
        told = None
        with run.start(out) as process:
            while told is None:
                try:
                    _, told = process.communicate(timeout=chance.uniform(0.5, 4.0))
                except subprocess.TimeoutExpired:
                    kill(process.pid, chance.choice(["program", "one", "one", "all"]), chance)
                    kills += 1
        assert "Traceback" not in told
        if (out / "summary.json").exists():
            break
        gave_up = process.returncode == 1 and "osteo-edge: no process can be started" in told
        assert gave_up or process.returncode == -signal.SIGKILL, told
    assert kills >= 5
    assert rows_of(out) == rows_of(whole.out)


def kill(program: int, victim: str, chance: random.Random) -> None:
    """Kill a program, one of the processes that it has started, or all of them at once.

    Not alone what cleans up after Python's processes: another is started then, which complains.
    """
    started = descendants(program)
    ours = [pid for pid in started if b"resource_tracker" not in command_of(pid)]
    doomed = {"program": [program], "one": [chance.choice(ours)] if ours else [], "all": [program, *started]}
    for pid in doomed[victim]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def command_of(pid: int) -> bytes:
    """The command line of a process; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
