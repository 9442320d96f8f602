"""What a packed web app consists of: `packed.json` in its folder, by which it is known, verified and served."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.strict import FieldError, from_dict, to_dict

PACKED_NAME: Final = "packed.json"
INDEX: Final = "index.html"
WORKER: Final = "sw.js"
AGAIN: Final = "make it again with `osteo-edge package web`"
MAX_RECORD_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Packed:
    """The record of a packed app. `files` are the SHA-256 of all others by their names, `headers` those of each."""

    schema: Literal[1]
    created_by: str
    bundle: str
    headers: dict[str, str]
    files: dict[str, str]

    def __post_init__(self) -> None:
        for name in self.files:
            is_below = not Path(name).is_absolute() and all(part.strip(".") for part in name.split("/"))
            if not is_below or "\\" in name or not name.isprintable():
                raise ValueError(f"files names {name!r}, which leads out of the folder")
        if INDEX not in self.files:
            raise ValueError(f"files has no {INDEX}")

    def to_json(self) -> bytes:
        return (json.dumps(to_dict(self), indent=1, sort_keys=True) + "\n").encode()


def is_packed(folder: Path) -> bool:
    """Whether a folder looks like a packed web app."""
    return (folder / PACKED_NAME).is_file()


def read_packed(folder: Path) -> Packed:
    """The record of the web app in a folder; `OsteoEdgeError` where there is none that can be read."""
    path = folder / PACKED_NAME
    if not is_packed(folder):
        raise OsteoEdgeError(f"{folder}: no web app; name a folder that `osteo-edge package web` wrote")
    try:
        if path.stat().st_size > MAX_RECORD_BYTES:
            raise OsteoEdgeError(f"{path}: larger than {MAX_RECORD_BYTES:,} bytes; {AGAIN}")
        return from_dict(Packed, json.loads(path.read_bytes()))
    except OSError as error:
        raise OsteoEdgeError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (FieldError, ValueError, RecursionError) as error:
        raise OsteoEdgeError(f"{path}: {error}; {AGAIN}") from error


def read_files(folder: Path) -> tuple[Packed, dict[str, bytes]]:
    """The record of a web app, and the content of every file that it names, none of them a link and each verified.

    `OsteoEdgeError` names the one that is not as it was packed. What else lies in the folder is not looked at.
    """
    packed = read_packed(folder)
    return packed, {name: _verified(folder, name, digest) for name, digest in packed.files.items()}


def _verified(folder: Path, name: str, digest: str) -> bytes:
    path = folder / name
    try:
        if any(part.is_symlink() for part in (path, *path.parents) if folder in part.parents):
            raise OsteoEdgeError(f"{path}: is a link, and not what was packed; {AGAIN}")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise OsteoEdgeError(f"{path}: missing; copy the whole folder again, or {AGAIN}") from error
    except OSError as error:
        raise OsteoEdgeError(f"{path}: cannot be read ({error.strerror or error})") from error
    if sha256_bytes(content) != digest:
        raise OsteoEdgeError(f"{path}: altered since it was packed; copy the folder again, or {AGAIN}")
    return content
