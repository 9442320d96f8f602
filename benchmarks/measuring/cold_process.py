"""Run one cold process to its end: how long it took, and the most memory that it held."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osteo_edge.errors import OsteoEdgeError

TIMEOUT_S = 900
# A child's ru_maxrss starts at what its parent held when it was spawned, so a small Python spawns it, not this one.
LAUNCHER = """
import json, os, sys, time
silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
start = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent)
_, status, usage = os.wait4(child, 0)
wall_ms = (time.perf_counter() - start) * 1000
cpu_ms = (usage.ru_utime + usage.ru_stime) * 1000
print(json.dumps([os.waitstatus_to_exitcode(status), wall_ms, cpu_ms, usage.ru_maxrss / 1024]))
"""


@dataclass(frozen=True)
class ColdRun:
    """One process from start to end.

    `peak_mib` is the kernel's high-water mark of the resident set (ru_maxrss, getrusage(2)), shared pages included.
    """

    wall_ms: float
    cpu_ms: float
    peak_mib: float


def run_cold(command: Sequence[str], *, timeout_s: float = TIMEOUT_S, bytecode: Path | None = None) -> ColdRun:
    """Run `command`, its executable given by its full path, and throw its output away.

    `bytecode` is a folder where Python keeps what it compiles: a later run finds it compiled, as that of an installed
    program is, also where this one's environment or a folder of sources that cannot be written would prevent that.
    Raises `OsteoEdgeError` with the last line of its standard error if it fails, and if it takes too long.
    """
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, *command]
    try:
        finished = subprocess.run(
            launcher, capture_output=True, text=True, timeout=timeout_s, check=False, env=_environment(bytecode)
        )
    except subprocess.TimeoutExpired as error:
        raise OsteoEdgeError(f"{command[0]}: not done after {timeout_s:.0f} s; try again on an idle machine") from error
    if finished.returncode != 0:
        raise OsteoEdgeError(f"{command[0]}: cannot be started ({_last_line(finished.stderr)})")
    code, wall_ms, cpu_ms, peak_mib = json.loads(finished.stdout)
    if code != 0:
        raise OsteoEdgeError(f"{command[0]}: ended with code {code}: {_last_line(finished.stderr)}")
    return ColdRun(wall_ms, cpu_ms, peak_mib)


def _environment(bytecode: Path | None) -> dict[str, str]:
    kept = {} if bytecode is None else {"PYTHONPYCACHEPREFIX": str(bytecode), "PYTHONDONTWRITEBYTECODE": ""}
    return {**os.environ, **kept}


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1]
