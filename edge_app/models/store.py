"""The folder of the installed bundles: each in a folder of its own, and a pointer to the one in use.

    models/knee-28e1b70796b0/     a bundle, under its name and the start of its hash
    models/in_use.json            which of them is in use; replaced in one step

The bundle in the package is always there too, as `DEMO`: it is in use until another one is.
"""

import filecmp
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from osteo_edge.audit_log import Value
from osteo_edge.bundle import SIGNATURE_NAME, Bundle, read_manifest
from osteo_edge.durable import remove, sync_folder, write_durably
from osteo_edge.edge_app.audit_trail import Tell, What, tell_nobody
from osteo_edge.edge_app.demo_bundle import FOLDER as DEMO_FOLDER
from osteo_edge.edge_app.demo_bundle import demo_bundle
from osteo_edge.edge_app.models.description import Model, describe
from osteo_edge.edge_app.models.newest import note_newest, refuse_older
from osteo_edge.edge_app.models.transfer import Progress, copy_bundle
from osteo_edge.edge_app.models.trial import read_usable, require_usable, try_out
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.locking import sole_use
from osteo_edge.manifest import FILE_NAME
from osteo_edge.trust import require_trusted, trusted_folder

DEMO: Final = "demo"
POINTER: Final = "in_use.json"
SCHEMA: Final = 1
BUSY: Final = "another window is changing the models; wait until it is done"


@dataclass(frozen=True)
class Damaged:
    """An installed bundle that cannot be described, and why."""

    id: str
    problem: str


@dataclass(frozen=True)
class InUse:
    """The bundle in use, verified; `problem` is why it is the demonstration and not the one that was chosen."""

    id: str
    bundle: Bundle
    problem: str | None = None


@dataclass(frozen=True)
class Installed:
    """A bundle that has been installed; `was_there` if the very same one had been before."""

    model: Model
    was_there: bool


