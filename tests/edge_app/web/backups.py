"""Backups made and restored in the web app, and changed by hand, for its tests."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from playwright.sync_api import Page

from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.exports.backup_contents import CONTENTS
from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.history.entry import Entry
from osteo_edge.edge_app.history.images import Picture
from osteo_edge.edge_app.history.store import History, Record
from osteo_edge.edge_app.history.vault import Keys, new_vault, write_vault
from osteo_edge.hashing import sha256_bytes
from osteo_edge.overlay import encode_evidence
from tests.edge_app.history.made import make_record
from tests.edge_app.web.reader import button, drawn_film, open_app

EVIDENCE: Final = encode_evidence(np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8))
HOSTILE: Final = "<img src=x onerror='document.title=\"owned\"'>'; DROP TABLE entries"
PIN: Final = "271828"


@dataclass(frozen=True)
class Locked:
    """A backup of the encrypted history in a folder, its keys, and its recovery code."""

    path: Path
    folder: Path
    keys: Keys
    code: str


def make_locked(place: Path) -> Locked:
    """An encrypted history in the new folder `place`, with what is not usual in it, and its backup."""
    folder = place / "history"
    folder.mkdir()
    vault, keys, code = new_vault(PIN)
    write_vault(folder, vault)
    with History(folder, keys=keys) as history:
        add_unusual(history)
        deleted = make_record(b"deleted", code="deleted")
        history.add(deleted)
        history.delete(deleted.entry.id)
    return Locked(write_backup(folder, place / "locked.zip", keys=keys).path, folder, keys, code)


def add_unusual(history: History) -> None:
    """Three screenings, one of which has no film any more, and a form that was not finished."""
    film = drawn_film()["buffer"]
    history.add(make_record(film, EVIDENCE, code="plain", note=HOSTILE, dxa="osteopenia", t_score=-1.8))
    other = make_record(film + b"x", code="other", decided="otherwise", override_reason="línea\nzwei")
    history.add(Record(other.entry, Picture(other.image.data, ".png"), None))
    missing: dict[str, Any] = {"score": None, "abstain_low": None, "abstain_high": None, "probabilities": {}}
    history.add(make_record(b"no film", code=None, outcome="rejected", is_demo=True, image_stats={}, **missing))
    history.save_draft(Draft("d" * 32, "2026-03-04T05:06:07+00:00", {"code": "K-5", "age": "", "window": "x"}))


def back_up(page: Page, address: str, path: Path) -> Path:
    """Make a backup in the browser."""
    open_app(page, address, "backup")
    with page.expect_download() as download:
        button(page, "Back up")
    download.value.save_as(path)
    assert download.value.suggested_filename.startswith("osteo-edge-backup-20")
    return path


def restore(page: Page, address: str, path: Path) -> None:
    """Have the browser restore a backup."""
    open_app(page, address, "backup")
    with page.expect_file_chooser() as chooser:
        button(page, "Choose a backup")
    chooser.value.set_files(path)


def entries_of(folder: Path, keys: Keys | None = None) -> dict[str, Entry]:
    with History(folder, keys=keys) as history:
        return {entry.id: entry for entry in history.entries()}


def images_of(folder: Path, keys: Keys | None = None) -> dict[str, Picture]:
    """The films and overlays of all screenings by their hashes."""
    with History(folder, keys=keys) as history:
        named = {sha256 for entry in history.entries() for sha256 in (entry.image_sha256, entry.overlay_sha256)}
        return {sha256: history.image(sha256) for sha256 in named if sha256 is not None}


def repacked(backup: Path, changes: dict[str, bytes | None], compression: int = zipfile.ZIP_STORED) -> Path:
    """The backup with members changed, added, or, for None, left out, and its list of contents as it is then."""
    with zipfile.ZipFile(backup) as archive:
        members: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    members |= changes
    listed = json.loads(members[CONTENTS] or b"{}")
    listed["files"] = [
        {"name": name, "sha256": sha256_bytes(data), "size_bytes": len(data)}
        for name, data in members.items()
        if data is not None and name != CONTENTS
    ]
    path = backup.with_name("changed.zip")
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in (members | {CONTENTS: json.dumps(listed).encode()}).items():
            if data is not None:
                archive.writestr(name, data)
    return path
