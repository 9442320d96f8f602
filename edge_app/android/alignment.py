"""Whether a phone whose memory has pages of 16 KB can load every native library of an APK or AAB.

    python -m osteo_edge.edge_app.android.alignment osteo-edge.apk

Google Play asks for it from Android 15 on (developer.android.com/guide/practices/page-sizes): segments of 64-bit
libraries aligned to 16384 bytes, and libraries that are not compressed at multiples of that in the APK. Phones with
such pages run 64-bit programs only, so 32-bit libraries are exempt. Looked at is also what is unpacked at the first
start: Python's modules, in a library that is none (libpybundle.so) and in assets/private.tar.
"""

import json
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, cast
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import click

from osteo_edge.cli import EXIT_FAILED
from osteo_edge.edge_app.android.elf import Layout, read_layout
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.standalone import Standalone

PAGE_BYTES: Final = 16 * 1024
GZIP: Final = b"\x1f\x8b"
ARCHIVES: Final = ("libpybundle.so", "private.tar")
ABIS: Final = ("arm64-v8a", "armeabi-v7a", "x86", "x86_64")
GOOGLES: Final = ("libLiteRt", "liblitert", "libtensorflowlite", "libandroidx", "libdatastore")
"""How the names of those begin that come built, in an AAR; the rest is built from source by python-for-android."""


@dataclass(frozen=True)
class Library:
    """A native library. `name` is its place in the package, `owner` who builds it, `problem` None if it can be loaded.

    `alignment` is that of its segments in bytes; None where it could not be read.
    """

    name: str
    owner: str
    bits: int | None
    alignment: int | None
    problem: str | None


def libraries(package: Path) -> tuple[Library, ...]:
    """Every native library of an APK, an AAB or a folder, in order of name.

    `OsteoEdgeError` for what cannot be read.
    """
    try:
        found = _in_folder(package) if package.is_dir() else _in_zip(package)
        return tuple(sorted(found, key=lambda library: library.name))
    except BadZipFile as error:
        raise OsteoEdgeError(f"{package}: no APK, no AAB and no folder ({error})") from error
    except (OSError, EOFError, zlib.error, tarfile.TarError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OsteoEdgeError(f"{package}: cannot be read ({reason}); build it again") from error


def _in_folder(folder: Path) -> Iterator[Library]:
    for path in folder.rglob("*"):
        if path.is_file() and _is_looked_at(path.name):
            yield from _of(path.relative_to(folder).as_posix(), cast("Open", partial(path.open, "rb")))


def _in_zip(package: Path) -> Iterator[Library]:
    with ZipFile(package) as archive, package.open("rb") as file:
        for entry in archive.infolist():
            if _is_looked_at(PurePosixPath(entry.filename).name):
                for library in _of(entry.filename, cast("Open", partial(archive.open, entry))):
                    is_itself = library.name == entry.filename
                    yield _as_stored(library, entry, file) if is_itself and package.suffix != ".aab" else library


Open = Callable[[], AbstractContextManager[BinaryIO]]


def _of(name: str, open_file: Open) -> Iterator[Library]:
    """The library itself, or what is packed in it: python-for-android gives an archive a library's name."""
    with open_file() as file:
        is_archive = PurePosixPath(name).name in ARCHIVES and file.read(2) == GZIP
    with open_file() as file:
        if not is_archive:
            yield _library(name, file)
            return
        with tarfile.open(fileobj=file, mode="r|gz") as packed:
            for member in packed:
                if member.isfile() and member.name.endswith(".so"):
                    inside = packed.extractfile(member)
                    yield _library(f"{name}/{member.name.removeprefix('./')}", cast("BinaryIO", inside))


def _library(name: str, file: BinaryIO) -> Library:
    owner = "AAR" if PurePosixPath(name).name.startswith(GOOGLES) else "python-for-android"
    try:
        layout = read_layout(file)
    except ValueError as error:
        return Library(name, owner, None, None, str(error))
    if layout is None:
        return Library(name, owner, None, None, "it is no ELF library")
    return Library(name, owner, layout.bits, layout.alignment, _problem(name, layout))


def _problem(name: str, layout: Layout) -> str | None:
    abi = next((part for part in PurePosixPath(name).parts if part in ABIS), layout.abi)
    if layout.abi != abi:
        return f"it is for {layout.abi} and stands among those for {abi}"
    if layout.alignment == 0:
        return "the places of its segments contradict their alignment"
    if layout.bits == 64 and (layout.alignment < PAGE_BYTES or layout.alignment % PAGE_BYTES):
        return f"its segments are aligned to {layout.alignment} bytes, not {PAGE_BYTES}"
    return None


def _as_stored(library: Library, entry: ZipInfo, file: BinaryIO) -> Library:
    """The library with what is wrong with its place in the APK: one that is not compressed is mapped from there."""
    if library.problem is not None or library.bits != 64 or entry.compress_type != ZIP_STORED:
        return library
    file.seek(entry.header_offset + 26)
    start = entry.header_offset + 30 + sum(struct.unpack("<2H", file.read(4)))
    if start % PAGE_BYTES == 0:
        return library
    problem = f"it begins at byte {start} of the APK, no multiple of {PAGE_BYTES}"
    return Library(library.name, library.owner, library.bits, library.alignment, problem)


def _is_looked_at(name: str) -> bool:
    return name.endswith(".so") or name in ARCHIVES


@click.command(cls=Standalone)
@click.argument("package", type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="Print every library as JSON.")
@click.pass_context
def main(ctx: click.Context, package: Path, as_json: bool) -> None:
    """Check that phones with memory pages of 16 KB can load every native library of PACKAGE.

    PACKAGE is an APK, an AAB, or a folder of libraries. Exit code 1 if one cannot be loaded.

    \b
    Example:
      python -m osteo_edge.edge_app.android.alignment osteo-edge.apk
    """
    found = libraries(package)
    if not found:
        raise OsteoEdgeError(f"{package}: has no native library; is it what was built?")
    problems = [library for library in found if library.problem is not None]
    if as_json:
        click.echo(json.dumps([asdict(library) for library in found], indent=2))
    else:
        for library in problems:
            click.echo(f"{library.name} ({library.owner}): {library.problem}")
        exempt = sum(library.bits == 32 for library in found)
        click.echo(
            f"{package}: {len(found)} libraries, {len(found) - len(problems)} fit pages of 16 KB "
            f"({exempt} of them 32-bit and exempt), {len(problems)} do not"
        )
    ctx.exit(EXIT_FAILED if problems else 0)


if __name__ == "__main__":
    main()
