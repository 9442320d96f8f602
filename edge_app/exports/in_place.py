"""A backup takes the place of this device's history, if there is nothing in it that could be lost."""

import fcntl
import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from osteo_edge.durable import sync_tree
from osteo_edge.edge_app.audit_trail import Tell, What, tell_nobody
from osteo_edge.edge_app.exports.backup_contents import LOCKED, WRONG_SECRET, BackupLockedError
from osteo_edge.edge_app.exports.restoring import locked_by, restore_backup
from osteo_edge.edge_app.history.encrypting import copy_history
from osteo_edge.edge_app.history.entry import Entry
from osteo_edge.edge_app.history.errors import HistoryError, told
from osteo_edge.edge_app.history.exchange import RESTORED, new_place, remove_unfinished
from osteo_edge.edge_app.history.exchange import put_in_place as exchange
from osteo_edge.edge_app.history.opening import DAMAGED, DATABASE, damaged_databases, sole_use
from osteo_edge.edge_app.history.store import History, Record
from osteo_edge.edge_app.history.vault import Keys, Vault, read_vault, require_library, write_vault
from osteo_edge.edge_app.history.wiping import wipe_folder

CHANGED = "the backup could not be read again; check the disk and try again"
NOT_EMPTY = "there are screenings in this history; a backup can be restored to an empty one, or after damage"
LOST = "the film of the screening of {taken_at} cannot be read; delete that screening, then restore the backup"


def may_restore(history: History, folder: Path) -> bool:
    """Whether a backup may take the place of the history in `folder`: it is empty, or was begun after damage."""
    return bool(damaged_databases(folder)) or history.count() == 0


