"""Data folders of the app in every state that an action begins in."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from osteo_edge.bundle import write_bundle
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history import vault
from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.history.images import image_path
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.edge_app.history.schema import VERSION_1, VERSION_2, VERSION_3
from osteo_edge.edge_app.history.store import Record
from osteo_edge.edge_app.history.vault import read_vault
from osteo_edge.manifest import Manifest
from tests.edge_app.history.made import make_record

DATA: Final = Path(__file__).resolve().parents[1] / "data"
FILM_BYTES: Final = 9_000
IDS: Final = tuple(f"{number:032x}" for number in range(1, 9))
PINS: Final = ("719305", "80246135")
"""Of an encrypted history, and the one that takes its place."""
BACKUP: Final = "there.zip"


def empty(root: Path) -> None:
    """A folder with nothing in it."""
    root.mkdir()


def filled(root: Path) -> None:
    """Three screenings, an unfinished form, settings, and a model in use; and of all that the record."""
    with opened(root) as clinic:
        history = clinic.history()
        for number in range(3):
            clinic.save(record(number, taken_at=f"202{4 + number}-03-04T05:06:07+00:00"))
        history.annotate(IDS[1], "a hip fracture in 2019")
        history.mark_dxa(IDS[1], "osteopenia", -1.7)
        history.save_draft(draft("K-18"))
        clinic.change(institution="Clinic of Kigoma", language="sw")
        clinic.models.use(clinic.models.install(bundle(clinic, "a")).model.id)


def encrypted(root: Path) -> None:
    """As `filled`, encrypted."""
    filled(root)
    with opened(root) as clinic:
        encrypt(clinic)


def deleted(root: Path) -> None:
    """As `filled`, and one screening deleted."""
    filled(root)
    with opened(root) as clinic:
        clinic.history().delete(IDS[0])


def untidy(root: Path) -> None:
    """Films that nobody names, as a power cut leaves them."""
    filled(root)
    for number in range(3):
        stray = image_path(root / "history", f"{number}" * 64, ".jpg")
        stray.parent.mkdir(parents=True, exist_ok=True)
        stray.write_bytes(b"of nobody")


def two_models(root: Path) -> None:
    """As `filled`, and a second model that is not in use."""
    filled(root)
    with opened(root) as clinic:
        clinic.models.install(bundle(clinic, "b"))


def older(root: Path) -> None:
    """The tables as version 3 had them."""
    filled(root)
    with closing(sqlite3.connect(":memory:")) as old:
        for statement in (*VERSION_1, *VERSION_2, *VERSION_3):
            old.execute(statement)
        known = _columns(old)
    with closing(sqlite3.connect(root / "history" / DATABASE)) as connection:
        connection.execute("DROP INDEX entries_by_film")
        for column in _columns(connection) - known:
            connection.execute(f"ALTER TABLE entries DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 3")


def _columns(connection: sqlite3.Connection) -> set[str]:
    return {name for _, name, *_ in connection.execute("PRAGMA table_info(entries)")}


def to_restore(root: Path) -> None:
    """A backup of a clinic, and the data folder of another device, which has no screening yet."""
    _back_up_another(root)
    with opened(root) as clinic:
        clinic.history()
        clinic.change(institution="Clinic of Kigoma")


def damaged(root: Path) -> None:
    """A damaged history was found at a start, and a screening saved since."""
    _back_up_another(root)
    filled(root)
    for path in (root / "history").glob(f"{DATABASE}*"):
        path.write_bytes(b"not a database at all" * 100)
    with opened(root) as clinic:
        clinic.save(record(3))


def _back_up_another(root: Path) -> None:
    other = root.with_name("other")
    shutil.rmtree(other, ignore_errors=True)
    filled(other)
    root.mkdir(exist_ok=True)
    write_backup(other / "history", root / BACKUP)
    shutil.rmtree(other)


@contextmanager
def opened(root: Path) -> Iterator[Clinic]:
    """A clinic that is closed again, and leaves no trace of its window."""
    clinic = Clinic(Folders(root))
    try:
        yield clinic
    finally:
        clinic.close()
        _forget_window(root)


def _forget_window(root: Path) -> None:
    shutil.rmtree(root / "windows", ignore_errors=True)


def unlocked(clinic: Clinic) -> Clinic:
    """A clinic whose history is open, whichever of the PINs that takes."""
    if clinic.access.is_shut:
        locked = read_vault(clinic.folders.history)
        clinic.access.adopt(next(filter(None, map(locked.open_with_pin, PINS)), None))
    return clinic


def encrypt(clinic: Clinic) -> None:
    """Encrypt the history, unless it is."""
    if not clinic.access.is_encrypted:
        with cheap_pins():
            clinic.access.encrypt(PINS[0])


@contextmanager
def cheap_pins() -> Iterator[None]:
    """PINs that are tried quickly: what they cost is no matter here."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(vault, "PIN_COST", vault.CODE_COST)
        yield


def record(number: int, **changes: Any) -> Record:
    """A screening with its film and its overlay."""
    film = f"film {number} ".encode() * (FILM_BYTES // 8)
    return make_record(film, f"overlay {number}".encode(), id=IDS[number], code=f"K-{number}", **changes)


def draft(code: str) -> Draft:
    """An unfinished form for a patient's code."""
    return Draft(IDS[0], "2026-03-04T05:06:07+00:00", {"code": code})


def bundle(clinic: Clinic, name: str) -> Path:
    """Where `write_bundles` leaves a bundle for the clinic."""
    return clinic.folders.root.parent / f"bundle-{name}"


def write_bundles(folder: Path) -> None:
    """Two bundles of the golden model beside the data folder, outside of what is watched."""
    manifest = Manifest.from_dict(json.loads((DATA / "manifest.json").read_text("utf-8")))
    files = {manifest.model.file: (DATA / "golden-int8.tflite").read_bytes()}
    for name in ("a", "b"):
        if not (folder / f"bundle-{name}").exists():
            write_bundle(folder / f"bundle-{name}", replace(manifest, name=f"knee {name}"), files)
