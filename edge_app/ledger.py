"""The ledger of a watched folder: one line for each film that was screened, could not be read, or came again."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from osteo_edge.durable import append_durably, cut_back
from osteo_edge.edge_app.arrivals import Stamp
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.strict import FieldError, from_dict, to_dict
from osteo_edge.wording import Finding

SCHEMA: Final = 1
LATER_FIELDS: Final = ("finding", "bone")


@dataclass(frozen=True)
class Line:
    """What became of one film under one name.

    A film is its content: `sha256`. `unreadable` has an `error`; `seen_before` is a film that has its line under
    another name. `result` and `overlay` are files, from the folder of the ledger. `stamp` is of the file when it was
    dealt with, None where that is not known any more. `at` is ISO 8601 in UTC. `warnings` are of the model. `finding`
    is what a positive answer speaks of, None for bone density, and `bone` the one that the film was answered for.
    """

    sha256: str
    name: str
    stamp: Stamp | None
    at: str
    outcome: Literal["refer", "no_finding", "uncertain", "rejected", "unreadable", "seen_before"]
    model_sha256: str
    score: float | None = None
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str | None = None
    result: str | None = None
    overlay: str | None = None
    schema: Literal[1] = SCHEMA
    finding: Finding | None = None
    bone: str | None = None


@dataclass(frozen=True)
class Film:
    """The name under which a film was dealt with, and its result, from the folder of the ledger."""

    name: str
    result: str | None


class Ledger:
    """An open ledger: what is known of films and names, and the file that grows with each line."""

    def __init__(self, path: Path, lines: Iterable[Line]) -> None:
        self._path = path
        self._films: dict[str, Film] = {}
        self._names: dict[str, tuple[str, Stamp | None]] = {}
        for line in lines:
            self._note(line)

    @property
    def stamps(self) -> dict[str, Stamp]:
        """The stamps of the files that were dealt with last under each name."""
        return {name: stamp for name, (_, stamp) in self._names.items() if stamp is not None}

    def film(self, sha256: str) -> Film | None:
        """The film with this content, if it was dealt with."""
        return self._films.get(sha256)

    def is_latest(self, name: str, sha256: str) -> bool:
        """Whether the last line about `name` is about this content."""
        return name in self._names and self._names[name][0] == sha256

    def append(self, line: Line) -> None:
        """Add a line, which is on the disk when this returns; `OsteoEdgeError` if the disk does not take it.

        Without `finding` and `bone` where there is nothing to say, so that older programs read it too.
        """
        plain = {name: value for name, value in to_dict(line).items() if name not in LATER_FIELDS or value is not None}
        text = json.dumps(plain, allow_nan=False)
        append_durably(self._path, f"{text}\n".encode(), "the ledger")
        self._note(line)

    def _note(self, line: Line) -> None:
        if line.outcome != "seen_before":
            self._films[line.sha256] = Film(line.name, line.result)
        self._names[line.name] = line.sha256, line.stamp


def read_lines(path: Path) -> list[Line]:
    """The lines of a ledger, none where there is no such file; a last line that a power cut has torn is cut off.

    `OsteoEdgeError` names a line that is not readable otherwise.
    """
    try:
        data = path.read_bytes() if path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            cut_back(path, len(whole))
    except OSError as error:
        raise OsteoEdgeError(f"{path}: cannot be read ({error.strerror or error}); choose another --out") from error
    return [_parse(path, number, text) for number, text in enumerate(whole.splitlines(), 1)]


def _parse(path: Path, number: int, text: bytes) -> Line:
    try:
        data: Any = json.loads(text)
        return from_dict(Line, data)
    except (FieldError, ValueError, RecursionError) as error:
        raise OsteoEdgeError(
            f"{path}: line {number} is not readable ({error}); remove that line, or choose another --out"
        ) from error
