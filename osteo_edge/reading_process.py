"""Decode files, each in a confined process of its own: `python -m osteo_edge.reading_process`, for `isolated_reading`.

This process has loaded what decoding needs and never touches a file's bytes. For each file it forks one that gives up
its rights before it sees the first byte, and ends with that file: what a hostile file does to it reaches no other film.
The first is forked ahead, while the program that asks is still starting.

It is told what to do on a socket (SOCK_SEQPACKET), which is its standard input if it was started from nothing. Each
request brings the file and the memory for the answer; what became of the process is told on the socket. The end of the
socket is the end of this process and its child.
"""

import codecs
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

import numpy as np

from osteo_edge import radiograph, raster
from osteo_edge.confinement import confine
from osteo_edge.errors import MissingExtraError
from osteo_edge.raster import codec
from osteo_edge.reading_protocol import MESSAGE_BYTES, Ended, Request
from osteo_edge.reading_reply import write_reply
from osteo_edge.strict import from_dict, to_dict

FILTERED: Final = {b"+": True, b"-": False}
"""How a process tells that its system calls are filtered, or not."""


def main() -> None:
    """Serve the socket on standard input until its other end is closed."""
    _serve_all(socket.socket(fileno=os.dup(0)), os.open(os.devnull, os.O_RDWR))


def serve_as_a_copy(control: socket.socket) -> NoReturn:
    """The same in a process that was forked for it: it leaves all else that it was left, and ends with this."""

    def serve() -> None:
        os.setsid()
        raster.use_one_thread()  # a confined process can start none
        _serve_all(control, nowhere)

    nowhere = os.open(os.devnull, os.O_RDWR)
    _do_and_end(serve, {control.fileno(), nowhere}, nowhere)


def _serve_all(control: socket.socket, nowhere: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the program whose films these are, which ends us in time
        signal.signal(number, signal.SIG_IGN)
    os.dup2(nowhere, 0)
    _warm_up()
    gc.freeze()
    waiting: _Child | None = _Child(nowhere)
    with suppress(BrokenPipeError):
        while _serve(control, nowhere, waiting):
            waiting = None


def _serve(control: socket.socket, nowhere: int, waiting: "_Child | None") -> bool:
    """Deal with one request, by the child that waits for one, if there is any; False where there will be no more."""
    message, descriptors, *_ = socket.recv_fds(control, MESSAGE_BYTES, 2)
    request = from_dict(Request, json.loads(message)) if message else None
    if waiting is not None and (request is None or request.format == "dicom"):
        waiting.end()  # it was forked before what DICOM takes is loaded
        waiting = None
    if request is None:
        return False
    child = waiting or _Child(nowhere, _load_dicom() if request.format == "dicom" else None)
    child.start(message, descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    ended = child.wait(control, request.wall_s)
    if ended is None:
        return False
    control.send(json.dumps(to_dict(ended)).encode("ascii"))
    return True


def _decode(life: int, work: socket.socket, missing: MissingExtraError | None) -> None:
    """Wait for a file, in a child, and decode it; or say what is missing for that, which it could not find out then."""
    with work:
        message, descriptors, *_ = socket.recv_fds(work, MESSAGE_BYTES, 2)
    if not message:
        return
    request = from_dict(Request, json.loads(message))
    file, memory = descriptors
    is_filtered = confine(request.limits) and _is_refused_a_socket()
    os.write(life, b"+" if is_filtered else b"-")
    path = Path(os.fsdecode(bytes.fromhex(request.path_hex)))

    def decoded() -> radiograph.Radiograph:
        if missing is not None:
            raise missing
        return radiograph.decode(os.read(file, request.file_bytes), path)

    write_reply(decoded, memory)


class _Child:
    """A process that waits for one file, decodes it, and ends; with this one, where it waits yet.

    It has the end of a pipe on which it tells whether its system calls are filtered, and a socket until it is started.
    """

    def __init__(self, nowhere: int, missing: MissingExtraError | None = None) -> None:
        self._life, life = os.pipe()
        self._work, work = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pid = os.fork()
        if self._pid == 0:
            _do_and_end(lambda: _decode(life, work, missing), {life, work.fileno()}, nowhere)
        os.close(life)
        work.close()

    def start(self, message: bytes, descriptors: Sequence[int]) -> None:
        """Give it the file and the memory for the answer; `wait` tells of one that was killed before it had them."""
        with self._work, suppress(BrokenPipeError):
            socket.send_fds(self._work, [message], descriptors)

    def end(self) -> None:
        """End it without a file."""
        self._work.close()
        self._reap()

    def wait(self, control: socket.socket, wall_s: float) -> Ended | None:
        """Wait for its end, and bring it about after `wall_s` seconds; None where the other end of `control` is closed.

        The pipe ends with the process. One that closes it itself, or tells more on it than it should, is ended as well.
        """
        end_s = time.monotonic() + wall_s
        watched = select.poll()
        watched.register(self._life, select.POLLIN)
        watched.register(control, select.POLLRDHUP)
        events = dict(watched.poll(round(1000 * wall_s)))
        told = os.read(self._life, 1) if self._life in events else b""
        if told:
            events = dict(watched.poll(max(0, round(1000 * (end_s - time.monotonic())))))
        status = self._reap()
        if control.fileno() in events:
            return None
        return Ended(os.waitstatus_to_exitcode(status), late=not events, filtered=FILTERED.get(told))

    def _reap(self) -> int:
        os.kill(self._pid, signal.SIGKILL)  # one that has ended by itself has its code already
        _, status = os.waitpid(self._pid, 0)
        os.close(self._life)
        return status


def _do_and_end(deed: Callable[[], None], keep: set[int], nowhere: int) -> NoReturn:
    """In the child: leave nothing open but `keep`, do it, and end without what Python does at the end."""
    code = 1
    try:
        for standard in (0, 1, 2):
            os.dup2(nowhere, standard)
        for descriptor in (int(path.name) for path in Path("/proc/self/fd").iterdir()):
            if descriptor > 2 and descriptor not in keep:
                with suppress(OSError):  # the one that listed them is closed already
                    os.close(descriptor)
        deed()
        code = 0
    finally:
        os._exit(code)


def _is_refused_a_socket() -> bool:
    try:
        socket.socket(socket.AF_UNIX).close()
    except PermissionError:
        return True
    return False


def _warm_up() -> None:
    """Have loaded what is loaded only when the first file is decoded: afterwards nothing can be opened any more."""
    grey = np.zeros((radiograph.MIN_SIDE_PX, radiograph.MIN_SIDE_PX), np.uint8)
    for data in (codec.encode_png(grey), codec.encode_jpeg(np.dstack([grey] * 3), 90)):
        radiograph.decode(data, Path("film"))


def _load_dicom() -> MissingExtraError | None:
    """The same for DICOM, which takes long, and so is done for the first such file; or the package that is missing."""
    if "osteo_edge.dicom" in sys.modules:
        return None
    try:
        import osteo_edge.dicom  # noqa: F401
    except MissingExtraError as missing:
        return missing
    from pydicom.charset import python_encoding

    for encoding in python_encoding.values():
        codecs.lookup(encoding)
    pillow = sys.modules.get("PIL.Image")  # pydicom has loaded it, where it is installed
    if pillow is not None:
        pillow.init()
    gc.freeze()
    return None


if __name__ == "__main__":
    main()
