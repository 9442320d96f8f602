"""The system calls that a process which decodes a file may still make: a seccomp filter for x86_64 and AArch64.

What is not listed fails with EPERM: opening any file, sockets, starting a program or a thread, signals to others. What
remains is computing, memory, and reading and writing what is open already.

The filter is a program of classic BPF (seccomp(2), and the kernel's userspace-api/seccomp_filter).
"""

import errno
import platform
import struct
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

LOAD_WORD: Final = 0x20
JUMP_IF_EQUAL: Final = 0x15
JUMP_IF_ANY_BIT: Final = 0x45
RETURN: Final = 0x06
ALLOW: Final = 0x7FFF0000
REFUSE: Final = 0x00050000 | errno.EPERM
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16
"""Offsets in `struct seccomp_data`; an argument is 8 bytes, its low word first on both architectures."""
ARCHITECTURES: Final = MappingProxyType({"x86_64": 0xC000003E, "aarch64": 0xC00000B7})
"""AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64."""
PROT_EXEC: Final = 0x4
AT_EMPTY_PATH: Final = 0x1000
FIONBIO, FIONCLEX, FIOCLEX = 0x5421, 0x5450, 0x5451
DUPLICATE, GET_FLAGS, SET_FLAGS = (0, 1030), (1, 3), (2, 4)
"""What `fcntl` may do: nothing that sends signals to others."""


@dataclass(frozen=True)
class Call:
    """A system call by its number on each architecture, None where there is none, and a condition on one argument.

    It is let through where `argument` is one of `values`, if there are any; has none of the bits of `without`; and has
    one of the bits of `with_bits`, if there are any.
    """

    x86_64: int | None
    aarch64: int | None
    argument: int = 0
    values: tuple[int, ...] = field(default=(), kw_only=True)
    without: int = field(default=0, kw_only=True)
    with_bits: int = field(default=0, kw_only=True)

    @property
    def numbers(self) -> Mapping[str, int | None]:
        """The call's number by the architecture's name."""
        return {"x86_64": self.x86_64, "aarch64": self.aarch64}


CALLS: Final = MappingProxyType(
    {
        "read": Call(0, 63),
        "write": Call(1, 64),
        "close": Call(3, 57),
        "fstat": Call(5, 80),
        "poll": Call(7, None),
        "lseek": Call(8, 62),
        "mmap": Call(9, 222, 2, without=PROT_EXEC),
        "mprotect": Call(10, 226, 2, without=PROT_EXEC),
        "munmap": Call(11, 215),
        "brk": Call(12, 214),
        "rt_sigaction": Call(13, 134),
        "rt_sigprocmask": Call(14, 135),
        "rt_sigreturn": Call(15, 139),
        "ioctl": Call(16, 29, 1, values=(FIONBIO, FIONCLEX, FIOCLEX)),
        "readv": Call(19, 65),
        "writev": Call(20, 66),
        "pipe": Call(22, None),
        "sched_yield": Call(24, 124),
        "mremap": Call(25, 216),
        "madvise": Call(28, 233),
        "dup": Call(32, 23),
        "dup2": Call(33, None),
        "nanosleep": Call(35, 101),
        "getpid": Call(39, 172),
        "exit": Call(60, 93),
        "fcntl": Call(72, 25, 1, values=(*DUPLICATE, *GET_FLAGS, *SET_FLAGS)),
        "gettimeofday": Call(96, 169),
        "getrusage": Call(98, 165),
        "sigaltstack": Call(131, 132),
        "gettid": Call(186, 178),
        "futex": Call(202, 98),
        "sched_getaffinity": Call(204, 123),
        "clock_gettime": Call(228, 113),
        "clock_getres": Call(229, 114),
        "clock_nanosleep": Call(230, 115),
        "exit_group": Call(231, 94),
        "newfstatat": Call(262, 79, 3, with_bits=AT_EMPTY_PATH),
        "ppoll": Call(271, 73),
        "dup3": Call(292, 24),
        "pipe2": Call(293, 59),
        "getcpu": Call(309, 168),
        "getrandom": Call(318, 278),
    }
)


def filter_program(machine: str = platform.machine()) -> bytes | None:
    """The filter as an array of `struct sock_filter`; None where there is no table of the machine's system calls."""
    architecture = ARCHITECTURES.get(machine)
    if architecture is None or sys.byteorder != "little":
        return None
    refuse_others = [(LOAD_WORD, 0, 0, ARCHITECTURE_AT), (JUMP_IF_EQUAL, 1, 0, architecture), (RETURN, 0, 0, REFUSE)]
    calls = [(number, call) for call in CALLS.values() if (number := call.numbers[machine]) is not None]
    rules = [instruction for number, call in calls for instruction in _rule(number, call)]
    return _packed([*refuse_others, (LOAD_WORD, 0, 0, NUMBER_AT), *rules, (RETURN, 0, 0, REFUSE)])


Instruction = tuple[int, int, int, int]
"""Code, how many instructions to skip if true and if false, operand."""


def _rule(number: int, call: Call) -> list[Instruction]:
    """Answer the call with this number; any other falls through, its number still loaded."""
    load = (LOAD_WORD, 0, 0, ARGUMENTS_AT + 8 * call.argument)
    if call.values:
        checks = [(JUMP_IF_EQUAL, len(call.values) - at, 0, value) for at, value in enumerate(call.values)]
        answer = [load, *checks, (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
    elif call.without:
        answer = [load, (JUMP_IF_ANY_BIT, 0, 1, call.without), (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
    elif call.with_bits:
        answer = [load, (JUMP_IF_ANY_BIT, 1, 0, call.with_bits), (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
    else:
        answer = [(RETURN, 0, 0, ALLOW)]
    return [(JUMP_IF_EQUAL, 0, len(answer), number), *answer]


def _packed(instructions: Iterable[Instruction]) -> bytes:
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in instructions)
