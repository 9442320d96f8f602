"""The checks of an APK, with archives that are made and signed by Android's own tools but have no code in them."""

import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
from click.testing import CliRunner, Result

from osteo_edge.edge_app.android import apk_check
from osteo_edge.edge_app.android.apk_check import (
    CLASSES,
    STAGED,
    Finding,
    Tools,
    check_apk,
    check_contents,
    check_manifest,
)
from osteo_edge.edge_app.android.spec import version_code
from osteo_edge.edge_app.android.versions import API, MIN_API
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.version import VERSION
from tests.edge_app.android.skeleton import link, missing_tool, package

TOOLS = ("aapt", "apksigner", "zipalign", "keytool", "gcc")
FRAMEWORK = Path("/usr/share/android-framework-res/framework-res.apk")
pytestmark = pytest.mark.skipif(
    not (FRAMEWORK.exists() and all(map(shutil.which, TOOLS))), reason=f"needs {', '.join(TOOLS)}: make android"
)
MANIFEST = """\
<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="{package}"
    android:versionCode="{code}" android:versionName="{version}">
  <uses-sdk android:minSdkVersion="{minimum}" android:targetSdkVersion="{target}"/>
  {permission}
  <application android:label="osteo-edge" android:allowBackup="{backup}">
    <activity android:name="org.osteoedge.app.EdgeActivity">
      <intent-filter>
        <action android:name="android.intent.action.MAIN"/><category android:name="android.intent.category.LAUNCHER"/>
      </intent-filter>
    </activity>
  </application>
</manifest>
"""
GOOD: dict[str, Any] = {
    "package": "org.osteoedge.app",
    "code": version_code(VERSION),
    "version": VERSION,
    "minimum": MIN_API,
    "target": API,
    "permission": "",
    "backup": "false",
}
MakeApk = Callable[..., Path]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "key.keystore"
    secret = ["-storepass", "secret", "-keypass", "secret"]
    command = ["keytool", "-genkeypair", "-alias", "test", "-keyalg", "RSA", "-dname", "CN=Test", *secret]
    subprocess.run([*command, "-keystore", path], check=True, capture_output=True)
    return path


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], bytes]:
    folder = tmp_path_factory.mktemp("library")

    def linked(page_bytes: int) -> bytes:
        target = folder / f"{page_bytes}.so"
        flags = ["-nostdlib", "-shared", "-fPIC", f"-Wl,-z,max-page-size={page_bytes}"]
        subprocess.run(["gcc", *flags, "-x", "c", "/dev/null", "-o", target], check=True, capture_output=True)
        return target.read_bytes()

    return linked


@pytest.fixture
def make_apk(tmp_path: Path, key: Path, library: Callable[[int], bytes]) -> MakeApk:
    """Make what `check_apk` takes for a built APK for x86_64, with changes to its manifest and its app."""

    def make(
        *,
        app: tuple[str, ...] = STAGED,
        classes: tuple[bytes, ...] = tuple(CLASSES.values()),
        page_bytes: int = 16384,
        is_signed: bool = True,
        is_aligned: bool = True,
        **changes: object,
    ) -> Path:
        source, apk = tmp_path / "AndroidManifest.xml", tmp_path / "app.apk"
        source.write_text(MANIFEST.format(**GOOD | changes), "utf-8")
        subprocess.run(["aapt", "package", "-f", "-M", source, "-I", FRAMEWORK, "-F", apk], check=True)
        with ZipFile(apk, "a") as archive:
            archive.writestr("classes.dex", b"".join(classes), ZIP_DEFLATED)
            archive.writestr("lib/x86_64/libmain.so", library(page_bytes), ZIP_DEFLATED)
            archive.writestr("assets/private.tar", _packed(app), ZIP_DEFLATED)
            archive.writestr("assets/odd", "x", ZIP_STORED)
            archive.writestr("assets/plain.txt", "not compressed", ZIP_STORED)
        if is_aligned:
            subprocess.run(["zipalign", "-f", "4", apk, tmp_path / "aligned.apk"], check=True)
            (tmp_path / "aligned.apk").rename(apk)
        if is_signed:
            words = ["--ks", str(key), "--ks-pass", "pass:secret", "--min-sdk-version", str(MIN_API)]
            if not is_aligned:
                words.append("--alignment-preserved")
            subprocess.run(["apksigner", "sign", *words, apk], check=True, capture_output=True)
        return apk

    return make


def findings(apk: Path, *archs: str) -> dict[str, Finding]:
    return {each.what: each for each in check_apk(apk, archs or ("x86_64",), Tools())}


def check(*words: object) -> Result:
    return CliRunner().invoke(apk_check.main, [str(word) for word in words])


def test_one_that_is_as_staged_passes(make_apk: MakeApk) -> None:
    done = check(make_apk(), "--arch", "x86_64")
    assert done.exit_code == 0, done.output
    assert {line[:3] for line in done.output.splitlines()} == {"yes"}
    assert "signature: CN=Test" in done.output
    assert "permissions: none" in done.output
    assert "pages of 16 KB: 1 libraries fit" in done.output


