"""The packages of a kit in a folder: what pip would install, without pip, which the Raspberry Pi's system may lack."""

import compileall
import errno
import io
import lzma
import shutil
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, Final

from osteo_edge.edge_app.pi.kit import AGAIN, Kit, KitError, Progress
from osteo_edge.portable_names import MAX_LETTERS
from osteo_edge.strict import shown

COPY_BYTES: Final = 1 << 20
MAX_PATH: Final = 1024
"""Letters of a path below the folder."""
MAX_REASON: Final = 300
HEADERS_SHARE: Final = 2
HEADERS_BYTES: Final = 1 << 20
"""A tar file has headers and padding beside the bytes of its files: it may be so many times as large, and more."""
DAMAGE: Final = (
    EOFError,
    KeyError,
    OverflowError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What `tarfile` and `zipfile` raise of a file that is none, or no longer one."""
MISPLACED: Final = (None, errno.EEXIST, errno.EINVAL, errno.EISDIR, errno.ENOTDIR)
"""What an archive is told that puts two things in one place, or points to before its own beginning; bzip2 says none."""


def unpack_packages(kit: Kit, python: str, folder: Path, on_progress: Progress = lambda *_: None) -> None:
    """Unpack what a kit holds for one minor version of Python ("3.11") into a folder, which is made.

    The folder is what PYTHONPATH needs. `KitError` if an archive is none, would write outside the folder or twice to
    one place, or holds more than the kit says; the kit is to be verified before.
    """
    names = kit.contents.packages[python]
    sizes = [kit.contents.files[name].size_bytes for name in names]
    room = _Room(HEADERS_SHARE * kit.contents.installed_bytes[python] + HEADERS_BYTES)
    for number, name in enumerate(names):
        on_progress("unpacking", sum(sizes[:number]), sum(sizes))
        try:
            (_unpack_wheel if name.endswith(".whl") else _unpack_pack)(kit.path / name, folder, room)
        except DAMAGE as error:
            raise _not_unpacked(kit.path / name, error) from error
        except OSError as error:
            if error.errno not in MISPLACED:
                raise
            raise _not_unpacked(kit.path / name, error) from error
    on_progress("unpacking", sum(sizes), sum(sizes))


def compile_packages(folder: Path, final: Path) -> None:
    """Compile all modules for the Python that runs this, so that whoever may not write there starts as quickly.

    `final` is where the folder will lie, for error messages. A file that does not compile, as some that packages bring
    for other versions of Python, is left alone.
    """
    compileall.compile_dir(folder, quiet=2, workers=0, stripdir=str(folder), prependdir=str(final))


class _Room:
    """How many bytes may still be unpacked: about what a kit says that it takes, so that nothing swells."""

    def __init__(self, left: int) -> None:
        self._left = left

    def take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise ValueError("it holds more than the kit says")


class _Expanded(io.RawIOBase):
    """The tar file in a compressed one, of which no more can be read than there is room for."""

    def __init__(self, packed: lzma.LZMAFile, room: _Room) -> None:
        self._packed, self._room = packed, room

    def read(self, size: int = -1, /) -> bytes:
        data = self._packed.read(size)
        self._room.take(len(data))
        return data


def _unpack_pack(pack: Path, folder: Path, room: _Room) -> None:
    with lzma.LZMAFile(pack) as packed, tarfile.open(fileobj=_Expanded(packed, room), mode="r|") as archive:
        for member in archive:
            target = _target(folder, member.name)
            if member.issym():
                _link(target, member.linkname)
            elif member.isreg() and (source := archive.extractfile(member)) is not None:
                _write(source, target)
            else:
                raise ValueError(f"{shown(member.name)} is neither a file nor a link")


def _unpack_wheel(wheel: Path, folder: Path, room: _Room) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            room.take(member.file_size)  # zipfile reads no more of a file than it is said to have
            _write(archive.open(member), _target(folder, member.filename))


def _write(source: IO[bytes], target: Path) -> None:
    """Copy to a new file, never through a link or over what is there."""
    with source, target.open("xb") as file:
        shutil.copyfileobj(source, file, COPY_BYTES)


def _link(target: Path, name: str) -> None:
    """Make a link to a file that is there already, in its own folder: not to a folder, which might lead elsewhere."""
    original = target.with_name(name)
    if original.is_symlink() or not original.is_file():
        raise ValueError(f"{shown(target.name)} links to {shown(name)}, which is no file beside it")
    target.symlink_to(name)


def _target(folder: Path, name: str) -> Path:
    parts = name.split("/")
    if len(name) > MAX_PATH or any(part in ("", ".", "..") or len(part.encode()) > MAX_LETTERS for part in parts):
        raise ValueError(f"{shown(name)} leads out of the folder, or has too long a name")
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _not_unpacked(archive: Path, error: Exception) -> KitError:
    return KitError(f"{archive}: cannot be unpacked ({shown(str(error), MAX_REASON)[1:-1]}); {AGAIN}")
