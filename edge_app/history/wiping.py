"""Files that are overwritten before they go, so that what was in them cannot be read from the disk afterwards.

Magnetic disks and most file systems write over the same blocks. A flash card or SSD puts the zeros elsewhere, and may
keep the old blocks until it needs them: against that only encryption from the start helps.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

CHUNK_BYTES: Final = 1 << 20


def wipe_file(path: Path) -> None:
    """Overwrite a file with zeros, wait until they are on the disk, and remove it; nothing happens if it is not there.

    Raises `OSError` where it cannot be removed; that it cannot be overwritten keeps nobody from removing it.
    """
    with suppress(OSError), path.open("r+b") as file:
        _overwrite(file)
        os.fsync(file.fileno())
    path.unlink(missing_ok=True)


def wipe_folder(folder: Path) -> None:
    """Overwrite and remove all files in a folder, then the folder; what cannot be removed stays."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with suppress(OSError), path.open("r+b") as file:
                _overwrite(file)
    os.sync()
    shutil.rmtree(folder, ignore_errors=True)


def _overwrite(file: BinaryIO) -> None:
    left = os.fstat(file.fileno()).st_size
    while left > 0:
        left -= file.write(bytes(min(left, CHUNK_BYTES)))
    file.flush()
