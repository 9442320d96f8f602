"""What a search for a compressed model has found so far: a file that is written whole after each step."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final, Literal

from osteo_edge.console import without_nan
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.intervals import Estimate
from osteo_edge.locking import LOCK_NAME, sole_use
from osteo_edge.strict import FieldError, from_dict, to_dict
from osteo_edge.writing import write_whole

FILE_NAME = "search.json"
SCHEMA: Final = 1


@dataclass(frozen=True)
class Subject:
    """What a search is about: with any of these changed, what was found before says nothing."""

    bundle_sha256: str
    data: str
    split_sha256: str
    part: str
    epochs: int | None
    version: str


@dataclass(frozen=True)
class Auroc:
    """One question's AUROC, and by how much it differs from the reference's on the same draws."""

    value: Estimate
    difference: Estimate


@dataclass(frozen=True)
class Latency:
    """Milliseconds of CPU time for one image on one thread: the median, and its ratio to the reference's.

    The ratio is the median of those within a round.
    """

    median_ms: float
    ratio: Estimate


@dataclass(frozen=True)
class Candidate:
    """One recipe's model beside the reference.

    `decisions` is the share that both decide alike. `shortfall` says in what its conversion missed its parity bound;
    None where it passed. `latency` is None until all are timed together.
    """

    sha256: str
    precision: str
    size_bytes: int
    shortfall: str | None
    aurocs: dict[str, Auroc]
    decisions: Estimate
    seconds: float
    latency: Latency | None = None

    @property
    def worst(self) -> str:
        """The question that loses most."""
        return min(self.aurocs, key=lambda question: self.aurocs[question].difference.value)

    @property
    def auroc_drop(self) -> float:
        """What the worst question loses; negative where all gain."""
        return -self.aurocs[self.worst].difference.value


@dataclass(frozen=True)
class Record:
    """A search: its subject, the seconds it took, those of each finished step, and what came of each recipe.

    `failed` and `untried` give the reason by recipe; both are tried again by a later call.
    """

    subject: Subject
    spent_s: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    candidates: dict[str, Candidate] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    untried: dict[str, str] = field(default_factory=dict)
    schema: Literal[1] = SCHEMA


def open_record(out: Path, subject: Subject) -> Record:
    """The record in the folder `out`, or a new one where `out` is free or empty.

    `OsteoEdgeError` if something else is there, a search about something else included.
    """
    file = out / FILE_NAME
    if file.is_file():
        record = _read(file)
        _check_subject(out, record.subject, subject)
        return record
    if out.is_symlink() or (out.exists() and not (out.is_dir() and _is_empty(out))):
        raise OsteoEdgeError(f"{out}: exists already and holds no search ({FILE_NAME}); choose another --out")
    return Record(subject)


def write_record(out: Path, record: Record) -> None:
    """Write the record in one step."""
    text = json.dumps(without_nan(to_dict(record)), indent=2, allow_nan=False)
    write_whole(out / FILE_NAME, f"{text}\n".encode(), "the search")


@contextmanager
def sole_search(out: Path) -> Iterator[None]:
    """Keep other searches out of the folder, until the last command that was started here has ended too.

    `OsteoEdgeError` if there is one at work, or the folder cannot be written.
    """
    with sole_use(out, "another search is at work there; wait until it has ended, or stop it") as lock:
        os.set_inheritable(lock, True)
        yield


def _is_empty(folder: Path) -> bool:
    return all(entry.name == LOCK_NAME for entry in folder.iterdir())


def _read(file: Path) -> Record:
    try:
        return from_dict(Record, json.loads(file.read_text("utf-8")))
    except (FieldError, ValueError, RecursionError) as error:
        raise OsteoEdgeError(f"{file}: not readable as a search ({error}); choose another --out") from error
    except OSError as error:
        raise OsteoEdgeError(f"{file}: cannot be read ({error.strerror}); choose another --out") from error


def _check_subject(out: Path, found: Subject, wanted: Subject) -> None:
    for one in fields(Subject):
        before, now = getattr(found, one.name), getattr(wanted, one.name)
        if before != now:
            what = one.name.replace("_", " ")
            raise OsteoEdgeError(
                f"{out}: holds a search with another {what} ({_brief(before)}, now {_brief(now)}); "
                "choose another --out, or call as before"
            )


def _brief(value: object) -> str:
    """
    >>> _brief("0123456789" * 7), _brief(None)
    ('0123456789...', 'not given')
    """
    if value is None:
        return "not given"
    text = str(value)
    is_digest = len(text) > 60 and text.isalnum()
    return f"{text[:10]}..." if is_digest else text
