import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.edge_app.android import staging
from osteo_edge.edge_app.android.contents import ENTRY, LEFT_OUT
from osteo_edge.edge_app.android.expected_answer import read_expected
from osteo_edge.edge_app.android.spec import Project
from osteo_edge.edge_app.android.staging import Staged, size_of, stage
from osteo_edge.edge_app.android.walk import imported, modules_of
from osteo_edge.edge_app.demo_bundle import FOLDER
from osteo_edge.edge_app.pi.own_wheel import package_files
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.signature import verify
from osteo_edge.trust import trusted_keys
from tests.signing import Signer

MOBILENET_INT8_BYTES = 2_700_000
"""MobileNetV2 1.0 in int8, as `convert` writes it, with two labels."""
LIMIT_BYTES = 8_000_000


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sources(folder: Path) -> dict[str, Path]:
    app = folder / "app"
    paths = (app / "osteo_edge").rglob("*.py")
    return {".".join(path.relative_to(app).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def test_a_whole_project_is_staged(staged: Staged) -> None:
    names = set(tree(staged.path))
    assert {
        "buildozer.spec",
        "constraints.txt",
        "README.md",
        "hook.py",
        "recipes/kivy/__init__.py",
        "recipes/fonttools/__init__.py",
        "recipes/fpdf2/__init__.py",
        "manifest/extra.xml",
        "res/xml/data_extraction_rules.xml",
        "icons/icon.png",
        "icons/presplash.png",
        "res/drawable-night/presplash.png",
        "java/org/osteoedge/app/EdgeActivity.java",
        "app/main.py",
        "app/expected.json",
        "app/bundle/model.tflite",
        "app/osteo_edge/knee_template.npz",
        "app/osteo_edge/edge_app/drawn_film.jpg",
        "app/osteo_edge/edge_app/ui/shell.kv",
        "app/osteo_edge/edge_app/exports/fonts/DejaVuSansCondensed.ttf",
        "app/osteo_edge/edge_app/languages/sw/LC_MESSAGES/osteo_edge.mo",
    } <= names
    assert staged.bundle == "knee 1"
    assert read_bundle(staged.path / "app" / "bundle").manifest == read_bundle(FOLDER).manifest


def test_nothing_is_in_the_app_that_a_phone_has_no_use_for(staged: Staged) -> None:
    names = [name.removeprefix("app/osteo_edge/") for name in tree(staged.path) if name.startswith("app/osteo_edge/")]
    parts = ("train/", "convert/", "benchmarks/", "edge_app/pi/", "raster/opencv/", "edge_app/android/project/")
    assert [name for name in names if name.startswith(parts)] == []
    assert [name for name in names if name.endswith((".po", ".pot", ".pyc", ".java", ".sh", ".c"))] == []
    assert not {"cli.py", "doctor.py", "demo.py", "edge_app/app_command.py", "edge_app/ui/probe.py"} & set(names)


def test_main_starts_the_app_and_does_nothing_else(staged: Staged) -> None:
    text = (staged.path / "app" / "main.py").read_text("utf-8")
    assert [ast.unparse(line) for line in ast.parse(text).body] == [f"from {ENTRY} import main", "main()"]


def test_the_answer_that_the_phone_is_held_to_is_that_of_this_machine(staged: Staged) -> None:
    expected = read_expected(staged.path / "app" / "expected.json")
    assert expected.score == staged.score
    assert expected.model_sha256 == read_bundle(FOLDER).manifest.model.sha256


def test_the_app_without_python_is_at_most_8_mb_with_an_int8_bundle(staged: Staged) -> None:
    assert staged.app_bytes == size_of(staged.path / "app")
    assert staged.app_bytes <= LIMIT_BYTES
    demo_model = (FOLDER / "model.tflite").stat().st_size
    assert staged.app_bytes - demo_model + MOBILENET_INT8_BYTES <= LIMIT_BYTES


def test_the_same_program_and_model_give_the_same_bytes(staged: Staged, tmp_path: Path) -> None:
    again = stage(FOLDER, tmp_path / "again", staged.project)
    assert tree(again.path) == tree(staged.path)


def test_every_module_can_be_imported_where_there_is_nothing_of_a_desktop(staged: Staged) -> None:
    script = Path(__file__).with_name("bare_import.py")
    command = [sys.executable, "-OO", "-I", str(script), str(staged.path / "app")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["failed"] == {}
    assert found["foreign"] == []
    assert {ENTRY, "osteo_edge.screening", "osteo_edge.edge_app.clinic"} <= set(found["imported"])


def test_what_the_window_imports_is_there_or_left_out_on_purpose(staged: Staged) -> None:
    whole, there = set(modules_of(package_files())), sources(staged.path)
    named = {
        (name, used)
        for name, path in there.items()
        for used in imported(path.read_text("utf-8"), name, is_package=path.name == "__init__.py")
        if used in whole and used not in there
    }
    left_out = {used for _, used in named}
    assert {used for used in left_out if not used.startswith(LEFT_OUT)} == set()


def test_docstrings_and_asserts_are_not_relied_on(staged: Staged) -> None:
    """Python-for-android compiles with -OO: an assertion that does something does nothing, and `__doc__` is None."""
    found = [
        f"{name}:{node.lineno}"
        for name, path in sources(staged.path).items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Assert) and any(isinstance(inner, ast.NamedExpr) for inner in ast.walk(node)))
        or (isinstance(node, ast.Attribute) and node.attr == "__doc__")
    ]
    assert found == []


@pytest.mark.parametrize("step", ["write_expected", "_copy_program", "_write_project"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_staging_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException | type[BaseException]
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(staging, step, stop)
    out = tmp_path / "below" / "project"
    with pytest.raises((KeyboardInterrupt, OsteoEdgeError)) as raised:
        stage(FOLDER, out, Project())
    assert list((tmp_path / "below").iterdir()) == []
    if raised.type is OsteoEdgeError:
        assert str(raised.value) == (
            f"{out}: the project cannot be written (No space left on device); free some space or choose another place"
        )


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(BundleError, match="exists already; choose another --out"):
        stage(FOLDER, tmp_path / "out", Project())


def test_a_bundle_that_cannot_be_used_is_refused_before_anything_is_written(
    tmp_path: Path, failed_bundle: Bundle, golden_bundle: Callable[..., Bundle]
) -> None:
    large = golden_bundle("large").path
    refused = {
        failed_bundle.path: "failed its check after conversion",
        large: r"MB, more than 0\.001; convert it to int8, or allow it with --max-bundle-mb",
        tmp_path / "nothing": "no such bundle",
    }
    for path, reason in refused.items():
        with pytest.raises(BundleError, match=reason):
            stage(path, tmp_path / "out", Project(), max_mb=0.001 if path == large else 20)
    assert not (tmp_path / "out").exists()


def test_an_app_with_trusted_keys_takes_what_they_signed(tmp_path: Path, signer: Signer, other_signer: Signer) -> None:
    bundle = Path(shutil.copytree(FOLDER, tmp_path / "signed"))
    with pytest.raises(BundleError, match="is not signed"):
        stage(bundle, tmp_path / "out", Project(), trusted=[signer.public])
    signer.sign(read_bundle(bundle))
    with pytest.raises(BundleError, match="signed with a key that is not trusted here"):
        stage(bundle, tmp_path / "out", Project(), trusted=[other_signer.public])
    again = Path(shutil.copy(signer.public, tmp_path / signer.public.name))
    with pytest.raises(OsteoEdgeError, match="two keys are called"):
        stage(bundle, tmp_path / "out", Project(), trusted=[signer.public, again])
    assert not (tmp_path / "out").exists()
    app = stage(bundle, tmp_path / "out", Project(), trusted=[signer.public, other_signer.public]).path / "app"
    assert trusted_keys(app / "trusted-keys") == tuple(
        sorted((signer.public_key, other_signer.public_key), key=lambda key: key.name)
    )
    assert verify(read_bundle(app / "bundle"), trusted_keys(app / "trusted-keys")) == signer.public_key
