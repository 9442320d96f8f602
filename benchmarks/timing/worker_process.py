"""The parent's end of a worker: start it, ask it, and be sure that it is gone afterwards."""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

from osteo_edge import strict
from osteo_edge.benchmarks.measuring.isolated import SAFE_PATH
from osteo_edge.benchmarks.timing.worker import Failed, Opening, Order, Ready, Timed
from osteo_edge.errors import OsteoEdgeError

COMMAND = (sys.executable, "-m", "osteo_edge.benchmarks.timing.worker")
LOADING_S = 300.0  # TensorFlow on a Raspberry Pi takes a minute
GRACE_S = 120.0  # for a turn, beyond its limit: a last run may begin just before that
GOODBYE_S = 5.0
SIGNALS = {
    signal.SIGILL: "an instruction that this processor does not have: another build of the runtime is needed",
    signal.SIGKILL: "killed, for want of memory most likely",
}

T = TypeVar("T")


class WorkerProcess:
    """One fresh worker with one model; leaving the context ends the process, at once if something was raised.

    Every method raises `OsteoEdgeError` if the worker fails, dies or does not answer in time.
    """

    def __init__(self, opening: Opening, *, command: Sequence[str] = COMMAND) -> None:
        self._opening = opening
        self._command = command
        self._unread = b""

    def __enter__(self) -> "WorkerProcess":
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **SAFE_PATH},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if kind is not None:
            process.kill()
        try:
            _close(process.stdin)
            with suppress(subprocess.TimeoutExpired):
                process.wait(GOODBYE_S)
        finally:
            process.kill()
            process.wait()
            _close(process.stdout)
            self._errors.close()

    def is_running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def load(self, *, timeout_s: float = LOADING_S) -> Ready:
        """Have the runtime imported and the model loaded; to be called first, and once."""
        return self._ask(self._opening, Ready, timeout_s)

    def take_turn(self, order: Order, *, grace_s: float = GRACE_S) -> Timed:
        """Have the model run as ordered, and wait for the times."""
        return self._ask(order, Timed, order.limit_s + grace_s)

    def _ask(self, question: Any, kind: type[T], timeout_s: float) -> T:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(strict.to_dict(question)).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise OsteoEdgeError(self._last_words()) from error
        answer = json.loads(self._line(timeout_s))
        if "error" in answer:
            raise OsteoEdgeError(strict.from_dict(Failed, answer).error)
        return strict.from_dict(kind, answer)

    def _line(self, timeout_s: float) -> bytes:
        assert self._process.stdout is not None
        until = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise OsteoEdgeError(f"no answer within {timeout_s:.0f} s; try again on an idle machine")
                if not (piece := os.read(self._process.stdout.fileno(), 1 << 16)):
                    raise OsteoEdgeError(self._last_words())
                self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _last_words(self) -> str:
        """Why it died, from its exit code and the last line of its standard error."""
        try:
            code = self._process.wait(GOODBYE_S)
        except subprocess.TimeoutExpired:
            return "its process closed its output without an answer"
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        said = f" ({lines[-1]})" if lines else ""
        if code >= 0:
            return f"its process ended with code {code}{said}"
        known = signal.Signals(-code)
        return f"its process was ended by {known.name}{said}: {SIGNALS.get(known, 'the runtime crashed')}"


def _close(pipe: Any) -> None:
    with suppress(BrokenPipeError):  # the other end is gone, which is what is wanted
        pipe.close()
