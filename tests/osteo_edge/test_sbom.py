import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.pi.own_wheel import write_own_wheel
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.lock_file import read_lock
from osteo_edge.locks import INSTALL_PATHS, lock_of
from osteo_edge.manifest import Manifest
from osteo_edge.model_card import ABNORMALITY_LIMITATIONS, LIMITATIONS
from osteo_edge.sbom import licence_of, to_json
from osteo_edge.sbom_model import bundle_sbom, model_component
from osteo_edge.sbom_wheel import wheel_sbom
from osteo_edge.version import VERSION
from tests.routed import routed
from tests.sboms import parts_of, require_valid, value_of

APP_LOCK = lock_of(next(path for path in INSTALL_PATHS if path.name == "app"))


@pytest.fixture(autouse=True)
def source_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


def test_a_bundles_model_is_a_component_with_its_hash_and_where_its_labels_come_from(bundle: Bundle) -> None:
    document = json.loads(bundle_sbom(bundle.path))
    require_valid(document)
    model, manifest = document["metadata"]["component"], bundle.manifest
    assert (model["type"], model["name"], model["version"]) == ("machine-learning-model", "golden", "1")
    assert model["hashes"] == [{"alg": "SHA-256", "content": sha256_file(bundle.model_path)}]
    assert value_of(model, "label-source") == manifest.data.label_source
    assert model["modelCard"]["modelParameters"]["datasets"][0]["name"] == "drawn"
    assert model["modelCard"]["considerations"]["useCases"] == [manifest.intended_use]
    assert model["pedigree"]["ancestors"][0]["hashes"][0]["content"] == manifest.parent.sha256


def test_a_models_licence_is_said_to_be_unknown_and_not_left_out(bundle: Bundle) -> None:
    model = json.loads(bundle_sbom(bundle.path))["metadata"]["component"]
    assert model["licenses"] == [{"license": {"name": "unknown"}}]
    assert "ask its maker" in value_of(model, "licence")


def test_figures_come_with_their_interval_and_n_and_without_those_that_are_not_defined(bundle: Bundle) -> None:
    model = json.loads(bundle_sbom(bundle.path))["metadata"]["component"]
    assert model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"] == [
        {
            "type": "AUROC osteopenia or osteoporosis",
            "value": "0.84",
            "slice": "test, before conversion, n = 120",
            "confidenceInterval": {"lowerBound": "0.75", "upperBound": "0.91"},
        }
    ]


def test_the_limitations_are_those_of_everything_that_the_model_looks_for(manifest: Manifest) -> None:
    mixed = model_component(routed(manifest, elbow="abnormality", knee="density"))
    abnormalities = model_component(replace(manifest, finding="abnormality"))
    told = [model["modelCard"]["considerations"]["technicalLimitations"] for model in (mixed, abnormalities)]
    assert told == [[LIMITATIONS, ABNORMALITY_LIMITATIONS], [ABNORMALITY_LIMITATIONS]]
    require_valid(json.loads(to_json(mixed, [], {mixed["bom-ref"]: []})))


def test_a_name_with_half_a_character_is_one_line(bundle: Bundle) -> None:
    file = bundle.path / "manifest.json"
    file.write_text(file.read_text("utf-8").replace('"golden"', '"gold\\ud800"'), "utf-8")
    with pytest.raises(OsteoEdgeError, match=r"^no bill of materials can be written of 'gold\\ud800': half a char.*$"):
        bundle_sbom(bundle.path)


def test_every_other_file_of_a_bundle_is_listed_with_its_hash(bundle: Bundle) -> None:
    (bundle.path / "model.sig").write_bytes(b"signature")
    files = parts_of(json.loads(bundle_sbom(bundle.path)), "file")
    there = {path.name: sha256_file(path) for path in bundle.path.iterdir() if path != bundle.model_path}
    assert {name: part["hashes"][0]["content"] for name, part in files.items()} == there


def test_a_model_from_nothing_with_no_figures_is_valid_too(
    golden_bundle: Callable[..., Bundle], manifest: Manifest
) -> None:
    plain = golden_bundle(parent=replace(manifest.parent, sha256=None), metrics={})
    document = json.loads(bundle_sbom(plain.path))
    require_valid(document)
    assert "pedigree" not in document["metadata"]["component"]