class ModelStore:
    """The bundles installed in `folder`, made when the first one comes. Several programs may use it at once.

    `tell` records a change before it takes place.
    """

    def __init__(self, folder: Path, tell: Tell = tell_nobody) -> None:
        self._folder, self._tell = folder, tell

    def models(self) -> tuple[Model | Damaged, ...]:
        """All that are installed, in order of name and version, and the demonstration last. Only manifests are read."""
        found = [self._describe(place) for place in self._places()]
        models = [one for one in found if isinstance(one, Model)]
        models.sort(key=lambda model: (model.name, model.version, model.id))
        return (*models, replace(describe(DEMO_FOLDER), id=DEMO), *(one for one in found if isinstance(one, Damaged)))

    def in_use(self) -> InUse:
        """The bundle to screen with. One that is damaged or gone is never used: the demonstration is, and says why."""
        try:
            chosen = self.chosen()
            return InUse(chosen, self._verified(chosen))
        except BundleError as error:
            return InUse(DEMO, demo_bundle(), str(error))

    def chosen(self) -> str:
        """The id of the bundle that was chosen; `BundleError` where what is written there cannot be read."""
        path = self._folder / POINTER
        try:
            written = json.loads(path.read_bytes())
            if written.keys() != {"schema", "id"} or written["schema"] != SCHEMA:
                raise ValueError("not as this version writes it")
            chosen = str(written["id"])
        except FileNotFoundError:
            return DEMO
        except OSError as error:
            raise BundleError(f"{path}: cannot be read ({error.strerror or error}); choose a model again") from error
        except (ValueError, AttributeError, RecursionError) as error:
            raise BundleError(f"{path}: does not say which model is in use ({error}); choose one again") from error
        if chosen != DEMO:
            self._place(chosen)
        return chosen

    def use(self, model_id: str) -> Bundle:
        """Verify a bundle and take it into use, in one step; `BundleError` if it is damaged or not installed.

        On a device in locked mode also if it is older than one of its name that was in use.
        """
        with self._sole_use():
            bundle = self._verified(model_id)
            if trusted_folder() is not None:
                self._note_chosen()
                if model_id != DEMO:
                    refuse_older(self._folder, bundle.manifest, POINTER)
                    note_newest(self._folder, bundle.manifest)
            self._tell(What.MODEL_CHOSEN, **_recorded(model_id, bundle))
            written = json.dumps({"schema": SCHEMA, "id": model_id}) + "\n"
            write_durably(self._folder / POINTER, written.encode(), "the choice of the model")
        return bundle

    def install(self, source: Path, *, on_progress: Progress = lambda share: None) -> Installed:
        """Install the bundle in the folder `source`; it is not taken into use by that.

        It is copied under a hidden name, verified to the last byte there, loaded, and has to answer a drawn film;
        then it appears in one step. A damaged one of the same content is replaced, and one that lacks this signature,
        which the device may be told to ask for later. Raises `BundleError` where it is no bundle that can be used here,
        or where `source` is gone in the middle, and `OsteoEdgeError` for want of space.
        """
        require_usable(source, read_manifest(source))
        with self._sole_use(), self._scratch() as scratch:
            copy_bundle(source, scratch, on_progress)
            with _named(scratch, source):
                bundle, _ = try_out(scratch)
                model = describe(scratch)
            place = self._folder / model.id
            was_there = self._is_sound(model.id) and not _brings_signature(scratch, place)
            if not was_there:
                self._tell(What.MODEL_INSTALLED, **_recorded(model.id, bundle))
                self._remove(place)
                scratch.rename(place)
                sync_folder(self._folder)
        return Installed(replace(model, path=place), was_there)

    def uninstall(self, model_id: str) -> None:
        """Remove a bundle; `BundleError` if it is in use, is the demonstration, or is not there."""
        with self._sole_use():
            if model_id == DEMO:
                raise BundleError("The demonstration is a part of the program and cannot be taken out")
            place = self._place(model_id)
            if self._chosen_or_none() == model_id:
                raise BundleError(f"{model_id}: in use; choose another model first")
            self._tell(What.MODEL_REMOVED, id=model_id, model=_sha256_of(place))
            self._remove(place)

    def tidy(self) -> None:
        """Remove what a killed program has left half-done, unless another one is changing the models now."""
        if self._folder.is_dir():
            with suppress(OsteoEdgeError), self._sole_use():
                pass

    def _place(self, model_id: str) -> Path:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,99}", model_id) or self._folder / model_id not in self._places():
            raise BundleError(f"{model_id[:100]}: no such model is installed; choose another one")
        return self._folder / model_id

    def _places(self) -> list[Path]:
        try:
            return sorted(place for place in self._folder.iterdir() if place.is_dir() and place.name[0] != ".")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise BundleError(f"{self._folder}: cannot be read ({error.strerror or error}); check the disk") from error

    def _describe(self, place: Path) -> Model | Damaged:
        try:
            return replace(describe(place), id=place.name)
        except BundleError as error:
            return Damaged(place.name, str(error))

    def _verified(self, model_id: str) -> Bundle:
        """The bundle, whole and as it was installed; the hash in its id is of the manifest, which lists the others."""
        if model_id == DEMO:
            return demo_bundle()
        place = self._place(model_id)
        bundle = read_usable(place)
        if describe(place).id != model_id:
            raise BundleError(f"{place / FILE_NAME}: altered since it was installed; install the model again")
        return bundle

    def _is_sound(self, model_id: str) -> bool:
        try:
            self._verified(model_id)
        except BundleError:
            return False
        return True

    def _note_chosen(self) -> None:
        """Note the model that is in use, which may have been chosen before the device was locked."""
        with suppress(OsteoEdgeError):  # it may be damaged; a record that cannot be read is told of where it is asked
            chosen = self.chosen()
            if chosen != DEMO:
                note_newest(self._folder, self._verified(chosen).manifest)

    def _chosen_or_none(self) -> str | None:
        try:
            return self.chosen()
        except BundleError:
            return None

    @contextmanager
    def _sole_use(self) -> Iterator[None]:
        """Keep others from changing the folder; what a killed program left half-done is tidied away."""
        with sole_use(self._folder, BUSY, place="folder"):
            for left in self._folder.glob(".*.partial"):
                with suppress(OSError):
                    remove(left)
            yield

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        """A hidden place for a new folder; what is still there at the end is removed."""
        scratch = self._hidden()
        try:
            yield scratch
        except OSError as error:
            raise OsteoEdgeError(f"{self._folder}: cannot be written ({error.strerror or error})") from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _remove(self, place: Path) -> None:
        """Remove a folder, which disappears in one step."""
        if not place.exists():
            return
        gone = self._hidden()
        try:
            place.rename(gone)
            sync_folder(self._folder)
        except OSError as error:
            raise OsteoEdgeError(f"{place}: cannot be removed ({error.strerror or error})") from error
        shutil.rmtree(gone, ignore_errors=True)

    def _hidden(self) -> Path:
        return self._folder / f".{os.urandom(4).hex()}.partial"


def _brings_signature(new: Path, old: Path) -> bool:
    """Whether a bundle has a signature that the one of the same content lacks."""
    brought, there = new / SIGNATURE_NAME, old / SIGNATURE_NAME
    return brought.is_file() and not (there.is_file() and filecmp.cmp(brought, there, shallow=False))


@contextmanager
def _named(scratch: Path, source: Path) -> Iterator[None]:
    """What is wrong with the copy is said of what it was copied from."""
    try:
        yield
    except BundleError as error:
        raise BundleError(str(error).replace(str(scratch), str(source))) from error


def _recorded(model_id: str, bundle: Bundle) -> dict[str, Value]:
    """What is recorded of a bundle: the hash of its model, and on a device in locked mode whose key has signed it."""
    key = None if model_id == DEMO else require_trusted(bundle)
    about: dict[str, Value] = {"id": model_id, "model": bundle.manifest.model.sha256}
    return about if key is None else about | {"signed_by": key.name, "key": key.hint}


def _sha256_of(place: Path) -> str | None:
    """The hash of an installed model, by its manifest; None where that cannot be read."""
    try:
        return read_manifest(place).model.sha256
    except BundleError:
        return None
