"""The script that waits for the built-in test's outcome, with an adb that plays back the system's log."""

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from osteo_edge.edge_app.android import built_in_test, starting_intent, versions
from osteo_edge.edge_app.android.phone_test import ACTIVITY, EXTRA, HEAD, PACKAGE, outcome_of
from osteo_edge.edge_app.android.spec import Project, project_texts

HERE = Path(__file__).resolve().parent
SCRIPT = HERE.parents[2] / "edge_app" / "android" / "phone_test.py"
BEGINNING = """\
--------- beginning of main
11-21 20:01:02.003  1543  1570 I ActivityTaskManager: START u0 {cmp=org.osteoedge.app/.EdgeActivity (has extras)}
11-21 20:01:02.700  4711  4729 I python  : Initializing Python for Android
11-21 20:01:03.100  4711  4729 I python  : osteo-edge: starting
11-21 20:01:03.400  4711  4729 I python  : osteo-edge: opening the window
"""
PASSED = 'osteo-edge self-test: passed score=0.9990 expected=0.9998 tolerance=0.02 model="knee 1" seconds=1.4'
LOGS = {
    "passed": f"11-21 20:01:09.000  4711  4730 I python  : {PASSED}",
    "failed": "11-21 20:01:09.000  4711  4730 I python  : osteo-edge self-test: failed: score 0.4000, expected 0.9998",
    "start": "11-21 20:01:09.000  4711  4729 I python  : osteo-edge: start failed: ModuleNotFoundError at pin.py:3",
    "ended": """\
11-21 20:01:03.500  4711  4729 I python  : Traceback (most recent call last):
11-21 20:01:03.500  4711  4729 I python  :   File "main.py", line 1, in <module>
11-21 20:01:03.500  4711  4729 I python  : ModuleNotFoundError: No module named 'osteo_edge'
11-21 20:01:03.501  4711  4729 I python  : Python for android ended.""",
    "java": """\
11-21 20:01:02.500   900   900 E AndroidRuntime: FATAL EXCEPTION: main
11-21 20:01:02.500   900   900 E AndroidRuntime: Process: com.android.phone, PID: 900
11-21 20:01:02.500   900   900 E AndroidRuntime: java.lang.IllegalStateException: somebody else's
11-21 20:01:03.500  4711  4711 E AndroidRuntime: FATAL EXCEPTION: main
11-21 20:01:03.500  4711  4711 E AndroidRuntime: Process: org.osteoedge.app, PID: 4711
11-21 20:01:03.500  4711  4711 E AndroidRuntime: java.lang.UnsatisfiedLinkError: libmain.so is not 16 KB aligned""",
    "native": """\
11-21 20:01:03.500  4711  4729 F libc    : Fatal signal 11 (SIGSEGV), code 1 in tid 4729 (SDLThread), pid 4711
11-21 20:01:03.600  4790  4790 F DEBUG   : pid: 4711, tid: 4729, name: SDLThread  >>> org.osteoedge.app <<<""",
    "anr": "11-21 20:01:30.000  1543  1560 E ActivityManager: ANR in org.osteoedge.app (.EdgeActivity)",
    "another app's": "11-21 20:01:09.000  4799  4799 I chatty  : osteo-edge self-test: passed score=1",
}


class Ran(NamedTuple):
    code: int
    line: str
    asked: list[str]
    seconds: float


