"""Where a command writes: never over what it reads, over a device, or over a file that is no earlier result."""

import os
from collections.abc import Iterable
from pathlib import Path

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.manifest import FILE_NAME

MODELS = (".tflite", ".keras")


def place_of(path: Path) -> Path:
    """The file that a name stands for, through links; `FileExistsError` for what is there and is no file, as a device.

    What takes the place of a device, a pipe or a link would take it away from whoever uses it.
    """
    place = Path(os.path.realpath(path))
    if place.is_symlink() or (place.exists() and not place.is_file() and not place.is_dir()):
        raise FileExistsError(0, "what is there is no file that could be replaced")
    return place


def require_target(path: Path, what: str, begins: bytes, *, inputs: Iterable[Path] = ()) -> None:
    """Raise `OsteoEdgeError` where writing `what` ("the report") to `path` would destroy something.

    That is one of the `inputs`, a file in a bundle, and a file that does not begin as `what` does: "<!doctype html>".
    """
    if any(os.path.realpath(path) == os.path.realpath(one) for one in inputs):
        raise OsteoEdgeError(f"{path}: is what {what} is made from; choose another place")
    require_outside_bundles(path, what)
    try:
        with place_of(path).open("rb") as file:
            start = file.read(len(begins))
    except FileExistsError as error:
        raise OsteoEdgeError(f"{path}: {what} cannot be written ({error.strerror}); choose another place") from error
    except OSError:
        return  # writing will tell
    if start and start.lower() != begins.lower():
        raise OsteoEdgeError(f"{path}: is there, and is another kind of file; choose another place, or remove it")


def require_outside_bundles(path: Path, what: str) -> None:
    """Raise `OsteoEdgeError` for a place in a bundle, which holds what its manifest lists, and nothing else."""
    place = Path(os.path.realpath(path))
    for folder in (place, *place.parents):
        if _is_bundle(folder):
            raise OsteoEdgeError(
                f"{path}: {what} cannot be written there (it lies in the bundle {folder}, which holds what its "
                "manifest lists alone); choose another place"
            )


def _is_bundle(folder: Path) -> bool:
    """False, too, for what cannot be looked into: writing will tell."""
    try:
        return (folder / FILE_NAME).is_file() and any(one.suffix in MODELS for one in folder.iterdir())
    except OSError:
        return False
