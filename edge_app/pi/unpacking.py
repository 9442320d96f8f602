"""The packages of a kit in a folder: what pip would install, without pip, which the Raspberry Pi's system may lack."""

import compileall
import lzma
import shutil
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Final

from osteo_edge.edge_app.pi.kit import AGAIN, Kit, KitError, Progress

COPY_BYTES: Final = 1 << 20


def unpack_packages(kit: Kit, python: str, folder: Path, on_progress: Progress = lambda *_: None) -> None:
    """Unpack what a kit holds for one minor version of Python ("3.11") into a folder, which is made.

    The folder is what PYTHONPATH needs. `KitError` if an archive is none; the kit is to be verified before.
    """
    names = kit.contents.packages[python]
    sizes = [kit.contents.files[name].size_bytes for name in names]
    for number, name in enumerate(names):
        on_progress("unpacking", sum(sizes[:number]), sum(sizes))
        try:
            (_unpack_wheel if name.endswith(".whl") else _unpack_pack)(kit.path / name, folder)
        except (zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, EOFError, ValueError) as error:
            raise KitError(f"{kit.path / name}: cannot be unpacked ({error}); {AGAIN}") from error
    on_progress("unpacking", sum(sizes), sum(sizes))


def compile_packages(folder: Path, final: Path) -> None:
    """Compile all modules for the Python that runs this, so that whoever may not write there starts as quickly.

    `final` is where the folder will lie, for error messages. A file that does not compile, as some that packages bring
    for other versions of Python, is left alone.
    """
    compileall.compile_dir(folder, quiet=2, workers=0, stripdir=str(folder), prependdir=str(final))


def _unpack_pack(pack: Path, folder: Path) -> None:
    with tarfile.open(pack, "r|xz") as archive:
        for member in archive:
            target = _target(folder, member.name)
            if member.issym():
                if "/" in member.linkname:
                    raise ValueError(f"{member.name} links to another folder")
                target.symlink_to(member.linkname)
            else:
                source = archive.extractfile(member)
                if source is None:
                    raise ValueError(f"{member.name} is neither a file nor a link")
                with source, target.open("wb") as file:
                    shutil.copyfileobj(source, file, COPY_BYTES)


def _unpack_wheel(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            with archive.open(member) as source, _target(folder, member.filename).open("wb") as file:
                shutil.copyfileobj(source, file, COPY_BYTES)


def _target(folder: Path, name: str) -> Path:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name} leads out of the folder")
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    return target
