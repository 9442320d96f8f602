"""What the screens of the app work on, without a window: the settings, the history, the models, and a screening.

Importing this module is light, since the home screen waits for it; what is heavy is imported by what needs it, on a
worker thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from osteo_edge.durable import remove_partials
from osteo_edge.edge_app.access import Access
from osteo_edge.edge_app.audit_trail import AuditTrail, What
from osteo_edge.edge_app.folders import Folders, remove_old
from osteo_edge.edge_app.kept_settings import KeptSettings
from osteo_edge.errors import OsteoEdgeError, RadiographError
from osteo_edge.version import VERSION

if TYPE_CHECKING:
    from osteo_edge.audit_log import Value
    from osteo_edge.edge_app.arriving import Inbox
    from osteo_edge.edge_app.browsing.places import Place
    from osteo_edge.edge_app.browsing.thumbnails import Thumbnails
    from osteo_edge.edge_app.exports.in_place import Unpacked
    from osteo_edge.edge_app.film_reader import FilmReader
    from osteo_edge.edge_app.history.entry import Entry, Patient
    from osteo_edge.edge_app.history.images import Picture
    from osteo_edge.edge_app.history.store import History, Record
    from osteo_edge.edge_app.history.vault import Vault
    from osteo_edge.edge_app.models.store import ModelStore
    from osteo_edge.edge_app.open_windows import OpenWindow
    from osteo_edge.edge_app.pin import PinHash, PinLock, Verdict
    from osteo_edge.edge_app.running_forms import RunningForms
    from osteo_edge.edge_app.settings import Settings
    from osteo_edge.manifest import Manifest
    from osteo_edge.radiograph import Radiograph
    from osteo_edge.runtime import Interpreter
    from osteo_edge.screening import Screening

FILM_REPLACED: Final = "Another film has taken the place of this one. Look at the list again."


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """The model in use, ready to answer for a film, and the bone on it if that was named.

    `problem` is why it is the demonstration and not the one that was chosen.
    """

    id: str
    manifest: Manifest
    is_demo: bool
    answer: Callable[[Path, str | None], tuple[Radiograph, Screening]]
    problem: str | None = None


@dataclass(frozen=True, eq=False)
class Answered:
    """A film with its answer, not saved yet: the file's bytes as they were screened, its pixels, and the answer."""

    path: Path
    picture: Picture
    radiograph: Radiograph
    screening: Screening
    manifest: Manifest
    is_demo: bool


