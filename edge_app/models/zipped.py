"""A model that comes as one ZIP file, as a phone's file chooser hands it over."""

import errno
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from osteo_edge.edge_app.models.bringing import CHECKING, Report, bring
from osteo_edge.edge_app.models.store import Installed, ModelStore
from osteo_edge.edge_app.models.transfer import find_bundles
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.hashing import CHUNK_BYTES
from osteo_edge.strict import shown

MAX_BYTES: Final = 512 * 2**20
MAX_FILES: Final = 500
DAMAGE: Final = (BadZipFile, EOFError, IndexError, RuntimeError, ValueError, struct.error, zlib.error)
"""What `zipfile` raises of a file that is none, or no longer one."""

DAMAGED: Final = (errno.EINVAL, errno.ENAMETOOLONG)
"""What the system says of a name or a place that no file has."""
PACKINGS: Final = (ZIP_STORED, ZIP_DEFLATED)
"""Others may ask for gigabytes to unpack a few bytes."""


def bring_zipped(store: ModelStore, copy: Path, report: Report = lambda share, message: None) -> Installed:
    """Install the one bundle in a ZIP file, which is the app's own copy: it is removed, whatever comes of it.

    Raises as `ModelStore.install`, and `BundleError` for what is no ZIP file, or has no model in it or several.
    """
    try:
        with TemporaryDirectory(prefix="model-", dir=copy.parent) as scratch:
            report(None, CHECKING)
            _unpack(copy, Path(scratch), report)
            if not find_bundles(Path(scratch)):
                raise BundleError(f"{copy.name}: no model in this ZIP file; choose one that holds manifest.json")
            found = bring(store, Path(scratch), report)
    except BundleError as error:
        raise BundleError(str(error).replace(f"{scratch}/", "").replace(scratch, copy.name)) from error
    finally:
        copy.unlink(missing_ok=True)
    if isinstance(found, tuple):
        raise BundleError(f"{copy.name}: several models in one ZIP file; choose one that holds a single model")
    return found


def _unpack(path: Path, folder: Path, report: Report) -> None:
    """Write what lies in a ZIP file below `folder`; never more than `MAX_BYTES`, whatever the file says of itself."""
    with _opened(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        total = sum(member.file_size for member in members)
        if len(members) > MAX_FILES or total > MAX_BYTES:
            raise BundleError(f"{path.name}: too large for a model; choose the ZIP file of one model")
        if any(member.compress_type not in PACKINGS for member in members):
            raise ValueError("packed in a way that no program packs a model")
        for member in members:
            report(None, CHECKING)
            _write(archive, member, folder / _inside(member.filename))


def _inside(name: str) -> PurePosixPath:
    """Where a member goes; `ValueError` for one that would not stay below the folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name or not path.parts:
        raise ValueError(f"{name!r} would not stay in its folder")
    return path


def _write(archive: ZipFile, member: ZipInfo, target: Path) -> None:
    left = member.file_size
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as packed, target.open("xb") as file:
            while piece := packed.read(min(CHUNK_BYTES, left)) if left else b"":
                left -= file.write(piece)
    except (FileExistsError, NotADirectoryError) as error:
        raise ValueError(f"{member.filename!r} is there twice") from error
    except OSError as error:
        if error.errno in DAMAGED:
            raise ValueError("a name is too long, or a member begins before the file") from error
        raise OsteoEdgeError(
            f"{shown(target.name)[1:-1]}: cannot be unpacked ({error.strerror or error}); free some space"
        ) from error
    if left:
        raise ValueError(f"{member.filename!r} is shorter than it should be")


@contextmanager
def _opened(path: Path) -> Iterator[ZipFile]:
    """Open the ZIP file; what is found wrong with it while the block runs is one line."""
    try:
        with ZipFile(path) as archive:
            yield archive
    except DAMAGE as error:
        raise BundleError(
            f"{path.name}: no ZIP file of a model, or damaged; put the model's folder into a ZIP file, and choose that"
        ) from error
    except OSError as error:
        raise BundleError(f"{path.name}: cannot be read ({error.strerror or error}); choose it again") from error
