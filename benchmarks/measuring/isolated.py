"""Do a job in a fresh Python process: what crashes there, or is set for good there, leaves this one as it was."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.subcommand import ERROR_MARK

RESULT_MARK = "result: "
SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""The folder that somebody stands in may hold a file that is called like a module; Python 3.11 heeds this."""


def run_isolated(
    module: str, job: Mapping[str, Any], *, timeout_s: float, environment: Mapping[str, str] | None = None
) -> Any:
    """Run `python -m module`, which calls `serve`, on a job of JSON values, and give back its result.

    `OsteoEdgeError` with the one line that says why, if it fails, crashes or takes too long.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", module],
            input=json.dumps(job),
            env={**os.environ, **SAFE_PATH, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OsteoEdgeError(f"not done after {timeout_s:.0f} s; try again on an idle machine") from error
    results = [line for line in done.stdout.splitlines() if line.startswith(RESULT_MARK)]
    if done.returncode != 0 or not results:
        raise OsteoEdgeError(_reason(done.returncode, done.stderr))
    return json.loads(results[-1].removeprefix(RESULT_MARK))


def serve(work: Callable[[dict[str, Any]], Any]) -> None:
    """The other side: do `work` on the job from standard input, its result being JSON values; libraries may chatter."""
    try:
        result = work(json.load(sys.stdin))
    except OsteoEdgeError as error:
        sys.exit(f"{ERROR_MARK}{error}")
    sys.stdout.write(f"\n{RESULT_MARK}{json.dumps(result)}\n")


def _reason(code: int, errors: str) -> str:
    if code < 0:
        hint = "; its build is for another processor" if -code == signal.SIGILL else ""
        return f"the process was ended by {signal.Signals(-code).name}{hint}"
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    own = [line.removeprefix(ERROR_MARK) for line in lines if line.startswith(ERROR_MARK)]
    return (own or lines or [f"the process ended with code {code} and no message"])[-1]
