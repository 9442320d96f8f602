import json
import os
import sys
from pathlib import Path

import pytest

from osteo_edge.edge_app.android.build import build, build_environment, reason_of
from osteo_edge.edge_app.android.build_plan import BuildPlan
from osteo_edge.errors import OsteoEdgeError

FAKE = """\
import json, os, sys
from pathlib import Path
Path("called.json").write_text(json.dumps({"words": sys.argv[1:], "environ": dict(os.environ), "cwd": os.getcwd()}))
print("compiling")
print("still compiling", file=sys.stderr)
"""
LAST_WORDS = "print('error: no such symbol')"
SPEC = """\
[app]
title = osteo-edge
version = 0.1.0
android.sdk_path =
[buildozer]
log_level = 2
build_dir = .buildozer
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a buildozer of its own in it, which `python -m` finds first."""
    folder = tmp_path / "project"
    (folder / "buildozer").mkdir(parents=True)
    (folder / "buildozer" / "__init__.py").touch()
    (folder / "bin").mkdir()
    (folder / "buildozer.spec").write_text(SPEC, "utf-8")
    return folder


def fake(project: Path, end: str) -> None:
    (project / "buildozer" / "__main__.py").write_text(FAKE + end, "utf-8")


def test_the_apk_that_was_made_is_given_back(project: Path) -> None:
    fake(project, 'Path("bin/app-0.1.0-arm64-v8a-debug.apk").write_bytes(b"apk")')
    (project / "bin" / "older.apk").write_bytes(b"old")
    lines: list[str] = []
    made = build(project, os.environ, on_line=lines.append)
    assert made == project / "bin" / "app-0.1.0-arm64-v8a-debug.apk"
    assert set(lines) == {"compiling", "still compiling"}
    assert set((project / "build.log").read_text("utf-8").splitlines()) == set(lines)
    called = json.loads((project / "called.json").read_text("utf-8"))
    assert (called["words"], called["cwd"]) == (["android", "debug"], str(project))
    assert called["environ"]["PIP_CONSTRAINT"] == str(project / "constraints.txt")


def test_a_release_is_asked_for_by_its_name(project: Path) -> None:
    fake(project, 'Path("bin/app-0.1.0-arm64-v8a-release.aab").write_bytes(b"aab")')
    assert build(project, os.environ, BuildPlan(is_release=True)).suffix == ".aab"
    assert json.loads((project / "called.json").read_text("utf-8"))["words"] == ["android", "release"]


@pytest.mark.parametrize("end", [f"{LAST_WORDS}\nprint()\nsys.exit(1)", LAST_WORDS])
def test_a_build_that_fails_or_makes_nothing_is_one_line_with_its_last_words(project: Path, end: str) -> None:
    fake(project, end)
    (project / "bin" / "older.apk").write_bytes(b"old")
    with pytest.raises(OsteoEdgeError) as raised:
        build(project, os.environ)
    assert str(raised.value).startswith("the build failed (error: no such symbol); ")
    assert str(project / "build.log") in str(raised.value)


def test_the_environment_says_what_the_spec_cannot_and_does_not_go_before_it(project: Path) -> None:
    unasked = (
        "APP_VERSION",
        "APP_TITLE",
        "BUILDOZER_LOG_LEVEL",
        "BUILDOZER_BUILD_DIR",
        "ANDROID_SDK_ROOT",
        "ANDROIDNDK",
    )
    environ = {"PATH": "/bin", "APP_KEPT": "1"} | dict.fromkeys(unasked, "other")
    made = build_environment(project, environ, BuildPlan(sdk=Path("/sdk"), folder=Path("/b")))
    assert "BUILDOZER_BUILD_DIR" not in build_environment(project, environ)
    assert "other" not in made.values()
    assert made["APP_KEPT"] == "1"
    assert (made["APP_ANDROID_SDK_PATH"], made["BUILDOZER_BUILD_DIR"]) == ("/sdk", "/b")
    assert "APP_ANDROID_ACCEPT_SDK_LICENSE" not in made
    assert made["PATH"].split(os.pathsep) == [str(Path(sys.executable).parent), "/bin"]
    assert build_environment(project, environ, BuildPlan(accepts_license=True))["APP_ANDROID_ACCEPT_SDK_LICENSE"] == "1"


def test_in_a_virtual_environment_buildozer_is_told_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", "/venv")
    assert build_environment(project, {})["VIRTUAL_ENV"] == "/venv"
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    assert "VIRTUAL_ENV" not in build_environment(project, {})


def test_passwords_are_in_no_log(project: Path) -> None:
    """Buildozer prints the whole environment where a command fails."""
    fake(project, "print(dict(os.environ))\nsys.exit(1)")
    environ = dict(os.environ) | {
        "P4A_RELEASE_KEYSTORE_PASSWD": "it's \\ secret",
        "P4A_RELEASE_KEYALIAS_PASSWD": "other",
    }
    lines: list[str] = []
    with pytest.raises(OsteoEdgeError) as raised:
        build(project, environ, BuildPlan(is_release=True), on_line=lines.append)
    told = "\n".join([*lines, (project / "build.log").read_text("utf-8"), str(raised.value)])
    assert "P4A_RELEASE_KEYSTORE_PASSWD" in told
    assert "secret" not in told
    assert "other" not in told.replace("another", "")


RED = "\x1b[1m\x1b[31m[ERROR]\x1b[39m\x1b[0m:   "


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([], "it said nothing"),
        (["", "  compiling  "], "compiling"),
        (["# Command failed: ('git', 'clone')", "# Error code: 128"], "Command failed: ('git', 'clone')"),
        ([f"{RED}Build failed: no SDK", "[INFO]:  Instructions: look"], "Build failed: no SDK"),
        (["ld: error: no space left", "# Command failed: x", "#  SHELL = 'error'"], "ld: error: no space left"),
    ],
)
def test_the_reason_is_what_was_said_before_buildozer_tells_how_to_report_it(said: list[str], reason: str) -> None:
    assert reason_of(said) == reason
