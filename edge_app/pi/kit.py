"""What a kit for the Raspberry Pi is: a folder with packages, a model and an installer, and all that is known of it.

Nothing here or in what this imports needs more than Python's own library: the kit is read before anything is installed.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_bytes, sha256_file
from osteo_edge.portable_names import clashing, is_portable
from osteo_edge.strict import FieldError, from_dict, shown, to_dict

SCHEMA: Final = 1
KIT_FILE: Final = "kit.json"
SUMS_FILE: Final = "SHA256SUMS"
MAX_BYTES: Final = 1 << 20
"""More than kit.json or SHA256SUMS can have."""
ID_DIGITS: Final = 8
AGAIN: Final = "copy the kit again"

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and how much there is."""


class KitError(OsteoEdgeError):
    """A kit that is missing, damaged, or not for this device."""


class NewerKitError(KitError):
    """A kit that was made by a program so new that this one cannot read what it says of itself."""


@dataclass(frozen=True)
class KitFile:
    """A file of a kit."""

    sha256: str
    size_bytes: int

    def __post_init__(self) -> None:
        if re.fullmatch(r"[0-9a-f]{64}", self.sha256) is None:
            raise ValueError("sha256 must be a SHA-256 in lower-case hex")


@dataclass(frozen=True)
class KnownAnswer:
    """What the model answered to the drawn film on the machine that made the kit.

    `score` is the calibrated probability of the positive labels; a device may differ by `tolerance`.
    """

    score: float
    tolerance: float
    runtime: str


@dataclass(frozen=True)
class Contents:
    """`kit.json`.

    `packages`, the archives to unpack in their order, and `installed_bytes` are by version of Python, as "3.11".

    `glibc` is the oldest C library that every wheel runs on. `files` are all but `kit.json` and `SHA256SUMS`.
    """

    schema: Literal[1]
    version: str
    made_at: str
    made_by: str
    bundle: str
    model_sha256: str
    machine: str
    glibc: str
    packages: dict[str, tuple[str, ...]]
    installed_bytes: dict[str, int]
    known_answer: KnownAnswer
    files: dict[str, KitFile]

    def __post_init__(self) -> None:
        for name in ("version", "glibc"):
            if re.fullmatch(r"\d+(\.\d+)+", getattr(self, name)) is None:
                raise ValueError(f"{name} must be numbers with dots between them, not {shown(getattr(self, name))}")
        for name in self.files:
            if not is_portable(name):
                raise ValueError(f"files names {shown(name)}, which is no path inside the kit")
        twice = clashing([KIT_FILE, SUMS_FILE, *self.files])
        if twice is not None:
            raise ValueError(f"files names {shown(twice)}, which differs from another one in its capitals alone")
        for python, names in self.packages.items():
            missing = sorted(set(names) - set(self.files))
            if missing:
                where = f"packages.{shown(python)[1:-1]}"
                raise ValueError(f"{where} names {shown(missing[0])}, which is not among the files")
        if set(self.packages) != set(self.installed_bytes):
            raise ValueError("installed_bytes must be given for the same versions of Python as packages")

    @property
    def age(self) -> tuple[tuple[int, ...], str]:
        """What tells the older of two kits: its version, and of one version when it was made."""
        return tuple(map(int, self.version.split("."))), self.made_at

    def to_bytes(self) -> bytes:
        """The file `kit.json`."""
        return (json.dumps(to_dict(self), indent=1, allow_nan=False) + "\n").encode()


@dataclass(frozen=True)
class Kit:
    """A kit in a folder, its `kit.json` read; `digest` is the SHA-256 of that file, which names all others."""

    path: Path
    contents: Contents
    digest: str

    @property
    def name(self) -> str:
        """What its version is called among the installed ones."""
        return f"{self.contents.version}-{self.digest[:ID_DIGITS]}"


def read_kit(path: Path) -> Kit:
    """Read `kit.json` of the kit in a folder; `KitError` if there is none, or it is not as it should be."""
    file = path / KIT_FILE
    if not path.is_dir():
        raise KitError(f"{path}: {'a file, not the folder of a kit' if path.exists() else 'no such kit'}")
    if not file.is_file():
        raise KitError(f"{path}: no kit: it holds no {KIT_FILE}; name the folder that `osteo-edge package pi` wrote")
    data = _small(file)
    return Kit(path, _parse(file, data), sha256_bytes(data))


def read_contents(file: Path) -> Contents:
    """Read one `kit.json`; `KitError` names the field that is not as it should be."""
    return _parse(file, _small(file))


def sums_of(contents: Contents, digest: str) -> bytes:
    """The file SHA256SUMS, as `sha256sum --check` reads it; `digest` is that of `kit.json`."""
    digests = {KIT_FILE: digest} | {name: file.sha256 for name, file in contents.files.items()}
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def verify_kit(kit: Kit, on_progress: Progress = lambda *_: None) -> None:
    """Read every byte of a kit; `KitError` if one differs from what it was made with, or a file is too many."""
    sums = kit.path / SUMS_FILE
    if not sums.is_file() or _small(sums) != sums_of(kit.contents, kit.digest):
        raise KitError(f"{sums}: altered since the kit was made; {AGAIN}")
    files, done = kit.contents.files, 0
    total = sum(file.size_bytes for file in files.values())
    with _reading(kit.path):
        for name, expected in files.items():
            on_progress("checking the kit", done, total)
            path = kit.path / name
            if not path.is_file():
                raise KitError(f"{path}: missing from the kit; {AGAIN}")
            if path.stat().st_size != expected.size_bytes or sha256_file(path) != expected.sha256:
                raise KitError(f"{path}: altered since the kit was made (its SHA-256 differs); {AGAIN}")
            done += expected.size_bytes
        there = {path.relative_to(kit.path).as_posix() for path in kit.path.rglob("*") if not path.is_dir()}
    extra = sorted(there - set(files) - {KIT_FILE, SUMS_FILE})
    if extra:
        raise KitError(f"{kit.path / extra[0]}: no part of the kit; {AGAIN}, into an empty folder")
    on_progress("checking the kit", total, total)


def _parse(file: Path, data: bytes) -> Contents:
    try:
        plain: Any = json.loads(data.decode("utf-8"))
        if isinstance(plain, dict) and isinstance(plain.get("schema"), int) and plain["schema"] > SCHEMA:
            raise NewerKitError(
                f"{file}: schema {shown(plain['schema'])} is newer than this program knows ({SCHEMA}); "
                "run the kit's own install.sh"
            )
        return from_dict(Contents, plain)
    except FieldError as error:
        raise KitError(f"{file}: {error}; {AGAIN}") from error
    except (ValueError, RecursionError) as error:
        raise KitError(f"{file}: not readable as JSON ({error}); {AGAIN}") from error


def _small(file: Path) -> bytes:
    with _reading(file):
        if file.stat().st_size > MAX_BYTES:
            raise KitError(f"{file}: larger than {MAX_BYTES:,} bytes; {AGAIN}")
        return file.read_bytes()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KitError(
            f"{error.filename or path}: cannot be read ({error.strerror or error}); "
            "leave the stick plugged in and try again"
        ) from error
