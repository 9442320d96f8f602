"""The filter as the kernel would run it, for machines that are not here too."""

import errno
import struct
import sys
from pathlib import Path

import pytest

from osteo_edge.syscall_filter import (
    ALLOW,
    ARCHITECTURES,
    AT_EMPTY_PATH,
    CALLS,
    FIOCLEX,
    JUMP_IF_ANY_BIT,
    JUMP_IF_EQUAL,
    LOAD_WORD,
    PROT_EXEC,
    REFUSE,
    RETURN,
    filter_program,
)

PROT_READ, PROT_WRITE = 1, 2
F_SETOWN, TIOCSTI = 8, 0x5412
REFUSED = {  # x86_64, aarch64
    "open": (2, None),
    "openat": (257, 56),
    "openat2": (437, 437),
    "socket": (41, 198),
    "connect": (42, 203),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "clone": (56, 220),
    "clone3": (435, 435),
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "kill": (62, 129),
    "tgkill": (234, 131),
    "ptrace": (101, 117),
    "process_vm_writev": (311, 271),
    "unlinkat": (263, 35),
    "ftruncate": (77, 46),
    "memfd_create": (319, 279),
    "prctl": (157, 167),
    "setrlimit": (160, 164),
    "prlimit64": (302, 261),
    "io_uring_setup": (425, 425),
    "bpf": (321, 280),
    "mount": (165, 40),
}
NAMES = ("x86_64", "aarch64")


def verdict(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """What the kernel's interpreter returns for a system call."""
    program = filter_program(machine)
    assert program is not None
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, architecture or ARCHITECTURES[machine], 0, *padded)
    instructions = list(struct.iter_unpack("<HBBI", program))
    at, loaded = 0, 0
    while True:
        code, if_true, if_false, operand = instructions[at]
        at += 1
        if code == RETURN:
            return int(operand)
        if code == LOAD_WORD:
            (loaded,) = struct.unpack_from("<I", data, operand)
        elif code in (JUMP_IF_EQUAL, JUMP_IF_ANY_BIT):
            is_true = loaded == operand if code == JUMP_IF_EQUAL else loaded & operand != 0
            at += if_true if is_true else if_false
        else:
            raise AssertionError(f"no such instruction: {code}")


@pytest.mark.parametrize("machine", NAMES)
@pytest.mark.parametrize("name", REFUSED)
def test_what_reaches_out_of_the_process_is_refused(name: str, machine: str) -> None:
    number = REFUSED[name][NAMES.index(machine)]
    if number is not None:
        assert verdict(machine, number) == REFUSE


def test_what_is_refused_says_that_it_is_not_permitted() -> None:
    assert REFUSE & 0xFFFF == errno.EPERM


@pytest.mark.parametrize("machine", NAMES)
def test_what_decoding_takes_is_let_through(machine: str) -> None:
    unconditional = [
        call.numbers[machine] for call in CALLS.values() if not (call.values or call.without or call.with_bits)
    ]
    assert len(unconditional) > 20
    assert {verdict(machine, number) for number in unconditional if number is not None} == {ALLOW}


@pytest.mark.parametrize("machine", NAMES)
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("mmap", (0, 4096, PROT_READ | PROT_WRITE), ALLOW),
        ("mmap", (0, 4096, PROT_READ | PROT_EXEC), REFUSE),
        ("mprotect", (0, 4096, PROT_READ), ALLOW),
        ("mprotect", (0, 4096, PROT_EXEC), REFUSE),
        ("newfstatat", (3, 0, 0, AT_EMPTY_PATH), ALLOW),
        ("newfstatat", (3, 0, 0, 0), REFUSE),
        ("fcntl", (3, 1030), ALLOW),
        ("fcntl", (3, F_SETOWN), REFUSE),
        ("ioctl", (3, FIOCLEX), ALLOW),
        ("ioctl", (3, TIOCSTI), REFUSE),
    ],
)
def test_some_calls_are_let_through_for_some_arguments(
    name: str, arguments: tuple[int, ...], expected: int, machine: str
) -> None:
    number = CALLS[name].numbers[machine]
    assert number is not None
    assert verdict(machine, number, *arguments) == expected


@pytest.mark.parametrize("machine", NAMES)
def test_calls_of_another_architecture_are_refused(machine: str) -> None:
    i386 = 0x40000003
    read = CALLS["read"].numbers[machine]
    assert read is not None
    assert verdict(machine, read, architecture=i386) == REFUSE
    assert verdict(machine, 0x40000000 | read) == REFUSE


def test_a_machine_without_a_table_has_no_filter() -> None:
    assert filter_program("armv7l") is None


@pytest.mark.parametrize(
    ("machine", "header"),
    [
        ("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        ("aarch64", "/usr/include/asm-generic/unistd.h"),
    ],
)
def test_the_numbers_are_those_of_the_kernel(machine: str, header: str) -> None:
    if sys.platform != "linux" or not Path(header).exists():
        pytest.skip(f"needs {header}: linux-libc-dev")
    words = [line.split()[1:3] for line in Path(header).read_text().splitlines() if line.startswith("#define __NR")]
    known = {pair[0].removeprefix("__NR3264_").removeprefix("__NR_"): pair[1] for pair in words if pair[-1].isdigit()}
    for name, call in CALLS.items():
        there = known.get(name, known.get({"newfstatat": "fstatat"}.get(name, name)))
        number = call.numbers[machine]
        assert there == (None if number is None else str(number)), name
