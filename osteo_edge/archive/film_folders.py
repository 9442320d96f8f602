"""Where the films of a plan lie: on each file system, the deepest folder that holds all those there.

A disk that is taken out, or a share that is lost, takes that folder with it; a film that is removed does not.
"""

import os
from contextlib import suppress
from pathlib import Path


class FilmFolders:
    """The folders of the films that were added so far."""

    def __init__(self) -> None:
        self._deepest: dict[int, str] = {}
        self._last: Path | None = None

    def add(self, film: Path) -> None:
        """Take in where a film lies, links resolved; a folder that is not there tells nothing, and is left out."""
        if film.parent == self._last:
            return
        self._last = film.parent
        with suppress(OSError):
            folder = os.path.realpath(film.parent, strict=True)
            device = Path(folder).stat().st_dev
            self._deepest[device] = os.path.commonpath([self._deepest.get(device, folder), folder])

    def found(self) -> tuple[str, ...]:
        """The folders, sorted; without one whose names may not be read, of which nobody could tell that it is gone."""
        return tuple(sorted(filter(answers, self._deepest.values())))


def answers(folder: str) -> bool:
    """Whether a folder is there and can be read; an empty one may be where a disk was mounted, and is not."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False
