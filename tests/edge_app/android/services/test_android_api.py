"""What the app's Java uses of Android is there, and is as the doubles have it: held to Google's own declarations."""

import re
from pathlib import Path

import pytest

from tests.edge_app.android.services.android_api import constants, names_used

DECLARED = Path(__file__).with_name("android_api.txt").read_text("utf-8").splitlines()
SINCE = dict(line.rsplit(" ", 1) for line in DECLARED if " = " not in line)
MINIMUM = 24
GUARDED = {
    "android/graphics/Insets": 30,  # of WindowInsets.getInsets; there since 29
    "android/os/ext/SdkExtensions": 30,  # declared since 30, in a part of the system that is updated by itself
    "android/view/DisplayCutout": 28,
    "android/view/WindowInsets": 30,
    "android/view/WindowInsets$Type": 30,
}
"""What older phones have not, and the level that the sources ask for before they use it."""


@pytest.fixture(scope="module")
def used(java_classes: Path) -> set[str]:
    return names_used(java_classes)


def test_everything_that_is_used_has_been_looked_up(used: set[str]) -> None:
    assert used == set(SINCE)


def test_everything_that_is_used_is_there() -> None:
    assert [name for name, since in SINCE.items() if since == "never"] == []


def test_the_doubles_have_androids_own_constants(java_classes: Path, used: set[str]) -> None:
    assert constants(java_classes, used) == {line for line in DECLARED if " = " in line}
    assert not any(", not " in line for line in DECLARED)


def test_what_older_phones_have_not_is_asked_for_by_level() -> None:
    newer = {name.rpartition(".")[0] for name, since in SINCE.items() if since.isdigit() and int(since) > MINIMUM}
    assert newer == set(GUARDED)
    sources = "".join(path.read_text("utf-8") for path in (_java() / "org/osteoedge/app").glob("*.java"))
    assert {int(level) for level in re.findall(r"SDK_INT >= (\d+)", sources)} == {
        *GUARDED.values(),
        33,
    }  # the photo picker: a name


def test_what_is_used_of_python_for_android_is_in_its_activity() -> None:
    pythonforandroid = pytest.importorskip("pythonforandroid")
    sdl2 = Path(pythonforandroid.__file__).parent / "bootstraps" / "sdl2" / "build" / "src" / "main" / "java"
    activity = (sdl2 / "org/kivy/android/PythonActivity.java").read_text("utf-8")
    assert [name for name, since in SINCE.items() if since == "python-for-android"] == [
        "org/osteoedge/app/EdgeActivity.getLayout:()Landroid/view/ViewGroup;",
        "org/osteoedge/app/EdgeActivity.getSurface:()Landroid/view/SurfaceView;",
    ]
    assert "public class PythonActivity extends SDLActivity" in activity
    for declared in (
        "public static ViewGroup getLayout()",
        "public static SurfaceView getSurface()",
        "protected void onCreate(Bundle savedInstanceState)",
        "protected void onNewIntent(Intent intent)",
        "protected void onActivityResult(int requestCode, int resultCode, Intent intent)",
    ):
        assert declared in activity


def _java() -> Path:
    import osteo_edge.edge_app.android as android

    return Path(android.__file__).parent / "java"