class Unpacked:
    """A backup that was unpacked in `place`, which no other window removes as long as this object is there.

    `history` is the folder of the history, and `keys` are what it opens with, None if it is plain; `screenings` is how
    many there are in it, and `made_at` when the backup was made, ISO 8601, once that is known.
    """

    def __init__(self, place: Path) -> None:
        self.place, self.history = place, place / "history"
        self.keys: Keys | None = None
        self.screenings = 0
        self.made_at: str | None = None
        place.mkdir(mode=0o700, parents=True)
        descriptor = os.open(place, os.O_RDONLY)
        weakref.finalize(self, os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def remove(self) -> None:
        """Remove what is still there."""
        wipe_folder(self.place)


def unpack_beside(
    backup: Path,
    folder: Path,
    on_progress: Callable[[float], None],
    *,
    keys: Keys | None = None,
    secret: str | None = None,
) -> Unpacked:
    """Unpack and check a backup in a new folder beside the history's; raises what `restore_backup` does.

    Where the history in `folder` is encrypted, by `keys`, the restored one will be, by the same; else it comes as it is
    in the backup. An encrypted backup of other keys opens with its own PIN or recovery code, the `secret`:
    `BackupLockedError` where that is missing or wrong, `VaultError` where no encrypted history can be opened at all.
    What a restore that was killed has left there goes.
    """
    vault = locked_by(backup, keys)
    theirs = keys if vault is None else _opened_by(secret, vault)
    with told(folder.parent, "the backup was not restored"):
        remove_unfinished(folder, DAMAGED)
        unpacked = Unpacked(new_place(folder, RESTORED))
    try:
        contents = restore_backup(backup, unpacked.history, keys=theirs, on_progress=on_progress)
        unpacked.made_at = _moment(contents.made_at)
        unpacked.keys = theirs if contents.is_encrypted else None
        if keys is not None:
            with told(folder.parent, "the backup was not restored"):
                _make_own(unpacked, folder, keys)
        with _opened_again(unpacked) as restored:
            unpacked.screenings = restored.count()
    except BaseException:
        unpacked.remove()
        raise
    return unpacked


def _opened_by(secret: str | None, vault: Vault) -> Keys:
    require_library()
    if secret is None:
        raise BackupLockedError(LOCKED)
    keys = vault.open_with_pin(secret) or vault.open_with_code(secret)
    if keys is None:
        raise BackupLockedError(WRONG_SECRET)
    return keys


def _make_own(unpacked: Unpacked, folder: Path, keys: Keys) -> None:
    """Let the unpacked history open by this device's keys, and by the PIN and the code of today."""
    own = read_vault(folder)
    if unpacked.keys is not None and unpacked.keys.key_id == keys.key_id:
        write_vault(unpacked.history, own)
    else:
        rewritten = unpacked.place / "rewritten"
        rewritten.mkdir(mode=0o700)
        copy_history(unpacked.history, rewritten, unpacked.keys, keys, own)
        sync_tree(rewritten)
        wipe_folder(unpacked.history)
        rewritten.replace(unpacked.history)
    unpacked.keys = keys


def put_in_place(
    unpacked: Unpacked, folder: Path, tell: Tell = tell_nobody, *, keys: Keys | None = None
) -> Path | None:
    """Let the restored history take the place of the one in `folder`, which nobody may have open; `keys` are its.

    What was saved since the damage, unfinished forms among it, is added to the restored history first; of a screening
    that both have, the note, the DXA result and the decision of the old one stand. The old folder is kept under a dated
    name where a damaged database lies in it, with the films that may be that one's, and the path is given; else it is
    removed.
    `HistoryError` where the old history holds more than that, another window has it open, or the disk is in the way;
    so is it where the restored history is not there any more, or not whole. All is then as it was, and what was
    unpacked is gone. `tell` records it just before; where it cannot, nothing is exchanged either. `NotConfirmedError`
    where it was done, and may not be on the disk: the old folder goes at a later start then.
    """
    try:
        with told(folder, "the backup was not restored"):
            with _opened_again(unpacked) as restored:
                if restored.count() != unpacked.screenings:
                    raise HistoryError(f"{unpacked.history}: {CHANGED}")
            return _exchange(unpacked, folder, tell, keys)
    finally:
        unpacked.remove()


@contextmanager
def _opened_again(unpacked: Unpacked) -> Iterator[History]:
    """The restored history, which must be there and sound: opening makes a new one of what is not."""
    if not (unpacked.history / DATABASE).is_file():
        raise HistoryError(f"{unpacked.history}: {CHANGED}")
    with History(unpacked.history, keys=unpacked.keys) as restored:
        if restored.damage is not None:
            raise HistoryError(f"{unpacked.history}: {CHANGED}")
        yield restored


def _exchange(unpacked: Unpacked, folder: Path, tell: Tell, keys: Keys | None) -> Path | None:
    with ExitStack() as stack:
        if (folder / DATABASE).exists():
            _carry_over(folder, unpacked, keys)
            stack.enter_context(sole_use(folder, "the backup was not restored"))
        tell(What.RESTORED, backup_made_at=unpacked.made_at, screenings=unpacked.screenings)
        kept = exchange(unpacked.history, folder)
    if not kept.exists():
        return None
    if damaged_databases(kept):
        return kept
    wipe_folder(kept)
    return None


def _carry_over(folder: Path, unpacked: Unpacked, keys: Keys | None) -> None:
    """Add what was saved since the damage to the restored history."""
    with History(folder, keys=keys) as old:
        old.purge_deleted(timedelta())
        if not may_restore(old, folder):
            raise HistoryError(f"{folder}: {NOT_EMPTY}")
        with _opened_again(unpacked) as restored:
            restored.add_all(_records(old, restored))
            _bring_up_to_date(restored, old.entries())
            for draft in old.drafts():
                restored.save_draft(draft)


def _records(old: History, restored: History) -> Iterator[Record]:
    """The screenings of the old history with their films; a film that is lost there may be in the restored one."""
    for entry in old.entries():
        try:
            overlay = None if entry.overlay_sha256 is None else old.image(entry.overlay_sha256)
            record = Record(entry, old.image(entry.image_sha256), overlay)
        except HistoryError as error:
            if _holds(restored, entry):
                continue
            raise HistoryError(LOST.format(taken_at=entry.taken_at)) from error
        yield record


def _holds(history: History, entry: Entry) -> bool:
    try:
        history.entry(entry.id)
    except HistoryError:
        return False
    return True


def _bring_up_to_date(restored: History, entries: Iterator[Entry]) -> None:
    """Let what was written of these screenings since the backup stand: note, DXA result and decision."""
    for entry in entries:
        there = restored.entry(entry.id)
        if there.note != entry.note:
            restored.annotate(entry.id, entry.note)
        if (there.dxa, there.t_score) != (entry.dxa, entry.t_score):
            restored.mark_dxa(entry.id, entry.dxa, entry.t_score)
        if (there.decided, there.override_reason) != (entry.decided, entry.override_reason):
            restored.decide(entry.id, entry.decided, entry.override_reason)


def _moment(written: str) -> str | None:
    """A moment as a backup writes it; None for anything else that may stand there.

    >>> _moment("2026-01-31T09:30:00+00:00"), _moment("of Mrs. Lopez")
    ('2026-01-31T09:30:00+00:00', None)
    """
    try:
        return datetime.fromisoformat(written).isoformat()
    except ValueError:
        return None
