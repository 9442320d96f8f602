"""What was done with the program, in an order that nobody can change unseen: each line has the hash of the one before.

    audit.jsonl        one event a line, JSON; each with the SHA-256 of the line before it
    audit-head.json    how many lines there are, and the SHA-256 of the last; replaced in one step after each line

Any line that is changed, removed or moved breaks the chain; lines cut off at the end are missed by the head. Whoever
can write both files can make a new chain of them: against that helps a head noted somewhere else, on paper or on
another machine (`verify` compares).

A power cut in the middle leaves a part of a line, which no one was told of: the next event takes it out and says so.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, Literal

from osteo_edge.durable import append_durably, cut_back, write_durably
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.locking import in_turn
from osteo_edge.strict import FieldError, from_dict, to_dict

FILE: Final = "audit.jsonl"
HEAD_FILE: Final = "audit-head.json"
TURN: Final = ".audit.lock"
MAX_LINE_BYTES: Final = 1 << 16
START: Final = sha256_bytes(b"osteo-edge audit log 1")
"""What the first line holds in place of the hash of the line before."""
CUT_OFF: Final = "log does not end where it did"
TORN: Final = "part of a line removed"

Value = str | int | float | bool | None


@dataclass(frozen=True)
class Event:
    """One thing that was done: `at` in UTC, ISO 8601; `who` as far as the program knows; and what it was done with."""

    number: int
    at: str
    what: str
    who: str
    about: dict[str, Any]
    previous: str


@dataclass(frozen=True)
class Head:
    """How far the log goes: the number of its last line, and its SHA-256."""

    number: int
    sha256: str
    schema: Literal[1] = 1


@dataclass(frozen=True)
class Verified:
    """What a log came to: its head, and what is wrong with it, one line each; nothing if it is whole."""

    head: Head
    findings: tuple[str, ...]


@dataclass(frozen=True)
class _End:
    """How a log ends: with which line, what that one says of the line before, and how many bytes come to there.

    After that there may be a part of a line, of `torn_bytes`.
    """

    head: Head
    previous: str
    whole_bytes: int
    torn_bytes: int

    def follows(self, noted: Head) -> bool:
        """Whether the log ends where it was noted to, or a line later: a power cut may come before that is noted."""
        return self.head == noted or (self.head.number, self.previous) == (noted.number + 1, noted.sha256)


EMPTY: Final = _End(Head(0, START), "", 0, 0)


class AuditLog:
    """The log in a folder, which is made with the first event. Several programs may append at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def append(self, what: str, *, who: str, **about: Value) -> Event:
        """Add an event, which is on the disk when this returns; `OsteoEdgeError` if the disk does not take it."""
        with in_turn(self._folder, TURN), _one_line(self._folder / FILE):
            tail = self._mended_tail()
            return self._write(tail, what, who, about)

    def head(self) -> Head:
        """How far the log goes by its own last line; number 0 before the first event."""
        with _one_line(self._folder / FILE):
            return _read_end(self._folder / FILE).head

    def _mended_tail(self) -> Head:
        """The last line, once a part of a line has been taken out; what is found amiss becomes an event itself."""
        path = self._folder / FILE
        for partial in self._folder.glob(f".{HEAD_FILE}.*.partial"):  # of a program that was killed: it is our turn
            with suppress(OSError):
                partial.unlink()
        end, noted = _read_end(path), _read_head(self._folder / HEAD_FILE)
        tail = end.head
        if end.torn_bytes:
            cut_back(path, end.whole_bytes)
        if noted is None and end == EMPTY:
            self._note(tail)  # before the first line: from then on a head that is missing was removed
        elif noted is None or not end.follows(noted):
            found = {"head": None if noted is None else noted.number, "lines": tail.number}
            tail = _head_of(self._write(tail, CUT_OFF, "program", found))
        elif noted != tail:
            self._note(tail)  # or a second power cut in a row would look like lines that were put in
        if end.torn_bytes:
            tail = _head_of(self._write(tail, TORN, "program", {"bytes": end.torn_bytes}))
        return tail

    def _write(self, tail: Head, what: str, who: str, about: Mapping[str, Value]) -> Event:
        """Add a line and note it, or do neither: lines that nobody has noted would look like a forger's.

        On a disk that cannot even be read any more one line may stay, as after a power cut.
        """
        path = self._folder / FILE
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        event = Event(tail.number + 1, now, what, who, dict(about), tail.sha256)
        line = _line(event) + b"\n"
        if len(line) > MAX_LINE_BYTES:
            raise ValueError(f"an event of {len(line):,} bytes; at most {MAX_LINE_BYTES:,} can be read again")
        size = path.stat().st_size if path.exists() else 0
        append_durably(path, line, "the audit log")
        head = _head_of(event)
        try:
            self._note(head)
        except OsteoEdgeError:
            with suppress(OsteoEdgeError, OSError):
                if _read_head(self._folder / HEAD_FILE) != head:
                    cut_back(path, size)
            raise
        return event

    def _note(self, head: Head) -> None:
        data = json.dumps(to_dict(head)) + "\n"
        write_durably(self._folder / HEAD_FILE, data.encode(), "the end of the audit log")


