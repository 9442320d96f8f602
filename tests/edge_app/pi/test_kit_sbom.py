import json
from pathlib import Path

import pytest

from osteo_edge.edge_app.pi.kit import Kit, KitError
from osteo_edge.edge_app.pi.kit_sbom import kit_sbom
from osteo_edge.hashing import sha256_file
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
