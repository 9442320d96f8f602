"""Read image files in a process apart, so that one that breaks or takes over a decoder is one rejected file.

The file is opened and hashed here, and decoded there (`reading_process`): without files, network, or other processes,
within limits of time and memory. What comes back is checked (`reading_reply`).
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple

from osteo_edge.errors import MissingExtraError, OsteoEdgeError, RadiographError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.image_header import EXPORT_HINT
from osteo_edge.radiograph import SNIFFED_BYTES, Radiograph, read_bytes, sniff_format
from osteo_edge.reading_protocol import MESSAGE_BYTES, Ended, Limits, Request
from osteo_edge.reading_reply import BadReplyError, memory_for_reply, read_reply
from osteo_edge.strict import from_dict, to_dict

COMMAND: Final = (sys.executable, "-m", "osteo_edge.reading_process")
WALL_S: Final = 120.0
CPU_S: Final = 60
MOST_MEMORY_BYTES: Final = 3 * 2**30
"""Ample for the largest file that is read: 512 MiB of it, 100 megapixels in colour of 16 bits, and grey of 32."""
START_S: Final = 60.0
"""How much longer than the file may take its answer is waited for: the process may have been started only now."""
END_S: Final = 2.0
ONE_THREAD: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
"""A confined process can start no thread."""
NOT_FILTERED: Final = (
    "this system does not filter what the process that decodes films asks of it: its time and memory alone are limited"
)


class NotStartedError(OsteoEdgeError, ChildProcessError):
    """No process can be started that decodes films, which says nothing about the film."""


class IsolatedReader:
    """Reads files as `radiograph.read_radiograph` does, one at a time; a context manager that ends its process.

    `forked` lets the first process begin as a copy of this one, which takes little time and memory: where this one
    has a single thread, such as a command that has not opened its model yet. Any other begins from nothing. `tell`
    hears, once, that the system does not filter what a decoding process asks of it.
    """

    def __init__(
        self,
        command: Sequence[str] = COMMAND,
        *,
        limits: Limits | None = None,
        wall_s: float = WALL_S,
        forked: bool = False,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._command = command
        self._forked = forked
        self._limits = limits or Limits(CPU_S, min(MOST_MEMORY_BYTES, _memory_bytes()))
        self._wall_s = wall_s
        self._tell = tell
        self._lock = threading.Lock()
        self._process: _Process | None = None

    def __enter__(self) -> "IsolatedReader":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.rest()

    def start(self) -> None:
        """Start the process, unless there is one; the first file waits until it is ready, and starts it by itself."""
        with self._lock:
            if self._process is None:
                self._process = (_fork() if self._forked else None) or _begin(self._command)

    def rest(self) -> None:
        """End the process, which the next file starts anew; one that is at a file is left to end with this program."""
        if self._lock.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._lock.release()

    def __call__(self, path: Path) -> Radiograph:
        """Read a file; RadiographError also for one that breaks its decoder, or takes too much time or memory.

        NotStartedError where no process can be started.
        """
        return self.decode(read_bytes(path), path)

    def decode(self, data: bytes, path: Path) -> Radiograph:
        """The same for the bytes of a file that were read already; `path` only names it, as in `radiograph.decode`."""
        file_format = sniff_format(data[:SNIFFED_BYTES], path)
        request = Request(os.fsencode(path).hex(), len(data), file_format, self._limits, self._wall_s)
        with self._lock:
            try:
                return self._read(data, path, request)
            except (RadiographError, MissingExtraError):
                raise
            except BaseException:
                self._end()  # what it is at is not known
                raise

    def _read(self, data: bytes, path: Path, request: Request) -> Radiograph:
        """Have it decoded; once more where the process was killed, which may have been meant for another."""
        ended = None
        for _ in range(2):
            found = self._try(data, path, request)
            if isinstance(found, Radiograph):
                return found
            ended = found
            if ended is not None and (ended.late or ended.exit_code != -signal.SIGKILL):
                break
        if ended is None:
            raise NotStartedError("the process that decodes films does not start, or ends by itself (-v says why)")
        raise RadiographError(f"{path}: {_in_words(ended, request)}")

    def _try(self, data: bytes, path: Path, request: Request) -> Radiograph | Ended | None:
        """The radiograph, or how its decoding ended; None where the process that forks has ended."""
        try:
            answer, ended = self._started().decode(data, path, request)
        except _GoneError:
            self._end()
            return None
        if ended.filtered is False:
            self._tell(NOT_FILTERED)
            self._tell = lambda line: None
        if ended.exit_code or isinstance(answer, BadReplyError):
            self._end()
            self._process = _begin(self._command)  # with other addresses: what broke it may have learned these
            return ended
        if isinstance(answer, MemoryError):
            most = request.limits.memory_bytes // 2**20
            raise RadiographError(f"{path}: takes more than {most} MiB of memory to decode; export it smaller")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _started(self) -> "_Process":
        if self._process is None:
            self._process = _begin(self._command)
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None


class _GoneError(Exception):
    """The process that forks does not answer any more."""


class _Copy(NamedTuple):
    """A forked process, as far as `subprocess.Popen` is needed of it."""

    pid: int

    def wait(self) -> None:
        os.waitpid(self.pid, 0)


class _Process:
    """The process that forks one for each file, and the socket on which it is told to."""

    def __init__(self, control: socket.socket, child: "subprocess.Popen[bytes] | _Copy") -> None:
        self._control, self._child = control, child

    def decode(self, data: bytes, path: Path, request: Request) -> tuple[Radiograph | Exception, Ended]:
        """The radiograph, or the error that reading it gives; and how the process that decoded it has ended.

        _GoneError where the process that forks does not start, or has ended.
        """
        with _memory_of(data) as file, _closing(memory_for_reply()) as memory:
            ended = self._ask(request, [file, memory])
            try:
                return read_reply(memory, path, sha256_bytes(data)), ended
            except (RadiographError, MissingExtraError, MemoryError, BadReplyError) as error:
                return error, ended

    def end(self) -> None:
        """End it, and what it has started."""
        with self._control, suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)
            self._control.settimeout(END_S)
            while self._control.recv(MESSAGE_BYTES):  # until its own end is closed, which is its last deed
                pass
        for kill in (os.killpg, os.kill):  # it is at the head of a group, but not in its first moments
            with suppress(ProcessLookupError):
                kill(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def _ask(self, request: Request, descriptors: Sequence[int]) -> Ended:
        self._control.settimeout(request.wall_s + START_S)
        try:
            socket.send_fds(self._control, [json.dumps(to_dict(request)).encode("ascii")], descriptors)
            return from_dict(Ended, json.loads(self._control.recv(MESSAGE_BYTES)))
        except (OSError, ValueError) as error:
            raise _GoneError from error


def _begin(command: Sequence[str]) -> _Process:
    """Start the command from nothing."""
    import logging  # which takes long to load, and a copy does without

    control, theirs = _sockets()
    says_why = logging.getLogger("osteo_edge").isEnabledFor(logging.DEBUG)
    with theirs, _starting(control):
        child = subprocess.Popen(
            command,
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=None if says_why else subprocess.DEVNULL,
            env=_environment(),
            cwd=os.sep,  # where Python looks for modules first: never where films are
            start_new_session=True,
        )
    return _Process(control, child)


def _fork() -> _Process | None:
    """The same as a copy of this process; None where this one has further threads, which a copy cannot do without."""
    control, theirs = _sockets()
    with theirs, _starting(control), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python, about threads: they are counted below
        pid = os.fork()
        if pid == 0:
            try:
                from osteo_edge.reading_process import serve_as_a_copy  # what it needs this process need not load

                serve_as_a_copy(theirs)
            finally:  # also where a Ctrl-C was meant for both
                os._exit(1)
    process = _Process(control, _Copy(pid))
    others = sum(1 for _ in Path("/proc/self/task").iterdir()) - 1  # those of OpenBLAS end at a fork and come back
    if others:
        process.end()
        return None
    return process


@contextmanager
def _starting(control: socket.socket) -> Iterator[None]:
    """Where the system refuses the process, close the socket to it, and say so."""
    try:
        yield
    except OSError as error:
        control.close()
        reason = error.strerror or error
        raise NotStartedError(
            f"no process can be started that decodes films ({reason}); close other programs"
        ) from error


def _sockets() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


@contextmanager
def _memory_of(data: bytes) -> Iterator[int]:
    """A descriptor of memory that holds the data, at its start."""
    with _closing(os.memfd_create("file", os.MFD_CLOEXEC)) as file:
        left = memoryview(data)
        while left:
            left = left[os.write(file, left) :]
        os.lseek(file, 0, os.SEEK_SET)
        yield file


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _in_words(ended: Ended, request: Request) -> str:
    """What was wrong with a file whose decoding has ended without an answer, and what to do."""
    if ended.late:
        return f"takes more than {request.wall_s:g} s to decode; {EXPORT_HINT}"
    if ended.exit_code == -signal.SIGXCPU:
        return f"takes more than {request.limits.cpu_s} s of computing to decode; {EXPORT_HINT}"
    if ended.exit_code == -signal.SIGKILL:
        return "its decoding was killed twice, as it is where memory runs out; export it smaller"
    how = signal.strsignal(-ended.exit_code) if ended.exit_code < 0 else None
    return f"the file breaks the image decoder ({how or 'no sound answer'}); {EXPORT_HINT}"


def _environment() -> dict[str, str]:
    """That of this process, where packages are found as here; one thread, and no account of a crash on stderr."""
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONFAULTHANDLER"}
    places = os.pathsep.join(str(Path(path).absolute()) for path in sys.path if path)
    return {**ours, "PYTHONPATH": places, **dict.fromkeys(ONE_THREAD, "1")}


def _memory_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