def test_the_schema_that_cyclonedx_publishes_takes_them_and_not_just_anything(bundle: Bundle, tmp_path: Path) -> None:
    """In the other tests too, where its library is installed; here its absence shows."""
    pytest.importorskip("cyclonedx.validation", reason="needs CycloneDX's library: pip install 'osteo-edge[dev]'")
    document = json.loads(bundle_sbom(bundle.path))
    require_valid(document)
    require_valid(json.loads(wheel_sbom(write_own_wheel(tmp_path), read_lock(APP_LOCK))))
    del document["components"][0]["type"]
    with pytest.raises(AssertionError):
        require_valid(document)


def test_a_damaged_bundle_has_no_bill_of_materials(bundle: Bundle) -> None:
    bundle.model_path.write_bytes(b"another")
    with pytest.raises(BundleError, match="altered"):
        bundle_sbom(bundle.path)


def test_a_wheel_is_listed_with_what_a_lock_installs_in_its_versions_and_hashes(tmp_path: Path) -> None:
    wheel, pins = write_own_wheel(tmp_path), read_lock(APP_LOCK)
    document = json.loads(wheel_sbom(wheel, pins))
    require_valid(document)
    subject = document["metadata"]["component"]
    assert (subject["purl"], subject["version"]) == (f"pkg:pypi/osteo-edge@{VERSION}", VERSION)
    assert subject["hashes"][0]["content"] == sha256_file(wheel)
    found = {
        (part["name"], part["version"]): {one["content"] for one in part["externalReferences"][0]["hashes"]}
        for part in document["components"]
        if part["type"] == "library"
    }
    assert found == {(pin.name, pin.version): set(pin.sha256s) for pin in pins}
    needs = {one["ref"]: one["dependsOn"] for one in document["dependencies"]}
    assert any(ref.startswith("pkg:pypi/kivy@") for ref in needs[subject["bom-ref"]])
    kivy = next(ref for ref in needs if ref.startswith("pkg:pypi/kivy@"))
    assert any(ref.startswith("pkg:pypi/kivy-garden@") for ref in needs[kivy])


def test_a_wheel_without_a_lock_is_listed_with_what_it_requires(tmp_path: Path) -> None:
    document = json.loads(wheel_sbom(write_own_wheel(tmp_path)))
    require_valid(document)
    libraries = parts_of(document, "library")
    assert libraries["numpy"]["scope"] == "required"
    assert value_of(libraries["numpy"], "requires") == "numpy>=1.26"
    assert libraries["tensorflow"]["scope"] == "optional"
    assert "version" not in libraries["numpy"]


def test_the_model_and_the_data_in_a_wheel_are_listed(tmp_path: Path) -> None:
    wheel = write_own_wheel(tmp_path)
    document = json.loads(wheel_sbom(wheel))
    (model,) = parts_of(document, "machine-learning-model").values()
    files = parts_of(document, "file")
    inside = "osteo_edge/edge_app/demo_bundle/model.tflite"
    assert model["hashes"] == files[inside]["hashes"]
    assert "osteo_edge/edge_app/exports/fonts/DejaVuSansCondensed.ttf" in files
    assert not any(name.endswith(".py") for name in files)


def test_a_wheel_with_another_model_than_its_manifest_names_is_refused(tmp_path: Path) -> None:
    wheel, changed = write_own_wheel(tmp_path), tmp_path / "changed.whl"
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"another" if name.endswith("demo_bundle/model.tflite") else old.read(name))
    with pytest.raises(OsteoEdgeError, match=r"model\.tflite: not the model that the manifest beside it names"):
        wheel_sbom(changed)


