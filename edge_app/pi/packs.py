"""The files of many wheels in a few archives: what all versions of Python share once, and each version's own.

As wheels they would be nearly twice the size: those for two versions of Python hold the same libraries, some of them
three times, and are compressed file by file.
"""

import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from osteo_edge.edge_app.pi.kit import Progress
from osteo_edge.edge_app.pi.loaded_part import loaded_part

SHARED: Final = "any"
INSTALLED_DATA: Final = ("purelib", "platlib")
"""What of a wheel's .data folder belongs beside the packages (binary distribution format); scripts are not used."""
NOT_NEEDED: Final = re.compile(
    r"(^|/)(tests?|conftest\.py)(/|$)"
    r"|\.(pyi|pxd|pyx|h|hpp|a|c)$"
    r"|\.dist-info/RECORD$"
    r"|^ai_edge_litert/libLiteRtWebGpuAccelerator\.so$"
    r"|^fontTools/.*\.so$"
    r"|^_gdcm/XML/"
    r"|^kivy/(tools|lib/vidcore_lite|core/(audio|camera|spelling|video))/"
    r"|^kivy/graphics/(svg|cgl_backend/cgl_debug)\."
    r"|^numpy/(f2py|distutils)/"
    r"|^pydicom/sr/"
)
"""What only developers need, and what the app never loads.

That is, in order: LiteRT's kernels for desktop graphics; compiled forms of fontTools' modules, which are there as
Python too; tables to validate whole DICOM objects; Kivy's sound, camera, video and SVG; Fortran; structured reports.
"""
MTIME: Final = 315_532_800
"""1980-01-01, so that the same wheels give the same bytes."""
LINKED_FROM_BYTES: Final = 4096
Effort = Literal[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
EFFORT: Final = 6
"""How hard xz tries, from 0 to 9: at 0 it takes an eighth of the time, and the archives are a fifth larger."""
COMPILED_SHARE: Final = 2.3
"""Bytes of a module with its compiled form to those of its source (2.2 for all packages together)."""


@dataclass(frozen=True)
class Member:
    """A file: its place below the packages' folder, the wheel that has it and where, and its content's digest."""

    place: str
    wheel: Path
    inside: str
    digest: str
    size_bytes: int


def make_packs(
    wheels: Mapping[str, Sequence[Path]],
    folder: Path,
    on_progress: Progress = lambda *_: None,
    *,
    effort: Effort = EFFORT,
) -> dict[str, int]:
    """Write `cp311.tar.xz` for each version of Python, and `any.tar.xz` with what all of them share, if they do.

    Gives, by version, the bytes of the files on the device, where their modules are compiled.
    """
    trees = {
        python: {member.place: member for path in paths for member in members(path)} for python, paths in wheels.items()
    }
    first = next(iter(trees.values()))
    shared = [
        member
        for place, member in first.items()
        if len(trees) > 1 and all(place in tree and tree[place].digest == member.digest for tree in trees.values())
    ]
    places = {member.place for member in shared}
    packs = {SHARED: shared} if shared else {}
    packs |= {
        tag_of(python): [member for place, member in tree.items() if place not in places]
        for python, tree in trees.items()
    }
    total = sum(member.size_bytes for pack in packs.values() for member in pack)
    done: list[int] = []

    def write(name: str) -> None:
        for size in write_pack(packs[name], folder / pack_name(name), effort):
            done.append(size)
            on_progress("compressing", sum(done), total)

    with ThreadPoolExecutor() as pool:
        list(pool.map(write, packs))
    return {python: _installed_bytes(tree.values()) for python, tree in trees.items()}


def pack_name(tag: str) -> str:
    return f"{tag}.tar.xz"


def tag_of(python: str) -> str:
    """The tag of a version of CPython.

    >>> tag_of("3.11")
    'cp311'
    """
    return f"cp{python.replace('.', '')}"


def members(wheel: Path) -> Iterator[Member]:
    """The files of a wheel that are needed on the device."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            place = None if member.is_dir() else place_of(member.filename)
            if place is not None and NOT_NEEDED.search(place) is None:
                data = loaded_part(archive.read(member))
                yield Member(place, wheel, member.filename, hashlib.sha256(data).hexdigest(), len(data))


def place_of(name: str) -> str | None:
    """Where a file of a wheel goes below the packages' folder; None for one that is not used.

    >>> place_of("numpy-2.0.data/platlib/numpy/core.so")
    'numpy/core.so'
    """
    words = PurePosixPath(name).parts
    if words[0].endswith(".data"):
        return "/".join(words[2:]) if words[1] in INSTALLED_DATA else None
    return "/".join(words)


def write_pack(pack: Sequence[Member], target: Path, effort: Effort) -> Iterator[int]:
    """Write one archive, telling each file's size when it is in; copies of a file in its folder become links."""
    originals: dict[tuple[str, str], str] = {}
    with tarfile.open(target, "w:xz", format=tarfile.PAX_FORMAT, preset=effort) as archive:
        for member in sorted(pack, key=_likeness):
            info = tarfile.TarInfo(member.place)
            info.mtime = MTIME
            folder, _, name = member.place.rpartition("/")
            original = originals.setdefault((folder, member.digest), name)
            if original != name and member.size_bytes >= LINKED_FROM_BYTES:
                info.type, info.linkname, info.mode = tarfile.SYMTYPE, original, 0o777
                archive.addfile(info)
            else:
                info.size, info.mode = member.size_bytes, 0o644
                with zipfile.ZipFile(member.wheel) as wheel:
                    archive.addfile(info, io.BytesIO(loaded_part(wheel.read(member.inside))))
            yield member.size_bytes


def _installed_bytes(tree: Iterable[Member]) -> int:
    alike = {(member.place.rpartition("/")[0], member.digest): member for member in tree}  # copies become links
    return sum(
        round(member.size_bytes * COMPILED_SHARE) if member.place.endswith(".py") else member.size_bytes
        for member in alike.values()
    )


def _likeness(member: Member) -> tuple[str, str]:
    """An order in which like stands beside like, which compresses better."""
    return PurePosixPath(member.place).suffix, member.place