def read_events(folder: Path) -> Iterator[Event]:
    """The events of a log in their order, as they stand there; `OsteoEdgeError` for a line that is none."""
    path = folder / FILE
    for number, line in enumerate(_lines(path, _size(path)), 1):
        try:
            yield _parsed(line)
        except FieldError as error:
            raise OsteoEdgeError(f"{path}: line {number} is no event ({error}); see `audit-log verify`") from error


def verify_log(folder: Path, noted: Head | None = None) -> Verified:
    """Go through the log in a folder, as it is now; `noted` is a head that was written down elsewhere before.

    Others may append meanwhile. `OsteoEdgeError` if there is no log, or it cannot be read.
    """
    path = folder / FILE
    head, size = _moment(folder)
    findings: list[str] = []
    before = tail = Head(0, START)
    for number, line in enumerate(_lines(path, size), 1):
        findings += _wrong_with(line, number, tail.sha256)
        before, tail = tail, Head(number, sha256_bytes(line))
        if noted is not None and noted.number == number and noted != tail:
            findings.append(f"line {number}: not the one whose hash was noted")
    if noted is not None and noted.number > tail.number:
        findings.append(f"there are {tail.number} lines, but line {noted.number} had been noted")
    if head not in (before, tail):  # a power cut may come before the last line is noted
        words = "no head can be read" if head is None else f"the head is of line {head.number}, with another hash"
        findings.append(f"the log does not end where it did: {tail.number} lines, and {words}")
    return Verified(tail, tuple(findings))


def _moment(folder: Path) -> tuple[Head | None, int]:
    """The head and the bytes of the log at one moment: nobody noted a line between the two."""
    while True:
        head, size = _read_head(folder / HEAD_FILE), _size(folder / FILE)
        if _read_head(folder / HEAD_FILE) == head:
            return head, size


def _wrong_with(line: bytes, number: int, previous: str) -> Iterator[str]:
    try:
        event = _parsed(line)
    except FieldError as error:
        yield f"line {number}: no event ({error})"
        return
    if event.number != number:
        yield f"line {number}: says that it is line {event.number}"
    if event.previous != previous:
        yield f"line {number}: the line before it is not the one that stood there"
    if _line(event) != line:
        yield f"line {number}: not written by this program"
    if event.what == CUT_OFF:
        yield f"line {number}: lines had been cut off or replaced before {event.at}"


def _line(event: Event) -> bytes:
    return json.dumps(to_dict(event), allow_nan=False, separators=(",", ":")).encode()


def _head_of(event: Event) -> Head:
    return Head(event.number, sha256_bytes(_line(event)))


def _parsed(line: bytes) -> Event:
    """The event of a line; `FieldError` for what is none."""
    try:
        return from_dict(Event, json.loads(line))
    except FieldError:
        raise
    except (ValueError, RecursionError) as error:
        raise FieldError("not JSON") from error


def _read_head(path: Path) -> Head | None:
    """What was noted of the log's end; None where nothing was, or what stands there is no head.

    `OsteoEdgeError` where the system refuses it, as a file of another user: that says nothing about the log.
    """
    try:
        return from_dict(Head, json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from error
    except (ValueError, RecursionError):
        return None


@contextmanager
def _one_line(path: Path) -> Iterator[None]:
    """What the system refuses while a log is read or mended, as an `OsteoEdgeError`."""
    try:
        yield
    except OSError as error:
        raise OsteoEdgeError(f"{path}: cannot be used ({error.strerror or error}); check the folder") from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error


def _lines(path: Path, size: int) -> Iterator[bytes]:
    """The whole lines among the first bytes of a log; a part of one at their end is left out."""
    try:
        with path.open("rb") as file:
            while line := file.readline(min(MAX_LINE_BYTES, size)):
                size -= len(line)
                if line.endswith(b"\n"):
                    yield line[:-1]
                elif len(line) == MAX_LINE_BYTES:
                    raise _no_log(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _read_end(path: Path) -> _End:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return EMPTY
    with path.open("rb") as file:
        start = max(0, size - 2 * MAX_LINE_BYTES)  # one whole line is in there at least
        file.seek(start)
        end = file.read(size - start)
    *whole, torn = end.split(b"\n")
    if not whole and start:
        raise _no_log(path)  # to take all that out, as a part of a line, would take the log out
    if not whole:
        return replace(EMPTY, torn_bytes=len(torn))
    try:
        event = _parsed(whole[-1])
        number, previous = event.number, event.previous
    except FieldError:
        number, previous = sum(1 for _ in _lines(path, size)), ""
    return _End(Head(number, sha256_bytes(whole[-1])), previous, size - len(torn), len(torn))


def _no_log(path: Path) -> OsteoEdgeError:
    return OsteoEdgeError(
        f"{path}: a line is longer than {MAX_LINE_BYTES:,} bytes; this is no audit log; move it elsewhere"
    )


def _unreadable(path: Path, error: OSError) -> OsteoEdgeError:
    return OsteoEdgeError(f"{path}: cannot be read ({error.strerror or error}); check the folder")
