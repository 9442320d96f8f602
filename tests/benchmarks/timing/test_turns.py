import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from osteo_edge.benchmarks.measuring.results import Latency, Turn
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec
from osteo_edge.benchmarks.timing.turns import Account, Goal, Rival, measure_latency, plan_turn
from osteo_edge.benchmarks.timing.worker import Opening, Order, Ready, Timed
from osteo_edge.benchmarks.timing.worker_process import WorkerProcess
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError

T = TypeVar("T")


def rival(name: str, model: str = "model.tflite") -> Rival:
    return Rival(name, RunnerSpec("LiteRT", model, 1), 32, 32, 3)


class Bench:
    """Opens workers that only pretend: each run takes 10 ms; `failing` models fail from their nth process on."""

    def __init__(self, failing: dict[str, int] | None = None) -> None:
        self.opened: list[str] = []
        self.alive: list[str] = []
        self.failing = failing or {}

    def open(self, opening: Opening) -> WorkerProcess:
        return Pretender(self, opening.spec.model)


class Pretender(WorkerProcess):
    def __init__(self, bench: Bench, model: str) -> None:
        self.bench, self.model = bench, model

    def __enter__(self) -> "Pretender":
        self.bench.opened.append(self.model)
        self.bench.alive.append(self.model)
        assert self.bench.alive == [self.model], "a second worker while the first is alive"
        return self

    def __exit__(self, *_: object) -> None:
        self.bench.alive.remove(self.model)

    def load(self, *, timeout_s: float = 0.0) -> Ready:
        if self.bench.opened.count(self.model) > self.bench.failing.get(self.model, 1000):
            raise OsteoEdgeError("its process ended with code 1")
        return Ready("1.0", "XNNPACK", 7.0)

    def take_turn(self, order: Order, *, grace_s: float = 0.0) -> Timed:
        runs = max(order.runs, round(order.seconds * 100))
        return Timed((10.0,) * min(runs, max(1, round(order.limit_s * 100))), 1.0, 0.5, 2, 0.2)


def measure(*rivals: Rival, bench: Bench | None = None, **changes: object) -> dict[str, Latency | str]:
    lengths: dict[str, object] = {"runs": 100, "seconds": 0.5, "processes": 4, **changes}
    return measure_latency(rivals, open_worker=(bench or Bench()).open, **lengths)  # type: ignore[arg-type]


def latency(found: Latency | str) -> Latency:
    assert isinstance(found, Latency)
    return found


def test_every_turn_is_a_fresh_process_and_all_that_was_timed_is_kept() -> None:
    found = latency(measure(rival("a"))["a"])
    assert [turn.process for turn in found.turns] == [0, 1, 2, 3]
    assert [len(turn.runs_ms) for turn in found.turns] == [25] * 4
    assert len(found.warm_up_ms) == 4 * 30
    assert found.load_ms == (7.0,) * 4
    assert (found.version, found.delegate) == ("1.0", "XNNPACK")
    first = found.turns[0]
    assert (first.cpu_ms, first.waited_ms, first.switches, first.yardstick_ms) == (1.0, 0.5, 2, 0.2)


@pytest.mark.parametrize(("runs", "seconds", "total"), [(100, 0.5, 100), (100, 2.0, 200), (10, 0.01, 12)])
def test_runs_and_seconds_are_both_reached(runs: int, seconds: float, total: int) -> None:
    found = latency(measure(rival("a"), runs=runs, seconds=seconds)["a"])
    assert sum(len(turn.runs_ms) for turn in found.turns) == total


def test_the_order_is_drawn_anew_each_round_and_follows_from_the_seed() -> None:
    rivals = [rival(name, name) for name in "abc"]
    orders = []
    for seed in (0, 0, 1):
        bench = Bench()
        measure(*rivals, bench=bench, processes=8, seed=seed)
        orders.append(["".join(bench.opened[at : at + 3]) for at in range(0, 24, 3)])
    assert orders[0] == orders[1] != orders[2]
    assert all(sorted(order) == ["a", "b", "c"] for order in orders[0])
    assert len(set(orders[0])) > 2


def test_a_rival_that_fails_is_told_why_and_the_others_go_on() -> None:
    bench = Bench({"bad": 2})
    found = measure(rival("good", "good"), rival("bad", "bad"), bench=bench)
    assert found["bad"] == "its process ended with code 1"
    assert len(latency(found["good"]).turns) == 4
    assert bench.opened.count("bad") == 3


