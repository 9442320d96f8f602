"""All screenings on their way out, as a table or a backup, and those of a backup on their way in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from osteo_edge.edge_app.device_services import MAX_BACKUP_BYTES
from osteo_edge.edge_app.exports.backup_contents import WRONG_SECRET
from osteo_edge.edge_app.history_work import (
    HANDED_OVER,
    RESTORING,
    TABLE_WRITTEN,
    backup_words,
    make_backup,
    needs_secret,
    restored_words,
    unpack,
    write_table,
)
from osteo_edge.edge_app.jobs import Progress, Task
from osteo_edge.edge_app.own_copies import shown_name
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.exports.in_place import Unpacked
    from osteo_edge.edge_app.history.query import Query
    from osteo_edge.edge_app.ui.copies import Copies
    from osteo_edge.edge_app.ui.screen import Screen

COPY: Final = "history copy"


class Copying:
    """Does on a `screen` what `copies` offers, one thing at a time, and shows there how far it is.

    `asked` gives what the list was asked for, which is what a table holds. `on_restored` is called when the screenings
    of a backup are in place.
    """

    def __init__(
        self, screen: Screen, copies: Copies, asked: Callable[[], Query], on_restored: Callable[[], None]
    ) -> None:
        self._screen, self._copies, self._asked, self._on_restored = screen, copies, asked, on_restored
        self._shell, self._clinic, self._jobs = screen.shell, screen.clinic, screen.jobs
        self._is_placing = False
        self._own_backup: Path | None = None
        self._locked_backup: Path | None = None
        copies.is_phone = self._shell.device is not None
        copies.bind(
            on_table=lambda *_: self._with_folder(self.save_table),
            on_backup=lambda *_: self._with_folder(self.save_backup),
            on_secret=lambda *_: self._try_secret(),
            on_cancel=lambda *_: self._stop(),
        )

    def save_table(self, folder: Path) -> None:
        """Write what is found as a table into a folder."""
        query = self._asked()
        self._copy(
            lambda task: write_table(self._clinic, query, folder, task),
            lambda path: self._written(path, say(TABLE_WRITTEN, path=path)),
        )

    def save_backup(self, folder: Path) -> None:
        """Back everything up into a folder."""
        self._copy(
            lambda task: make_backup(self._clinic, folder, task),
            lambda backup: self._written(backup.path, *backup_words(backup, say)),
        )

    def choose_backup(self) -> None:
        """Have the user choose a backup, and restore it."""
        device = self._shell.device
        if device is None:
            self._shell.go("files", kind="backup", on_chosen=self.ask_to_restore)
        else:
            take = self._screen.own_copy(self._ask_about_own)
            device.choose_document(take, self._shell.complain, most_bytes=MAX_BACKUP_BYTES)

    def ask_to_restore(self, backup: Path) -> None:
        """Restore a backup if the user, who has chosen it, means it."""
        words = say("The history of the backup {name} takes the place of this one.", name=shown_name(backup))
        self._shell.ask(say("Restore this backup?"), words, say("Restore"), lambda: self._look_into(backup))

    def ask_to_stop(self) -> None:
        """Stop what is going on if the user means it; what is being put in place cannot be stopped."""
        if not self._is_placing:
            words = say("What has been written of it is removed.")
            self._shell.ask(say("Stop?"), words, say("Stop"), self._stop, no=say("Go on"))

    def left(self) -> None:
        """The screen is left: drop what is going on."""
        self._jobs.cancel(COPY)
        self._drop_backup()

    def _copy(
        self,
        work: Callable[[Task], Any],
        on_result: Callable[[Any], None],
        on_error: Callable[[str], None] | None = None,
    ) -> None:
        copies = self._copies
        copies.ask_secret(False)
        copies.done, copies.message, copies.share, copies.is_busy, copies.scroll_y = "", "", -1, True, 1
        self._jobs.start(COPY, work, on_result, on_error or self._failed, self._progressed)

    def _progressed(self, progress: Progress) -> None:
        self._copies.share = -1 if progress.share is None else progress.share
        self._copies.message = say(progress.message)

    def _done(self, *lines: str) -> None:
        self._copies.is_busy, self._is_placing, self._locked_backup = False, False, None
        self._drop_backup()
        self._copies.done = "\n".join(lines)

    def _failed(self, line: str) -> None:
        self._done()
        self._shell.complain(line)

    def _stop(self) -> None:
        if not self._is_placing and self._jobs.cancel(COPY):
            self._done(say("Stopped."))

    def _with_folder(self, work: Callable[[Path], None]) -> None:
        if self._shell.device is not None:
            work(self._clinic.folders.outgoing)
        elif self._copies.is_elsewhere:
            self._shell.go("files", kind="folder", on_chosen=work)
        else:
            work(self._clinic.folders.exports)

    def _written(self, path: Path, *lines: str) -> None:
        """Tell where it is; on a phone, offer it to other apps, for nobody else can look there."""
        device = self._shell.device
        if device is None:
            self._done(*lines)
        else:
            self._done(say(HANDED_OVER), *lines[1:])
            device.send(path, self._shell.complain)

    def _ask_about_own(self, backup: Path) -> None:
        """Ask about a backup of which the app has a copy of its own."""
        self._drop_backup()
        self._own_backup = backup
        self.ask_to_restore(backup)

    def _drop_backup(self) -> None:
        """Remove the app's own copy of a backup, if there is one: it was restored, or nobody wants it."""
        backup, self._own_backup = self._own_backup, None
        if backup is not None:
            self._screen.remove(backup)

    def _look_into(self, backup: Path) -> None:
        """Restore a backup, once its PIN or recovery code is known where it needs one."""
        self._copy(lambda task: needs_secret(self._clinic, backup), lambda needs: self._begin_restore(backup, needs))

    def _begin_restore(self, backup: Path, needs_one: bool) -> None:
        if not needs_one:
            self._restore(backup)
            return
        self._copies.is_busy, self._locked_backup = False, backup
        self._copies.ask_secret(True)

    def _try_secret(self) -> None:
        backup, secret = self._locked_backup, self._copies.ids.secret.text.strip()
        if backup is not None and secret:
            self._restore(backup, secret)

    def _restore(self, backup: Path, secret: str | None = None) -> None:
        def fail(line: str) -> None:
            if line == WRONG_SECRET:
                self._copies.is_busy = False
                self._copies.ask_secret(True, say(line))
            else:
                self._failed(line)

        self._copy(lambda task: unpack(self._clinic, backup, secret, task), self._put_in_place, fail)

    def _put_in_place(self, unpacked: Unpacked) -> None:
        """From here on it is saved, and cannot be cancelled."""
        self._is_placing = True
        self._progressed(Progress(None, RESTORING))
        self._jobs.save(lambda: self._clinic.put_in_place(unpacked), self._restored, self._failed)

    def _restored(self, kept: Path | None) -> None:
        self._done(*restored_words(kept, say))
        self._on_restored()
