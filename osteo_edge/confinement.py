"""Take from a process what decoding a file does not need, for good: there is no way back.

Linux alone. What the kernel refuses is left out; `confine` says whether system calls are filtered.
"""

import ctypes
import resource
import signal
from pathlib import Path
from typing import Final

from osteo_edge.reading_protocol import Limits
from osteo_edge.syscall_filter import filter_program

PR_SET_PDEATHSIG: Final = 1
PR_SET_SECCOMP: Final = 22
PR_SET_NO_NEW_PRIVS: Final = 38
SECCOMP_MODE_FILTER: Final = 2
INSTRUCTION_BYTES: Final = 8
FIRST_TO_GO: Final = b"1000"
"""The process that the kernel ends first where memory runs out (proc_pid_oom_score_adj(5))."""


class _Program(ctypes.Structure):
    """`struct sock_fprog`: the number of instructions, and where they are."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def confine(limits: Limits) -> bool:
    """Limit this process, which must have a single thread, and what it may ask of the kernel; whether that is filtered.

    It ends with its parent. From here on it writes no file, starts no process, leaves no core dump, gains no rights by
    a program, and takes no more than `limits`: MemoryError beyond the memory, SIGXCPU beyond the time. Where system
    calls are filtered it also opens nothing and reaches no network.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    _go_first()
    _limit(resource.RLIMIT_CPU, limits.cpu_s, limits.cpu_s + 1)  # at the second one SIGKILL
    _limit(resource.RLIMIT_AS, *2 * [_address_space_bytes() + limits.memory_bytes])
    for none_of in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC):
        _limit(none_of, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    program = filter_program()
    if program is None:
        return False
    filtering = _Program(len(program) // INSTRUCTION_BYTES, program)
    refused: int = libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filtering), 0, 0)
    return not refused


def _limit(what: int, soft: int, hard: int) -> None:
    """Lower a limit; one that is lower already is kept."""
    now = resource.getrlimit(what)
    lower = [
        new if old == resource.RLIM_INFINITY else min(old, new) for old, new in zip(now, (soft, hard), strict=True)
    ]
    resource.setrlimit(what, (lower[0], lower[1]))


def _address_space_bytes() -> int:
    pages = Path("/proc/self/statm").read_bytes().split()[0]
    return int(pages) * resource.getpagesize()


def _go_first() -> None:
    try:
        Path("/proc/self/oom_score_adj").write_bytes(FIRST_TO_GO)
    except OSError:  # a system without it chooses by itself
        return
