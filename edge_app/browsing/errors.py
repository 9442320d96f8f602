"""What can go wrong with the place that is looked at."""

import errno
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.browsing.names import shown
from osteo_edge.errors import OsteoEdgeError

PULLED_OUT: Final = (errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ENOTCONN, errno.ENOMEDIUM)
"""What reading gives when the device behind a file is not there any more."""


class PlaceGoneError(OsteoEdgeError):
    """A folder that cannot be reached any more, such as on a stick that was pulled out: go back to the places."""

    def __init__(self, folder: Path) -> None:
        name = shown(folder.name or str(folder))
        super().__init__(f"{name}: is not there any more; plug the stick in again, or choose another place")


class FolderError(OsteoEdgeError):
    """A folder that cannot be shown, though it is there."""


def is_gone(error: BaseException | None, folder: Path) -> bool:
    """Whether an error in reading from a folder means that the folder itself has gone.

    Where a stick's mount point stays behind as an empty folder, only the list of mounts tells (`places.changes`).
    """
    if not isinstance(error, OSError):
        return False
    return error.errno in PULLED_OUT or (isinstance(error, FileNotFoundError) and not _is_there(folder))


def _is_there(folder: Path) -> bool:
    try:
        return folder.exists()
    except OSError:
        return False
