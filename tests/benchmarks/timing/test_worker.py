import gc
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge import strict
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec
from osteo_edge.benchmarks.timing import worker
from osteo_edge.benchmarks.timing.worker import Opening, Order, serve, steady_input, take_turn
from osteo_edge.bundle import Bundle


class Clock:
    """Nanoseconds that pass only when something is run."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


class Steps:
    """Takes 1 ms, then 2 ms, then 3 ms and so on."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.calls, self.collected = clock, 0, False

    def run(self) -> None:
        self.calls += 1
        self.clock.now += self.calls * 1_000_000
        self.collected = self.collected or gc.isenabled()


@pytest.mark.parametrize(
    ("order", "runs"),
    [
        (Order(3, 0.0, 10.0), 3),
        (Order(1, 0.006, 10.0), 3),
        (Order(2, 0.006, 10.0), 3),
        (Order(5, 0.006, 10.0), 5),
        (Order(100, 60.0, 0.010), 4),
        (Order(0, 0.0, 0.0), 1),
    ],
)
def test_a_turn_lasts_until_runs_and_seconds_are_reached_or_the_limit(order: Order, runs: int) -> None:
    clock = Clock()
    timed = take_turn(Steps(clock), order, clock=clock)
    assert timed.runs_ms == tuple(range(1, runs + 1))


def test_nothing_is_collected_while_timing_and_the_collector_is_on_afterwards() -> None:
    clock = Clock()
    steps = Steps(clock)
    take_turn(steps, Order(3, 0.0, 10.0), clock=clock)
    assert (steps.collected, gc.isenabled()) == (False, True)


def test_a_turn_tells_what_the_process_was_given() -> None:
    class Busy:
        def run(self) -> None:
            sum(range(100_000))

    timed = take_turn(Busy(), Order(20, 0.0, 10.0))
    assert 0 < timed.cpu_ms < 1.5 * sum(timed.runs_ms) + 20
    assert timed.switches >= 0
    assert timed.waited_ms is None or timed.waited_ms >= 0
    assert 0.01 < timed.yardstick_ms < 100


def test_where_the_kernel_counts_no_waiting_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "THREADS", tmp_path)
    clock = Clock()
    assert take_turn(Steps(clock), Order(1, 0.0, 1.0), clock=clock).waited_ms is None


def test_the_longest_wait_of_a_thread_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "THREADS", tmp_path)
    for thread in ("1", "2"):
        (tmp_path / thread).mkdir()
        (tmp_path / thread / "schedstat").write_text("9 1000000 3")

    class Waits:
        def run(self) -> None:
            (tmp_path / "2" / "schedstat").write_text("9 6000000 3")

    assert take_turn(Waits(), Order(1, 0.0, 1.0)).waited_ms == 5.0


def test_the_input_is_the_same_each_time_and_not_trivial() -> None:
    first = steady_input(8, 6, 3)
    assert first.shape == (1, 8, 6, 3)
    assert first.dtype == np.float32
    assert np.array_equal(first, steady_input(8, 6, 3))
    assert len(np.unique(first)) == first.size
    assert np.abs(first).max() <= 1


def talk(*questions: Any) -> list[dict[str, Any]]:
    lines = [json.dumps(strict.to_dict(question)) for question in questions]
    replies = io.StringIO()
    serve(iter(lines), replies)  # type: ignore[arg-type]
    return [json.loads(line) for line in replies.getvalue().splitlines()]


def opening(bundle: Bundle) -> Opening:
    return Opening(RunnerSpec("LiteRT", str(bundle.model_path), 1), 32, 32, 3)


def test_a_worker_loads_once_and_takes_a_turn_for_every_order(bundle: Bundle) -> None:
    ready, first, second = talk(opening(bundle), Order(3, 0.0, 1.0), Order(2, 0.0, 1.0))
    assert (ready["delegate"], ready["load_ms"] > 0) == ("XNNPACK", True)
    assert (len(first["runs_ms"]), len(second["runs_ms"])) == (3, 2)


def test_what_a_user_can_mend_comes_back_in_its_words(tmp_path: Path) -> None:
    (reply,) = talk(Opening(RunnerSpec("LiteRT", str(tmp_path / "none.tflite"), 1), 32, 32, 3))
    assert reply == {"error": f"{tmp_path}/none.tflite: there is no such file; give a TFLite model"}


def test_any_other_failure_comes_back_as_one_line(bundle: Bundle) -> None:
    _, reply = talk(Opening(RunnerSpec("LiteRT", str(bundle.model_path), 1), 16, 16, 3), Order(1, 0.0, 1.0))
    assert reply["error"].startswith("ValueError: ")
    assert "\n" not in reply["error"]


def test_the_process_answers_and_ends_with_its_input_and_without_tensorflow(bundle: Bundle) -> None:
    script = (
        "import sys; from osteo_edge.benchmarks.timing.worker import main; main();"
        "assert not {'tensorflow', 'onnxruntime', 'openvino', 'matplotlib'} & set(sys.modules)"
    )
    lines = "".join(json.dumps(strict.to_dict(line)) + "\n" for line in (opening(bundle), Order(2, 0.0, 1.0)))
    finished = subprocess.run(
        [sys.executable, "-c", script], input=lines, capture_output=True, text=True, timeout=60, check=False
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    _, timed = map(json.loads, finished.stdout.splitlines())
    assert len(timed["runs_ms"]) == 2
