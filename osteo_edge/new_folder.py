"""A folder that is there whole, or not at all."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from osteo_edge.durable import REMEDY, sync_folder
from osteo_edge.errors import OsteoEdgeError


@contextmanager
def new_folder(target: Path, what: str, *, error: type[OsteoEdgeError] = OsteoEdgeError) -> Iterator[Path]:
    """A hidden folder beside `target`, which becomes it, on the disk, when the block ends; one that raises leaves none.

    An empty folder `target` gives way. Raises `error` if `what` ("the kit") cannot be written.
    """
    final = target.resolve()
    partial = final.with_name(f".{final.name}.{uuid4().hex}.partial")
    try:
        partial.mkdir(parents=True)
        yield partial
        os.sync()  # hundreds of files: one call for all of them
        partial.rename(final)
        sync_folder(final.parent)
    except shutil.Error as reason:  # the files of a tree that could not be copied, each with why
        raise error(f"{target}: {what} cannot be written ({_first_of(reason)}); {REMEDY}") from reason
    except OSError as reason:
        if reason.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise error(f"{target}: {what} cannot be written there (exists by now); choose another place") from reason
        raise error(f"{target}: {what} cannot be written ({reason.strerror or reason}); {REMEDY}") from reason
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _first_of(reason: shutil.Error) -> str:
    """Why the first file of a tree was not copied: each is listed with its source, its target and the words for it."""
    *_, words = reason.args[0][0]
    return re.sub(r"^\[Errno \d+\] ", "", str(words))


def require_new(folder: Path, *, error: type[OsteoEdgeError] = OsteoEdgeError) -> None:
    """Raise `error` if the folder is there and is not empty."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise error(f"{folder}: exists and is not an empty folder; choose a new folder or remove this one")
