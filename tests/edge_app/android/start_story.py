"""Run in a JVM with doubles of Android's classes: the staged app starts as on a phone.

    python -OO start_story.py APP FOLDER UNTIL [test | fail]

APP is the app's folder, as python-for-android unpacks it, and FOLDER that of its private files. The app is closed when
the system's log, which is standard error here, has a line with UNTIL; with "fail" something fails in its window before.
With "test" the intent that starts the app asks for the built-in test. What the device has seen is printed as JSON.
"""

import faulthandler
import io
import json
import os
import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import ai_edge_litert.interpreter  # noqa: F401  # behind the doubles
import jnius_config

LIMIT_S = 60
APP, PRIVATE, UNTIL, WORDS = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
jnius_config.add_options(f"-Dcache={PRIVATE / 'system-cache'}")

from jnius import autoclass  # noqa: E402

from tests.edge_app.android.bare_import import DESKTOP  # noqa: E402
from tests.java_like_android import hide_app_classes_from_workers  # noqa: E402
from tests.litert_behind_java import put_litert_behind  # noqa: E402


class LogFile(io.IOBase):
    """As python-for-android makes it for standard output and error: neither a name, nor an encoding, nor a number."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
        if UNTIL in text:
            end_soon()


class Activity:
    """What Kivy asks of the activity when the app is to close: the system then ends its loop."""

    def finishAndRemoveTask(self) -> None:  # noqa: N802  # Java's name
        from kivy.app import App

        App.get_running_app()._stop()


def end_soon() -> None:
    from kivy.app import App
    from kivy.clock import Clock

    def fail(_: float) -> None:
        raise RuntimeError("Jane Doe")

    if "fail" in WORDS:
        Clock.schedule_once(fail, 0.1)
    Clock.schedule_once(lambda _: App.get_running_app().stop(), 0.3)


def main() -> None:
    faulthandler.dump_traceback_later(LIMIT_S, exit=True)
    device, intent = autoclass("org.osteoedge.doubles.Device"), autoclass("android.content.Intent")
    library = put_litert_behind()
    started = intent(intent.ACTION_MAIN)
    started.putExtra("osteo_edge_test", "test" in WORDS)
    device.open(started, False)
    asked = hide_app_classes_from_workers()
    android = ModuleType("android")
    android.mActivity = Activity()  # type: ignore[attr-defined]
    sys.modules["android"] = android
    modules: dict[str, Any] = sys.modules
    modules.update(dict.fromkeys(DESKTOP.split()))  # they cannot be imported, nor found
    sys.meta_path[:] = [finder for finder in sys.meta_path if "__editable__" not in str(finder)]  # of a checkout
    sys.path.insert(0, str(APP))
    os.chdir(APP)
    os.environ |= {"ANDROID_PRIVATE": str(PRIVATE), "KIVY_BUILD": "android"}
    del os.environ["HOME"]
    sys.platform = "android"
    out, sys.stdout = sys.stdout, LogFile(sys.stderr)
    sys.stderr = sys.stdout
    entry = next(path for path in (APP / "main.pyc", APP / "main.py") if path.exists())
    try:
        runpy.run_path(str(entry), run_name="__main__")
        code = None
    except SystemExit as end:
        code = end.code
    own = {name: str(module.__file__) for name, module in sys.modules.items() if name.startswith("osteo_edge")}
    seen = {
        "code": code,
        "notes": list(device.notes()),
        "asked": asked,
        "models": len(library.opened),
        "modules": len(own),
        "foreign": [path for path in own.values() if not path.startswith(str(APP))],
    }
    out.write(json.dumps(seen) + "\n")
    out.flush()
    os._exit(0)  # as python-for-android does; a JVM with threads of Python's does not always end by itself


if __name__ == "__main__":
    main()
