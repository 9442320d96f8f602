"""The preloaded C library that makes disk calls fail (`shim.c`): built by gcc, told what to do through ctypes."""

import ctypes
import errno
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NoReturn

SOURCE: Final = Path(__file__).with_name("shim.c")
COMPILER: Final = "gcc"
BUILT: Final = "faults-shim-"
MISSING: Final = "gcc is not installed, which builds the library that makes disk calls fail: apt-get install gcc"
MODES: Final = ("off", "count", "once", "always", "torn", "short", "kill", "power")
"""In the order of `enum mode` in `shim.c`, as `PARTS` is in that of `enum part`."""
PARTS: Final = ("nothing", "half", "whole")
KILLED: Final = 137

Mode = Literal["once", "always", "torn", "short", "kill", "power"]
Part = Literal["nothing", "half", "whole"]


@dataclass(frozen=True)
class Kind:
    """One way in which a call fails.

    `once` and `always` (from that call on) return `error`; `short` writes half and says so; `torn` does, and from then
    on returns `error`. `kill` ends the program at that call, after `part` of it was done; `power` does too, and what
    was not synced by then is gone, or with `keeps` a part of that by the chances of a seed. Without an `error` of its
    own a kind has 0. `writes_only`: it makes no sense for other calls than writes.
    """

    name: str
    mode: Mode
    error: int = 0
    part: Part = "nothing"
    keeps: bool = False
    writes_only: bool = False

    @property
    def ends_program(self) -> bool:
        return self.mode in ("kill", "power")


KINDS: Final = (
    Kind("disk full, once", "once", errno.ENOSPC),
    Kind("disk full from there on", "always", errno.ENOSPC),
    Kind("I/O error, once", "once", errno.EIO),
    Kind("I/O errors from there on", "always", errno.EIO),
    Kind("read-only from there on", "always", errno.EROFS),
    Kind("half a write, then full", "torn", errno.ENOSPC, writes_only=True),
    Kind("short write", "short", writes_only=True),
    Kind("kill -9 before", "kill", part="nothing"),
    Kind("kill -9 half-way", "kill", part="half", writes_only=True),
    Kind("kill -9 after", "kill", part="whole"),
    Kind("power cut before", "power", part="nothing"),
    Kind("power cut half-way", "power", part="half", writes_only=True),
    Kind("power cut after", "power", part="whole"),
    Kind("power cut, some kept", "power", part="whole", keeps=True),
)


class Shim:
    """The library, which this program must have been started with."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.faults_count.restype = ctypes.c_long
        self._library.faults_trace.restype = ctypes.c_char_p
        self._library.faults_clock.argtypes = [ctypes.c_long]
        self._library.faults_arm.argtypes = [
            ctypes.c_int,
            ctypes.c_long,
            ctypes.c_int,
            ctypes.c_int,
            ctypes.c_int,
            ctypes.c_ulonglong,
        ]

    def watch(self, folder: Path, aside: Path) -> None:
        """Count what changes the disk below `folder`; `aside`, on the same disk, keeps what a power cut brings back."""
        self._library.faults_watch(os.fsencode(folder), os.fsencode(aside))

    def count_calls(self) -> None:
        """Let every call through, and remember it."""
        self._library.faults_arm(MODES.index("count"), 0, 0, 0, 0, 0)

    def arm(self, kind: Kind, nth: int, seed: int = 1) -> None:
        """Let the call with this number, from 1, fail; calls are counted from here on."""
        part = PARTS.index(kind.part)
        self._library.faults_arm(MODES.index(kind.mode), nth, kind.error, part, int(kind.keeps), seed)

    def disarm(self) -> None:
        """The disk is well again, and nothing is counted."""
        self._library.faults_disarm()

    @property
    def count(self) -> int:
        """How many calls there were since the last `arm` or `count_calls`."""
        return int(self._library.faults_count())

    @property
    def trace(self) -> tuple[str, ...]:
        """The calls that `count_calls` has let through, such as "write /history/history.sqlite3-wal"."""
        return tuple(os.fsdecode(self._library.faults_trace()).splitlines())

    def set_clock(self, seconds: int) -> None:
        """Let the clock on the wall be off by so many seconds."""
        self._library.faults_clock(seconds)

    def end(self, code: int) -> None:
        """End the program as `os._exit` does; armed for a power cut, what is not synced by now is gone."""
        self._library.faults_end(code)


def is_loaded() -> bool:
    """Whether this program was started with the library."""
    return hasattr(ctypes.CDLL(None), "faults_arm")


def build(folder: Path) -> Path:
    """Build the library in a folder; `RuntimeError` if there is no gcc, or the source does not compile."""
    if shutil.which(COMPILER) is None:
        raise RuntimeError(MISSING)
    library = folder / "shim.so"
    options = ("-O2", "-Wall", "-Wno-format-truncation", "-shared", "-fPIC", "-ldl")
    done = subprocess.run([COMPILER, "-o", str(library), str(SOURCE), *options], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{SOURCE}: does not compile: {done.stderr.strip()}")
    return library


def forget_library() -> None:
    """Keep the programs that this one starts free of the library, and remove a file of it that `__main__` has built."""
    library = Path(os.environ.pop("LD_PRELOAD", ""))
    if library.parent.name.startswith(BUILT):
        shutil.rmtree(library.parent, ignore_errors=True)


def start_again_with(library: Path, module: str) -> NoReturn:
    """Replace this program by the same one, `python -m module`, with the library loaded, in one thread."""
    alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment = {**os.environ, **alone, "LD_PRELOAD": str(library)}
    os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], environment)
