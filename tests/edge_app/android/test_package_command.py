import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from osteo_edge.bundle import Bundle
from osteo_edge.cli import cli
from osteo_edge.edge_app.android import build_checks
from osteo_edge.edge_app.demo_bundle import FOLDER
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.version import VERSION


def package(*words: str | Path, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(cli, ["package", "android", *map(str, words)], env=env)


def test_a_project_is_staged_and_told(tmp_path: Path) -> None:
    out = tmp_path / "knee"
    done = package(FOLDER, "--out", out)
    assert done.exit_code == 0, done.output
    assert f"{out}: org.osteoedge.app {VERSION} with knee 1, for arm64-v8a, armeabi-v7a" in done.output
    assert "predicted from its parts, not measured: an APK of about" in done.output
    assert (out / "buildozer.spec").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["knee"]


def test_the_same_as_json_with_the_parts_of_the_prediction(tmp_path: Path) -> None:
    done = package(FOLDER, "--out", tmp_path / "k", "--arch", "x86_64", "--package-id", "org.example.knee", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert (found["package_id"], found["archs"], found["built"]) == ("org.example.knee", ["x86_64"], None)
    assert found["app_bytes"] == found["program_bytes"] + found["bundle_bytes"] < 8_000_000
    predicted = found["predicted_mb"]
    per_arch = sum(part["megabytes"] for part in predicted["per_arch"])
    once = sum(part["megabytes"] for part in predicted["once"]) + predicted["app"]
    assert predicted["apk"] == pytest.approx(per_arch + once, abs=0.06)
    assert all(part["source"] for part in predicted["per_arch"])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "name a BUNDLE, and a folder with --out; or --check"),
        (["bundle"], "name a BUNDLE, and a folder with --out; or --check"),
        (["bundle", "--out", "x", "--release"], "--release goes with --build"),
        (["bundle", "--out", "x", "--package-id", "Knee"], "'Knee' is no id of an app; write it like"),
        (["bundle", "--out", "x", "--arch", "mips"], "'mips' is not one of"),
        (["bundle", "--out", "x", "--max-bundle-mb", "0"], "--max-bundle-mb"),
    ],
)
def test_wrong_usage_is_exit_code_2(words: list[str], reason: str) -> None:
    done = package(*words)
    assert done.exit_code == 2
    assert reason in done.output


def test_a_bundle_that_cannot_be_packed_is_one_line_and_leaves_nothing(tmp_path: Path, failed_bundle: Bundle) -> None:
    done = package(failed_bundle.path, "--out", tmp_path / "out")
    assert isinstance(done.exception, OsteoEdgeError)
    assert "failed its check after conversion" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    done = package(FOLDER, "--out", tmp_path / "out")
    assert "exists already; choose another --out" in str(done.exception)
    assert list((tmp_path / "out").iterdir()) == []


def test_without_java_nothing_is_staged(tmp_path: Path) -> None:
    done = package(FOLDER, "--out", tmp_path / "out", "--build", env={"JAVA_HOME": "/nowhere"})
    assert isinstance(done.exception, OsteoEdgeError)
    assert str(done.exception).startswith("cannot build here: Java: no javac (JAVA_HOME is /nowhere); ")
    assert not (tmp_path / "out").exists()


def test_without_a_key_no_release_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_checks, "run_checks", lambda *_, **__: ())
    names = ("KEYSTORE", "KEYSTORE_PASSWD", "KEYALIAS", "KEYALIAS_PASSWD")
    environ = {f"P4A_RELEASE_{name}": "" for name in names}
    done = package(FOLDER, "--out", tmp_path / "out", "--build", "--release", env=environ)
    assert str(done.exception).startswith("a release is signed: set P4A_RELEASE_KEYSTORE and ")
    assert not (tmp_path / "out").exists()


def test_the_check_tells_everything_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    done = package("--check", env={"JAVA_HOME": "/nowhere"})
    assert done.exit_code == 1
    assert "What a build for Android needs" in done.output
    assert "Java: apt-get install openjdk-17-jdk-headless" in done.output
    as_json = package("--check", "--json", env={"JAVA_HOME": "/nowhere"})
    found = {check["name"]: check["is_right"] for check in json.loads(as_json.output)}
    assert (as_json.exit_code, found["Java"]) == (1, False)
    monkeypatch.setattr(build_checks, "run_checks", lambda *_, **__: (build_checks.Check("Java", True, "javac 17"),))
    assert package("--check").exit_code == 0


def test_what_was_built_is_told_and_not_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from osteo_edge.edge_app.android import build as building

    def made(project: Path, *_: object, **__: object) -> Path:
        (project / "bin").mkdir()
        (project / "bin" / "app.apk").write_bytes(bytes(1_500_000))
        return project / "bin" / "app.apk"

    monkeypatch.setattr(build_checks, "run_checks", lambda *_, **__: ())
    monkeypatch.setattr(build_checks, "require_sdk_host", lambda *_: None)
    monkeypatch.setattr(building, "build", made)
    done = package(FOLDER, "--out", tmp_path / "out", "--build", "--accept-sdk-license")
    assert done.exit_code == 0, done.output
    assert f"{tmp_path / 'out' / 'bin' / 'app.apk'}: 1.5 MB, built here; not tried on a phone" in done.output
