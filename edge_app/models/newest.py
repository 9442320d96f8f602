"""A device in locked mode does not go back to an older model: who has a fault fixed must not be given it again.

models/newest.json            when the newest model of each name that was in use had been made; replaced in one step

A technician who has to go back removes that file, and the pointer to the model in use: that one counts as newest too,
since it may have been chosen before the device was locked.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Final

from osteo_edge.durable import write_durably
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.manifest import Manifest

FILE: Final = "newest.json"
SCHEMA: Final = 1


def refuse_older(folder: Path, manifest: Manifest, pointer: str) -> None:
    """Raise `BundleError` if a newer model of the same name has been in use in the models' `folder`.

    `pointer` is the name of the file there that says which one is in use.
    """
    made, newest = _made(manifest), _read(folder).get(manifest.name)
    if newest is not None and made < _moment(newest):
        file = f"{folder / FILE}, {pointer}"
        raise BundleError(
            f"{manifest.name}: made on {manifest.created_at[:10]}, older than that of {newest[:10]} which was in use, "
            f"and this device does not go back; a technician can, by removing {file}"
        )


def note_newest(folder: Path, manifest: Manifest) -> None:
    """Remember a model that is taken into use; `OsteoEdgeError` if the disk does not take it."""
    made, newest = _made(manifest), _read(folder)
    before = newest.get(manifest.name)
    if before is None or _moment(before) < made:
        written = {"schema": SCHEMA, "newest": {**newest, manifest.name: manifest.created_at}}
        write_durably(folder / FILE, (json.dumps(written, indent=2) + "\n").encode(), "the model's date")


def _made(manifest: Manifest) -> datetime:
    try:
        return _moment(manifest.created_at)
    except ValueError as error:
        raise BundleError(f"{manifest.name}: does not say when it was made ({error}); take another model") from error


def _read(folder: Path) -> dict[str, str]:
    path = folder / FILE
    try:
        written = json.loads(path.read_bytes())
        newest = dict(written["newest"])
        if written["schema"] != SCHEMA:
            raise ValueError("of another version")
        for made in newest.values():
            _moment(made)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise OsteoEdgeError(f"{path}: cannot be read ({error}); a technician has to look, or remove it") from error
    return newest


def _moment(written: str) -> datetime:
    """When a model was made, by its manifest; `ValueError` for what is no moment with its offset from UTC."""
    moment = datetime.fromisoformat(written.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError("a moment without its time zone")
    return moment
