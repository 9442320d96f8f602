"""Run in a JVM with doubles of Android's classes: somebody uses the staged app, from the picker to the history.

    python -OO window_story.py APP FOLDER screen | again PICTURES

APP is the app's folder, as python-for-android unpacks it, FOLDER that of its private files. What is tapped goes through
the app's own start, window, services and inference; only the finger and the system are played. "screen" ends as the
system ends an app that is not seen; "again" begins there. What was seen is printed as JSON; PICTURES is a folder for
pictures of the screen.
"""

import io
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import ai_edge_litert.interpreter  # noqa: F401  # behind the doubles
import jnius_config

sys.getandroidapilevel = lambda: 34  # type: ignore[attr-defined]  # as Python on Android has it
APP, PRIVATE, PART, PICTURES = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
CACHE = PRIVATE / "system-cache"
jnius_config.add_options(f"-Dcache={CACHE}")

from jnius import autoclass, cast  # noqa: E402

from tests.edge_app.android.bare_import import DESKTOP  # noqa: E402
from tests.java_like_android import hide_app_classes_from_workers  # noqa: E402
from tests.litert_behind_java import put_litert_behind  # noqa: E402

os.getuid = lambda: 10_123  # on Android each app is a user of its own, and other apps' files are not its

SIZE = (540, 960)
BARS, CUTOUT = [0, 24, 0, 48], [0, 40, 0, 0]
PICKED, RESULT_OK = 7001, -1
PATIENCE_S = 60.0
T = TypeVar("T")

Device = autoclass("org.osteoedge.doubles.Device")
Contents = autoclass("org.osteoedge.doubles.Contents")
Intent = autoclass("android.content.Intent")
Uri = autoclass("android.net.Uri")
seen: dict[str, Any] = {}


