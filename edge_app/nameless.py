"""What a watch tells without the names of films, for the system's journal: their files are often called after patients.

A film is told there by the first letters of its SHA-256, on which the names of its results end.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.ledger import Film
from osteo_edge.edge_app.watching import Answered, Event, PutOff, SeenBefore, Unreadable
from osteo_edge.errors import OsteoEdgeError

STREAM: Final = "JOURNAL_STREAM"
OUTPUTS: Final = (1, 2)
DIGITS: Final = 8
RESULT: Final = re.compile(r"(?<=\d{4}-\d\d-\d\d/).*(?=-[0-9a-f]{8}\.)", re.DOTALL)
LEFT_OUT: Final = "…"
NOT_TOLD: Final = "the reason names it; the table of results has it"


def is_journal(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether what this program prints goes to the journal: systemd says which stream that is (systemd.exec(5))."""
    return environment.get(STREAM) in {stream for number in OUTPUTS for stream in _stream(number)}


def without_names(event: Event) -> Event:
    """An event as it is told to the journal."""
    match event:
        case Answered(_, result):
            film = _film(result["image_sha256"])
            return Answered(Path(film), {**result, "image": film, "overlay": None})
        case Unreadable(path, error, sha256):
            film = _film(sha256)
            return Unreadable(Path(film), f"{film}: {_reason(path, error)}", sha256)
        case SeenBefore(_, before, sha256):
            place = None if before.result is None else _without_stem(before.result)
            return SeenBefore(Path(_film(sha256)), Film("the same content", place), sha256)
        case PutOff(path, reason):
            return replace(event, path=Path("a film"), reason=_reason(path, reason))
    return event


@contextmanager
def errors_without_names() -> Iterator[None]:
    """Let an error that ends the watch name no film: that of a result which cannot be written has its name."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OsteoEdgeError as error:
        raise OsteoEdgeError(_without_stem(str(error))) from error
    except OSError as error:
        line = f"{error.filename or 'a file'}: {error.strerror or error}"
        raise OsteoEdgeError(_without_stem(line)) from error


def _stream(number: int) -> Iterator[str]:
    """What systemd calls an open file: its device and its inode."""
    with suppress(OSError):
        found = os.fstat(number)
        yield f"{found.st_dev}:{found.st_ino}"


def _film(sha256: str) -> str:
    return f"film {sha256[:DIGITS]}"


def _reason(path: Path, told: str) -> str:
    reason = told.removeprefix(f"{path}: ")
    return NOT_TOLD if path.name in reason else reason


def _without_stem(text: str) -> str:
    """A line without the film's name in that of its result.

    >>> _without_stem("out/2026-11-22/ROE-JANE-53c007b8.json: the result cannot be written")
    'out/2026-11-22/…-53c007b8.json: the result cannot be written'
    """
    return RESULT.sub(LEFT_OUT, text)
