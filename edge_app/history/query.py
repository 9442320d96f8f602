"""What to look for in the history, as SQL, and one page of what was found."""

from dataclasses import dataclass
from typing import NamedTuple

from osteo_edge.edge_app.history.entry import Entry
from osteo_edge.wording import Outcome


@dataclass(frozen=True)
class Query:
    """Which screenings to find; all that it says must hold, and what it leaves out may be anything.

    `code` and `note` are parts of the patient code and of the note, `exact_code` is the whole code, all in any case.
    `since` (included) and `until` (left out) are times as in `Entry.taken_at`. `has_dxa` asks for those with, or
    without, a DXA result.
    """

    code: str = ""
    note: str = ""
    since: str | None = None
    until: str | None = None
    outcomes: tuple[Outcome, ...] = ()
    model_sha256: str | None = None
    has_dxa: bool | None = None
    exact_code: str = ""


class Place(NamedTuple):
    """Where in the history an entry stands: the newest first, and by id at the same time."""

    taken_at: str
    id: str


@dataclass(frozen=True)
class Page:
    """Some of the screenings found, the newest first; `after` is where the next page begins, None on the last one."""

    entries: tuple[Entry, ...]
    after: Place | None


@dataclass(frozen=True)
class UsedModel:
    """A model that has screenings in the history, by the name that it had last, and how many there are."""

    sha256: str
    name: str
    is_demo: bool
    screenings: int


def condition(query: Query, after: Place | None = None) -> tuple[str, list[str]]:
    """The query as an SQL condition with its parameters, and only what comes below `after`."""
    parts: list[tuple[str, tuple[str, ...]]] = [("deleted_at IS NULL", ())]
    if query.code:
        parts.append(("instr(folded(code), ?) > 0", (query.code.casefold(),)))
    if query.exact_code:
        parts.append(("folded(code) = ?", (query.exact_code.casefold(),)))
    if query.note:
        parts.append(("instr(folded(note), ?) > 0", (query.note.casefold(),)))
    if query.since is not None:
        parts.append(("taken_at >= ?", (query.since,)))
    if query.until is not None:
        parts.append(("taken_at < ?", (query.until,)))
    if query.outcomes:
        parts.append((f"outcome IN ({', '.join('?' * len(query.outcomes))})", query.outcomes))
    if query.model_sha256 is not None:
        parts.append(("model_sha256 = ?", (query.model_sha256,)))
    if query.has_dxa is not None:
        parts.append(("dxa IS NOT NULL" if query.has_dxa else "dxa IS NULL", ()))
    if after is not None:
        parts.append(("(taken_at, id) < (?, ?)", tuple(after)))
    return " AND ".join(sql for sql, _ in parts), [value for _, values in parts for value in values]
