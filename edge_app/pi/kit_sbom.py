"""The bill of materials of a kit for the Raspberry Pi: the packages in its archives, the program and the model."""

import lzma
import re
import tarfile
from collections.abc import Iterator, Sequence
from email.message import Message
from pathlib import Path
from typing import Final

from osteo_edge.bundle import read_bundle
from osteo_edge.edge_app.pi.kit import AGAIN, KIT_FILE, Kit, KitError, Progress, read_kit, verify_kit
from osteo_edge.lock_file import Pin, plain
from osteo_edge.sbom import Component, licence_of, package, properties, sha256, stored_file, to_json
from osteo_edge.sbom_model import model_component
from osteo_edge.sbom_wheel import REQUIRED, metadata_of, own_program, parse_metadata

METADATA: Final = re.compile(r"[^/]+\.dist-info/METADATA")
Packages = dict[str, tuple[Message, tuple[str, ...]]]
"""By purl, what a package says of itself, and the archives that hold it."""


def kit_sbom(path: Path, pins: Sequence[Pin] = (), on_progress: Progress = lambda *_: None) -> bytes:
    """The document about the kit in a folder; every byte of it is verified first, `KitError` if one is amiss.

    A package's own files are known by the archive that holds them; with the pins of a lock, also by the hashes of the
    wheels that the index has.
    """
    kit = read_kit(path)
    verify_kit(kit, on_progress)
    own = next((name for name in kit.contents.files if name.endswith(".whl")), None)
    if own is None:
        raise KitError(f"{path}: holds no wheel of osteo-edge; {AGAIN}")
    about_own = metadata_of(path / own)
    program = own_program(about_own, kit.contents.files[own].sha256)
    model = model_component(read_bundle(path / "bundle").manifest)
    found = _packages(kit)
    packages = [_component(about, archives, pins) for about, archives in found.values()]
    files = [stored_file(name, file.sha256) for name, file in kit.contents.files.items()]
    subject = _subject(kit)
    depends = {subject["bom-ref"]: [program["bom-ref"], model["bom-ref"]]}
    depends |= _needs(program["bom-ref"], about_own, found)
    for ref, (about, _) in found.items():
        depends |= _needs(ref, about, found)
    return to_json(subject, [program, model, *packages, *files], depends)


def _subject(kit: Kit) -> Component:
    contents = kit.contents
    told = {"machine": contents.machine, "pythons": ", ".join(contents.packages), "made-at": contents.made_at}
    return {
        "type": "application",
        "bom-ref": f"kit:{kit.digest}",
        "name": "osteo-edge-pi",
        "version": kit.name,
        "description": f"for the Raspberry Pi, with the model {contents.bundle}; the hash is that of {KIT_FILE}",
        "hashes": [sha256(kit.digest)],
        "properties": properties(told),
    }


def _packages(kit: Kit) -> Packages:
    found: Packages = {}
    archives = sorted({name for names in kit.contents.packages.values() for name in names if name.endswith(".tar.xz")})
    for archive in archives:
        for about in _metadata_in(kit.path / archive):
            purl = f"pkg:pypi/{plain(str(about['Name']))}@{about['Version']}"
            found[purl] = about, (*found.get(purl, (about, ()))[1], archive)
    return found


def _metadata_in(pack: Path) -> Iterator[Message]:
    try:
        with tarfile.open(pack, "r|xz") as archive:
            for member in archive:
                source = archive.extractfile(member) if METADATA.fullmatch(member.name) else None
                if source is not None:
                    yield parse_metadata(source.read(), f"{pack / member.name}")
    except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
        raise KitError(f"{pack}: cannot be unpacked ({error}); {AGAIN}") from error


def _component(about: Message, archives: Sequence[str], pins: Sequence[Pin]) -> Component:
    licence = licence_of(dict(about.items()), about.get_all("Classifier", []))
    made = package(str(about["Name"]), str(about["Version"]), licence=licence, pins=pins)
    return made | {"properties": properties({"archives": ", ".join(archives)})}


def _needs(ref: str, about: Message, found: Packages) -> dict[str, list[str]]:
    """Those packages of the kit that one of them requires, in whichever of its extras."""
    names = {plain(match[1]) for line in about.get_all("Requires-Dist", []) if (match := REQUIRED.fullmatch(line))}
    return {ref: [purl for purl, (other, _) in found.items() if plain(str(other["Name"])) in names and purl != ref]}
