"""A model and all that is known of it, in a folder that is written whole or not at all and verified at each load."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from osteo_edge.durable import make_folder, remove_partials, sync_folder
from osteo_edge.errors import BundleError
from osteo_edge.hashing import sha256_bytes, sha256_file
from osteo_edge.manifest import CARD_NAME, FILE_NAME, Manifest
from osteo_edge.strict import FieldError
from osteo_edge.writable import require_writable

MAX_MANIFEST_BYTES = 1 << 20
SIGNATURE_NAME = "model.sig"
UNLISTED = (FILE_NAME, SIGNATURE_NAME)
"""What the manifest cannot list: itself, and the signature that is made of all other files (`osteo_edge.signature`)."""


@dataclass(frozen=True)
class Bundle:
    """A verified bundle: its folder and its manifest."""

    path: Path
    manifest: Manifest

    @property
    def model_path(self) -> Path:
        return self.path / self.manifest.model.file


def read_bundle(path: Path) -> Bundle:
    """Read and verify the bundle in `path`; `BundleError` names the file and the field that is not as it should be."""
    manifest = read_manifest(path)
    expected = {manifest.model.file: manifest.model.sha256, **manifest.files}
    with _reading(path):
        for name, digest in expected.items():
            _verify(path / name, digest)
        extra = sorted(entry.name for entry in path.iterdir() if entry.name not in {*expected, *UNLISTED})
    if extra:
        raise BundleError(f"{path / extra[0]}: not listed in the bundle's manifest; take it out of the folder")
    return Bundle(path, manifest)


def read_manifest(path: Path) -> Manifest:
    """Read the manifest of the bundle in the folder `path`, without looking at the other files."""
    file = path / FILE_NAME
    with _reading(path):
        if not path.is_dir():
            what = "a file, not a bundle folder" if path.exists() else "no such bundle"
            raise BundleError(f"{path}: {what}; name the folder that `osteo-edge train` or `convert` wrote")
        if not file.is_file():
            raise BundleError(f"{path}: not a bundle: it holds no {FILE_NAME}")
        if file.stat().st_size > MAX_MANIFEST_BYTES:
            raise BundleError(f"{file}: larger than {MAX_MANIFEST_BYTES:,} bytes; copy the bundle again")
        content = file.read_bytes()
    return parse_manifest(file, content)


def parse_manifest(file: Path, content: bytes) -> Manifest:
    """The manifest in the bytes of `file`; `BundleError` for what is none."""
    try:
        return Manifest.from_dict(_parse(content))
    except FieldError as error:
        raise BundleError(f"{file}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{file}: not readable as JSON ({error}); copy the bundle again") from error


def read_model(bundle: Bundle) -> bytes:
    """The model's bytes, which are those that the manifest names: nobody can exchange them any more."""
    with _reading(bundle.path):
        content = bundle.model_path.read_bytes()
    _require_same(bundle.model_path, sha256_bytes(content), bundle.manifest.model.sha256)
    return content


def write_bundle(path: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Bundle:
    """Write a bundle to the new folder `path`: `files` (the model among them), the model card and the manifest.

    The manifest's `files` are filled in here. Everything goes into a temporary folder beside `path` that is renamed
    at the end, so a killed writer or a full disk leaves no half bundle. `BundleError` if `path` exists or cannot be
    written.
    """
    from osteo_edge.model_card import render_card  # not above: each screening reads a bundle, and writes no card

    require_free(path)
    contents = {**files, CARD_NAME: render_card(manifest).encode()}
    others = {name: sha256_bytes(data) for name, data in contents.items() if name != manifest.model.file}
    manifest = replace(manifest, files=others)
    contents[FILE_NAME] = (json.dumps(manifest.to_dict(), indent=2, allow_nan=False) + "\n").encode()
    try:
        _write_folder(path, contents)
    except OSError as error:
        raise BundleError(f"{path}: cannot be written ({error.strerror or error}); nothing was left behind") from error
    return Bundle(path, manifest)


def require_free(path: Path) -> None:
    """Raise `BundleError` if something is at `path`, or nothing can be: worth knowing before hours of training."""
    if path.is_symlink() or path.exists():
        raise BundleError(f"{path}: exists already; choose another --out or remove it first")
    require_writable(path, error=BundleError)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """What the system refuses while a bundle is read, as a `BundleError`."""
    try:
        yield
    except OSError as error:
        raise BundleError(f"{error.filename or path}: cannot be read ({error.strerror or error})") from error


def _parse(content: bytes) -> Any:
    """Strict JSON: neither NaN nor infinity, and no field twice."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no JSON number")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            raise ValueError("a field stands there twice")
        return fields

    return json.loads(content.decode("utf-8"), parse_constant=refuse, object_pairs_hook=unique)


def _write_folder(path: Path, contents: Mapping[str, bytes]) -> None:
    make_folder(path.parent)
    remove_partials(path.parent, is_shared=True)
    place = path.with_name(f".{path.name}.{os.urandom(4).hex()}.partial")
    place.mkdir()
    try:
        for name, data in contents.items():
            _write_durably(place / name, data)
        sync_folder(place)
        place = place.rename(path)
        sync_folder(path.parent)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _verify(file: Path, digest: str) -> None:
    if not file.is_file():
        raise BundleError(f"{file}: missing from the bundle; copy the bundle again")
    _require_same(file, sha256_file(file), digest)


def _require_same(file: Path, found: str, digest: str) -> None:
    if found != digest:
        raise BundleError(f"{file}: altered since the bundle was written (its SHA-256 differs); copy the bundle again")
