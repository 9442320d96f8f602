"""Time rival variants fairly: each turn in a fresh process, one process at a time, the order drawn anew every round.

A process has luck, good or bad, that stays with it (where its memory lies), and a machine has slow moments: many short
turns in random order spread both over all variants (Kalibera and Jones 2013, "Rigorous benchmarking in reasonable
time"; pyperf does the like). A variant never runs while another one's threads are alive.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from osteo_edge.benchmarks.measuring.results import Latency, Turn
from osteo_edge.benchmarks.measuring.summaries import summarize
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec
from osteo_edge.benchmarks.timing.worker import Opening, Order, Ready
from osteo_edge.benchmarks.timing.worker_process import WorkerProcess
from osteo_edge.errors import OsteoEdgeError

PROCESSES = 20
QUICK_PROCESSES = 10
WARM_UP = Order(runs=5, seconds=0.3, limit_s=10.0)
LONGEST_TURN_S = 30.0
SHORTEST_TURN_S = 0.1
FIRST_OVERHEAD_S = 1.0  # of a process, until one was seen
SHORTEST_OVERHEAD_S = 0.01
ROUNDING_S = 1e-6


@dataclass(frozen=True)
class Rival:
    """One variant to be measured, under the name that its result gets, and the shape of the image that it takes."""

    name: str
    spec: RunnerSpec
    height: int
    width: int
    channels: int

    @property
    def opening(self) -> Opening:
        return Opening(self.spec, self.height, self.width, self.channels)


@dataclass(frozen=True)
class Goal:
    """What every rival is to reach: so many runs, seconds of timed inference, and processes; `budget_s` is for all."""

    runs: int
    seconds: float
    processes: int
    budget_s: float | None = None


@dataclass
class Account:
    """What one rival has come to so far; `failure` is why it is out."""

    turns: list[Turn] = field(default_factory=list)
    warm_up_ms: list[float] = field(default_factory=list)
    load_ms: list[float] = field(default_factory=list)
    ready: Ready | None = None
    failure: str | None = None

    @property
    def timed_s(self) -> float:
        return sum(sum(turn.runs_ms) for turn in self.turns) / 1000

    def is_open(self, goal: Goal) -> bool:
        """Whether the rival has to run again."""
        runs = sum(len(turn.runs_ms) for turn in self.turns)
        short = len(self.turns) < goal.processes or runs < goal.runs or self.timed_s < goal.seconds - ROUNDING_S
        return self.failure is None and short

    def result(self) -> Latency | str:
        """All turns, or why there is no result."""
        if self.failure is not None or self.ready is None:
            return self.failure or "the time budget was spent before its first turn"
        return Latency(
            summary=summarize(self.turns),
            turns=tuple(self.turns),
            warm_up_ms=tuple(self.warm_up_ms),
            load_ms=tuple(self.load_ms),
            version=self.ready.version,
            delegate=self.ready.delegate,
        )


def measure_latency(
    rivals: Sequence[Rival],
    *,
    runs: int,
    seconds: float,
    budget_s: float | None = None,
    seed: int = 0,
    processes: int = PROCESSES,
    on_progress: Callable[[int, int, str], None] = lambda done, total, note: None,
    open_worker: Callable[[Opening], WorkerProcess] = WorkerProcess,
) -> dict[str, Latency | str]:
    """Time every rival until it has `runs` runs and `seconds` seconds, spread over at least `processes` processes.

    `budget_s` is for all of them together, the start of processes included: it shortens turns, then leaves out rounds,
    so that all have had as many turns; the first round is always run. A rival that fails gets the reason instead, in
    one line, and the others go on. `on_progress` takes turns done, turns expected and the name of the next rival.
    """
    goal, order = Goal(runs, seconds, processes, budget_s), random.Random(seed)
    accounts = {rival.name: Account() for rival in rivals}
    if len(accounts) != len(rivals):
        raise ValueError("rivals of one name")
    began, done, total = time.monotonic(), 0, len(rivals) * processes
    while still := [rival for rival in rivals if accounts[rival.name].is_open(goal)]:
        turn = plan_turn(goal, list(accounts.values()), len(still), time.monotonic() - began)
        if turn is None:
            break
        for rival in order.sample(still, len(still)):
            on_progress(done, max(total, done + 1), rival.name)
            _take_turn(rival, accounts[rival.name], turn, began, open_worker)
            done += 1
    on_progress(done, done, "")
    return {name: account.result() for name, account in accounts.items()}


def plan_turn(goal: Goal, accounts: Sequence[Account], rivals: int, spent_s: float) -> Order | None:
    """How long each turn of the next round is to be; None if the budget has no room for another round.

    Without a budget: an equal part of the goal. With one: the part that the time left allows for the rounds to come, of
    which there are as many fewer as it takes for a turn to last as long as the start of its process.
    """
    runs, seconds = -(-goal.runs // goal.processes), goal.seconds / goal.processes
    if goal.budget_s is None:
        return Order(runs, seconds, LONGEST_TURN_S)
    turns = sum(len(account.turns) for account in accounts)
    timed_s = sum(account.timed_s for account in accounts)
    overhead_s = max(SHORTEST_OVERHEAD_S, (spent_s - timed_s) / turns) if turns else FIRST_OVERHEAD_S
    left_s = (goal.budget_s - spent_s) / rivals  # for each rival
    if turns and left_s < overhead_s + SHORTEST_TURN_S:
        return None
    ahead = max(1, goal.processes - max(len(account.turns) for account in accounts))
    rounds = max(1, min(ahead, int(left_s / (2 * overhead_s)))) if turns else ahead
    limit_s = max(SHORTEST_TURN_S, left_s / rounds - overhead_s)
    return Order(runs, seconds, min(limit_s, LONGEST_TURN_S))


def _take_turn(
    rival: Rival, account: Account, turn: Order, began: float, open_worker: Callable[[Opening], WorkerProcess]
) -> None:
    """One process from start to end; a failure is noted in the account."""
    try:
        with open_worker(rival.opening) as worker:
            ready = worker.load()
            warm_up = worker.take_turn(WARM_UP)
            at_s = time.monotonic() - began
            timed = worker.take_turn(turn)
    except OsteoEdgeError as error:
        account.failure = str(error)
        return
    account.ready = ready
    account.load_ms.append(ready.load_ms)
    account.warm_up_ms.extend(warm_up.runs_ms)
    number = len(account.turns)
    given = (timed.cpu_ms, timed.waited_ms, timed.switches, timed.yardstick_ms)
    account.turns.append(Turn(number, at_s, timed.runs_ms, *given))
