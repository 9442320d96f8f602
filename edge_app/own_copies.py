"""Films that came from outside the app: from here on its own, until their screening is saved or dropped."""

import shutil
from pathlib import Path
from typing import Final
from uuid import uuid4

from osteo_edge.errors import OsteoEdgeError

MARK_DIGITS: Final = 8


def take_in(copy: Path, folder: Path) -> Path:
    """Move the copy of a file that the system handed over into `folder`; where it is now.

    The system may empty the place where it laid it down; two of one name do not get in each other's way.
    `OsteoEdgeError` if it cannot be moved.
    """
    kept = folder / f"{uuid4().hex[:MARK_DIGITS]}-{copy.name}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.move(copy, kept)
    except OSError as error:
        raise OsteoEdgeError(f"{copy.name}: cannot be kept ({error.strerror or error}); free some space") from error
    return kept


def shown_name(kept: Path) -> str:
    """The name that a file had before it was taken in.

    >>> shown_name(Path("photos/0f1e2d3c-knee 4.jpg"))
    'knee 4.jpg'
    """
    mark, _, name = kept.name.partition("-")
    return name if len(mark) == MARK_DIGITS and name else kept.name
