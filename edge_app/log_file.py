"""Where the app writes down what no user can mend, for whoever looks after the device, and nothing of a patient.

A film's file is often called after its patient, and an error's words name the file. So a record keeps the sentence that
the program has for it, the numbers in it, and where an error came from and of which kind; all other words are left out.
"""

import logging
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Final, TypeAlias

from osteo_edge.errors import OsteoEdgeError

NAME: Final = "osteo_edge"
MAX_BYTES: Final = 2**20
OLDER_FILES: Final = 1
LEFT_OUT: Final = "…"
MAX_CAUSES: Final = 12

ErrorInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def log_to(path: Path) -> logging.Handler:
    """Let the warnings and errors of this package go to a file, of 2 MiB at most with the one before it.

    The file holds tracebacks, without the words of the errors. Gives the handler, to be removed by `stop_logging`.
    `OsteoEdgeError` if the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            path, maxBytes=MAX_BYTES, backupCount=OLDER_FILES, encoding="utf-8", errors="replace"
        )
    except OSError as error:
        raise OsteoEdgeError(
            f"{path}: the log cannot be written ({error.strerror or error}); check the disk"
        ) from error
    handler.setFormatter(WithoutWords("%(asctime)s %(levelname)s %(threadName)s %(message)s"))
    handler.setLevel(logging.WARNING)
    logging.getLogger(NAME).addHandler(handler)
    return handler


class WithoutWords(logging.Formatter):
    """Records with the program's own sentences and numbers, and with no other words."""

    def format(self, record: logging.LogRecord) -> str:
        said = logging.makeLogRecord(record.__dict__)
        said.msg, said.args, said.exc_text = _sentence(record), None, None
        return super().format(said)

    def formatException(self, ei: ErrorInfo) -> str:  # noqa: N802
        error, told = ei[1], list[str]()
        seen = set[int]()
        while error is not None and id(error) not in seen and len(told) < MAX_CAUSES:
            seen.add(id(error))
            frames = traceback.extract_tb(error.__traceback__)
            places = "".join(f"  {frame.filename}:{frame.lineno} in {frame.name}\n" for frame in frames)
            told.append(f"{places}{_kind(error)}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\ncaused by:\n".join(told)


def _sentence(record: logging.LogRecord) -> str:
    """What the program says in a record, without what it was filled in with; numbers stay."""
    sentence = str(record.msg)
    if record.name.partition(".")[0] != NAME:  # the window toolkit's have file names in them already
        part, colon, _ = sentence.partition(":")
        return f"{part.strip()}: {LEFT_OUT}" if colon and part.strip().isalnum() else LEFT_OUT
    if not record.args:
        return sentence
    try:
        return sentence.replace("%d", "%s") % tuple(map(_said, record.args))
    except (TypeError, ValueError):
        return sentence


def _said(value: object) -> object:
    if isinstance(value, BaseException):
        return _kind(value)
    return value if isinstance(value, int | float) else LEFT_OUT


def _kind(error: BaseException) -> str:
    """The kind of an error, with the system's number or the name of the module that is missing, if it has one."""
    detail = error.name if isinstance(error, ImportError) else getattr(error, "errno", None)
    return type(error).__name__ if detail is None else f"{type(error).__name__} {detail}"


def stop_logging(handler: logging.Handler) -> None:
    """End the log that `log_to` began."""
    logging.getLogger(NAME).removeHandler(handler)
    handler.close()
