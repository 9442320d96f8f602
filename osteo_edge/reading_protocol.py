"""What a program and the process that decodes its files tell each other, one JSON document a message."""

from dataclasses import dataclass
from typing import Final

MESSAGE_BYTES: Final = 65_536


@dataclass(frozen=True)
class Limits:
    """How many seconds of computing and how many bytes of memory, beside what it has, a process may still take."""

    cpu_s: int
    memory_bytes: int


@dataclass(frozen=True)
class Request:
    """One file: what it is called (`os.fsencode` in hex), its size and format, and how much may be spent on it."""

    path_hex: str
    file_bytes: int
    format: str
    limits: Limits
    wall_s: float


@dataclass(frozen=True)
class Ended:
    """What became of the process: its exit code, or less the signal that ended it; `late` if it was out of time.

    `filtered` is whether its system calls were filtered, as it had tried out before it saw the file; None if it never
    came to that.
    """

    exit_code: int
    late: bool
    filtered: bool | None
