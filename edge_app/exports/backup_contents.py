"""What a backup says of itself: which files it holds, with their sizes and hashes.

Of an encrypted history it holds the same files as they are on the disk, the locked-up keys among them.
"""

import json
import re
from dataclasses import dataclass
from typing import Final, Literal

from osteo_edge.edge_app.history.encrypted import COPY, VAULT
from osteo_edge.edge_app.history.images import FOLDER
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.strict import from_dict, shown, to_dict

CONTENTS: Final = "contents.json"
FORMAT: Final = "osteo-edge history backup"
MAX_CONTENTS_BYTES: Final = 64 * 2**20

LOCKED: Final = "This backup is encrypted. Enter the PIN or the recovery code that it was made with."
WRONG_SECRET: Final = "This is neither the PIN nor the recovery code of this backup."
"""Messages."""

VAULTS: Final = (VAULT, COPY)
_IMAGE = re.compile(rf"{FOLDER}/([0-9a-f]{{2}})/(\1[0-9a-f]{{62}})(\.[a-z0-9]{{1,8}})?")


class BackupError(OsteoEdgeError):
    """A file that is no backup of a history, or a damaged one."""


class BackupLockedError(OsteoEdgeError):
    """An encrypted backup, and not what it opens with."""


@dataclass(frozen=True)
class Part:
    """A file of the history, by its name in its folder: the database, the keys, or an image as the store names it.

    No other name is taken, so none can lead out of the folder that a backup is restored to.
    """

    name: str
    sha256: str
    size_bytes: int

    def __post_init__(self) -> None:
        if self.name not in (DATABASE, *VAULTS) and not is_image(self.name):
            raise ValueError(f"name must be that of the database, the keys or an image, not {shown(self.name)}")
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError("sha256 must be 64 hex digits")
        if self.size_bytes < 0:
            raise ValueError("size_bytes must not be negative")

    @property
    def is_sound(self) -> bool:
        """Whether an image that is not sealed is still the one that its name says; True for what is no image."""
        found = _IMAGE.fullmatch(self.name)
        return found is None or found[2] == self.sha256


@dataclass(frozen=True)
class Contents:
    """The list of contents, as it stands in the backup; version 1."""

    format: Literal["osteo-edge history backup"]
    version: Literal[1]
    made_at: str
    made_by: str
    files: tuple[Part, ...]

    def __post_init__(self) -> None:
        names = {part.name for part in self.files}
        if len(names) < len(self.files):
            raise ValueError("files must not name one twice")
        if DATABASE not in names:
            raise ValueError(f"files must name {DATABASE}")
        if len(names.intersection(VAULTS)) == 1:
            raise ValueError("files must name the keys twice, or not at all")

    @property
    def is_encrypted(self) -> bool:
        """Whether it is of an encrypted history."""
        return any(part.name == VAULT for part in self.files)

    def to_json(self) -> bytes:
        return f"{json.dumps(to_dict(self), indent=1)}\n".encode()


def is_image(name: str) -> bool:
    """Whether the image store would give this name, with its folders, to an image."""
    return _IMAGE.fullmatch(name) is not None


def read_contents(data: bytes) -> Contents:
    """Read the list of contents strictly; a `ValueError` says what is wrong with it."""
    return from_dict(Contents, json.loads(data))
