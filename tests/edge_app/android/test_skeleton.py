"""Layer 4: what python-for-android makes of a staged project, as far as that goes without SDK and NDK."""

import json
import re
import zipfile
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest

from osteo_edge.edge_app.android import versions
from osteo_edge.edge_app.android.signing import NAMES
from osteo_edge.edge_app.android.spec import version_code
from osteo_edge.version import VERSION
from tests.edge_app.android.skeleton import NAME, Skeleton, link, missing_tool, package, run

pytestmark = [
    pytest.mark.skipif(
        find_spec("pythonforandroid") is None or find_spec("buildozer") is None,
        reason="python-for-android is not installed: pip install osteo-edge[android]",
    ),
    pytest.mark.skipif(missing_tool() is not None, reason=f"apt-get install {missing_tool()}"),
]
ANDROID = "{http://schemas.android.com/apk/res/android}"
TOOLS = "{http://schemas.android.com/tools}"


@pytest.fixture(scope="module")
def skeleton(staged_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Skeleton:
    dist = package(staged_project, tmp_path_factory.mktemp("skeleton"))
    return Skeleton(dist, link(dist, versions.PACKAGE_ID))


@pytest.fixture(scope="module")
def manifest(skeleton: Skeleton) -> ElementTree.Element:
    return ElementTree.fromstring(skeleton.manifest)


def test_the_package_is_what_was_asked_for(skeleton: Skeleton) -> None:
    told = skeleton.badging()
    assert f"package: name='{versions.PACKAGE_ID}' versionCode='{version_code(VERSION)}'" in told
    assert f"versionName='{VERSION}'" in told
    assert f"sdkVersion:'{versions.MIN_API}'\ntargetSdkVersion:'{versions.API}'" in told
    assert "launchable-activity: name='org.osteoedge.app.EdgeActivity'" in told
    assert "native-code: 'arm64-v8a' 'x86_64'" in told


def test_no_permission_is_asked_for(skeleton: Skeleton, manifest: ElementTree.Element) -> None:
    assert run("aapt", "dump", "permissions", str(skeleton.path)).split() == ["package:", versions.PACKAGE_ID]
    assert "uses-permission" not in skeleton.badging()
    asked = manifest.findall("uses-permission")
    assert {each.get(f"{TOOLS}node") for each in asked} == {"remove"}
    assert "android.permission.INTERNET" in {each.get(f"{ANDROID}name") for each in asked}


def test_nothing_of_a_patient_is_backed_up_or_moved_to_another_phone(
    skeleton: Skeleton, manifest: ElementTree.Element
) -> None:
    (application,) = manifest.findall("application")
    assert application.get(f"{ANDROID}allowBackup") == "false"
    assert application.get(f"{ANDROID}fullBackupContent") == "false"
    assert application.get(f"{ANDROID}dataExtractionRules") == "@xml/data_extraction_rules"
    rules = ElementTree.parse(skeleton.dist / "src" / "main" / "res" / "xml" / "data_extraction_rules.xml").getroot()
    assert {rule.tag for rule in rules} == {"cloud-backup", "device-transfer"}
    for rule in rules:
        assert {each.tag for each in rule} == {"exclude"}
        assert {"root", "file", "database", "sharedpref"} <= {str(each.get("domain")) for each in rule}


def test_a_camera_and_a_touchscreen_are_not_required(skeleton: Skeleton) -> None:
    not_required = set(re.findall(r"uses-feature-not-required: name='([\w.]+)'", skeleton.badging()))
    assert {"android.hardware.camera", "android.hardware.camera.autofocus"} <= not_required
    required = set(re.findall(r"uses-feature: name='([\w.]+)'", skeleton.badging()))
    assert not {name for name in required if "camera" in name}


def test_other_apps_may_hand_over_films_and_nothing_else(manifest: ElementTree.Element) -> None:
    (activity,) = manifest.findall("application/activity")
    assert activity.get(f"{ANDROID}launchMode") == "singleTask"
    filters = {
        str(each.findall("action")[0].get(f"{ANDROID}name")): {
            data.get(f"{ANDROID}mimeType") for data in each.findall("data") if data.get(f"{ANDROID}mimeType")
        }
        for each in activity.findall("intent-filter")
    }
    assert set(filters) == {
        "android.intent.action.MAIN",
        "android.intent.action.SEND",
        "android.intent.action.VIEW",
    }
    assert {"image/*", "application/dicom"} <= filters["android.intent.action.SEND"]
    assert {"application/dicom", "image/png"} <= filters["android.intent.action.VIEW"]


def test_the_hook_has_been_at_work(skeleton: Skeleton, manifest: ElementTree.Element) -> None:
    (provider,) = manifest.findall("application/provider")
    assert provider.get(f"{ANDROID}name") == "androidx.core.content.FileProvider"
    assert provider.get(f"{ANDROID}authorities") == "${applicationId}.files"
    assert (provider.get(f"{ANDROID}exported"), provider.get(f"{ANDROID}grantUriPermissions")) == ("false", "true")
    (activity,) = manifest.findall("application/activity")
    assert activity.get(f"{ANDROID}theme") == "@style/OsteoEdge"
    java = skeleton.dist / "src" / "main" / "java" / "org" / "kivy" / "android" / "PythonActivity.java"
    assert 'equals("org.kivy.LAUNCH")' not in java.read_text("utf-8")
    assert "&& false /* org.kivy.LAUNCH: closed by osteo-edge */" in java.read_text("utf-8")


def test_only_two_folders_of_the_cache_can_be_shared(skeleton: Skeleton) -> None:
    paths = ElementTree.parse(skeleton.dist / "src" / "main" / "res" / "xml" / "shared_files.xml").getroot()
    assert [(each.tag, each.get("path")) for each in paths] == [("cache-path", "photos/"), ("cache-path", "sending/")]


def test_gradle_is_told_which_libraries(skeleton: Skeleton) -> None:
    wanted = [
        f"com.google.ai.edge.litert:litert:{versions.LITERT}",
        f"androidx.core:core:{versions.ANDROIDX_CORE}",
    ]
    assert re.findall(r"implementation '([^']+)'", skeleton.gradle) == wanted
    assert f"compileSdkVersion {versions.API}\n" in skeleton.gradle
    assert re.search(r"srcDir '\S*/project/java'", skeleton.gradle)
    properties = (skeleton.dist / "gradle.properties").read_text("utf-8")
    assert "android.useAndroidX=true" in properties


def test_the_app_is_in_it_and_nothing_of_a_desktop(skeleton: Skeleton) -> None:
    names = skeleton.app_names()
    assert {
        "main.pyc",
        "bundle/model.tflite",
        "bundle/manifest.json",
        "expected.json",
        "osteo_edge/screening.pyc",
        "osteo_edge/edge_app/android/start.pyc",
        "osteo_edge/edge_app/ui/shell.kv",
        "osteo_edge/edge_app/drawn_film.jpg",
        "osteo_edge/edge_app/languages/fr/LC_MESSAGES/osteo_edge.mo",
    } <= names
    assert [name for name in names if name.endswith(".py")] == []
    foreign = ("test", "tensorflow", "cv2", "opencv", "train", "convert", "benchmarks", "buildozer.spec", "hook")
    assert [name for name in names for word in name.split("/") if word.startswith(foreign)] == []


def test_every_file_that_was_staged_arrives(skeleton: Skeleton, staged_project: Path) -> None:
    app = staged_project / "app"
    there = {path.relative_to(app).as_posix() for path in app.rglob("*") if path.is_file()}
    wanted = {f"{name}c" if name.endswith(".py") else name for name in there}
    assert wanted - skeleton.app_names() == set()
    assert skeleton.app_names() - wanted == {"p4a_env_vars.txt", "sitecustomize.pyc"}


def test_day_and_night_have_colours_and_pictures_of_their_own(skeleton: Skeleton) -> None:
    listed = run("aapt2", "dump", "resources", str(skeleton.path))
    assert re.search(r"string/presplash_color\n\s+\(\) \"#f4f5f6\"\n\s+\(night\) \"#14171a\"", listed), listed
    assert re.search(r"drawable/presplash\n.*\n\s+\(night\) \(file\) res/drawable-night", listed), listed
    assert "style/OsteoEdge" in listed
    assert "(file) res/mipmap" in listed


def test_the_skeleton_is_not_taken_for_an_app(skeleton: Skeleton) -> None:
    assert skeleton.path.name == NAME
    with zipfile.ZipFile(skeleton.path) as archive:
        names = archive.namelist()
    assert not [name for name in names if name.endswith(".dex")]
    libraries = {Path(name).name for name in names if name.startswith("lib/")}
    assert libraries == {"libpybundle.so"}  # the archive with Python's own files, empty here


def test_a_release_is_not_debuggable_and_is_signed_by_the_environment(staged_project: Path, tmp_path: Path) -> None:
    dist = package(staged_project, tmp_path, "release", signing=dict.fromkeys(NAMES, "secret"))
    released = Skeleton(dist, dist)
    assert "debuggable" not in released.manifest
    assert 'storePassword System.getenv("P4A_RELEASE_KEYSTORE_PASSWD")' in released.gradle
    assert "secret" not in released.gradle
    command = json.loads((tmp_path / "command.json").read_text("utf-8"))
    assert command[0] == "aab"
    assert {"--release", "--sign"} <= set(command)
    assert "secret" not in command
