"""What the app finds at the start after an action that was interrupted."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from osteo_edge.audit_log import verify_log
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.exports.restoring import restore_backup
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.connecting import connect
from osteo_edge.edge_app.history.images import image_path, stored_images
from osteo_edge.edge_app.history.opening import DATABASE, damaged_databases
from osteo_edge.edge_app.history.vault import Keys, read_vault
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_file
from tests.faults.clinics import PINS, unlocked


@dataclass(frozen=True)
class Found:
    """What a start finds: each thing by its name, as a text, and what is wrong, if anything."""

    things: dict[str, str]
    wrong: tuple[str, ...] = ()


def find_in_clinic(root: Path) -> Found:
    """Start the app's part without a window, and read all that there is."""
    things: dict[str, str] = {}
    wrong: list[str] = []
    try:
        clinic = unlocked(Clinic(Folders(root)))
        try:
            for name, value in _things(clinic, wrong):
                things[name] = value
            clinic.trail.begin()
        finally:
            clinic.close()
        wrong += [f"audit log: {finding}" for finding in verify_log(root / "audit").findings]
    except OsteoEdgeError as error:
        wrong.append(f"does not start: {error}")
    return Found(things, tuple(wrong))


def _things(clinic: Clinic, wrong: list[str]) -> Iterator[tuple[str, str]]:
    wrong += [] if clinic.note is None else [clinic.note]
    history = clinic.history()
    clinic.tidy()
    folder = clinic.folders.history
    wrong += [] if history.damage is None else [f"unreadable: {history.damage.reason}"]
    for entry in history.entries():
        yield f"screening {entry.id}", json.dumps(asdict(entry), sort_keys=True)
        for sha256 in filter(None, (entry.image_sha256, entry.overlay_sha256)):
            history.image(sha256)
    for draft in history.drafts():
        yield f"form {draft.id}", json.dumps(draft.fields)
    wrong += _wrong_in(folder, clinic.access.keys)
    if clinic.access.is_encrypted:
        locked = read_vault(folder)
        yield "PIN of the history", next(pin for pin in PINS if locked.open_with_pin(pin))
    yield "is encrypted", str(clinic.access.is_encrypted)
    for one in fields(clinic.settings):
        yield f"setting {one.name}", repr(getattr(clinic.settings, one.name))
    for place in sorted(clinic.folders.models.glob("[!.]*")):
        if place.is_file():
            continue
        yield f"model {place.name}", " ".join(f"{file.name}:{sha256_file(file)}" for file in sorted(place.iterdir()))
    yield "model in use", clinic.models.chosen()
    for path in sorted(clinic.folders.exports.glob("[!.]*")):
        yield f"export {path.suffix}", _exported(path)


def _wrong_in(folder: Path, keys: Keys | None) -> Iterator[str]:
    """What the database itself says, and where it and the image store differ."""
    with closing(connect(folder / DATABASE, keys)) as connection:
        if (verdict := connection.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
            yield f"unreadable: {verdict}"
        if connection.execute("PRAGMA foreign_key_check").fetchall():
            yield "half: a screening names an image that is not listed"
        rows = connection.execute("SELECT sha256, suffix FROM images")
        listed = {image_path(folder, sha256, suffix, keys) for sha256, suffix in rows}
    stored = set(stored_images(folder))
    if not listed <= stored:
        yield "half: an image that the database lists is not there"
    elif listed != stored and not damaged_databases(folder):
        yield "half: the image store has files that the database does not list"


def _exported(path: Path) -> str:
    """Whether an export is whole."""
    if path.suffix == ".csv":
        return f"{len(path.read_text('utf-8-sig').splitlines())} lines"
    checked = path.parent.parent.with_name("checked")
    shutil.rmtree(checked, ignore_errors=True)
    return f"{len(restore_backup(path, checked).files)} files"
