"""The bill of materials of this program's wheel: what it requires, and the files in it that are no modules."""

import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Final

from osteo_edge.bundle import parse_manifest
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_bytes, sha256_file
from osteo_edge.lock_file import Pin, plain
from osteo_edge.manifest import FILE_NAME
from osteo_edge.sbom import Component, licence_of, package, program, properties, stored_file, to_json
from osteo_edge.sbom_model import model_component

REQUIRED: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*([^;]*?)\s*(?:;\s*(.*))?$")
SOURCE: Final = ".py"
UNREADABLE: Final = (
    OSError,
    EOFError,
    RuntimeError,  # encrypted; and NotImplementedError: packed in a way that Python does not know
    UnicodeDecodeError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)
"""What Python raises for an archive that is damaged, or that it cannot unpack."""


def wheel_sbom(path: Path, pins: Sequence[Pin] = ()) -> bytes:
    """The document about a wheel; its models are components of their own.

    With the pins of a lock, what that installs, in its versions and with its hashes; otherwise what the wheel requires,
    in whichever version. `OsteoEdgeError` if the file is no wheel, `BundleError` if a model in it is damaged.
    """
    with _unpacking(path) as archive:
        about = _metadata_in(path, archive)
        models, files = list(_models(path, archive)), list(_files(archive))
    wheel = own_program(about, sha256_file(path))
    asked = about.get_all("Requires-Dist", [])
    packages = list(locked(pins) if pins else _required(asked))
    direct = {plain(match[1]) for line in asked if (match := REQUIRED.fullmatch(line))}
    depends = {wheel["bom-ref"]: [part["bom-ref"] for part in (*packages, *models) if _is_direct(part, direct)]}
    return to_json(wheel, [*packages, *models, *files], depends | _within(pins, packages))


def own_program(about: Message, digest: str) -> Component:
    """This program as a component, by the metadata of its wheel and the SHA-256 of that."""
    name, version = str(about["Name"]), str(about["Version"])
    licence = licence_of(dict(about.items()), about.get_all("Classifier", []))
    return program(name, version, f"pkg:pypi/{plain(name)}@{version}", digest, licence)


def locked(pins: Sequence[Pin]) -> Iterator[Component]:
    """The packages of a lock; one that is another on another Python is there in each version, with its marker."""
    for pin in pins:
        made = package(pin.name, pin.version, pins=[pin])
        yield made | ({"properties": properties({"marker": pin.marker})} if pin.marker else {})


def _required(lines: Iterable[str]) -> Iterator[Component]:
    found: dict[str, list[str]] = {}
    for line in lines:
        if match := REQUIRED.fullmatch(line):
            found.setdefault(plain(match[1]), []).append(line)
    for name, stated in found.items():
        made = package(name, None)
        made["scope"] = "optional" if all("extra ==" in line for line in stated) else "required"
        yield made | {"properties": properties({"requires": "; or ".join(stated)})}


def _within(pins: Sequence[Pin], packages: Sequence[Component]) -> dict[str, list[str]]:
    """Which package of a lock needs which."""
    refs: dict[str, list[str]] = {}
    for part in packages:
        refs.setdefault(part["name"], []).append(part["bom-ref"])
    depends: dict[str, list[str]] = {}
    for pin in pins:
        for asking in (ref for name in pin.via for ref in refs.get(name, [])):
            depends.setdefault(asking, []).append(f"pkg:pypi/{pin.name}@{pin.version}")
    return depends


def _is_direct(part: Component, direct: set[str]) -> bool:
    return part["type"] == "machine-learning-model" or part["name"] in direct


def metadata_of(path: Path) -> Message:
    """What a wheel says of itself; `OsteoEdgeError` if it is no wheel, or cannot be unpacked."""
    with _unpacking(path) as archive:
        return _metadata_in(path, archive)


def parse_metadata(content: bytes, source: str) -> Message:
    """What a package says of itself in its METADATA; `OsteoEdgeError` about `source` if it has no name or version."""
    about = Parser().parsestr(content.decode("utf-8", "replace"))
    if not (about["Name"] and about["Version"]):
        raise OsteoEdgeError(f"{source}: tells no name and version; make the wheel again")
    return about


@contextmanager
def _unpacking(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except UNREADABLE as error:
        raise OsteoEdgeError(f"{path}: cannot be read as a wheel ({error}); make it again") from error


def _metadata_in(path: Path, archive: zipfile.ZipFile) -> Message:
    name = next((name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)), None)
    if name is None:
        raise OsteoEdgeError(f"{path}: is no wheel: it holds no METADATA")
    return parse_metadata(archive.read(name), f"{path / name}")


def _models(path: Path, archive: zipfile.ZipFile) -> Iterator[Component]:
    for name in sorted(archive.namelist()):
        if name.endswith(f"/{FILE_NAME}"):
            folder = name.removesuffix(FILE_NAME)
            manifest = parse_manifest(path / name, archive.read(name))
            found = f"{folder}{manifest.model.file}"
            if found not in archive.namelist() or sha256_bytes(archive.read(found)) != manifest.model.sha256:
                raise OsteoEdgeError(
                    f"{path / found}: not the model that the manifest beside it names; make the wheel again"
                )
            yield model_component(manifest)


def _files(archive: zipfile.ZipFile) -> Iterator[Component]:
    for name in sorted(archive.namelist()):
        if not name.endswith(("/", SOURCE)) and ".dist-info/" not in name:
            yield stored_file(name, sha256_bytes(archive.read(name)))