def test_all_that_is_otherwise_in_the_manifest_is_told(make_apk: MakeApk) -> None:
    asks = '<uses-permission android:name="android.permission.INTERNET"/>'
    changes = {"package": "org.other", "code": 7, "version": "9.9", "minimum": 21, "target": 33, "backup": "true"}
    found = findings(make_apk(permission=asks, is_signed=False, **changes), "arm64-v8a", "armeabi-v7a")
    amiss = {what: each.found for what, each in found.items() if not each.is_right}
    assert amiss == {
        "package": "org.other, expected org.osteoedge.app",
        "version": f"9.9, expected {VERSION}",
        "version code": f"7, expected {version_code(VERSION)}",
        "oldest API": f"21, expected {MIN_API}",
        "target API": f"33, expected {API}",
        "processors": "x86_64, expected arm64-v8a armeabi-v7a",
        "permissions": "android.permission.INTERNET, expected none",
        "backup": "on, expected off",
        "signature": found["signature"].found,
    }
    assert "DOES NOT VERIFY" in found["signature"].found


def test_all_that_is_otherwise_inside_is_told(make_apk: MakeApk) -> None:
    app = (*STAGED[1:], "osteo_edge/tests/test_pin.pyc", "osteo_edge/pin.py", "cv2/__init__.pyc", "latest/tested.pyc")
    apk = make_apk(
        app=app, classes=(b"", *list(CLASSES.values())[1:]), page_bytes=4096, is_signed=False, is_aligned=False
    )
    found = findings(apk)
    amiss = {what: each.found for what, each in found.items() if not each.is_right}
    del amiss["signature"]
    small = "its segments are aligned to 4096 bytes, not 16384"
    assert amiss == {
        "zipalign": "-p: not aligned",
        "pages of 16 KB": f"lib/x86_64/libmain.so (python-for-android): {small}",
        "Java classes": "without LiteRT's interpreter",
        "the app": "without main.pyc",
        "left out": "has cv2/__init__.pyc, osteo_edge/pin.py, osteo_edge/tests/test_pin.pyc",
    }


def test_one_that_was_altered_after_it_was_signed_does_not_pass(make_apk: MakeApk) -> None:
    apk = make_apk()
    with ZipFile(apk, "a") as archive:
        archive.writestr("assets/more", b"")
    done = check(apk, "--arch", "x86_64")
    assert done.exit_code == 1
    assert "NO   signature: " in done.output


def test_googles_zipalign_is_asked_for_pages_of_16_kb(make_apk: MakeApk, tmp_path: Path) -> None:
    tools = tmp_path / "build-tools"
    tools.mkdir()
    for tool in ("aapt", "apksigner"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    newer = tools / "zipalign"
    newer.write_text(
        '#!/bin/sh\n[ $# = 0 ] && { echo "Usage: zipalign [-P <pagesize_kb>] infile" >&2; exit 2; }\n'
        'case "$*" in "-c -P 16 4 "*) exit 0;; esac\nexit 1\n',
        "utf-8",
    )
    newer.chmod(0o755)
    found = {each.what: each for each in check_apk(make_apk(), ("x86_64",), Tools(tools))}
    assert found["zipalign"] == Finding("zipalign", "-P 16: aligned", True)


def test_what_cannot_be_checked_is_told_in_a_line(make_apk: MakeApk, tmp_path: Path) -> None:
    text = tmp_path / "text.apk"
    text.write_text("no archive", "utf-8")
    (tmp_path / "none").mkdir()
    for words, said in [
        ((text,), "no APK that aapt can read"),
        ((make_apk(), "--build-tools", tmp_path / "none"), "aapt: not in"),
    ]:
        done = check(*words)
        assert (done.exit_code, done.output.count("\n")) == (1, 1), done.output
        assert said in done.output
    whole = (tmp_path / "app.apk").read_bytes()
    (tmp_path / "app.apk").write_bytes(whole[:200] + bytes(100) + whole[300:])
    with pytest.raises(OsteoEdgeError, match=r"app\.apk: "):
        check_apk(tmp_path / "app.apk", ("x86_64",), Tools())
    flags = whole.rindex(b"classes.dex") - 38  # in the directory at the end: encrypted, it says
    (tmp_path / "app.apk").write_bytes(whole[:flags] + bytes([whole[flags] | 1]) + whole[flags + 1 :])
    with pytest.raises(OsteoEdgeError, match=r"app\.apk: damaged .*encrypted"):
        check_apk(tmp_path / "app.apk", ("x86_64",), Tools())


@pytest.mark.skipif(
    find_spec("pythonforandroid") is None or missing_tool() is not None, reason="needs python-for-android: make android"
)
def test_what_python_for_android_makes_of_the_staged_project_is_as_it_has_to_be(
    staged_project: Path, tmp_path: Path
) -> None:
    dist = package(staged_project, tmp_path)
    skeleton = link(dist, GOOD["package"])
    looked_at = (*check_manifest(skeleton, ("arm64-v8a", "x86_64"), Tools()), *check_contents(skeleton))
    amiss = {each.what: each.found for each in looked_at if not each.is_right}
    assert amiss == {"Java classes": f"without {', '.join(CLASSES)}"}, "a skeleton has no code"


def _packed(names: tuple[str, ...]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(f"./{name}"))
    return data.getvalue()
