"""Run one of the project's own commands in a process of its own, so that training and conversion stay apart."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GRACE_S = 5.0
ERROR_MARK = "osteo-edge: "


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, None if it was stopped when its time was over, and how long it ran."""

    code: int | None
    seconds: float


def run_subcommand(words: Sequence[str], *, log: Path, timeout_s: float) -> Ended:
    """Run `osteo-edge` with these words; what it prints goes to the file `log`.

    The process has a session of its own: Ctrl-C reaches this program alone, which then stops the command for good,
    where `prune` and `qat` by themselves would keep a half-trained network.
    """
    started = time.monotonic()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "osteo_edge", *words],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            close_fds=False,  # a lock that this program holds is held as long as the command lives
        )
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _stop(process)
    return Ended(code, time.monotonic() - started)


def reason_of(code: int, log: Path) -> str:
    """Why a command failed, in one line: its own, if it gave one."""
    if code < 0:
        return f"ended by {signal.Signals(-code).name}; {log} tells how far it came"
    lines = [line.strip() for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    own = [line.removeprefix(ERROR_MARK) for line in lines if line.startswith(ERROR_MARK)]
    last = (own or lines or [f"exit code {code}"])[-1]
    return last if own else f"{last} ({log} tells more)"


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End the command and all that it started, if it still runs."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal_number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
