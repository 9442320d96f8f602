"""What is interrupted: each thing that the app writes, and what there must be of it at its next start."""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import pytest

from osteo_edge.audit_log import verify_log
from osteo_edge.bundle import write_bundle
from osteo_edge.edge_app.audit_trail import What
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.exports.restoring import restore_backup
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history import vault
from osteo_edge.edge_app.history.connecting import connect
from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.history.images import image_path, stored_images
from osteo_edge.edge_app.history.opening import DATABASE, damaged_databases
from osteo_edge.edge_app.history.query import Query
from osteo_edge.edge_app.history.schema import VERSION_1, VERSION_2, VERSION_3
from osteo_edge.edge_app.history.store import DECISIONS, Record
from osteo_edge.edge_app.history.vault import Keys, read_vault
from osteo_edge.edge_app.history_work import make_backup, write_table
from osteo_edge.edge_app.jobs import Task
from osteo_edge.edge_app.pin import PinHash
from osteo_edge.edge_app.retention import find_outdated, remove_outdated
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import Manifest
from tests.edge_app.history.made import make_record

DATA: Final = Path(__file__).resolve().parents[1] / "data"
FILM_BYTES: Final = 9_000
IDS: Final = tuple(f"{number:032x}" for number in range(1, 9))
NEW: Final = make_record(b"new film" * (FILM_BYTES // 8), b"new overlay", id=IDS[7], code="K-99")
PIN: Final = PinHash("0" * 32, "1" * 64)
PINS: Final = ("719305", "80246135")
"""Of an encrypted history, and the one that takes its place."""
BACKUP: Final = "there.zip"

EXPECTED: Final = (
    r"settings\.(json|lock)",
    r"pin-attempts\.json",
    r"audit/(audit\.jsonl|audit-head\.json|\.audit\.lock)",
    r"history/history\.(sqlite3(-wal|-shm)?|lock)",
    r"history/vault(-copy)?\.json",
    r"vault\.lock",
    r"history/images/[0-9a-f]{2}/[0-9a-f]{64}(\.jpg|\.png)?",
    r"models/(\.lock|in_use\.json)",
    r"models/[a-z][a-z0-9-]*/[^.].*",
    r"windows/.*",
    r"exports/[^.][^/]*\.(csv|zip)",
    re.escape(BACKUP),
)
OF_DAMAGE: Final = (r"history\.replaced-[^/]+/.*", r"history/history\.damaged-.*")
OF_UPGRADE: Final = (r"history/history\.version-3\.sqlite3",)


@dataclass(frozen=True)
class Found:
    """What a start finds: each thing by its name, as a text, and what is wrong, if anything."""

    things: dict[str, str]
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True)
class Action:
    """One thing that is done in a folder, and interrupted.

    `prepare` fills the folder beforehand; `do` is given what `open` gives, which `close` closes; what has been done
    when `do` returns was acknowledged. `find` starts anew and tells what is there. `appended` are files that only grow;
    `told` is the event that the record must have once the action was acknowledged. Of files only `expected` ones,
    patterns of paths, may be left after a start, or after one a day later.
    """

    name: str
    prepare: Callable[[Path], None]
    open: Callable[[Path], Any]
    do: Callable[[Any], None]
    close: Callable[[Any], None]
    find: Callable[[Path], Found]
    expected: tuple[str, ...]
    appended: tuple[str, ...] = ()
    told: str | None = None


def strays(root: Path, expected: tuple[str, ...]) -> list[str]:
    """The files that nobody expects, by their path below `root`."""
    known = re.compile("|".join(f"(?:{pattern})" for pattern in expected))
    names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(name for name in names if not known.fullmatch(name))


def clinic_actions() -> tuple[Action, ...]:
    """What is done in the app."""
    return (
        _action("first start", _empty, lambda clinic: clinic.history(), None),
        _action("start", _filled, lambda clinic: clinic.history(), None),
        _action("tidying at the start", _untidy, lambda clinic: clinic.tidy(), None),
        _action("first screening saved", _empty, lambda clinic: clinic.save(NEW), What.SAVED),
        _action("screening saved", _filled, lambda clinic: clinic.save(NEW, draft_id=IDS[0]), What.SAVED),
        _action("note", _filled, lambda clinic: clinic.history().annotate(IDS[0], "falls"), What.NOTED),
        _action("DXA result", _filled, _enter_dxa, What.DXA_ENTERED),
        _action("decision otherwise", _filled, _decide, DECISIONS["otherwise"]),
        _action("deletion", _filled, lambda clinic: clinic.history().delete(IDS[0]), What.DELETED),
        _action("deletion undone", _deleted, lambda clinic: clinic.history().undo_delete(IDS[0]), What.BROUGHT_BACK),
        _action("deletion for good", _deleted, lambda clinic: clinic.history().purge_deleted(timedelta()), What.PURGED),
        _action("retention period", _filled, _end_retention, What.PURGED),
        _action("unfinished form", _filled, lambda clinic: clinic.history().save_draft(_draft("K-19")), None),
        _action("history of an older version", _older, lambda clinic: clinic.history(), None, more=OF_UPGRADE),
        _action("backup written", _filled, _back_up, None),
        _action("table written", _filled, _write_table, None),
        _action("backup restored", _to_restore, _restore, What.RESTORED),
        _action("backup restored after damage", _damaged, _restore, What.RESTORED, more=OF_DAMAGE),
        _action("settings", _filled, lambda clinic: clinic.change(theme="dark", threads=2), What.SETTINGS_CHANGED),
        _action("PIN", _filled, lambda clinic: clinic.set_pin(PIN, in_place_of=None), What.PIN_SET),
        _action("history encrypted", _filled, _encrypt, What.ENCRYPTED),
        _action("history decrypted", _encrypted, _decrypt, What.DECRYPTED),
        _action("PIN of an encrypted history", _encrypted, _change_pin, What.PIN_SET),
        _action("screening saved, encrypted", _encrypted, lambda clinic: clinic.save(NEW, draft_id=IDS[0]), What.SAVED),
        _action("deletion for good, encrypted", _encrypted, _delete_for_good, What.PURGED),
        _action("backup written, encrypted", _encrypted, _back_up, None),
        _action("model installed", _filled, _install_model, What.MODEL_INSTALLED),
        _action("model chosen", _filled, lambda clinic: clinic.models.use("demo"), What.MODEL_CHOSEN),
        _action("model removed", _two_models, _remove_model, What.MODEL_REMOVED),
    )  # fmt: skip


def _action(
    name: str,
    prepare: Callable[[Path], None],
    do: Callable[[Clinic], object],
    what: What | None,
    *,
    more: tuple[str, ...] = (),
) -> Action:
    def prepared(root: Path) -> None:
        _write_bundles(root.parent)
        prepare(root)

    def done(clinic: Clinic) -> None:
        do(clinic)

    return Action(
        name,
        prepare=prepared,
        open=lambda root: _unlocked(Clinic(Folders(root))),
        do=done,
        close=lambda clinic: clinic.close(),
        find=find_in_clinic,
        expected=(*EXPECTED, *more),
        appended=("audit/audit.jsonl",),
        told=None if what is None else what.value,
    )


def find_in_clinic(root: Path) -> Found:
    """Start the app's part without a window, and read all that there is."""
    things: dict[str, str] = {}
    wrong: list[str] = []
    try:
        clinic = _unlocked(Clinic(Folders(root)))
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


def _record(number: int, **changes: Any) -> Record:
    film = f"film {number} ".encode() * (FILM_BYTES // 8)
    return make_record(film, f"overlay {number}".encode(), id=IDS[number], code=f"K-{number}", **changes)


def _draft(code: str) -> Draft:
    return Draft(IDS[0], "2026-03-04T05:06:07+00:00", {"code": code})


def _empty(root: Path) -> None:
    root.mkdir()


def _filled(root: Path) -> None:
    """Three screenings, an unfinished form, settings, and a model in use; and of all that the record."""
    with _opened(root) as clinic:
        history = clinic.history()
        for number in range(3):
            clinic.save(_record(number, taken_at=f"202{4 + number}-03-04T05:06:07+00:00"))
        history.annotate(IDS[1], "a hip fracture in 2019")
        history.mark_dxa(IDS[1], "osteopenia", -1.7)
        history.save_draft(_draft("K-18"))
        clinic.change(institution="Clinic of Kigoma", language="sw")
        clinic.models.use(clinic.models.install(_bundle(clinic, "a")).model.id)


def _encrypted(root: Path) -> None:
    """The same, encrypted."""
    _filled(root)
    with _opened(root) as clinic:
        _encrypt(clinic)


def _unlocked(clinic: Clinic) -> Clinic:
    """A clinic whose history is open, whichever of the PINs that takes."""
    if clinic.access.is_shut:
        locked = read_vault(clinic.folders.history)
        clinic.access.adopt(next(filter(None, map(locked.open_with_pin, PINS)), None))
    return clinic


def _encrypt(clinic: Clinic) -> None:
    if not clinic.access.is_encrypted:
        with cheap_pins():
            clinic.access.encrypt(PINS[0])


def _decrypt(clinic: Clinic) -> None:
    if clinic.access.is_encrypted:
        clinic.access.decrypt()


def _change_pin(clinic: Clinic) -> None:
    with cheap_pins():
        clinic.access.change_pin(PINS[1], in_place_of=read_vault(clinic.folders.history))


@contextmanager
def cheap_pins() -> Iterator[None]:
    """PINs that are tried quickly: what they cost is no matter here."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(vault, "PIN_COST", vault.CODE_COST)
        yield


def _delete_for_good(clinic: Clinic) -> None:
    history = clinic.history()
    if history.count() == 3:
        history.delete(IDS[0])
    history.purge_deleted(timedelta())


def _deleted(root: Path) -> None:
    _filled(root)
    with _opened(root) as clinic:
        clinic.history().delete(IDS[0])


def _untidy(root: Path) -> None:
    """Films that nobody names, as a power cut leaves them."""
    _filled(root)
    for number in range(3):
        stray = image_path(root / "history", f"{number}" * 64, ".jpg")
        stray.parent.mkdir(parents=True, exist_ok=True)
        stray.write_bytes(b"of nobody")


def _two_models(root: Path) -> None:
    _filled(root)
    with _opened(root) as clinic:
        clinic.models.install(_bundle(clinic, "b"))


def _older(root: Path) -> None:
    """The tables as version 3 had them."""
    _filled(root)
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


def _to_restore(root: Path) -> None:
    """A backup of a clinic, and the data folder of another device, which has no screening yet."""
    _back_up_another(root)
    with _opened(root) as clinic:
        clinic.history()
        clinic.change(institution="Clinic of Kigoma")


def _damaged(root: Path) -> None:
    """A damaged history was found at a start, and a screening saved since."""
    _back_up_another(root)
    _filled(root)
    for path in (root / "history").glob(f"{DATABASE}*"):
        path.write_bytes(b"not a database at all" * 100)
    with _opened(root) as clinic:
        clinic.save(_record(3))


def _back_up_another(root: Path) -> None:
    other = root.with_name("other")
    shutil.rmtree(other, ignore_errors=True)
    _filled(other)
    root.mkdir(exist_ok=True)
    write_backup(other / "history", root / BACKUP)
    shutil.rmtree(other)


@contextmanager
def _opened(root: Path) -> Iterator[Clinic]:
    """A clinic that is closed again, and leaves no trace of its window."""
    clinic = Clinic(Folders(root))
    try:
        yield clinic
    finally:
        clinic.close()
        _forget_window(root)


def _forget_window(root: Path) -> None:
    shutil.rmtree(root / "windows", ignore_errors=True)


def _remove_exports(clinic: Clinic) -> None:
    """What a first attempt has written: a second one gives it another name."""
    for path in clinic.folders.exports.glob("[!.]*"):
        path.unlink()


def _end_retention(clinic: Clinic) -> None:
    now = datetime(2026, 6, 1, tzinfo=timezone.utc)
    remove_outdated(clinic.history(), find_outdated(clinic.history(), 600, now))


def _back_up(clinic: Clinic) -> None:
    _remove_exports(clinic)
    make_backup(clinic, clinic.folders.exports, Task(lambda task: None))


def _write_table(clinic: Clinic) -> None:
    _remove_exports(clinic)
    write_table(clinic, Query(), clinic.folders.exports, Task(lambda task: None))


def _restore(clinic: Clinic) -> None:
    clinic.put_in_place(clinic.unpack_backup(clinic.folders.root / BACKUP))


def _enter_dxa(clinic: Clinic) -> None:
    clinic.history().mark_dxa(IDS[0], "normal", -0.5)


def _decide(clinic: Clinic) -> None:
    clinic.history().decide(IDS[0], "otherwise", "the fracture that is to be seen")


def _install_model(clinic: Clinic) -> None:
    clinic.models.install(_bundle(clinic, "b"))


def _remove_model(clinic: Clinic) -> None:
    chosen = clinic.models.chosen()
    others = [model.id for model in clinic.models.models() if model.id not in (chosen, "demo")]
    clinic.models.uninstall(others[0] if others else "gone")


def _bundle(clinic: Clinic, name: str) -> Path:
    return clinic.folders.root.parent / f"bundle-{name}"


def _write_bundles(folder: Path) -> None:
    """Two bundles of the golden model beside the data folder, outside of what is watched."""
    manifest = Manifest.from_dict(json.loads((DATA / "manifest.json").read_text("utf-8")))
    files = {manifest.model.file: (DATA / "golden-int8.tflite").read_bytes()}
    for name in ("a", "b"):
        if not (folder / f"bundle-{name}").exists():
            write_bundle(folder / f"bundle-{name}", replace(manifest, name=f"knee {name}"), files)
