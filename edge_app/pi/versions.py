"""The versions that are installed on a device: each whole or not there, and switched between in one step."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

from osteo_edge.durable import make_folder, sync_folder
from osteo_edge.edge_app.pi.kit import KIT_FILE, Contents, read_contents
from osteo_edge.errors import OsteoEdgeError

HOME: Final = "opt/osteo-edge"
COMMAND: Final = "usr/local/bin/osteo-edge"
PARTIAL: Final = ".partial"
REMOVED: Final = ".removed"


@dataclass(frozen=True)
class Places:
    """Where versions lie, below `root`, which is "/" on the device itself."""

    root: Path = Path("/")

    @property
    def home(self) -> Path:
        return self.root / HOME

    @property
    def versions(self) -> Path:
        return self.home / "versions"

    @property
    def current(self) -> Path:
        """A link to the version in use; it is there, and leads to a whole one, as soon as one was installed."""
        return self.home / "current"

    @property
    def previous(self) -> Path:
        """A link to the version that was in use before."""
        return self.home / "previous"

    @property
    def command(self) -> Path:
        return self.root / COMMAND


def default_places() -> Places:
    """The device's own, or those below the folder that the environment variable ROOT names."""
    return Places(Path(os.environ.get("ROOT") or "/").absolute())


def version_of(link: Path) -> Path | None:
    """The folder of the version that `current` or `previous` leads to; None where there is none."""
    try:
        folder = link.parent / link.readlink()
    except OSError:
        return None
    return folder if folder.is_dir() else None


def contents_of(version: Path) -> Contents:
    """What an installed version was made from; `KitError` if that cannot be read."""
    return read_contents(version / KIT_FILE)


def switch(places: Places, version: Path) -> None:
    """Let `current` lead to a version and `previous` to the one before, each in one step and durably.

    Whenever the power fails, `current` leads to the old version or to the new one.
    """
    before = version_of(places.current)
    if before is not None and before != version:
        _point(places.previous, before)
    _point(places.current, version)


def undo_switch(places: Places, current: Path, previous: Path | None) -> None:
    """Let both links lead again where they did before a `switch`."""
    _point(places.current, current)
    if previous is None:
        places.previous.unlink(missing_ok=True)
    else:
        _point(places.previous, previous)


def roll_back(places: Places) -> Path:
    """Let `current` lead to the version that was in use before, which is given back; `OsteoEdgeError` without one."""
    now, before = version_of(places.current), version_of(places.previous)
    if before is None or before == now:
        raise OsteoEdgeError(f"{places.home}: no version from before to go back to")
    try:
        _point(places.current, before)  # first: a power cut after it has gone back, and before it has done nothing
        if now is not None:
            _point(places.previous, now)
    except OsteoEdgeError:
        if now is not None:
            undo_switch(places, now, before)
        raise
    return before


def prune(places: Places) -> None:
    """Take out every version but the current and the previous one, and what an interrupted installation left."""
    kept = {version_of(places.current), version_of(places.previous)}
    for folder in _folders(places.versions):
        if folder.suffix not in (PARTIAL, REMOVED) and folder not in kept:
            folder = folder.rename(folder.with_name(f".{folder.name}{REMOVED}"))  # never half of one by its own name
        if folder not in kept:
            shutil.rmtree(folder, ignore_errors=True)
    for left in places.home.glob(f".*{PARTIAL}"):
        left.unlink(missing_ok=True)


@contextmanager
def new_version(places: Places, name: str) -> Iterator[Path]:
    """An empty folder that becomes the version `name`, whole and on the disk, when the block ends without an error."""
    partial = places.versions / f".{name}{PARTIAL}"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        yield partial
        os.sync()  # thousands of files: one call for all of them
        partial.rename(places.versions / name)
        sync_folder(places.versions)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def free_name(places: Places, name: str) -> str:
    """The name of a version that is not there yet: where it is, because it was damaged, another is numbered."""
    names = (name, *(f"{name}.{number}" for number in range(2, 100)))
    return next(free for free in names if not (places.versions / free).exists())


def same_kit(version: Path | None, name: str) -> bool:
    """Whether an installed version is of the kit that its versions are called `name` after."""
    return version is not None and re.fullmatch(rf"{re.escape(name)}(\.\d+)?", version.name) is not None


def link_command(places: Places) -> str | None:
    """Make the command `osteo-edge` lead to the version in use; a line about it where something else is there."""
    target = Path("/") / HOME / "current" / "bin" / "osteo-edge"
    if places.command.is_symlink() or places.command.exists():
        if places.command.is_symlink() and places.command.readlink() == target:
            return None
        return f"{places.command}: another osteo-edge, left as it is; this one is {target}"
    try:
        make_folder(places.command.parent)
    except OSError as error:
        raise _unwritten(places.command, error) from error
    for left in places.command.parent.glob(f".{places.command.name}.*{PARTIAL}"):
        left.unlink(missing_ok=True)
    _replace(places.command, target)
    return None


def _point(link: Path, version: Path) -> None:
    _replace(link, version.relative_to(link.parent))


def _replace(link: Path, target: Path) -> None:
    partial = link.with_name(f".{link.name}.{uuid4().hex}{PARTIAL}")
    try:
        partial.symlink_to(target)
        partial.replace(link)
        sync_folder(link.parent)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise _unwritten(link, error) from error


def _unwritten(link: Path, error: OSError) -> OsteoEdgeError:
    return OsteoEdgeError(f"{link}: cannot be written ({error.strerror or error}); free some space and try again")


def _folders(folder: Path) -> list[Path]:
    return [Path(entry) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
