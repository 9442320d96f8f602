"""With real processes: scripts in the worker's place that misbehave in every way that a runtime does."""

import sys
import time
from pathlib import Path

import pytest

from osteo_edge.benchmarks.runtimes.runners import RunnerSpec
from osteo_edge.benchmarks.timing.worker import Opening, Order
from osteo_edge.benchmarks.timing.worker_process import WorkerProcess
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError

OPENING = Opening(RunnerSpec("LiteRT", "none.tflite", 1), 32, 32, 3)
READY = (
    """import sys; sys.stdin.readline(); print('{"version": "1", "delegate": null, "load_ms": 2.0}', flush=True)\n"""
)


def worker(script: str) -> WorkerProcess:
    return WorkerProcess(OPENING, command=[sys.executable, "-c", script])


def test_a_real_worker_loads_and_takes_turns(bundle: Bundle) -> None:
    with WorkerProcess(Opening(RunnerSpec("LiteRT", str(bundle.model_path), 1), 32, 32, 3)) as process:
        ready = process.load()
        turns = [process.take_turn(Order(runs, 0.0, 1.0)) for runs in (3, 5)]
        assert process.is_running()
    assert not process.is_running()
    assert ready.delegate == "XNNPACK"
    assert [len(turn.runs_ms) for turn in turns] == [3, 5]


def test_a_worker_that_reports_a_failure_is_quoted() -> None:
    with (
        worker("""print('{"error": "no model"}', flush=True)""") as process,
        pytest.raises(OsteoEdgeError, match="no model"),
    ):
        process.load()


def test_a_worker_that_dies_is_told_by_its_code_and_last_words() -> None:
    script = f"{READY}sys.stdin.readline(); sys.exit('out of luck')"
    with worker(script) as process:
        process.load()
        with pytest.raises(OsteoEdgeError, match=r"^its process ended with code 1 \(out of luck\)$"):
            process.take_turn(Order(1, 0.0, 1.0))


@pytest.mark.parametrize(
    ("signal", "words"),
    [("SIGILL", "SIGILL: an instruction that this processor does not have"), ("SIGKILL", "for want of memory")],
)
def test_a_worker_that_a_signal_ended_says_what_it_means(signal: str, words: str) -> None:
    with worker(f"import os, signal; os.kill(os.getpid(), signal.{signal})") as process:
        with pytest.raises(OsteoEdgeError, match=words):
            process.load()
        with pytest.raises(OsteoEdgeError, match=words):  # though nobody reads what is asked
            process.load()


@pytest.mark.parametrize("ignores_its_input", [True, False])
def test_a_worker_that_hangs_is_given_up_and_gone(ignores_its_input: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f"{READY}import time\nwhile True: time.sleep(60)" if ignores_its_input else f"{READY}sys.stdin.read()"
    monkeypatch.setattr("osteo_edge.benchmarks.timing.worker_process.GOODBYE_S", 0.5)
    began = time.monotonic()
    with worker(script) as process:
        process.load()
        with pytest.raises(OsteoEdgeError, match="no answer within 1 s; try again"):
            process.take_turn(Order(1, 0.0, 0.5), grace_s=0.5)
    assert not process.is_running()
    assert time.monotonic() - began < 30


def test_a_worker_that_closes_its_output_and_lives_on_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osteo_edge.benchmarks.timing.worker_process.GOODBYE_S", 0.2)
    with worker(f"{READY}import os, time\nos.close(1)\ntime.sleep(60)") as process:
        process.load()
        with pytest.raises(OsteoEdgeError, match="closed its output"):
            process.take_turn(Order(1, 0.0, 0.5))
    assert not process.is_running()


def test_an_interrupt_ends_the_worker_at_once(tmp_path: Path) -> None:
    mark = tmp_path / "ended by itself"
    process = worker(f"{READY}sys.stdin.readline(); open({str(mark)!r}, 'w')")
    with pytest.raises(KeyboardInterrupt):
        interrupt(process)
    assert not process.is_running()
    assert not mark.exists()


def interrupt(process: WorkerProcess) -> None:
    with process:
        process.load()
        raise KeyboardInterrupt