def use(app: Any) -> None:
    """What the app's loop does in its place: the user's touches, frame by frame."""
    from tests.edge_app.ui.robot import Robot

    class User(Robot):
        """A robot that also gives up without assertions."""

        def __init__(self) -> None:
            self.open(app, SIZE)

        def until(self, condition: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
            end = time.monotonic() + patience_s
            while not (found := condition()):
                if time.monotonic() > end:
                    raise TimeoutError(f"on the screen: {self.texts()}")
                self.frames()
                time.sleep(0.002)
            return found

    autoclass("android.view.accessibility.AccessibilityManager").ONLY.turn(True)
    Device.lay([0, 0, *SIZE], [0, 0, *SIZE])
    Device.cover(BARS, CUTOUT, [0, 0, 0, 0])
    {"screen": screen, "again": again}[PART](User())


def screen(robot: Any) -> None:
    robot.until(lambda: robot.shell.model is not None)
    robot.until(lambda: robot.shell.padding[1] == CUTOUT[1])
    seen["padding"] = list(robot.shell.padding)
    seen["at home"] = notes()
    robot.shot(PICTURES / "home.png")
    robot.tap("New screening")
    typed = dict(zip(("code", "age", "weight"), ("K-1042", "67", "52"), strict=True))
    for name, text in typed.items():
        robot.type(robot.screen.ids[name].ids.box, text)
    robot.tap("Choose a picture")
    asked = Device.started()
    seen["asked for"] = asked.getAction()
    seen["form"] = notes()
    pick(APP / "osteo_edge" / "edge_app" / "drawn_film.jpg")
    robot.see("Patient code: K-1042")
    robot.until(lambda: robot.screen.is_drawn)
    answer = robot.screen.answer
    seen["score"], seen["has a map"] = answer.entry.score, answer.picture.evidence is not None
    seen["answer"] = notes()
    seen["own copies"] = names(PRIVATE / "osteo-edge" / "photos")
    seen["in the cache"] = names(CACHE / "incoming")
    robot.shot(PICTURES / "answer.png")
    Device.turnDark(True)
    look = sys.modules["osteo_edge.edge_app.ui.look"].look
    robot.until(lambda: look.theme == "dark")
    robot.shot(PICTURES / "dark.png")
    robot.app.dispatch("on_pause")
    seen["left off"] = json.loads((PRIVATE / "osteo-edge" / "left-off.json").read_text("utf-8"))["screens"]
    tell()  # here the system ends the app: nothing that it has open is closed


def again(robot: Any) -> None:
    seen["screen"] = robot.shell.name
    robot.see("Patient code: K-1042")
    seen["score"] = robot.screen.answer.entry.score
    seen["answer"] = notes()
    robot.tap("Save")
    robot.see("Saved on this device.")
    robot.until(lambda: not names(PRIVATE / "osteo-edge" / "photos"))
    robot.tap("Report (PDF)")
    robot.tap("Send it to another app")
    robot.until(lambda: Device.startedCount() > 0)
    chooser = Device.started()
    inner = cast("android.content.Intent", chooser.getExtras().get("android.intent.extra.INTENT"))
    seen["sent"] = [chooser.getAction(), inner.getAction(), inner.getType()]
    seen["report"] = [path.read_bytes()[:5].decode() for path in (CACHE / "sending").iterdir()]
    robot.key(1001)
    robot.key(1001)
    robot.until(lambda: robot.shell.name == "home")
    robot.tap("History")
    robot.see("K-1042")
    robot.shot(PICTURES / "history.png")
    robot.key(1001)
    notes()
    robot.key(1001)
    seen["back at home"] = [line for line in notes() if "secret" not in line]
    seen["history"] = len(robot.clinic.history().search(limit=10).entries)
    seen["drafts"] = len(robot.clinic.history().drafts())


def pick(film: Path) -> None:
    """The user picks a picture, which the system gives by an address."""
    address = "content://picker/1"
    Contents.put(address, "knee 4.jpg", -1, os.open(film, os.O_RDONLY), 0, -1, None)
    chosen = Intent()
    chosen.setData(Uri.parse(address))
    Device.answer(PICKED, RESULT_OK, chosen)


def notes() -> list[str]:
    Device.settle()
    return list(Device.notes())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


class Activity:
    """What Kivy asks of the activity."""

    def finishAndRemoveTask(self) -> None:  # noqa: N802  # Java's name
        Device.note("finished")

    def changeKeyboard(self, kind: int) -> None:  # noqa: N802
        Device.note(f"keyboard {kind}")

    def moveTaskToBack(self, root: bool) -> None:  # noqa: N802
        Device.note("moved to the back")


class LogFile(io.IOBase):
    """As python-for-android makes it for standard output and error."""

    def write(self, text: str) -> None:
        sys.__stderr__.write(text)  # type: ignore[union-attr]


def main() -> None:
    library = put_litert_behind()
    Device.open(Intent(Intent.ACTION_MAIN), PART == "again")
    seen["asked by workers"] = hide_app_classes_from_workers()
    android = ModuleType("android")
    android.mActivity = Activity()  # type: ignore[attr-defined]
    sys.modules["android"] = android
    missing: Any = dict.fromkeys(DESKTOP.split())
    sys.modules.update(missing)  # they cannot be imported, nor found
    sys.path.insert(0, str(APP))
    os.chdir(APP)
    os.environ |= {"ANDROID_PRIVATE": str(PRIVATE), "KIVY_BUILD": "android"}
    del os.environ["HOME"]
    sys.stdout = LogFile()

    from osteo_edge.edge_app import window_start
    from osteo_edge.edge_app.android import start
    from osteo_edge.edge_app.android.places import places_here

    prepare = window_start.prepare_kivy

    def prepared(*given: Any, **named: Any) -> None:
        prepare(*given, **named)
        os.environ |= {"KCFG_GRAPHICS_WIDTH": str(SIZE[0]), "KCFG_GRAPHICS_HEIGHT": str(SIZE[1])}  # the phone's screen
        from kivy.app import App

        App.run = use

    window_start.prepare_kivy = prepared
    seen["models"] = library.opened
    seen["unsaved"] = start.run(places_here(), lambda line: None)
    tell()


def tell() -> None:
    """Print what was seen, and end at once: a JVM with threads of Python's does not always end by itself."""
    own = {str(module.__file__) for name, module in sys.modules.items() if name.startswith("osteo_edge")}
    seen["foreign"] = sorted(path for path in own if not path.startswith(str(APP)))
    sys.__stdout__.write(json.dumps(seen) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]
    os._exit(0)


if __name__ == "__main__":
    main()