def test_progress_tells_turns_and_the_next_rival() -> None:
    told: list[tuple[int, int, str]] = []
    measure(rival("a"), processes=2, on_progress=lambda *now: told.append(now))
    assert told == [(0, 2, "a"), (1, 2, "a"), (2, 2, "")]


def test_two_rivals_of_one_name_are_our_mistake() -> None:
    with pytest.raises(ValueError, match="one name"):
        measure(rival("a"), rival("a"))


def test_a_spent_budget_leaves_out_rounds_for_all_alike() -> None:
    found = measure(rival("a"), rival("b"), budget_s=0.0)
    assert [len(latency(found[name]).turns) for name in "ab"] == [1, 1]


def account(*turns_s: float) -> Account:
    return Account([Turn(number, 0.0, (seconds * 1000,)) for number, seconds in enumerate(turns_s)])


def test_without_a_budget_each_turn_is_an_equal_part_of_the_goal() -> None:
    assert plan_turn(Goal(1024, 60.0, 20), [account()], 1, 0.0) == Order(52, 3.0, 30.0)


def test_a_large_budget_changes_nothing_but_the_limit() -> None:
    turn = plan_turn(Goal(1024, 60.0, 20, budget_s=1000.0), [account()], 1, 0.0)
    assert turn == Order(52, 3.0, 30.0)


def test_a_small_budget_shortens_turns_then_leaves_out_rounds() -> None:
    """Two rivals; the first round took 3 s, of which 2 s were the start of two processes."""
    goal, accounts = Goal(1024, 60.0, 20, budget_s=103.0), [account(0.5), account(0.5)]
    turn = plan_turn(goal, accounts, 2, 3.0)
    assert turn is not None
    assert turn.limit_s == pytest.approx(100 / 2 / 19 - 1)  # 19 rounds to come, a second of each for the start
    tight = plan_turn(Goal(1024, 60.0, 20, budget_s=15.0), accounts, 2, 3.0)
    assert tight is not None
    assert tight.limit_s == pytest.approx(6 / 3 - 1)  # three rounds, half of each for inference
    assert plan_turn(Goal(1024, 60.0, 20, budget_s=5.0), accounts, 2, 3.0) is None


def test_a_budget_is_kept_by_real_processes_and_a_broken_model_stops_nobody(bundle: Bundle, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"none")
    rivals = [rival("good", str(bundle.model_path)), rival("broken", str(broken))]
    began = time.monotonic()
    found = measure_latency(rivals, runs=10_000_000, seconds=60.0, budget_s=4.0, processes=5)
    assert time.monotonic() - began < 20
    assert isinstance(found["broken"], str)
    assert "LiteRT cannot load it" in found["broken"]
    good = latency(found["good"])
    assert good.summary.minimum > 0
    assert good.delegate == "XNNPACK"
    assert good.turns[-1].at_s > good.turns[0].at_s or len(good.turns) == 1


SCRIPT = """
import sys
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec
from osteo_edge.benchmarks.timing.turns import Rival, measure_latency
try:
    measure_latency([Rival("a", RunnerSpec("LiteRT", sys.argv[1], 1), 32, 32, 3)], runs=1, seconds=6, processes=2)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_nothing_is_left_running_when_the_parent_is_stopped(sent: signal.Signals, code: int, bundle: Bundle) -> None:
    parent = subprocess.Popen([sys.executable, "-c", SCRIPT, str(bundle.model_path)])
    child = wait_for(lambda: children(parent.pid))[0]
    wait_for(lambda: cpu_ticks(child) > 50)  # it is past its imports, and within a turn
    parent.send_signal(sent)
    assert parent.wait(30) == code
    wait_for(lambda: not is_alive(child))


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    if not path.parent.parent.parent.is_dir() or not path.is_file():
        pytest.skip("the kernel does not tell a process's children here")
    return [int(number) for number in path.read_text("ascii").split()]


def cpu_ticks(pid: int) -> int:
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[11:13]))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def wait_for(ready: Callable[[], T], timeout_s: float = 30.0) -> T:
    until = time.monotonic() + timeout_s
    while not (found := ready()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)
    return found
