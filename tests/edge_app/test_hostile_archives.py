"""Archives and lists made to write elsewhere, over something or without end: each is one line, and leaves nothing."""

import io
import json
import lzma
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.edge_app.exports.backup_contents import BackupError
from osteo_edge.edge_app.exports.restoring import restore_backup
from osteo_edge.edge_app.models.store import ModelStore
from osteo_edge.edge_app.models.zipped import bring_zipped
from osteo_edge.edge_app.pi.kit import KitError, read_kit
from osteo_edge.edge_app.pi.unpacking import unpack_packages
from osteo_edge.errors import BundleError, OsteoEdgeError
from tests.edge_app.pi.bare_kit import bare_kit
from tests.fuzz.registry import corpus

PACK, WHEEL = "any.tar.xz", "own.whl"
ROOM = 1 << 20
BAD_NAMES = (
    "../out", "/out", "a/../../out", "a//out", "./out", "a/.", "", "..", "a\\..\\out", "C:out", "con", "aux.txt",
    "a/NUL", "com1.whl", "a\nb", "a\0b", "\x1b[2J", "x" * 300, "a.", "\ud800",
)  # fmt: skip


def refused(folder: Path, name: str) -> str:
    """What is said of an archive that must not be unpacked, and that nothing was written outside the packages."""
    place = folder / "place"
    with pytest.raises(KitError, match="cannot be unpacked") as caught:
        unpack_packages(bare_kit(folder, name, installed_bytes=ROOM), "3.11", place / "lib")
    assert str(caught.value).isprintable()
    assert {path.name for path in folder.iterdir()} <= {name, "place"}
    assert {path.name for path in place.glob("*")} <= {"lib"}
    return str(caught.value)


def pack(folder: Path, *members: tuple[str, bytes, bytes, str]) -> str:
    """A pack of members: name, type, content, and what it links to."""
    with tarfile.open(folder / PACK, "w:xz") as archive:
        for name, kind, content, link in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, link, len(content)
            archive.addfile(info, io.BytesIO(content))
    return PACK


def file(name: str, content: bytes = b"x") -> tuple[str, bytes, bytes, str]:
    return name, tarfile.REGTYPE, content, ""


def link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> tuple[str, bytes, bytes, str]:
    return name, kind, b"", to


@pytest.mark.parametrize("to", ["..", ".", "a", "missing", "/etc/passwd", "../out", "l"])
def test_a_link_leads_to_a_file_beside_it_and_nothing_is_written_through_it(tmp_path: Path, to: str) -> None:
    refused(tmp_path, pack(tmp_path, file("a/b"), link("l", to), file("l/out")))


def test_a_link_to_a_link_is_refused(tmp_path: Path) -> None:
    assert "is no file beside it" in refused(tmp_path, pack(tmp_path, file("a"), link("b", "a"), link("c", "b")))


@pytest.mark.parametrize(
    "members",
    [
        (file("a"), file("a")),
        (file("a"), link("b", "a"), file("b")),
        (file("a"), file("a/b")),
        (file("a/b"), file("a")),
        (link("l", "a", tarfile.LNKTYPE),),
        (link("d", "", tarfile.DIRTYPE),),
        (link("f", "", tarfile.FIFOTYPE),),
        (link("c", "", tarfile.CHRTYPE),),
        (link("a", ""),),
    ],
    ids=["twice", "via-link", "below-file", "on-folder", "hard-link", "folder", "pipe", "device", "to-nothing"],
)
def test_a_pack_of_anything_but_new_files_and_links_is_refused(
    tmp_path: Path, members: tuple[tuple[str, bytes, bytes, str], ...]
) -> None:
    refused(tmp_path, pack(tmp_path, *members))


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "./a", "a//b", "x" * 300, "d/" * 600 + "f"])
def test_a_name_that_leads_out_or_is_too_long_is_refused_in_packs_and_wheels(tmp_path: Path, name: str) -> None:
    refused(tmp_path, pack(tmp_path, file(name)))
    (tmp_path / PACK).unlink()
    with zipfile.ZipFile(tmp_path / WHEEL, "w") as archive:
        archive.writestr(name, b"x")
    refused(tmp_path, WHEEL)


def test_a_pack_and_a_wheel_that_swell_beyond_what_the_kit_says_are_given_up(tmp_path: Path) -> None:
    assert "more than the kit says" in refused(tmp_path, pack(tmp_path, file("zeros", bytes(8 * ROOM))))
    assert sum(path.stat().st_size for path in (tmp_path / "place").rglob("*") if path.is_file()) <= 3 * ROOM
    (tmp_path / PACK).unlink()
    with zipfile.ZipFile(tmp_path / WHEEL, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros2", bytes(8 * ROOM))
    assert "more than the kit says" in refused(tmp_path, WHEEL)


def test_a_tar_header_that_claims_gigabytes_is_given_up(tmp_path: Path) -> None:
    info = tarfile.TarInfo("long")
    info.type, info.size = tarfile.XHDTYPE, 2**33
    (tmp_path / PACK).write_bytes(lzma.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(8 * ROOM)))
    assert "more than the kit says" in refused(tmp_path, PACK)


