"""The phone's system log gets what this app wants to say there, and nothing of a patient.

Whoever may read it, as in a bug report, may be anybody. So what is printed, and the words of log records, which may
name a film's file, do not go there; the system's log is told where something happened, and the app's own log file has
the sentence (`log_file`).
"""

import io
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Final, TextIO

HEAD: Final = "osteo-edge:"
PRINTED: Final = "osteo_edge.printed"
"""The logger of what a library prints."""
LOGGERS: Final = ("osteo_edge", "kivy")
MAX_FRAMES: Final = 12
MAX_CAUSES: Final = 12

Tell = Callable[[str], None]


@contextmanager
def private_output() -> Iterator[Tell]:
    """Let nothing but what the given function is called with reach standard error, which is the system's log here.

    Log records reach it as their place; what is printed becomes a record of the log file, as do errors that end a
    thread.
    """
    stream = sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlaceOnly())
    handler.setLevel(logging.WARNING)
    handler.addFilter(lambda record: record.name != PRINTED)
    hook, raises = threading.excepthook, logging.raiseExceptions
    for name in LOGGERS:
        logging.getLogger(name).addHandler(handler)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk must not make the log write about the log
    threading.excepthook = _log_thread
    try:
        with redirect_stdout(Printed()), redirect_stderr(Printed()):
            yield lambda line: _tell(stream, line)
    finally:
        threading.excepthook, logging.raiseExceptions = hook, raises
        logging.captureWarnings(False)
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(handler)


class PlaceOnly(logging.Formatter):
    """A record as its level, its place and the place of its error: no words, since they may tell of a film."""

    def format(self, record: logging.LogRecord) -> str:
        place = f"{HEAD} {record.levelname} {record.name} at {record.filename}:{record.lineno}"
        error = record.exc_info[1] if record.exc_info else None
        return place if error is None else f"{place}: {trace(error)}"


class Printed(io.TextIOBase):
    """A stream whose lines become records of the log file. Any thread may write to it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._begun = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        with self._lock:
            *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            if line.strip():
                logging.getLogger(PRINTED).warning("%s", line)
        return len(text)


def trace(error: BaseException) -> str:
    """The kind of an error and where it came from, innermost first, without its words; its causes after that.

    >>> trace(KeyError("Jane Doe"))
    'KeyError'
    """
    told, seen = list[str](), set[int]()
    following: BaseException | None = error
    while following is not None and id(following) not in seen and len(told) < MAX_CAUSES:
        seen.add(id(following))
        told.append(_place(following))
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)
    return "; ".join(told)


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}" if places else type(error).__name__


def _tell(stream: TextIO, line: str) -> None:
    stream.write(f"{line}\n")
    stream.flush()


def _log_thread(args: Any) -> None:
    thread = "a thread" if args.thread is None else args.thread.name
    logging.getLogger("osteo_edge").error("%s ended", thread, exc_info=args.exc_value)
