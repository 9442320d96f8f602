"""Screen what arrives in a folder, each film once, however often the program is stopped or killed.

A result goes to the disk first, then its line in the ledger, then its row in the table, which is made from the line. So
a film without a result is screened again, a result without a line and a line without a row are given theirs at the next
start, and nothing is there twice.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

from osteo_edge.audit_log import AuditLog
from osteo_edge.bundle import Bundle
from osteo_edge.console import without_nan
from osteo_edge.durable import write_durably
from osteo_edge.edge_app import results_table
from osteo_edge.edge_app.arrivals import Arrival, Arrivals, Stamp
from osteo_edge.edge_app.ledger import SCHEMA, Film, Ledger, Line, read_lines
from osteo_edge.errors import MissingExtraError, OsteoEdgeError, RadiographError
from osteo_edge.hashing import sha256_file
from osteo_edge.locking import sole_use
from osteo_edge.radiograph import Radiograph, read_radiograph
from osteo_edge.reading import Reader
from osteo_edge.runtime import Interpreter
from osteo_edge.screening import Screening, require_screenable, screen
from osteo_edge.strict import from_dict, to_dict
from osteo_edge.wording import PHANTOM_USE

LEDGER_NAME = "ledger.jsonl"
WHO = "watch"
"""Who does what the audit log tells of."""
ATTEMPTS_NAME = ".attempts"
DATE_PATTERN = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
RESULT_SUFFIX = ".json"
OVERLAY_SUFFIX = ".overlay.png"
MAX_STEM = 48
BUSY = "another watcher is at work there; stop it first, or choose another --out"


@dataclass(frozen=True)
class Answered:
    """A film that was screened, and the screening as its result file has it."""

    path: Path
    result: dict[str, Any]


@dataclass(frozen=True)
class Unreadable:
    """A file that is no readable radiograph, the line that says why, and its hash."""

    path: Path
    error: str
    sha256: str


@dataclass(frozen=True)
class SeenBefore:
    """A film of this hash that was dealt with under another name, or under this one before another film took it."""

    path: Path
    film: Film
    sha256: str


@dataclass(frozen=True)
class PutOff:
    """A file that cannot be screened for now, though that says nothing about the film."""

    path: Path
    reason: str


@dataclass(frozen=True)
class FolderGone:
    """The watched folder is not there; it is waited for."""

    reason: str


@dataclass(frozen=True)
class FolderBack:
    """The watched folder is there again."""


Event = Answered | Unreadable | SeenBefore | PutOff | FolderGone | FolderBack


class Pause(Protocol):
    """Wait between two looks."""

    def __call__(self, seconds: float) -> bool:
        """Wait, and tell whether to go on; with 0 seconds only tell."""


@dataclass(frozen=True)
class Station:
    """What screens the films of one watch, and where their results go.

    `overlay` asks for the annotated films too, and `read` reads the films. `owed` are answers that an earlier run was
    killed before it told, and `interrupted` names the files during which earlier runs ended: a film that kills the
    program must not keep the others from being screened, so these come last.
    """

    bundle: Bundle
    interpreter: Interpreter
    out: Path
    ledger: Ledger
    audit: AuditLog
    overlay: bool
    read: Reader = read_radiograph
    owed: tuple[Answered, ...] = ()
    interrupted: tuple[str, ...] = ()

    def attempt(self, name: str) -> None:
        """Remember by name what is at hand, and what earlier runs did not come to the end of."""
        with suppress(OsteoEdgeError):  # it only orders the next run
            write_durably(self.out / ATTEMPTS_NAME, json.dumps([*self.interrupted, name]).encode(), "the attempt")


@contextmanager
def open_station(
    bundle: Bundle,
    interpreter: Interpreter,
    out: Path,
    *,
    overlay: bool = False,
    force: bool = False,
    read: Reader = read_radiograph,
) -> Iterator[Station]:
    """Open the folder of results `out` for one watcher alone, and complete what a killed one has left there.

    `BundleError` for a model that is for comparison only, and for one that failed its check after conversion, unless
    `force`; `OsteoEdgeError` if another
    watcher is at work in the folder, or it cannot be used.
    """
    require_screenable(bundle, None, force)
    with sole_use(out, BUSY):
        lines = read_lines(out / LEDGER_NAME)
        ledger = Ledger(out / LEDGER_NAME, lines)
        owed = list(_owed(out, lines))
        for line, _ in owed:
            ledger.append(line)
        results_table.complete(out / results_table.FILE_NAME, [*lines, *(line for line, _ in owed)])
        answers = tuple(Answered(Path(result["image"]), result) for _, result in owed)
        audit = AuditLog(out)
        audit.append("watch started", who=WHO, model=bundle.manifest.model.sha256, forced=force)
        yield Station(bundle, interpreter, out, ledger, audit, overlay, read, answers, _interrupted(out, ledger))


def watch(folder: Path, station: Station, pause: Pause, *, every_s: float, once: bool = False) -> Iterator[Event]:
    """Screen what is in a folder and what arrives there, and tell what becomes of each film.

    Looks every `every_s` seconds until `pause` says that it is enough; with `once`, until nothing is left that has not
    been dealt with. A folder that is not there is waited for, with `once` it is an `OsteoEdgeError`. A disk that is
    full ends the watch with an `OsteoEdgeError`; the film at hand is then screened by the next run.
    """
    yield from station.owed
    arrivals = Arrivals(folder, station.ledger.stamps)
    is_there = True
    while pause(0):
        try:
            arrived = arrivals.look()
        except OSError as error:
            arrived, reason = [], error.strerror or str(error)
            if once:
                raise OsteoEdgeError(f"{folder}: cannot be read ({reason}); name the folder of the films") from error
            if is_there:
                yield FolderGone(reason)
            is_there = False
        else:
            if not is_there:
                yield FolderBack()
            is_there = True
        for arrival in sorted(arrived, key=lambda arrival: arrival.path.name in station.interrupted):
            if not pause(0):
                return
            event = _deal_with(arrival, arrivals, station)
            if event is not None:
                yield event
        if (once and arrivals.settled) or not pause(every_s):
            return


class _StillWrittenError(Exception):
    """The file has changed since it was taken for an arrival."""


def _deal_with(arrival: Arrival, arrivals: Arrivals, station: Station) -> Event | None:
    """Screen the film, unless it was before; None where there is nothing to tell, or the file is still written to."""
    try:
        event = _answer(arrival, station)
    except (_StillWrittenError, FileNotFoundError):
        return None
    except (OSError, MissingExtraError, MemoryError) as error:
        return PutOff(arrival.path, _reason(error)) if arrivals.put_off(arrival) else None
    arrivals.deal_with(arrival)
    return event


def _answer(arrival: Arrival, station: Station) -> Event | None:
    _require(arrival.unchanged)
    name, sha256 = arrival.path.name, sha256_file(arrival.path)
    film = station.ledger.film(sha256)
    if film is None:
        return _screen(arrival, sha256, station)
    if station.ledger.is_latest(name, sha256):
        return None
    line = Line(sha256, name, arrival.stamp, _now(), "seen_before", _model(station), result=film.result)
    station.ledger.append(line)
    return SeenBefore(arrival.path, film, sha256)


def _screen(arrival: Arrival, sha256: str, station: Station) -> Event:
    path = arrival.path
    station.attempt(path.name)
    try:
        radiograph, screening = screen(path, station.bundle, station.interpreter, force=True, read=station.read)
    except RadiographError as error:
        _require(arrival.unchanged and sha256_file(path) == sha256)
        station.audit.append("not readable", who=WHO, image=sha256)
        line = Line(sha256, path.name, arrival.stamp, _now(), "unreadable", _model(station), error=str(error))
        _record(line, station)
        return Unreadable(path, str(error), sha256)
    _require(arrival.unchanged and screening.image_sha256 == sha256)
    station.audit.append("screened", who=WHO, image=sha256, model=_model(station), outcome=screening.outcome)
    file, result = _write_result(radiograph, screening, station)
    _record(_line_of(result, file, arrival.stamp), station)
    return Answered(path, result)


def _require(unchanged: bool) -> None:
    if not unchanged:
        raise _StillWrittenError


def _record(line: Line, station: Station) -> None:
    station.ledger.append(line)
    results_table.add(station.out / results_table.FILE_NAME, line)


def _write_result(radiograph: Radiograph, screening: Screening, station: Station) -> tuple[str, dict[str, Any]]:
    """Write the overlay, if it was asked for, and then the result that names it; gives the file from `out`, too."""
    place = f"{screening.taken_at[:10]}/{screening.image.stem[:MAX_STEM]}-{screening.image_sha256[:8]}"
    overlay = station.out / f"{place}{OVERLAY_SUFFIX}" if station.overlay else None
    if overlay is not None:
        from osteo_edge.overlay import encode_overlay

        write_durably(overlay, encode_overlay(radiograph.pixels, screening), "the overlay")
    result: dict[str, Any] = without_nan({**screening.to_dict(), "overlay": None if overlay is None else str(overlay)})
    text = json.dumps(result, indent=2, allow_nan=False)
    write_durably(station.out / f"{place}{RESULT_SUFFIX}", f"{text}\n".encode(), "the result")
    return f"{place}{RESULT_SUFFIX}", result


def _line_of(result: dict[str, Any], file: str, stamp: Stamp | None) -> Line:
    """The ledger's line of a result; `FieldError` or `KeyError` if it is none of ours."""
    copied = ("outcome", "score", "reasons", "model_sha256")
    overlay = None if result["overlay"] is None else file.removesuffix(RESULT_SUFFIX) + OVERLAY_SUFFIX
    fields = {name: result[name] for name in copied} | {
        "sha256": result["image_sha256"],
        "name": Path(result["image"]).name,
        "at": result["taken_at"],
        "warnings": list(warnings_of(result)),
        "finding": None if result.get("finding") == "density" else result.get("finding"),
        "bone": result.get("bone"),
        "stamp": None if stamp is None else to_dict(stamp),
        "result": file,
        "overlay": overlay,
        "error": None,
        "schema": SCHEMA,
    }
    return from_dict(Line, fields)


