"""Where films may lie: the home folder, the watched folder, and the sticks and cards that are plugged in just now.

Nothing here touches a stick, so that one which does not answer holds nothing up: only the system's list of mounts is
read. It is cheap enough to be read every second.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from osteo_edge.edge_app.browsing.names import shown

MOUNTS: Final = Path("/proc/self/mounts")
REMOVABLE: Final = ("/media/", "/run/media/", "/mnt/")
"""Below these, desktops (udisks2), usbmount and people mount sticks: Filesystem Hierarchy Standard 3.0, 3.11, 3.12."""

Kind = Literal["home", "watched", "stick"]


@dataclass(frozen=True)
class Place:
    """A folder to begin at. `name` is a stick's label, to be shown as it is; the others have no name of their own."""

    kind: Kind
    path: Path
    name: str = ""


@dataclass(frozen=True)
class Change:
    """The sticks that have been plugged in and those that have gone."""

    came: tuple[Place, ...]
    went: tuple[Place, ...]


def places(home: Path, watched: Path | None, mounts: Path = MOUNTS) -> tuple[Place, ...]:
    """The places there are now, the sticks last, by name. Without a list of mounts (no Linux) there are no sticks."""
    own = [Place("home", home)] + ([] if watched is None else [Place("watched", watched)])
    return (*own, *sticks(mounts))


def sticks(mounts: Path = MOUNTS) -> tuple[Place, ...]:
    """The mounted sticks and cards: devices below `REMOVABLE`, each once, those mounted over by another left out.

    Nor parts of the system's own disk: a service with limits finds `/media` mounted once more, as what it may write to.
    """
    try:
        lines = [line.split() for line in mounts.read_bytes().splitlines()]
    except OSError:
        return ()
    devices: dict[Path, str] = {}
    for device, point, *_ in (line for line in lines if len(line) > 1):
        devices[Path(_decoded(point))] = _decoded(device)  # a later mount hides an earlier one at the same point
    found = {
        path: Place("stick", path, shown(path.name))
        for path, device in devices.items()
        if device.startswith("/dev/") and f"{path}/".startswith(REMOVABLE) and device != devices.get(Path("/"))
    }
    return tuple(sorted(found.values(), key=lambda place: (place.name.casefold(), place.path)))


def changes(before: tuple[Place, ...], after: tuple[Place, ...]) -> Change:
    """What has come and gone between two looks."""
    return Change(tuple(p for p in after if p not in before), tuple(p for p in before if p not in after))


def above(folder: Path, place: Path) -> Path | None:
    """The folder above, or None at the top of the place and outside of it.

    >>> above(Path("/media/ana/STICK/knees"), Path("/media/ana/STICK")).as_posix()
    '/media/ana/STICK'
    >>> above(Path("/media/ana/STICK"), Path("/media/ana/STICK"))
    """
    return folder.parent if folder != place and folder.is_relative_to(place) else None


def _decoded(field: bytes) -> str:
    r"""A field of the list of mounts, where blanks and backslashes are written in octal (`fstab(5)`).

    >>> _decoded(rb"/media/ana/MY\040STICK")
    '/media/ana/MY STICK'
    """
    whole = re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8) & 255]), field)
    return whole.decode("utf-8", "surrogateescape")