@pytest.mark.parametrize("content", [b"no archive", None])
def test_what_is_no_wheel_is_one_line(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "thing.whl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OsteoEdgeError, match=r"thing\.whl: cannot be read as a wheel"):
        wheel_sbom(path)


def small_wheel(path: Path, about: str = "Name: small\nVersion: 1\n", method: int = zipfile.ZIP_DEFLATED) -> Path:
    """A wheel of one module, a note and its METADATA."""
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("small.py", "one = 1\n" * 5)
        archive.writestr("note.txt", "a note, and another note\n" * 5)
        archive.writestr("small-1.dist-info/METADATA", about)
    return path


def changed(path: Path, *places: tuple[bytes, int, int]) -> Path:
    """The wheel with other 16-bit numbers, each so far after every place where those bytes stand."""
    data = bytearray(path.read_bytes())
    for mark, offset, number in places:
        start = data.find(mark)
        while start >= 0:
            data[start + offset : start + offset + 2] = number.to_bytes(2, "little")
            start = data.find(mark, start + 1)
    path.write_bytes(data)
    return path


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
"""What an entry of a ZIP file starts with, and its line in the list at the end."""


@pytest.mark.parametrize(
    ("places", "words"),
    [
        (((LOCAL, 6, 1), (CENTRAL, 8, 1)), "encrypted"),
        (((LOCAL, 8, 97), (CENTRAL, 10, 97)), "compression"),
        (((LOCAL, 8, 12), (CENTRAL, 10, 12)), "data stream"),
        (((LOCAL, 8, 14), (CENTRAL, 10, 14)), "cannot be read as a wheel"),
    ],
)
def test_a_wheel_that_cannot_be_unpacked_is_one_line(
    places: tuple[tuple[bytes, int, int], ...], words: str, tmp_path: Path
) -> None:
    path = changed(small_wheel(tmp_path / "thing.whl"), *places)
    with pytest.raises(OsteoEdgeError, match=r"thing\.whl: cannot be read as a wheel \(.*\); make it again$") as error:
        wheel_sbom(path)
    assert words in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_wheel_whose_packed_data_is_damaged_is_one_line(tmp_path: Path) -> None:
    path = small_wheel(tmp_path / "thing.whl")
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("note.txt").header_offset + 30 + len("note.txt")
    data = bytearray(path.read_bytes())
    data[start] = 0xFF  # a kind of block that deflate does not have
    path.write_bytes(data)
    with pytest.raises(OsteoEdgeError, match=r"thing\.whl: cannot be read as a wheel \(Error -3 .*\); make it again$"):
        wheel_sbom(path)


@pytest.mark.parametrize("about", ["", "Name: small\n", "Version: 1\n", "Name:\nVersion:\n"])
def test_a_wheel_that_tells_no_name_and_version_is_one_line(about: str, tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=r"METADATA: tells no name and version; make the wheel again$"):
        wheel_sbom(small_wheel(tmp_path / "thing.whl", about))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_no_flipped_byte_of_a_wheel_raises_anything_else(method: int, tmp_path: Path) -> None:
    path = small_wheel(tmp_path / "thing.whl", method=method)
    whole, refusals = path.read_bytes(), []
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with suppress(OsteoEdgeError):
            wheel_sbom(path)
            continue
        refusals.append(place)
    assert len(refusals) > len(whole) / 3


def test_the_same_thing_gives_the_same_bytes_and_another_another_number(tmp_path: Path, bundle: Bundle) -> None:
    wheel = write_own_wheel(tmp_path)
    assert wheel_sbom(wheel) == wheel_sbom(wheel)
    one, two = json.loads(wheel_sbom(wheel)), json.loads(bundle_sbom(bundle.path))
    assert one["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert one["serialNumber"] != two["serialNumber"]


def test_a_wrong_source_date_is_one_line(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(OsteoEdgeError, match="SOURCE_DATE_EPOCH is 'yesterday', and must be seconds since 1970"):
        bundle_sbom(bundle.path)


@pytest.mark.parametrize(
    ("about", "classifiers", "licence"),
    [
        ({"License-Expression": "MIT-0", "License": "MIT"}, [], [{"expression": "MIT-0"}]),
        ({"License": "Apache-2.0"}, [], [{"license": {"name": "Apache-2.0"}}]),
        ({"License": "A whole\n\ntext"}, ["License :: OSI Approved :: BSD"], [{"license": {"name": "BSD"}}]),
        ({}, ["Topic :: Software"], [{"license": {"name": "unknown"}}]),
    ],
)  # fmt: skip
def test_a_licence_is_what_the_package_states(
    about: dict[str, str], classifiers: list[str], licence: list[Any]
) -> None:
    assert licence_of(about, classifiers) == licence