class FakePhone:
    """An adb on the PATH that plays back what a test wants."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder / "adb", folder / "out"
        self.folder.mkdir()
        (folder / "bin").mkdir()
        self._path = folder / "bin"
        adb = self._path / "adb"
        adb.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{HERE / "fake_adb.py"}" "$@"\n', "utf-8")
        adb.chmod(0o755)
        self.apk = folder / "app.apk"
        self.apk.touch()
        self.says("pidof", "4711\n")
        self.says("getconf", "16384\n")
        self.says("screencap", "PNG")
        self.says("run-as", "the app's own log")

    def says(self, command: str, text: str) -> None:
        (self.folder / f"says-{command}").write_text(text, "utf-8")

    def fails(self, command: str, text: str) -> None:
        (self.folder / f"fails-{command}").write_text(text, "utf-8")

    def run(self, log: str, *words: str, hangs: bool = False, path: str | None = None) -> Ran:
        (self.folder / "logcat").write_text(BEGINNING + log + "\n", "utf-8")
        (self.folder / "asked").touch()
        if hangs:
            (self.folder / "hangs").touch()
        command = [sys.executable, "-I", str(SCRIPT), str(self.apk), "--out", str(self.out), "--settle", "0.1", *words]
        environment = {"PATH": path or f"{self._path}:/usr/bin:/bin", "OSTEO_EDGE_FAKE_ADB": str(self.folder)}
        start = time.monotonic()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.stderr == ""
        (line,) = done.stdout.splitlines()
        asked = (self.folder / "asked").read_text("utf-8").splitlines()
        return Ran(done.returncode, line, asked, time.monotonic() - start)


@pytest.fixture
def phone(tmp_path: Path) -> FakePhone:
    return FakePhone(tmp_path)


def test_its_words_are_those_of_the_app() -> None:
    assert (HEAD, EXTRA) == (built_in_test.HEAD, starting_intent.TEST_EXTRA)
    assert versions.PACKAGE_ID == PACKAGE
    assert f"android.entrypoint = {ACTIVITY}\n" in project_texts(Project(), bundle="")["buildozer.spec"]


def test_one_that_passes_is_told_with_its_numbers_and_everything_is_kept(phone: FakePhone) -> None:
    ran = phone.run(LOGS["passed"], "--page-bytes", "16384", hangs=True)
    assert (ran.code, ran.line) == (0, PASSED)
    assert f"install -r -t {phone.apk}" in ran.asked
    assert f"shell am start -n {PACKAGE}/{ACTIVITY} --ez {EXTRA} true" in ran.asked
    assert ran.asked.index("logcat -c") < ran.asked.index(f"shell am start -n {PACKAGE}/{ACTIVITY} --ez {EXTRA} true")
    assert (phone.out / "screen.png").read_bytes() == b"PNG"
    assert PASSED in (phone.out / "logcat.txt").read_text("utf-8")
    assert (phone.out / "app.log").read_text("utf-8") == "the app's own log"


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("failed", "osteo-edge self-test: failed: score 0.4000, expected 0.9998"),
        ("start", "osteo-edge: start failed: ModuleNotFoundError at pin.py:3"),
        ("ended", "Python ended .*its last line: ModuleNotFoundError: No module named 'osteo_edge'"),
        ("java", "crashed in Java: java.lang.UnsatisfiedLinkError: libmain.so is not 16 KB aligned"),
        ("native", "crashed in native code; Python's last line: osteo-edge: opening the window"),
        ("anr", "does not respond; Python's last line: osteo-edge: opening the window"),
    ],
)
def test_one_that_fails_is_told_at_once_in_one_line(phone: FakePhone, log: str, words: str) -> None:
    ran = phone.run(LOGS[log], hangs=True)
    assert ran.code == 1
    assert re.search(f"^phone test: .*{words}", ran.line), ran.line
    assert ran.seconds < 20
    assert (phone.out / "logcat.txt").exists()


@pytest.mark.parametrize("log", ["another app's", "passed"])
def test_one_that_says_nothing_in_time_has_not_passed(phone: FakePhone, log: str) -> None:
    text = LOGS[log] if log != "passed" else ""
    ran = phone.run(text, "--seconds", "1", hangs=True)
    assert (ran.code, ran.line) == (1, f"phone test: no outcome within 1 s: see {phone.out / 'logcat.txt'}")


def test_a_log_that_breaks_off_has_not_passed(phone: FakePhone) -> None:
    assert phone.run("").code == 1


def test_an_app_that_ends_after_its_test_has_not_passed(phone: FakePhone) -> None:
    phone.says("pidof", "")
    ran = phone.run(LOGS["passed"])
    assert ran.code == 1
    assert ran.line.startswith("phone test: the app has ended after its test (osteo-edge self-test: passed")


@pytest.mark.parametrize(
    ("command", "text", "words"),
    [
        ("install", "Performing Install\nadb: failed to install: INSTALL_FAILED_NO_MATCHING_ABIS", "NO_MATCHING_ABIS"),
        ("wait-for-device", "error: no devices/emulators found", "no devices/emulators found"),
    ],
)
def test_what_adb_cannot_do_is_told_in_its_words(phone: FakePhone, command: str, text: str, words: str) -> None:
    phone.fails(command, text)
    ran = phone.run("")
    assert ran.code == 1
    assert re.search(f"^phone test: adb {command}: .*{words}", ran.line), ran.line


def test_an_activity_that_is_not_there_is_told(phone: FakePhone) -> None:
    phone.says("am", "Starting: Intent { }\nError type 3\nError: Activity class {x} does not exist.\n")
    assert "cannot be started: Error: Activity class {x} does not exist." in phone.run("", hangs=True).line


def test_another_size_of_pages_is_told_before_anything_is_installed(phone: FakePhone) -> None:
    phone.says("getconf", "4096\n")
    ran = phone.run("", "--page-bytes", "16384")
    assert (ran.code, ran.line) == (1, "phone test: the device has memory pages of 4096 bytes, not 16384")
    assert not any(words.startswith("install") for words in ran.asked)


def test_no_adb_and_no_apk_are_told(phone: FakePhone, tmp_path: Path) -> None:
    none = phone.run("", path=str(tmp_path / "none"))
    assert (
        none.line == "phone test: adb: cannot be started (No such file or directory); install Android's platform-tools"
    )
    phone.apk.unlink()
    assert phone.run("").line == f"phone test: {phone.apk}: no such file"


def test_the_outcome_is_the_first_one_that_is_told() -> None:
    assert outcome_of([]) is None
    assert outcome_of(["no line of a log", LOGS["another app's"]]) is None
    first = outcome_of([LOGS["failed"], LOGS["passed"]])
    assert first is not None
    assert not first.has_passed
