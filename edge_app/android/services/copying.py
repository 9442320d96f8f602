"""A content of another app becomes a file of our own: all of it, within a limit and in bounded time, or nothing."""

import os
import select
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import Final, Protocol

from osteo_edge.edge_app.android.services.errors import NOT_COMPLETE, OWN_FILE, DeviceError
from osteo_edge.edge_app.android.services.file_names import safe_name
from osteo_edge.image_header import EXPORT_HINT
from osteo_edge.radiograph import MAX_FILE_BYTES, SNIFFED_BYTES

CHUNK_BYTES: Final = 1 << 20
STALLED_S: Final = 60.0
"""How long another app, or its cloud, may take between two bytes."""
LONGEST_S: Final = 900.0
"""How long as much as a film may have may take: a sender that trickles must end too."""
UNFINISHED: Final = ".partial"


class Content(Protocol):
    """A content that is open: Opened.java says what each value is."""

    @property
    def name(self) -> str | None: ...
    @property
    def size(self) -> int: ...
    @property
    def descriptor(self) -> int: ...
    @property
    def start(self) -> int: ...
    @property
    def length(self) -> int: ...

    def check(self) -> None:
        """Raise `DeviceError` if the other app has failed midway."""


def copy(content: Content, folder: Path, most_bytes: int = MAX_FILE_BYTES) -> Path:
    """Copy an open content into a folder, under a name that is free there; DeviceError with one line, and nothing left.

    It may have `most_bytes`, and takes longer accordingly. Our own files are refused, whoever hands them over: what the
    app keeps must not come in again as something new.
    """
    about = os.fstat(content.descriptor)
    if stat.S_ISREG(about.st_mode) and about.st_uid == os.getuid():
        raise DeviceError(OWN_FILE)
    claimed = max(content.size, content.length)
    if claimed > most_bytes:
        raise _too_large(content, most_bytes)
    chunks = _chunks(content, time.monotonic() + LONGEST_S * max(1.0, most_bytes / MAX_FILE_BYTES))
    first = next(chunks, b"")
    if not first:
        content.check()
        raise DeviceError(f"{safe_name(content.name, b'')}: the file is empty; choose another one")
    name = safe_name(content.name, first[:SNIFFED_BYTES])
    try:
        path = _free_place(folder, name)
        try:
            return _write(path, content, chain((first,), chunks), most_bytes)
        except BaseException:
            for left in (path.with_name(path.name + UNFINISHED), path):
                left.unlink(missing_ok=True)
            raise
    except OSError as error:
        problem = f"cannot be copied ({error.strerror or error}); free some space and choose it again"
        raise DeviceError(f"{name}: {problem}") from error


def _write(path: Path, content: Content, chunks: Iterator[bytes], most_bytes: int) -> Path:
    partial, size = path.with_name(path.name + UNFINISHED), 0
    with partial.open("wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > most_bytes:
                raise _too_large(content, most_bytes)
            file.write(chunk)
    content.check()
    return partial.replace(path)


def _chunks(content: Content, end: float) -> Iterator[bytes]:
    """The bytes of a content as they come, until the other app says that they are all."""
    descriptor, left = content.descriptor, content.length
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    try:
        if content.start:
            os.lseek(descriptor, content.start, os.SEEK_SET)
        while left:
            if time.monotonic() > end or not waiting.poll(STALLED_S * 1000):
                raise DeviceError(NOT_COMPLETE)
            chunk = os.read(descriptor, CHUNK_BYTES if left < 0 else min(left, CHUNK_BYTES))
            if not chunk:
                break
            left -= len(chunk) if left > 0 else 0
            yield chunk
    except OSError as error:
        raise DeviceError(NOT_COMPLETE) from error
    if left > 0:
        raise DeviceError(NOT_COMPLETE)


def _free_place(folder: Path, name: str) -> Path:
    """A path in a folder that was not taken; an empty file keeps it."""
    folder.mkdir(parents=True, exist_ok=True)
    stem, suffix = Path(name).stem, Path(name).suffix
    for number in count(1):
        path = folder / (name if number == 1 else f"{stem} ({number}){suffix}")
        with suppress(FileExistsError):
            path.open("xb").close()
            break
    return path


def _too_large(content: Content, most_bytes: int) -> DeviceError:
    name = safe_name(content.name, b"")
    if most_bytes != MAX_FILE_BYTES:
        return DeviceError(f"{name}: has more than {most_bytes // 2**20} MiB; choose another file")
    return DeviceError(f"{name}: not a file of at most {MAX_FILE_BYTES // 2**20} MiB; {EXPORT_HINT}")
