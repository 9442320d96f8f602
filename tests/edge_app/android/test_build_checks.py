import os
import shutil
import socket
from pathlib import Path

import pytest

from osteo_edge.edge_app.android.build_checks import (
    Check,
    check_java,
    require_buildable,
    require_license,
    require_sdk_host,
    run_checks,
)
from osteo_edge.edge_app.android.build_plan import BuildPlan
from osteo_edge.edge_app.android.versions import ARCHS, NDK
from osteo_edge.errors import OsteoEdgeError


def program(path: Path, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{says}\n", "utf-8")
    path.chmod(0o755)
    return path


def named(checks: tuple[Check, ...], name: str) -> Check:
    return next(check for check in checks if check.name == name)


def test_the_java_of_java_home_goes_first(tmp_path: Path) -> None:
    program(tmp_path / "jdk" / "bin" / "javac", "echo javac 17.0.9")
    program(tmp_path / "bin" / "javac", "echo javac 21.0.1")
    path = os.pathsep.join([str(tmp_path / "bin"), "/bin"])
    assert check_java({"JAVA_HOME": str(tmp_path / "jdk"), "PATH": path}).is_right
    other = check_java({"PATH": path})
    assert not other.is_right
    assert other.line == (
        "Java: javac 21.0.1 (on the PATH), 17 is needed; "
        "apt-get install openjdk-17-jdk-headless, and let JAVA_HOME name it"
    )


def test_java_that_tells_itself_on_standard_error_and_by_its_old_number(tmp_path: Path) -> None:
    program(tmp_path / "javac", "echo javac 1.8.0_412 >&2")
    found = check_java({"PATH": f"{tmp_path}:/bin"})
    assert (found.is_right, found.found) == (False, "javac 1.8.0_412 (on the PATH), 17 is needed")


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"PATH": "/nowhere"}, "no javac"),
        ({"JAVA_HOME": "/nowhere", "PATH": "/usr/bin"}, "no javac (JAVA_HOME is /nowhere)"),
    ],
)
def test_no_java(environ: dict[str, str], found: str) -> None:
    check = check_java(environ)
    assert (check.is_right, check.found) == (False, found)


def test_a_compiler_that_does_not_run(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "javac").write_text("no program", "utf-8")
    assert "does not run" in check_java({"JAVA_HOME": str(tmp_path)}).found
    program(tmp_path / "bin" / "javac", "exit 3")
    assert "tells no version" in check_java({"JAVA_HOME": str(tmp_path)}).found


def test_missing_tools_are_named_with_what_has_them(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "git", "true")
    checks = run_checks(tmp_path, ["x86_64"], {"PATH": str(tmp_path / "bin")}, home=tmp_path)
    assert named(checks, "git").is_right
    assert named(checks, "libtoolize").line == "libtoolize: not found; apt-get install libtool"


def test_a_path_that_is_too_long_for_what_is_built_in_it(tmp_path: Path) -> None:
    short = Path("/b")
    assert named(run_checks(short, ARCHS, {"PATH": ""}, home=tmp_path), "path").is_right
    long = tmp_path / ("x" * 120)
    check = named(run_checks(long, ARCHS, {"PATH": ""}, home=tmp_path), "path")
    assert not check.is_right
    assert "letters too long for what is built in it; choose an --out or --build-dir with a shorter path" in check.line


def test_a_folder_of_its_own_for_what_is_built_may_be_the_shorter_one(tmp_path: Path) -> None:
    long, plan = tmp_path / ("x" * 120), BuildPlan(folder=Path("/b"))
    assert named(run_checks(long, ARCHS, {"PATH": ""}, plan, home=tmp_path), "path").is_right


def test_a_path_with_a_space_in_it(tmp_path: Path) -> None:
    check = named(run_checks(tmp_path / "my app", ARCHS, {"PATH": ""}, home=tmp_path), "path")
    assert check.line.endswith(
        "has a space in it, which python-for-android refuses; choose an --out or --build-dir without"
    )


def test_too_little_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=3_000_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    check = named(run_checks(tmp_path / "not" / "there", ARCHS, {"PATH": ""}, home=tmp_path), "disk")
    assert (
        check.line
        == f"disk: 3 GB free at {tmp_path}, 15 GB are needed; free some, or choose another --out or --build-dir"
    )


def test_an_sdk_that_is_named_must_be_whole(tmp_path: Path) -> None:
    (tmp_path / "sdk").mkdir()
    plan = BuildPlan(sdk=tmp_path / "sdk", ndk=tmp_path / "ndk")
    checks = run_checks(tmp_path, ARCHS, {"PATH": ""}, plan, home=tmp_path)
    assert named(checks, "Android SDK").found == f"{tmp_path / 'sdk'} has no tools/bin/sdkmanager"
    assert named(checks, "Android NDK").found == f"{tmp_path / 'ndk'} has no source.properties"
    program(tmp_path / "sdk" / "tools" / "bin" / "sdkmanager", "true")
    assert named(run_checks(tmp_path, ARCHS, {"PATH": ""}, plan, home=tmp_path), "Android SDK").is_right


def test_an_sdk_that_was_half_unpacked_is_noticed(tmp_path: Path) -> None:
    (tmp_path / ".buildozer" / "android" / "platform" / f"android-ndk-r{NDK}").mkdir(parents=True)
    checks = run_checks(tmp_path, ARCHS, {"PATH": ""}, home=tmp_path)
    assert named(checks, "Android SDK").is_right  # will be fetched
    assert not named(checks, "Android NDK").is_right


def test_the_first_thing_amiss_is_one_line() -> None:
    amiss = [Check("git", True, "/usr/bin/git"), Check("zip", False, "not found", "apt-get install zip")]
    with pytest.raises(OsteoEdgeError) as raised:
        require_buildable([*amiss, Check("unzip", False, "not found", "apt-get install unzip")])
    assert str(raised.value) == ("cannot build here: zip: not found; apt-get install zip (and 1 more: see --check)")
    require_buildable(amiss[:1])


def test_google_s_licence_is_accepted_by_the_user_alone(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match="is fetched only once its licence is accepted; read https://"):
        require_license(BuildPlan(), home=tmp_path)
    require_license(BuildPlan(accepts_license=True), home=tmp_path)
    require_license(BuildPlan(sdk=tmp_path), home=tmp_path)


def test_the_network_is_asked_for_only_where_something_must_be_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(OsteoEdgeError, match=r"android-sdk is missing, and dl\.google\.com does not answer"):
        require_sdk_host(BuildPlan(), home=tmp_path)
    require_sdk_host(BuildPlan(sdk=tmp_path, ndk=tmp_path), home=tmp_path)
