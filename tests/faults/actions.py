"""What is interrupted: each thing that the app writes, and what there must be of it at its next start."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from osteo_edge.edge_app.audit_trail import What
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.query import Query
from osteo_edge.edge_app.history.store import DECISIONS
from osteo_edge.edge_app.history.vault import read_vault
from osteo_edge.edge_app.history_work import make_backup, write_table
from osteo_edge.edge_app.jobs import Task
from osteo_edge.edge_app.pin import PinHash
from osteo_edge.edge_app.retention import find_outdated, remove_outdated
from tests.edge_app.history.made import make_record
from tests.faults.clinics import (
    BACKUP,
    FILM_BYTES,
    IDS,
    PINS,
    bundle,
    cheap_pins,
    damaged,
    deleted,
    draft,
    empty,
    encrypt,
    encrypted,
    filled,
    older,
    to_restore,
    two_models,
    unlocked,
    untidy,
    write_bundles,
)
from tests.faults.finding import Found, find_in_clinic

NEW: Final = make_record(b"new film" * (FILM_BYTES // 8), b"new overlay", id=IDS[7], code="K-99")
PIN: Final = PinHash("0" * 32, "1" * 64)

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
        _action("first start", empty, lambda clinic: clinic.history(), None),
        _action("start", filled, lambda clinic: clinic.history(), None),
        _action("tidying at the start", untidy, lambda clinic: clinic.tidy(), None),
        _action("first screening saved", empty, lambda clinic: clinic.save(NEW), What.SAVED),
        _action("screening saved", filled, lambda clinic: clinic.save(NEW, draft_id=IDS[0]), What.SAVED),
        _action("note", filled, lambda clinic: clinic.history().annotate(IDS[0], "falls"), What.NOTED),
        _action("DXA result", filled, _enter_dxa, What.DXA_ENTERED),
        _action("decision otherwise", filled, _decide, DECISIONS["otherwise"]),
        _action("deletion", filled, lambda clinic: clinic.history().delete(IDS[0]), What.DELETED),
        _action("deletion undone", deleted, lambda clinic: clinic.history().undo_delete(IDS[0]), What.BROUGHT_BACK),
        _action("deletion for good", deleted, lambda clinic: clinic.history().purge_deleted(timedelta()), What.PURGED),
        _action("retention period", filled, _end_retention, What.PURGED),
        _action("unfinished form", filled, lambda clinic: clinic.history().save_draft(draft("K-19")), None),
        _action("history of an older version", older, lambda clinic: clinic.history(), None, more=OF_UPGRADE),
        _action("backup written", filled, _back_up, None),
        _action("table written", filled, _write_table, None),
        _action("backup restored", to_restore, _restore, What.RESTORED),
        _action("backup restored after damage", damaged, _restore, What.RESTORED, more=OF_DAMAGE),
        _action("settings", filled, lambda clinic: clinic.change(theme="dark", threads=2), What.SETTINGS_CHANGED),
        _action("PIN", filled, lambda clinic: clinic.set_pin(PIN, in_place_of=None), What.PIN_SET),
        _action("history encrypted", filled, encrypt, What.ENCRYPTED),
        _action("history decrypted", encrypted, _decrypt, What.DECRYPTED),
        _action("PIN of an encrypted history", encrypted, _change_pin, What.PIN_SET),
        _action("screening saved, encrypted", encrypted, lambda clinic: clinic.save(NEW, draft_id=IDS[0]), What.SAVED),
        _action("deletion for good, encrypted", encrypted, _delete_for_good, What.PURGED),
        _action("backup written, encrypted", encrypted, _back_up, None),
        _action("model installed", filled, _install_model, What.MODEL_INSTALLED),
        _action("model chosen", filled, lambda clinic: clinic.models.use("demo"), What.MODEL_CHOSEN),
        _action("model removed", two_models, _remove_model, What.MODEL_REMOVED),
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
        write_bundles(root.parent)
        prepare(root)

    def done(clinic: Clinic) -> None:
        do(clinic)

    return Action(
        name,
        prepare=prepared,
        open=lambda root: unlocked(Clinic(Folders(root))),
        do=done,
        close=lambda clinic: clinic.close(),
        find=find_in_clinic,
        expected=(*EXPECTED, *more),
        appended=("audit/audit.jsonl",),
        told=None if what is None else what.value,
    )


def _decrypt(clinic: Clinic) -> None:
    if clinic.access.is_encrypted:
        clinic.access.decrypt()


def _change_pin(clinic: Clinic) -> None:
    with cheap_pins():
        clinic.access.change_pin(PINS[1], in_place_of=read_vault(clinic.folders.history))


def _delete_for_good(clinic: Clinic) -> None:
    history = clinic.history()
    if history.count() == 3:
        history.delete(IDS[0])
    history.purge_deleted(timedelta())


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
    clinic.models.install(bundle(clinic, "b"))


def _remove_model(clinic: Clinic) -> None:
    chosen = clinic.models.chosen()
    others = [model.id for model in clinic.models.models() if model.id not in (chosen, "demo")]
    clinic.models.uninstall(others[0] if others else "gone")