class Clinic:
    """One data folder, opened for the screens.

    `settings` and `note` are for the window's thread; the methods that read or write anything else may take long and
    may be called from any thread. `note` is a line that the user must be told on opening, or None. `bundle` is used
    instead of the installed models, for this run only; `shipped` is one that the app itself comes with, which is
    installed.

    What is done is on record in `trail` before it is acknowledged; what cannot be recorded is not done, and raises
    `OsteoEdgeError`.
    """

    def __init__(self, folders: Folders, *, bundle: Path | None = None, shipped: Path | None = None) -> None:
        self.folders = folders
        self.bundle, self.shipped = bundle, shipped
        self._model_turn = threading.RLock()
        self._kept = KeptSettings(folders.settings, self._tell)
        self.note = self._kept.note
        self.trail = AuditTrail(
            folders.audit,
            has_pin=lambda: self.access.has_pin,
            software=f"osteo-edge {VERSION}",
            model_named=bundle is not None,
            settings_lost=self.note is not None,
        )
        self.access = Access(folders, self._kept, self.trail)
        self.last_folders: dict[str, tuple[Place, Path]] = {}
        """Where something was chosen last, by what it was."""
        self._inbox: Inbox | None = None
        self._model: LoadedModel | None = None

    @property
    def settings(self) -> Settings:
        """Those on the disk, also if another window has written them; if they cannot be read, the last ones."""
        return self._kept.now

    @cached_property
    def window(self) -> OpenWindow:
        """This window, for others on the same data folder."""
        from osteo_edge.edge_app.open_windows import OpenWindow

        return OpenWindow(self.folders.windows)

    @cached_property
    def forms(self) -> RunningForms:
        from osteo_edge.edge_app.running_forms import RunningForms

        return RunningForms(self.history, self.window, self.folders.windows)

    @cached_property
    def pin_lock(self) -> PinLock:
        from osteo_edge.edge_app.pin import PinLock

        return PinLock(self.folders.pin_attempts)

    @cached_property
    def models(self) -> ModelStore:
        from osteo_edge.edge_app.models.store import ModelStore

        return ModelStore(self.folders.models, self.trail.note)

    @cached_property
    def thumbnails(self) -> Thumbnails:
        from osteo_edge.edge_app.browsing.thumbnails import Thumbnails

        return Thumbnails(self.reader, self.reader.decode)

    @cached_property
    def reader(self) -> FilmReader:
        from osteo_edge.edge_app.film_reader import FilmReader

        return FilmReader(tell=logging.getLogger(__name__).warning)

    def inbox(self, folder: Path) -> Inbox:
        """The films that wait in the watched folder: the same object for the same folder; for one thread at a time."""
        from osteo_edge.edge_app.arriving import Inbox

        if self._inbox is None or self._inbox.folder != folder:
            self._inbox = Inbox(folder, self.folders.dismissed, lambda films: self.history().screened(films))
        return self._inbox

    def change(self, **changes: Any) -> Settings:
        """Change settings, which are on the disk when this returns; `OsteoEdgeError` if the disk does not take them.

        What another window has set besides stays.
        """
        changed = self._kept.change(**changes)
        if "threads" in changes:
            self.forget_model()
        return changed

    def set_pin(self, pin: PinHash | None, *, in_place_of: PinHash | None) -> Settings:
        """Set a PIN, or none, in place of the one that was asked for, or of none.

        `OsteoEdgeError` if another window has set another one meanwhile, or the disk does not take it.
        """
        changed = self._kept.set_pin(pin, in_place_of=in_place_of)
        if pin is None:
            self.trail.leave()
        else:
            self.trail.enter()
        return changed

    def check_pin(self, pin: str, known: PinHash | Vault) -> tuple[Verdict, float]:
        """Whether it is the PIN, and how many seconds to wait before the next one may be tried.

        The right one of an encrypted history opens that.
        """
        verdict = self.access.check(pin, known, self.pin_lock)
        if verdict == "wrong":
            self.trail.note(What.WRONG_PIN)
        elif verdict == "right":
            self.trail.enter()
        return verdict, self.pin_lock.wait_s()

    def history(self) -> History:
        """The history, opened at the first call; `HistoryError` where it cannot be, or is encrypted and locked."""
        return self.access.history()

    def model(self) -> LoadedModel:
        """The model in use, loaded at the first call; raises `BundleError` where `bundle` cannot be used."""
        with self._model_turn:
            if self._model is None:
                self._model = self._load()
            return self._model

    def forget_model(self) -> None:
        """Load the model anew at the next call: another one is in use, or another number of threads."""
        with self._model_turn:
            self._model = None

    def screen(
        self,
        path: Path,
        *,
        sha256: str | None = None,
        bone: str | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> Answered:
        """Screen one film; `check` is called between the steps, and what it raises ends the work.

        A `bone` that was named is believed if the model knows it: another one may have been in use when it was named.

        `RadiographError` for what is no readable film, and for one that is not that of the hash `sha256`, if given.
        """
        from osteo_edge.edge_app.bone_words import bones_of
        from osteo_edge.edge_app.history.images import picture_of

        model = self.model()
        check()
        try:
            picture = picture_of(path)
        except RadiographError:
            self.trail.note(What.NOT_READABLE, image=None)
            raise
        if sha256 not in (None, picture.sha256):
            self.trail.note(What.REPLACED, image=picture.sha256)
            raise RadiographError(FILM_REPLACED)
        check()
        known = bone if bone in bones_of(model.manifest) else None
        radiograph, screening = self._answer(model, path, picture, known)
        return Answered(path, picture, radiograph, screening, model.manifest, model.is_demo)

    def record(self, answered: Answered, *, patient: Patient, note: str = "") -> Record:
        """What there is to save of an answer: its film, its evidence, and the entry by whose id it will be found.

        Of the film's file the picture alone is kept, without what tells of the patient.
        """
        from osteo_edge.edge_app.history.images import Picture
        from osteo_edge.edge_app.history.saving import record_of
        from osteo_edge.edge_app.kept_film import kept_film
        from osteo_edge.overlay import encode_evidence

        evidence = answered.screening.evidence
        return record_of(
            answered.screening,
            answered.radiograph,
            answered.manifest,
            answered.picture,
            kept=kept_film(answered.picture, answered.path, self.folders.uid_key),
            overlay=None if evidence is None else Picture(encode_evidence(evidence), ".png"),
            patient=patient,
            note=note,
        )

    def save(self, record: Record, *, draft_id: str | None = None) -> Entry:
        """Save a record: it is on the disk when this returns, and once, however often it is saved.

        `HistoryError` if the disk does not take it.
        """
        self.history().add(record, draft_id=draft_id)
        if draft_id is not None:
            self.forms.end(draft_id)
        return record.entry

    def may_restore(self) -> bool:
        """Whether a backup may take the place of the history: nothing would be lost by it."""
        from osteo_edge.edge_app.exports.in_place import may_restore

        return may_restore(self.history(), self.folders.history)

    def unpack_backup(
        self, backup: Path, *, secret: str | None = None, on_progress: Callable[[float], None] = lambda share: None
    ) -> Unpacked:
        """Unpack and check a backup beside the history, for `put_in_place`.

        `secret` is the PIN or the recovery code of an encrypted one: `BackupLockedError` where it is needed, or wrong.
        `OsteoEdgeError` for what is no backup, a history that is not empty, or a disk that is in the way. What
        `on_progress` raises ends it; then nothing is left.
        """
        from osteo_edge.edge_app.exports.in_place import NOT_EMPTY, unpack_beside
        from osteo_edge.edge_app.history.errors import HistoryError

        if not self.may_restore():
            raise HistoryError(f"{self.folders.history}: {NOT_EMPTY}")
        return unpack_beside(backup, self.folders.history, on_progress, keys=self.access.keys, secret=secret)

    def put_in_place(self, unpacked: Unpacked) -> Path | None:
        """Let an unpacked backup take the place of the history; where the old folder was kept, if there was damage.

        `HistoryError` where that cannot be; the history is then as it was. `NotConfirmedError` where it was done, and
        may not be on the disk.
        """
        from osteo_edge.edge_app.exports.in_place import put_in_place
        from osteo_edge.edge_app.history.errors import NotConfirmedError

        kept, doubt = None, None
        with self.access.closed():
            try:
                kept = put_in_place(unpacked, self.folders.history, self.trail.note, keys=self.access.keys)
            except NotConfirmedError as error:
                doubt = error
            if self.access.keys is None and unpacked.keys is not None:
                self.access.adopt(unpacked.keys)
        if doubt is not None:
            raise doubt
        return kept

    def tidy(self) -> None:
        """Remove what a power cut has left: images that no screening names, and what `tidy_locked` removes."""
        self.tidy_locked()
        self.models.tidy()
        self.history().sweep()

    def tidy_locked(self) -> None:
        """Remove what needs no PIN to go, since it may be in clear: photos of films that nobody saved, what was handed
        to another app, half-written files, and what an exchange of histories that was cut short has left."""
        from osteo_edge.edge_app.history.errors import told
        from osteo_edge.edge_app.history.exchange import remove_unfinished
        from osteo_edge.edge_app.history.opening import DAMAGED

        remove_old(self.folders.photos)
        remove_old(self.folders.outgoing)
        for folder in (self.folders.root, self.folders.history, self.folders.exports):
            remove_partials(folder)
        with told(self.folders.history, "what was left beside it was not removed"):
            remove_unfinished(self.folders.history, DAMAGED)

    def close(self) -> None:
        """Close the history; whoever still works on it gets a `HistoryError`."""
        self.access.close()
        self._model = None
        self.window.close()
        self.reader.close()
        self.trail.end()

    def _tell(self, what: What, /, **about: Value) -> None:
        self.trail.note(what, **about)

    def _answer(
        self, model: LoadedModel, path: Path, picture: Picture, bone: str | None
    ) -> tuple[Radiograph, Screening]:
        try:
            radiograph, screening = model.answer(path, bone)
        except RadiographError:
            self.trail.note(What.NOT_READABLE, image=picture.sha256, model=model.manifest.model.sha256)
            raise
        self.trail.note(
            What.SCREENED, image=screening.image_sha256, model=screening.model_sha256, outcome=screening.outcome
        )
        return radiograph, screening

    def _bring_shipped(self) -> str | None:
        """Install the model that the app comes with; why that could not be, which keeps nobody from the others."""
        from osteo_edge.edge_app.models.shipped import bring_shipped

        if self.shipped is None:
            return None
        try:
            bring_shipped(self.models, self.shipped, self.folders.models)
        except OsteoEdgeError as error:
            logging.getLogger(__name__).warning("the model of the app cannot be used: %s", error)
            return str(error)
        return None

    def _load(self) -> LoadedModel:
        from osteo_edge.edge_app.demo_bundle import is_demo
        from osteo_edge.edge_app.models.trial import read_usable
        from osteo_edge.edge_app.opening import open_model
        from osteo_edge.screening import screen

        if self.bundle is not None:
            model_id, bundle, problem = str(self.bundle), read_usable(self.bundle), None
        else:
            not_shipped = self._bring_shipped()
            used = self.models.in_use()
            model_id, bundle, problem = used.id, used.bundle, used.problem or not_shipped
        interpreter: Interpreter = open_model(
            bundle,
            mark=self.folders.gpu_trial,
            threads=self.settings.threads,
            tell=logging.getLogger(__name__).warning,
        )
        self.reader.start()
        turn = threading.Lock()  # an interpreter is of one thread at a time

        def answer(path: Path, bone: str | None) -> tuple[Radiograph, Screening]:
            with turn:
                return screen(path, bundle, interpreter, bone, read=self.reader)

        return LoadedModel(model_id, bundle.manifest, is_demo(bundle.manifest), answer, problem)
