"""`osteo_edge.reading_process` with a decoder that does what a file says after its last `#`, as one taken over might.

What a deed could do comes back as the error's text: "done", or the name of what it was refused with. The argument is a
file that is made at the first start.
"""

import ctypes
import mmap
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from osteo_edge import radiograph, reading_process, reading_reply
from osteo_edge.errors import RadiographError

decode = radiograph.decode


def spin() -> None:
    while True:
        pass


def eat() -> None:
    eaten = []
    while True:
        eaten.append(bytearray(2**24))


def crash() -> None:
    ctypes.string_at(0)


def die() -> None:
    """Be killed: for closing what tells whether this process lives."""
    os.closerange(3, 16)
    spin()


def run_writable_code() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)


def trace_parent() -> None:
    if ctypes.CDLL(None, use_errno=True).ptrace(16, os.getppid(), 0, 0):  # PTRACE_ATTACH
        raise PermissionError


def leave(reply: bytes) -> Callable[[], None]:
    """Write an answer of one's own and end, as if it were a proper one."""

    def write() -> None:
        (memory,) = (fd for fd in range(3, 16) if _is_answer(fd))
        mmap.mmap(memory, 4096)[: len(reply)] = reply
        os._exit(0)

    return write


def _is_answer(descriptor: int) -> bool:
    try:
        return os.fstat(descriptor).st_size > 2**28
    except OSError:
        return False


def resize() -> None:
    (memory,) = (fd for fd in range(3, 16) if _is_answer(fd))
    os.ftruncate(memory, 0)


def lied(height: int, width: int) -> bytes:
    about = f'"format": "png", "height": {height}, "width": {width}, "bits": 8, "chroma": 0'
    codes = '"modality": null, "body_part": null, "view_position": null'
    document = f'{{"decoded": {{{about}, {codes}}}}}'.encode()
    return reading_reply.LENGTH.pack(len(document)) + document


DEEDS: Final[dict[bytes, Callable[[], object]]] = {
    b"connect": lambda: socket.socket(socket.AF_INET),
    b"local socket": lambda: socket.socket(socket.AF_UNIX),
    b"run": lambda: subprocess.run(["/bin/true"], check=True),
    b"become": lambda: os.execv("/bin/true", ["true"]),
    b"fork": os.fork,
    b"thread": lambda: threading.Thread(target=spin, daemon=True).start(),
    b"read": lambda: Path("/etc/passwd").read_bytes(),
    b"write": lambda: Path("/tmp/hostile").write_bytes(b"x"),
    b"list": lambda: list(Path("/").iterdir()),
    b"look": lambda: Path("/etc/passwd").stat(),
    b"remove": lambda: Path("/tmp/hostile").unlink(),
    b"signal": lambda: os.kill(os.getppid(), 0),
    b"trace": trace_parent,
    b"code": run_writable_code,
    b"more": lambda: os.memfd_create("more"),
    b"resize": resize,
    b"sleep": lambda: time.sleep(600),
    b"spin": spin,
    b"eat": eat,
    b"crash": crash,
    b"die": die,
    b"abort": os.abort,
    b"raise": lambda: int("no number"),
    b"lie: nothing": leave(b""),
    b"lie: huge": leave(lied(10**9, 10**9)),
}


def decode_or_obey(data: bytes, path: Path) -> radiograph.Radiograph:
    deed = DEEDS.get(data.rpartition(b"#")[2])
    if data.endswith(b"#die once") and IS_FIRST:
        die()
    if deed is None:
        drawn = decode(data, path)
        if data.endswith(b"#nan"):
            drawn.pixels[0, 0] = np.nan
        return drawn
    try:
        deed()
    except (OSError, RuntimeError) as error:
        raise RadiographError(f"{path}: {type(error).__name__}") from error
    raise RadiographError(f"{path}: done")


if __name__ == "__main__":
    mark = Path(sys.argv[1])
    IS_FIRST = not mark.exists()
    mark.touch()
    radiograph.decode = decode_or_obey
    reading_process.main()