def test_a_wheel_whose_member_begins_before_the_file_is_one_line(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / WHEEL, "w") as archive:
        archive.writestr("a", b"x")
    data = bytearray((tmp_path / WHEEL).read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\1\2") + 42, 0xFFFFFF00)
    (tmp_path / WHEEL).write_bytes(data)
    refused(tmp_path, WHEEL)


def kit_json(**changes: Any) -> bytes:
    return json.dumps(json.loads(corpus("kit")[0]) | changes).encode()


def kit_problem(folder: Path, data: bytes) -> str:
    (folder / "kit.json").write_bytes(data)
    with pytest.raises(KitError) as caught:
        read_kit(folder)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000
    return str(caught.value)


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_a_name_that_is_no_plain_path_is_refused_in_a_kit(tmp_path: Path, name: str) -> None:
    files = {name: {"sha256": "0" * 64, "size_bytes": 1}}
    assert "no path inside the kit" in kit_problem(tmp_path, kit_json(files=files, packages={}, installed_bytes={}))


@pytest.mark.parametrize("names", [("a/B", "A/b"), ("KIT.json",), ("sha256sums",)], ids=str)
def test_names_that_differ_in_their_capitals_alone_are_refused_in_a_kit(tmp_path: Path, names: tuple[str, ...]) -> None:
    files = {name: {"sha256": "0" * 64, "size_bytes": 1} for name in names}
    problem = kit_problem(tmp_path, kit_json(files=files, packages={}, installed_bytes={}))
    assert "in its capitals alone" in problem


@pytest.mark.parametrize("key", ["two\nlines", "\x1b[2J", "x" * 100_000, "\ud800"], ids=ascii)
def test_a_name_of_a_field_cannot_write_on_the_screen(tmp_path: Path, key: str) -> None:
    kit_problem(tmp_path, kit_json(**{key: 1}))
    kit_problem(tmp_path, kit_json(files={key: {"sha256": 1}}))
    kit_problem(tmp_path, kit_json(packages={key: ["missing"]}))
    kit_problem(tmp_path, kit_json(version=key))


def backup_of(folder: Path, name: str) -> Path:
    """The backup of the corpus with a file more, which its list of contents has too."""
    data = corpus("backup")[0]
    changed = folder / "backup.zip"
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(changed, "w") as out:
        for member in archive.namelist():
            content = archive.read(member)
            if member == "contents.json":
                listed = json.loads(content)
                listed["files"].append({"name": name, "sha256": "0" * 64, "size_bytes": 1})
                content = json.dumps(listed).encode()
            out.writestr(member, content)
        out.writestr(zipfile.ZipInfo(name.replace("\ud800", "?").replace("\0", "?") or "?"), b"x")
    return changed


@pytest.mark.parametrize("name", [*BAD_NAMES, "History.db", "IMAGES/00/" + "0" * 64], ids=ascii)
def test_a_name_that_is_no_image_of_a_history_is_refused_in_a_backup(tmp_path: Path, name: str) -> None:
    path = backup_of(tmp_path, name)
    with pytest.raises(BackupError) as caught:
        restore_backup(path, tmp_path / "restored")
    assert str(caught.value).isprintable()
    assert [entry.name for entry in tmp_path.iterdir()] == ["backup.zip"]


@pytest.mark.parametrize("claimed", [0xFFFFFFFE, 1 << 30])
def test_5439_a_size_that_a_zip_file_forges_takes_no_memory(tmp_path: Path, claimed: int) -> None:
    data = bytearray(corpus("backup")[0])
    at = data.index(b"PK\1\2")
    struct.pack_into("<II", data, at + 20, claimed, claimed)
    (tmp_path / "backup.zip").write_bytes(data)
    with pytest.raises(BackupError, match=r"more than its own size|damaged"):
        restore_backup(tmp_path / "backup.zip", tmp_path / "restored")
    model = bytearray(corpus("model_zip")[0])
    struct.pack_into("<II", model, model.index(b"PK\1\2") + 20, claimed, claimed)
    (tmp_path / "model.zip").write_bytes(model)
    with pytest.raises(OsteoEdgeError):
        bring_zipped(ModelStore(tmp_path / "store"), tmp_path / "model.zip")
    assert not (tmp_path / "model.zip").exists()


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 97])
def test_a_model_packed_in_another_way_is_refused_before_anything_of_it_is_unpacked(
    tmp_path: Path, packing: int
) -> None:
    model = bytearray(corpus("model_zip")[0])
    for header, offset in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        struct.pack_into("<H", model, model.index(header) + offset, packing)
    (tmp_path / "model.zip").write_bytes(model)
    with pytest.raises(BundleError, match="no ZIP file of a model, or damaged"):
        bring_zipped(ModelStore(tmp_path / "store"), tmp_path / "model.zip")
    assert {path.name for path in tmp_path.iterdir()} <= {"store"}


@pytest.mark.parametrize("name", ["../manifest.json", "/manifest.json", "..\\manifest.json", "a\0/manifest.json"])
def test_a_model_that_would_be_unpacked_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr("sound/manifest.json", b"{}")
        info = zipfile.ZipInfo("x")
        info.filename = name
        archive.writestr(info, b"{}")
    with pytest.raises(BundleError):
        bring_zipped(ModelStore(tmp_path / "store"), tmp_path / "model.zip")
    assert {path.name for path in tmp_path.iterdir()} <= {"store"}
