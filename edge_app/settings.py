"""What the clinic has set: one small JSON file, read strictly and written in one step."""

import json
import os
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, Literal

from osteo_edge.durable import write_durably
from osteo_edge.edge_app.pin import PinHash
from osteo_edge.edge_app.translation import Translate
from osteo_edge.strict import from_dict, to_dict

SCHEMA: Final = 3
FILE_NAME: Final = "settings.json"
MAX_FILE_BYTES: Final = 1 << 16
MAX_THREADS: Final = 64
MAX_RETENTION_DAYS: Final = 36_500
MAX_INSTITUTION: Final = 160

Language = Literal["en", "fr", "es", "sw"]
Theme = Literal["light", "dark", "system"]
TextPercent = Literal[100, 125, 150]
ColourMap = Literal["viridis", "cividis", "jet"]
LockAfterMinutes = Literal[1, 5, 15]

ADDED: Final[dict[int, dict[str, Any]]] = {1: {"lock_after_minutes": 5}, 2: {}}
"""What each older schema did not have yet, with what it meant."""

SET_ASIDE: Final = (
    "The settings could not be read and are the original ones again, without a PIN. "
    "The old file was kept as {name}. Check the settings."
)
LEFT_THERE: Final = (
    "The settings could not be read and are the original ones for now, without a PIN. Check the disk and the settings."
)
NEWER: Final = (
    "The settings are of a newer version of this program and are the original ones again, without a PIN. "
    "The newer file was kept as {name}. Check the settings."
)


@dataclass(frozen=True)
class Settings:
    """The settings of one installation; the defaults are what a first start has.

    `threads` is None for as many as the device has cores, `retention_days` None for screenings that are kept until
    someone deletes them, `watched_folder` an absolute path, `pin` None for no lock (what a lock does: `pin`). The lock
    comes by itself when nobody has touched the window for `lock_after_minutes`.
    The theme "system" is that of the device, and light where the device has none.
    `colour_map` is of the overlay; jet is for those who are used to it, for the colour-blind cannot read it.
    """

    language: Language = "en"
    text_percent: TextPercent = 100
    theme: Theme = "system"
    threads: int | None = None
    watched_folder: str | None = None
    retention_days: int | None = None
    institution: str = ""
    colour_map: ColourMap = "viridis"
    pin: PinHash | None = None
    lock_after_minutes: LockAfterMinutes = 5
    schema: Literal[3] = SCHEMA

    def __post_init__(self) -> None:
        if self.threads is not None and not 1 <= self.threads <= MAX_THREADS:
            raise ValueError(f"threads must be from 1 to {MAX_THREADS}")
        if self.retention_days is not None and not 1 <= self.retention_days <= MAX_RETENTION_DAYS:
            raise ValueError(f"retention_days must be from 1 to {MAX_RETENTION_DAYS}")
        if self.watched_folder is not None and not _is_absolute(self.watched_folder):
            raise ValueError("watched_folder must be an absolute path")
        if len(self.institution) > MAX_INSTITUTION or not _is_one_line(self.institution):
            raise ValueError(f"institution must be one line of at most {MAX_INSTITUTION} characters")


@dataclass(frozen=True)
class OpenedSettings:
    """The settings as they are to be used, and a line for the user if they are not those that were saved."""

    settings: Settings
    note: str | None = None


def read_settings(path: Path, translate: Translate) -> OpenedSettings:
    """Read the settings, the defaults where there is no file yet.

    A file that cannot be used is set aside under a dated name, so that nothing that was set is lost, and the defaults
    are used; never an error, since the app must start.
    """
    try:
        document = _read(path)
    except FileNotFoundError:
        return OpenedSettings(Settings())
    except (OSError, ValueError, RecursionError):
        return OpenedSettings(Settings(), _set_aside(path, SET_ASIDE, translate))
    try:
        return OpenedSettings(from_dict(Settings, _upgraded(document)))
    except ValueError:
        words = NEWER if _is_newer(document) else SET_ASIDE
        return OpenedSettings(Settings(), _set_aside(path, words, translate))


def settings_now(path: Path) -> Settings | None:
    """What the file has now; None where there is none, or none that can be used, which is left as it is."""
    try:
        return from_dict(Settings, _upgraded(_read(path)))
    except (OSError, ValueError, RecursionError):
        return None


def write_settings(path: Path, settings: Settings) -> None:
    """Write the settings, which are on the disk when this returns; `OsteoEdgeError` if the disk does not take them."""
    text = json.dumps(to_dict(settings), indent=2, allow_nan=False)
    write_durably(path, f"{text}\n".encode(), "the settings")


def _read(path: Path) -> object:
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise ValueError("too large")
    document: object = json.loads(data)
    return document


def _set_aside(path: Path, words: str, translate: Translate) -> str:
    moment = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S%fZ")
    aside = path.with_name(f"{path.stem}.damaged-{moment}{path.suffix}")
    try:
        path.rename(aside)
    except OSError:
        return translate(LEFT_THERE)
    return translate(words).format(name=aside.name)


def _upgraded(document: object) -> object:
    """A document of an older schema as one of this; what is of none stays as it is."""
    if not isinstance(document, dict):
        return document
    while type(schema := document.get("schema")) is int and schema in ADDED:
        document = {**ADDED[schema], **document, "schema": schema + 1}
    return document


def _is_newer(document: object) -> bool:
    schema = document.get("schema") if isinstance(document, dict) else None
    return isinstance(schema, int) and schema > SCHEMA


def _is_absolute(path: str) -> bool:
    """Whether it is an absolute path that the system can take; `ValueError` if it cannot be encoded."""
    return b"\0" not in os.fsencode(path) and Path(path).is_absolute()


def _is_one_line(text: str) -> bool:
    return all(character.isprintable() for character in text)
