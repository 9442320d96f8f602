import importlib.util
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

P4A = find_spec("pythonforandroid")
MANIFEST = '<manifest><application><activity android:theme="@style/KivySupportCutout"/></application></manifest>'
ACTIVITY = 'if (getIntent() != null && getIntent().getAction().equals("org.kivy.LAUNCH")) {'


@pytest.fixture
def hook(staged_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The staged hook, in a folder as python-for-android calls it in."""
    spec = importlib.util.spec_from_file_location("staged_hook", staged_project / "hook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for path, text in ((module.MANIFEST, MANIFEST), (module.ACTIVITY, ACTIVITY)):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return module


def test_it_may_run_again_on_what_it_has_changed(hook: ModuleType) -> None:
    for _ in range(2):
        hook.before_apk_build(None)
        hook.before_apk_assemble(None)
    assert hook.MANIFEST.read_text("utf-8").count("<provider ") == 1
    assert hook.ACTIVITY.read_text("utf-8").count("closed by osteo-edge") == 1


def test_another_python_for_android_ends_the_build(hook: ModuleType) -> None:
    hook.ACTIVITY.write_text("class PythonActivity {}", "utf-8")
    with pytest.raises(SystemExit, match="0 times, not once; is this another python-for-android"):
        hook.before_apk_build(None)
    hook.MANIFEST.write_text(MANIFEST * 2, "utf-8")
    with pytest.raises(SystemExit, match="2 times, not once"):
        hook.before_apk_assemble(None)


@pytest.mark.skipif(P4A is None, reason="python-for-android is not installed: pip install osteo-edge[android]")
def test_the_pinned_release_has_what_is_replaced(hook: ModuleType) -> None:
    assert P4A is not None
    assert P4A.origin is not None
    bootstraps = Path(P4A.origin).parent / "bootstraps"
    activity = bootstraps / "sdl2" / "build" / hook.ACTIVITY
    manifest = bootstraps / "_sdl_common" / "build" / "templates" / "AndroidManifest.tmpl.xml"
    assert activity.read_text("utf-8").count(hook.LAUNCH) == 1
    assert manifest.read_text("utf-8").count(hook.THEME) == 1
    assert manifest.read_text("utf-8").count(hook.END) == 1
