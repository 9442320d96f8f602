"""A file goes to another app, by way of the one folder from which others are let read."""

import mimetypes
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

from osteo_edge.edge_app.android.services.errors import DeviceError

UNKNOWN: Final = "application/octet-stream"
_TYPES: Final = mimetypes.MimeTypes()  # Python's own, whatever the device has
_TYPES.add_type("application/dicom", ".dcm")


def lay_out(path: Path, folder: Path) -> Path:
    """Move a file into the folder that other apps may be let read from; `DeviceError` if there is no room.

    What was laid out before under the same name stays whole for an app that is still reading it.
    """
    laid, partial = folder / path.name, folder / f".{uuid4().hex}.partial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.move(path, partial)
        return partial.replace(laid)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        reason = error.strerror or error
        raise DeviceError(f"{path.name}: cannot be sent ({reason}); free some space and try again") from error


def media_type(path: Path) -> str:
    """The media type of a file by its name.

    >>> media_type(Path("report.pdf")), media_type(Path("films.csv")), media_type(Path("what"))
    ('application/pdf', 'text/csv', 'application/octet-stream')
    """
    return _TYPES.guess_type(path.name)[0] or UNKNOWN
