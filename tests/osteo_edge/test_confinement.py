"""What a process that decodes films is left with, as the kernel tells it of one that waits."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from osteo_edge.reading_protocol import Limits

LIMITS = Limits(cpu_s=7, memory_bytes=2**28)
PATIENCE_S = 30.0
CONFINED = f"""
import os
from osteo_edge.confinement import confine
from osteo_edge.reading_protocol import Limits

def wait():
    nothing, mine = os.pipe()
    confine({LIMITS})
    os.write(1, b"%d" % os.getpid())
    os.read(nothing, 1)

"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are confined on Linux alone")


@contextmanager
def waiting(program: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """A program that is confined and waits without end, or has a child that does; and which of the two it is."""
    with subprocess.Popen([sys.executable, "-c", CONFINED + program], stdout=subprocess.PIPE) as process:
        confined = process.pid
        try:
            confined = int(read_in_time(process))
            yield process, confined
        finally:
            for one in {process.pid, confined}:
                with suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)


def read_in_time(process: "subprocess.Popen[bytes]") -> bytes:
    """What it says next; nothing where nobody is left who could."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], PATIENCE_S)[0], "nothing was said, and somebody is left"
    return os.read(process.stdout.fileno(), 64)


def limits_of(process_id: int) -> dict[str, list[str]]:
    """The soft and the hard limit of each kind, as proc_pid_limits(5) has them."""
    lines = Path(f"/proc/{process_id}/limits").read_text("ascii").splitlines()[1:]
    return {line[:25].strip(): line[25:].split()[:2] for line in lines}


def test_it_may_write_nothing_start_nothing_and_leave_no_core_dump() -> None:
    with waiting("wait()") as (_, confined):
        limits = limits_of(confined)
    assert [limits[f"Max {what}"] for what in ("core file size", "file size", "processes")] == 3 * [["0", "0"]]


def test_its_time_and_memory_are_bounded_for_good() -> None:
    with waiting("wait()") as (_, confined):
        limits = limits_of(confined)
    assert limits["Max cpu time"] == ["7", "8"]
    soft, hard = map(int, limits["Max address space"])
    assert LIMITS.memory_bytes < soft == hard < LIMITS.memory_bytes + 2**30


def test_it_gains_no_right_and_is_the_first_to_go_where_memory_runs_out() -> None:
    with waiting("wait()") as (_, confined):
        status = Path(f"/proc/{confined}/status").read_text("ascii", "replace").splitlines()
        score = Path(f"/proc/{confined}/oom_score_adj").read_text("ascii")
    assert "NoNewPrivs:\t1" in status
    assert int(score) == 1000


def test_it_ends_with_its_parent_also_where_that_is_killed() -> None:
    with waiting("os.wait() if os.fork() else wait()") as (parent, confined):
        assert confined != parent.pid
        parent.kill()
        assert read_in_time(parent) == b""
