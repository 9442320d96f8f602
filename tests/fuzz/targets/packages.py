"""The archives of a kit: a tar file, compressed here so that damage is to what it lists, or a wheel."""

import io
import lzma
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from osteo_edge.edge_app.pi.unpacking import unpack_packages
from tests.edge_app.pi.bare_kit import bare_kit
from tests.fuzz.scratch import empty_folder

ZIP = b"PK"
TAR_XZ, WHEEL = "any.tar.xz", "own-1.0.0-py3-none-any.whl"
INSTALLED_BYTES = 1 << 20


def read(data: bytes) -> Path:
    """Unpack what the fuzzer made; what was written lies in the folder and nowhere else."""
    kit, place = empty_folder("packages"), empty_folder("place")
    name = WHEEL if data.startswith(ZIP) else TAR_XZ
    packed = data if name == WHEEL else lzma.compress(data, preset=0)
    (kit / name).write_bytes(packed)
    folder = place / "lib"
    try:
        unpack_packages(bare_kit(kit, name, installed_bytes=INSTALLED_BYTES), "3.11", folder)
    finally:
        assert [path.name for path in place.iterdir()] in ([], ["lib"]), "something was written outside"
        written = sum(path.lstat().st_size for path in folder.rglob("*"))
        assert written <= 4 * INSTALLED_BYTES, f"{written} bytes were written"
    return folder


def seeds() -> Iterator[bytes]:
    files = {"a/__init__.py": b"x = 1\n", "a/core.so": b"library" * 100, "b.py": b""}
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, kind, link in (("a/lib.so", tarfile.SYMTYPE, "core.so"), ("long" * 40, tarfile.REGTYPE, "")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            archive.addfile(info)
    yield tar.getvalue()
    yield _of_all_kinds()
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        wheel = io.BytesIO()
        with zipfile.ZipFile(wheel, "w", compression) as packed:
            for name, data in files.items():
                packed.writestr(zipfile.ZipInfo(name), data, compression)
        yield wheel.getvalue()


def _of_all_kinds() -> bytes:
    """A tar file with what no pack of ours has: folders, hard links, pipes and devices."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.GNU_FORMAT) as archive:
        kinds = (tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE)
        for number, kind in enumerate(kinds):
            info = tarfile.TarInfo(f"a/{number}")
            info.type, info.linkname = kind, "a/0"
            archive.addfile(info)
    return tar.getvalue()
