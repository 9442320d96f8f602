"""Where the user was when the system took the app away, so that the next start goes on there.

A phone may end an app that is not seen, without a word. What is typed is in the history by then, as a draft, and the
films are files; this keeps which screens were open, on what, and what was typed into an answer's forms.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final, TypeAlias

from osteo_edge.durable import write_durably
from osteo_edge.edge_app.folders import OLD_S
from osteo_edge.edge_app.history.entry import Patient
from osteo_edge.edge_app.screening_form import fields_of
from osteo_edge.strict import FieldError, from_dict, to_dict

SCHEMA: Final = 1
MAX_FILE_BYTES: Final = 1 << 18
MOST_SCREENS: Final = 32

Typed: TypeAlias = dict[str, dict[str, str]]
"""What was typed and not saved, by the form's name and its field's."""


@dataclass(frozen=True)
class LeftPage:
    """A screen that needs nothing to be opened again."""

    def arguments(self) -> dict[str, Any]:
        return {}

    def files(self) -> tuple[Path, ...]:
        return ()


@dataclass(frozen=True)
class LeftForm:
    """The form of a new screening, its fields as a draft has them.

    `films` are the app's own copies of what other apps shared, not screened yet.
    """

    fields: dict[str, str]
    draft_id: str
    films: tuple[str, ...]

    def arguments(self) -> dict[str, Any]:
        films = tuple(path for path in map(Path, self.films) if path.is_file())
        return {"fields": fields_of(self.fields), "draft_id": self.draft_id, "films": films}

    def files(self) -> tuple[Path, ...]:
        return ()  # without them the form is still worth something


@dataclass(frozen=True)
class LeftPhoto:
    """A photo in which the film's corners were being put right."""

    photo: str

    def arguments(self) -> dict[str, Any]:
        return {"photo": Path(self.photo)}

    def files(self) -> tuple[Path, ...]:
        return (Path(self.photo),)


@dataclass(frozen=True)
class LeftFilm:
    """An answer that was not saved: its film is screened again, and must be the one of `sha256` if that is known.

    `entry_id` is there if it was being saved: then it may be in the history after all. `bone` is there if it was named.
    """

    film: str
    patient: Patient
    sha256: str | None = None
    draft_id: str | None = None
    photo_hints: tuple[str, ...] | None = None
    entry_id: str | None = None
    bone: str | None = None

    def arguments(self) -> dict[str, Any]:
        return {
            "film": Path(self.film),
            "film_sha256": self.sha256,
            "patient": self.patient,
            "draft_id": self.draft_id,
            "photo_hints": self.photo_hints,
            "entry_id": self.entry_id,
            "bone": self.bone,
        }

    def files(self) -> tuple[Path, ...]:
        return (Path(self.film),)


@dataclass(frozen=True)
class LeftEntry:
    """A saved answer, with what was typed into its forms."""

    entry_id: str
    typed: Typed = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        return {"entry_id": self.entry_id, "typed": self.typed}

    def files(self) -> tuple[Path, ...]:
        return ()


@dataclass(frozen=True)
class LeftPair:
    """Two saved answers side by side."""

    left: str
    right: str

    def arguments(self) -> dict[str, Any]:
        return {"left": self.left, "right": self.right}

    def files(self) -> tuple[Path, ...]:
        return ()


Left: TypeAlias = LeftPage | LeftForm | LeftPhoto | LeftFilm | LeftEntry | LeftPair
"""A screen as it was left: `arguments` opens it again, if the `files` that it cannot do without are there."""

KINDS: Final[dict[str, tuple[type[Left], ...]]] = {
    "new_screening": (LeftForm,),
    "camera": (LeftPhoto,),
    "result": (LeftFilm, LeftEntry),
    "side_by_side": (LeftPair,),
    "history": (LeftPage,),
    "follow_up": (LeftPage,),
    "model": (LeftPage,),
    "settings": (LeftPage,),
    "help": (LeftPage,),
}
"""What there may be of each screen; others are not opened again."""


def write_left_off(path: Path, screens: Sequence[tuple[str, Left]], now: datetime) -> None:
    """Write down the screens above the first one, the lowest first; `OsteoEdgeError` if the disk does not take it."""
    written = [{"name": name, "kind": type(left).__name__, "of": to_dict(left)} for name, left in screens]
    document = {"schema": SCHEMA, "left_at": now.astimezone(timezone.utc).isoformat(), "screens": written}
    write_durably(path, f"{json.dumps(document, allow_nan=False)}\n".encode(), "what was open")


def take_left_off(path: Path, now: datetime) -> tuple[tuple[str, Left], ...]:
    """Read which screens were open, and forget it: what cannot be opened must not be tried at every start.

    Empty where nothing was left, where it is of another day, or cannot be read; the log then says why.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        path.unlink()
    except FileNotFoundError:
        return ()
    except OSError as error:
        logging.getLogger(__name__).warning("what was open cannot be read: %s", error)
        return ()
    try:
        return _read(data, now)
    except (ValueError, TypeError, RecursionError) as error:
        logging.getLogger(__name__).warning("what was open cannot be used: %s", error)
        return ()


def forget_left_off(path: Path) -> None:
    """The user has left the app, or is back in it."""
    path.unlink(missing_ok=True)


def _read(data: bytes, now: datetime) -> tuple[tuple[str, Left], ...]:
    if len(data) > MAX_FILE_BYTES:
        raise FieldError("it is too large")
    document = json.loads(data)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise FieldError("it is of another version")
    left_at, screens = document.get("left_at"), document.get("screens")
    if not isinstance(left_at, str) or not isinstance(screens, list) or len(screens) > MOST_SCREENS:
        raise FieldError("it has no list of screens")
    age = now - datetime.fromisoformat(left_at)
    if not timedelta(0) <= age <= timedelta(seconds=OLD_S):
        return ()
    return tuple(map(_screen, screens))


def _screen(written: object) -> tuple[str, Left]:
    if not isinstance(written, dict):
        raise FieldError("a screen must be an object")
    name = written.get("name")
    kinds = KINDS.get(name, ()) if isinstance(name, str) else ()
    kind = next((kind for kind in kinds if kind.__name__ == written.get("kind")), None)
    if kind is None:
        raise FieldError(f"no screen {name!r} can be opened again")
    return str(name), from_dict(kind, written.get("of"), str(name))
