"""The staged app starts as on a phone: its own main.pyc, with Java and a window, and LiteRT behind Java."""

import json
import re
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from osteo_edge.edge_app.android.phone_test import outcome_of
from osteo_edge.edge_app.virtual_display import virtual_display
from tests.java_doubles import run_in_jvm

STORY = Path(__file__).with_name("start_story.py")
pytestmark = [
    pytest.mark.kivy,
    pytest.mark.skipif(find_spec("kivy") is None, reason="no Kivy: pip install 'osteo-edge[app]'"),
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="no Xvfb: make display"),
]


class Seen(NamedTuple):
    """What the device has seen, the system's log, and the app's own."""

    device: dict[str, Any]
    system_log: list[str]
    app_log: str


class Phone:
    """Starts an app on an emulated phone, below a folder."""

    def __init__(self, app: Path, folder: Path, classes: Path, display: dict[str, str]) -> None:
        self.app, self.private = app, folder / "files"
        self._classes, self._display = classes, display
        self.private.mkdir()

    def start(self, until: str, *words: str) -> Seen:
        arguments = (str(self.app), str(self.private), until, *words)
        done = run_in_jvm(STORY, *arguments, classes=self._classes, **self._display)
        assert done.returncode == 0, done.stderr
        log = self.private / "osteo-edge" / "log" / "app.log"
        text = log.read_text("utf-8") if log.is_file() else ""
        return Seen(json.loads(done.stdout), done.stderr.splitlines(), text)


@pytest.fixture(scope="module")
def display() -> Iterator[dict[str, str]]:
    with virtual_display() as environment:
        yield environment


@pytest.fixture
def phone(unpacked_app: Path, tmp_path: Path, java_classes: Path, display: dict[str, str]) -> Phone:
    return Phone(unpacked_app, tmp_path, java_classes, display)


def test_it_starts_tests_itself_when_asked_and_goes_on(phone: Phone) -> None:
    seen = phone.start("osteo-edge self-test:", "test")
    said = [line for line in seen.system_log if "WARNING kivy" not in line]
    assert said[:4] == [
        f"osteo-edge: {step}" for step in ("starting", "preparing the runtime", "opening the window", "ready")
    ]
    assert re.fullmatch(
        r'osteo-edge self-test: passed score=(0\.\d{4}) expected=0\.\d{4} tolerance=0\.02 model="[^"]+" '
        r'runtime="LiteRT for Android 1\.4\.1, \d threads?" seconds=\d+\.\d',
        said[4],
    ), seen.app_log
    assert said[5:] == ["osteo-edge: closed"]
    outcome = outcome_of([f"11-21 20:01:09.000  4711  4730 I python  : {line}" for line in said])
    assert outcome is not None
    assert outcome.has_passed, "as the script that waits for it reads the log"
    assert (seen.device["code"], seen.device["foreign"], seen.device["asked"]) == (0, [], [])
    assert "Traceback" not in seen.app_log
    assert list((phone.private / "tmp").iterdir()) == []
    assert (phone.private / "osteo-edge" / "models" / "shipped.json").is_file()


def test_it_does_not_test_itself_unasked(phone: Phone) -> None:
    seen = phone.start("osteo-edge: ready")
    assert (seen.device["code"], seen.device["foreign"]) == (0, [])
    assert not [line for line in seen.system_log if "self-test" in line]


def test_what_fails_in_the_window_is_logged_without_words_of_patients_and_it_goes_on(phone: Phone) -> None:
    seen = phone.start("osteo-edge: ready", "fail")
    assert seen.device["code"] == 0
    assert seen.system_log[-1] == "osteo-edge: closed"
    assert [line for line in seen.system_log if "RuntimeError at start_story.py" in line]
    assert "Jane Doe" not in "".join(seen.system_log)
    assert "RuntimeError" in seen.app_log
    assert "Jane Doe" not in seen.app_log


def test_a_module_that_was_left_out_is_no_black_screen(phone: Phone, tmp_path: Path) -> None:
    whole = phone.app
    phone.app = tmp_path / "app"
    shutil.copytree(whole, phone.app)
    (phone.app / "osteo_edge" / "edge_app" / "clinic.pyc").unlink()
    seen = phone.start("never")
    assert seen.device["code"] == 1
    (dialog,) = [note for note in seen.device["notes"] if note.startswith("dialog ")]
    said = "dialog The app cannot run|Something unexpected happened. The log file says more."
    assert dialog.startswith(f"{said}\n\nModuleNotFoundError at window_start.py:"), dialog
    assert dialog.endswith("|Close|false")
    assert "ModuleNotFoundError osteo_edge.edge_app.clinic" in seen.app_log
    (line,) = [line for line in seen.system_log if line.startswith("osteo-edge: start failed: ModuleNotFoundError at ")]
    outcome = outcome_of([f"11-21 20:01:09.000  4711  4730 I python  : {line}"])
    assert outcome is not None
    assert not outcome.has_passed


def test_a_full_or_broken_disk_is_no_black_screen(phone: Phone) -> None:
    (phone.private / "osteo-edge").write_text("in the way of the folder", "utf-8")
    seen = phone.start("never")
    assert seen.device["code"] == 1
    (dialog,) = [note for note in seen.device["notes"] if note.startswith("dialog ")]
    assert "FileExistsError at " in dialog
