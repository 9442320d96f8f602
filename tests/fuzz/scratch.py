"""Where targets that need files put them: in memory where the system has a place for that."""

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

IN_MEMORY = Path("/dev/shm")


@cache
def scratch_folder() -> Path:
    """A folder of this process, which goes with it."""
    folder = Path(mkdtemp(prefix="osteo-edge-fuzz-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def empty_folder(name: str) -> Path:
    """An empty folder in the scratch folder, whatever lay there before."""
    folder = scratch_folder() / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder
