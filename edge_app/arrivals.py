"""What has arrived in a folder: files that have stood still from look to look.

Looking again and again, since network shares and sticks tell no one what changes on them.
"""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

UNFINISHED_ENDS = (".part", ".partial", ".filepart", ".crdownload", ".tmp", ".temp", "~")
UNFINISHED_STARTS = (".", "~")
LOOKS_STILL = 2
RETRY_S = 60.0


@dataclass(frozen=True)
class Stamp:
    """What changes when a file is written: its size and its times of modification and of change, in nanoseconds."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True)
class Arrival:
    """A file that has been written to its end, as far as one can tell from outside."""

    path: Path
    stamp: Stamp

    @property
    def unchanged(self) -> bool:
        """Whether the file is still as it was when it arrived; `OSError` if it is there no more."""
        return _stamp(self.path.stat()) == self.stamp


class Arrivals:
    """The files of one folder that stand still and have not been dealt with.

    `dealt_with` are the files that an earlier run has dealt with, by name. Sub-folders, hidden files and names that
    programs give to what they are still writing are left alone.
    """

    def __init__(self, folder: Path, dealt_with: Mapping[str, Stamp]) -> None:
        self._folder = folder
        self._dealt_with = dict(dealt_with)
        self._moving: dict[str, tuple[Stamp, int]] = {}
        self._put_off: dict[str, tuple[Stamp, float]] = {}
        self._unfinished: set[tuple[int, int, int]] = set()

    @property
    def settled(self) -> bool:
        """Whether the last look has found no file that may still be written."""
        return not self._moving

    def look(self) -> list[Arrival]:
        """The files that have now stood still for two looks and are not dealt with, in the order of their writing.

        A file that lay there under an unfinished name at the look before, and has only been renamed since, need not
        wait. `OSError` if the folder is not there; it is then forgotten what was dealt with, for what comes back in
        its place may be another stick.
        """
        try:
            entries = list(_files(self._folder))
        except OSError:
            self._dealt_with.clear()
            self._moving.clear()
            raise
        arrived, moving, unfinished = list[Arrival](), dict[str, tuple[Stamp, int]](), set[tuple[int, int, int]]()
        for name, status in entries:
            if is_unfinished(name):
                unfinished.add(_identity(status))
                continue
            stamp = _stamp(status)
            if self._dealt_with.get(name) == stamp or self._must_wait(name, stamp):
                continue
            before, looks = self._moving.get(name, (None, 0))
            looks = looks + 1 if before == stamp else 0
            moving[name] = stamp, looks
            if looks >= LOOKS_STILL or _identity(status) in self._unfinished:
                arrived.append(Arrival(self._folder / name, stamp))
        names = {name for name, _ in entries}
        for known in (self._dealt_with, self._put_off):
            for name in known.keys() - names:
                del known[name]
        self._moving, self._unfinished = moving, unfinished
        return sorted(arrived, key=lambda arrival: (arrival.stamp.mtime_ns, arrival.path.name))

    def deal_with(self, arrival: Arrival) -> None:
        """Count the file as dealt with until it changes."""
        self._moving.pop(arrival.path.name, None)
        self._put_off.pop(arrival.path.name, None)
        self._dealt_with[arrival.path.name] = arrival.stamp

    def put_off(self, arrival: Arrival) -> bool:
        """Let the file rest for a minute, or until it changes; whether it is put off for the first time as it is."""
        before = self._put_off.get(arrival.path.name)
        self._moving.pop(arrival.path.name, None)
        self._put_off[arrival.path.name] = arrival.stamp, time.monotonic() + RETRY_S
        return before is None or before[0] != arrival.stamp

    def _must_wait(self, name: str, stamp: Stamp) -> bool:
        put_off = self._put_off.get(name)
        return put_off is not None and put_off[0] == stamp and time.monotonic() < put_off[1]


def is_unfinished(name: str) -> bool:
    """Whether programs give such a name to what they are still writing, or to what is no one's business.

    >>> is_unfinished("knee.dcm.part"), is_unfinished(".knee.dcm"), is_unfinished("knee.dcm")
    (True, True, False)
    """
    return name.startswith(UNFINISHED_STARTS) or name.lower().endswith(UNFINISHED_ENDS)


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                if entry.is_file():
                    yield entry.name, entry.stat()
            except OSError:  # gone since the folder was listed, or a link to nowhere: the others are still there
                continue


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    """What a rename leaves as it is, and a write does not."""
    return status.st_ino, status.st_size, status.st_mtime_ns