def warnings_of(result: dict[str, Any]) -> tuple[str, ...]:
    """What goes with each answer of a model that is not for patients."""
    use = result["intended_use"]
    return (*result["warnings"], *([use] if use == PHANTOM_USE else []))


def _owed(out: Path, lines: Iterable[Line]) -> Iterator[tuple[Line, dict[str, Any]]]:
    """Results that a killed run has written, and the lines it has not; what it left half-written is removed."""
    recorded, known = {line.result for line in lines}, {line.sha256 for line in lines}
    for folder in sorted(one for one in out.glob(DATE_PATTERN) if one.is_dir()):
        names = {file.name for file in folder.iterdir() if file.is_file()}
        for name in sorted(names):
            result = name.removesuffix(OVERLAY_SUFFIX) + RESULT_SUFFIX
            if name.endswith(".partial") or (name.endswith(OVERLAY_SUFFIX) and result not in names):
                (folder / name).unlink()
            elif name.endswith(RESULT_SUFFIX) and f"{folder.name}/{name}" not in recorded:
                found = _read_result(out, f"{folder.name}/{name}")
                if found is not None and found[0].sha256 not in known:
                    known.add(found[0].sha256)
                    yield found


def _read_result(out: Path, file: str) -> tuple[Line, dict[str, Any]] | None:
    """The line of a result file, and the result; None for a file that is no result."""
    try:
        result = json.loads((out / file).read_bytes())
        return _line_of(result, file, None), result
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _interrupted(out: Path, ledger: Ledger) -> tuple[str, ...]:
    """The files that were at hand when earlier runs ended, less those that have been dealt with since.

    None where the file that says so cannot be read, or someone else wrote it: it only orders this run.
    """
    for partial in out.glob(f".{ATTEMPTS_NAME}.*.partial"):
        partial.unlink()
    try:
        names = json.loads((out / ATTEMPTS_NAME).read_bytes())
    except (OSError, ValueError, RecursionError):
        return ()
    if not isinstance(names, list):
        return ()
    dealt_with = ledger.stamps
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name not in dealt_with))


def _model(station: Station) -> str:
    return station.bundle.manifest.model.sha256


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _reason(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "too large for the memory of this device"
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)
