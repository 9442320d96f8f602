"""What is slow to make is made once: folders below the user's cache, each complete or not there at all."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from osteo_edge.errors import OsteoEdgeError


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/osteo-edge`, or `~/.cache/osteo-edge` (XDG Base Directory Specification: only if absolute)."""
    home = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (home if home.is_absolute() else Path.home() / ".cache") / "osteo-edge"


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """The cached folder `name`; where there is none yet, `make` fills an empty folder that then becomes it.

    The folder appears whole: one that was interrupted is thrown away by the next attempt. A second process that wants
    it meanwhile waits. `name` is to hold everything that the content depends on, versions included.
    """
    folder = cache_folder() / name
    if folder.is_dir():
        return folder
    partial = folder.parent / f"{name}.partial"
    with _locked(folder.parent / f"{name}.lock"):
        if not folder.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
            try:
                partial.mkdir()
                make(partial)
                partial.rename(folder)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, which the kernel lets go of when the process ends, however it does."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise OsteoEdgeError(
            f"{path.parent}: cannot be written ({error.strerror}); set XDG_CACHE_HOME to a folder that can"
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
