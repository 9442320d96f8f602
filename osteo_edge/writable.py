"""Ask before the work whether its result can be written."""

import os
from pathlib import Path

from osteo_edge.errors import OsteoEdgeError


def require_writable(path: Path, what: str = "the bundle", *, error: type[OsteoEdgeError] = OsteoEdgeError) -> None:
    """Raise `error` where `what` ("the report") could not be written: worth knowing before hours of work for it.

    Nothing is written yet. A file that is there already is no hindrance, a folder is.
    """
    if os.access(path, os.F_OK) and path.is_dir():
        raise error(f"{path}: {what} cannot be written (this is a folder); choose another place")
    folder = next(folder for folder in path.absolute().parents if os.access(folder, os.F_OK))
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise error(f"{path}: {what} cannot be written ({folder} is not to be written to); choose another place")
