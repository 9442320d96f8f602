import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.edge_app.pi.kit import KIT_FILE, SUMS_FILE, Kit, KitError, KitFile, sums_of
from osteo_edge.edge_app.pi.kit_sbom import kit_sbom
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_bytes, sha256_file
from osteo_edge.lock_file import Pin
from tests.edge_app.pi.made_kit import make_small_kit
from tests.sboms import parts_of, require_valid, value_of


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kit:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    return make_small_kit(tmp_path / "kit")


def test_a_kit_is_listed_with_its_packages_program_model_and_files(kit: Kit) -> None:
    document = json.loads(kit_sbom(kit.path))
    require_valid(document)
    libraries = parts_of(document, "library")
    assert {name: part["version"] for name, part in libraries.items()} == {
        "numpy": "2.4.6",
        "opencv-python-headless": "5.0.0.93",
    }
    assert libraries["numpy"]["licenses"] == [{"expression": "BSD-3-Clause"}]
    assert value_of(libraries["numpy"], "archives") == "wheels/any.tar.xz"
    (model,) = parts_of(document, "machine-learning-model").values()
    assert model["hashes"][0]["content"] == kit.contents.model_sha256
    (program,) = parts_of(document, "application").values()
    assert program["name"] == "osteo-edge"
    files = {name: part["hashes"][0]["content"] for name, part in parts_of(document, "file").items()}
    assert files == {name: file.sha256 for name, file in kit.contents.files.items()}
    assert document["metadata"]["component"]["hashes"][0]["content"] == sha256_file(kit.path / "kit.json")


def test_what_needs_what_is_told(kit: Kit) -> None:
    document = json.loads(kit_sbom(kit.path))
    needs = {one["ref"]: one["dependsOn"] for one in document["dependencies"]}
    assert needs["pkg:pypi/opencv-python-headless@5.0.0.93"] == ["pkg:pypi/numpy@2.4.6"]
    assert len(needs[document["metadata"]["component"]["bom-ref"]]) == 2


def test_hashes_come_from_a_lock_of_the_same_version_alone(kit: Kit) -> None:
    pins = [Pin("numpy", "2.4.6", "", ("a" * 64,), ()), Pin("opencv-python-headless", "4.0", "", ("b" * 64,), ())]
    document = json.loads(kit_sbom(kit.path, pins))
    require_valid(document)
    libraries = parts_of(document, "library")
    assert libraries["numpy"]["externalReferences"][0]["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert "externalReferences" not in libraries["opencv-python-headless"]


def test_a_kit_with_one_altered_byte_has_no_bill_of_materials(kit: Kit) -> None:
    pack = kit.path / "wheels" / "any.tar.xz"
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.write_bytes(data)
    with pytest.raises(KitError, match=r"any\.tar\.xz: altered"):
        kit_sbom(kit.path)


def forged(kit: Kit, name: str, data: bytes) -> Path:
    """The kit with another file in it, and the lists that fit it: a kit is not signed."""
    (kit.path / name).write_bytes(data)
    files = kit.contents.files | {name: KitFile(sha256_bytes(data), len(data))}
    contents = replace(kit.contents, files=files)
    (kit.path / KIT_FILE).write_bytes(contents.to_bytes())
    (kit.path / SUMS_FILE).write_bytes(sums_of(contents, sha256_bytes(contents.to_bytes())))
    return kit.path


def test_a_kit_whose_own_wheel_cannot_be_unpacked_is_one_line(kit: Kit) -> None:
    own = next(name for name in kit.contents.files if name.endswith(".whl"))
    data = bytearray((kit.path / own).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # where an entry says that it is encrypted
        start = data.find(mark)
        while start >= 0:
            data[start + offset] |= 1
            start = data.find(mark, start + 1)
    with pytest.raises(OsteoEdgeError, match=r"\.whl: cannot be read as a wheel \(.*encrypted.*\); make it again$"):
        kit_sbom(forged(kit, own, bytes(data)))
    with pytest.raises(OsteoEdgeError, match=r"\.whl: cannot be read as a wheel \("):
        kit_sbom(forged(kit, own, b"no archive"))


def test_a_kit_with_a_package_that_tells_no_name_is_one_line(kit: Kit) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:xz") as archive:
        archive.addfile(tarfile.TarInfo("empty-1.dist-info/METADATA"), io.BytesIO())
    path = forged(kit, "wheels/any.tar.xz", made.getvalue())
    with pytest.raises(OsteoEdgeError, match=r"any\.tar\.xz/empty-1\.dist-info/METADATA: tells no name and version"):
        kit_sbom(path)


@pytest.mark.parametrize("kept", [0, 10, 100])
def test_a_kit_with_an_archive_that_is_cut_off_is_one_line(kit: Kit, kept: int) -> None:
    data = (kit.path / "wheels" / "any.tar.xz").read_bytes()[:kept]
    with pytest.raises(KitError, match=r"any\.tar\.xz: cannot be unpacked \("):
        kit_sbom(forged(kit, "wheels/any.tar.xz", data))
