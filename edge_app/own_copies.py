"""Films that came from outside the app: from here on its own, until their screening is saved or dropped.

A copy has neither the name that its file had, which is often the patient's, nor what that told beside the picture.
"""

import shutil
from pathlib import Path
from typing import Final
from uuid import uuid4

from osteo_edge.durable import write_durably
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.images import picture_of
from osteo_edge.edge_app.history.wiping import wipe_file
from osteo_edge.edge_app.kept_film import kept_film
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.radiograph import MAX_FILE_BYTES, SNIFFED_BYTES, sniff_format

SUFFIXES: Final = (".dcm", ".dicom", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".zip")

_NAMES: Final = dict[Path, str]()
"""What the copies of this process were called: told to the user, and on no disk."""


def take_in(copy: Path, folders: Folders) -> Path:
    """Move the copy of a file that the system handed over into `folders.photos`; where it is now.

    The system may empty the place where it laid it down. Of a film the picture alone is kept; any other file, such as
    a backup, stays as it is. `OsteoEdgeError` if it cannot be moved.
    """
    suffix = copy.suffix.lower()
    kept = folders.photos / f"{uuid4().hex}{suffix if suffix in SUFFIXES else ''}"
    try:
        folders.photos.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _keep_film(copy, kept, folders.uid_key):
            shutil.move(copy, kept)
    except OSError as error:
        raise OsteoEdgeError(f"{copy.name}: cannot be kept ({error.strerror or error}); free some space") from error
    _NAMES[kept] = copy.name
    return kept


def shown_name(kept: Path) -> str:
    """The name that a file had before it was taken in; after a start of the app that of the copy."""
    return _NAMES.get(kept, kept.name)


def _keep_film(copy: Path, kept: Path, key_file: Path) -> bool:
    """Write what is kept of a film, and remove the copy; False for what is no film that can be read, as it stands."""
    try:
        with copy.open("rb") as file:
            sniff_format(file.read(SNIFFED_BYTES), copy)
        if copy.stat().st_size > MAX_FILE_BYTES:
            return False
        film = kept_film(picture_of(copy), copy, key_file)
    except OsteoEdgeError:
        return False
    write_durably(kept, film.data, "the film")
    wipe_file(copy)
    return True
