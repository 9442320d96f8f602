"""Install an APK on the phone or emulator that adb sees, start the app's built-in test, and wait for its outcome.

Python's own library alone, so that it runs wherever adb does: `python3 -I phone_test.py APK --out FOLDER`. One line
tells the outcome; the exit code is 0 if the test has passed and the app goes on, 1 if not, 2 for wrong words. FOLDER
gets the system's log, the app's own, and a picture of the screen, whatever the outcome.
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, NamedTuple

PACKAGE: Final = "org.osteoedge.app"
ACTIVITY: Final = "org.osteoedge.app.EdgeActivity"
EXTRA: Final = "osteo_edge_test"
HEAD: Final = "osteo-edge self-test:"
START_FAILED: Final = "osteo-edge: start failed:"
ENDED: Final = "Python for android ended."
LIMIT_S: Final = 420.0
"""How long the app may take from its start to the outcome: a slow emulator unpacks Python for a minute or two."""
ADB_LIMIT_S: Final = 180.0
SETTLE_S: Final = 5.0
"""How long the app has to go on after the test."""
BUFFERS: Final = ("main", "system", "crash")
LOG_OF_APP: Final = "files/osteo-edge/log/app.log"
LINE: Final = re.compile(r"^\S+ +\S+ +\d+ +\d+ (?P<level>[VDIWEFS]) (?P<tag>.*?) *: (?P<text>.*)$")
"""A line of `logcat -v threadtime`."""


class Outcome(NamedTuple):
    """Whether the test has passed, and the line to tell."""

    has_passed: bool
    line: str


class AdbError(Exception):
    """What adb could not do, in one line."""


def outcome_of(lines: Iterable[str], package: str = PACKAGE) -> Outcome | None:
    """The outcome that lines of the system's log tell; None if they end before there is one.

    A failure is told by the app itself, or it is one that the system notices: an exception in Java, a signal in native
    code, Python's end, an app that does not respond.
    """
    said, java = "nothing", False
    for line in lines:
        found = LINE.match(line)
        if found is None:
            continue
        tag, text = found["tag"], found["text"].strip()
        if tag == "python":
            if text.startswith(f"{HEAD} passed"):
                return Outcome(True, text)
            if text.startswith((f"{HEAD} failed", START_FAILED)):
                return Outcome(False, text)
            if text == ENDED:
                return Outcome(False, f"Python ended before the test did; its last line: {said}")
            said = text or said
        elif tag == "AndroidRuntime" and text.startswith("Process:"):
            java = text.startswith(f"Process: {package},")
        elif tag == "AndroidRuntime" and java:
            return Outcome(False, f"the app has crashed in Java: {text}")
        elif tag == "DEBUG" and f">>> {package} <<<" in text:
            return Outcome(False, f"the app has crashed in native code; Python's last line: {said}")
        elif tag.startswith("ActivityManager") and text.startswith(f"ANR in {package}"):
            return Outcome(False, f"the app does not respond; Python's last line: {said}")
    return None


class Phone:
    """What adb does on the one device that it sees."""

    def __init__(self, adb: str = "adb") -> None:
        self._adb = adb

    def do(self, *words: str, limit_s: float = ADB_LIMIT_S) -> str:
        """What adb prints; `AdbError` with its last line if it fails."""
        try:
            done = subprocess.run(
                [self._adb, *words], capture_output=True, text=True, errors="replace", timeout=limit_s, check=False
            )
        except OSError as error:
            raise AdbError(
                f"{self._adb}: cannot be started ({error.strerror}); install Android's platform-tools"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise AdbError(f"adb {words[0]}: takes more than {limit_s:g} s") from error
        if done.returncode != 0:
            raise AdbError(
                f"adb {words[0]}: {_last(done.stderr) or _last(done.stdout) or f'exit code {done.returncode}'}"
            )
        return done.stdout

    def keep(self, path: Path, *words: str) -> bool:
        """Write what adb prints to a file, if it can; whether it could."""
        with suppress(OSError, subprocess.TimeoutExpired):
            done = subprocess.run([self._adb, *words], capture_output=True, timeout=ADB_LIMIT_S, check=False)
            if done.returncode == 0 and done.stdout:
                path.write_bytes(done.stdout)
                return True
        return False

    @contextmanager
    def log_lines(self, limit_s: float) -> Iterator[Iterator[str]]:
        """The lines of the system's log as they come, for so long at most."""
        buffers = [word for name in BUFFERS for word in ("-b", name)]
        command = [self._adb, "logcat", "-v", "threadtime", *buffers]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace"
        )
        lines = SimpleQueue[str | None]()
        reader = Thread(target=_read, args=(process, lines), daemon=True)
        reader.start()
        try:
            yield _until(lines, time.monotonic() + limit_s)
        finally:
            process.kill()
            process.wait()
            reader.join()


def run_test(phone: Phone, apk: Path, out: Path, *, limit_s: float = LIMIT_S, settle_s: float = SETTLE_S) -> Outcome:
    """Install, start, wait, and keep the logs and a picture in `out`; `AdbError` if there is no device to do it on."""
    out.mkdir(parents=True, exist_ok=True)
    phone.do("wait-for-device")
    phone.do("install", "-r", "-t", str(apk))
    phone.do("logcat", "-c")
    try:
        with phone.log_lines(limit_s) as lines:
            started = phone.do("shell", "am", "start", "-n", f"{PACKAGE}/{ACTIVITY}", "--ez", EXTRA, "true")
            if "Error" in started:
                return Outcome(False, f"the app cannot be started: {_last(started)}")
            outcome = outcome_of(lines)
        if outcome is None:
            return Outcome(False, f"no outcome within {limit_s:g} s: see {out / 'logcat.txt'}")
        if outcome.has_passed and not _goes_on(phone, settle_s):
            return Outcome(False, f"the app has ended after its test ({outcome.line})")
        return outcome
    finally:
        phone.keep(out / "screen.png", "exec-out", "screencap", "-p")
        phone.keep(out / "logcat.txt", "logcat", "-d", "-v", "threadtime")
        phone.keep(out / "app.log", "exec-out", "run-as", PACKAGE, "cat", LOG_OF_APP)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the test as the command line says; gives the exit code."""
    given = _parser().parse_args(arguments)
    phone = Phone()
    try:
        if not given.apk.is_file():
            raise AdbError(f"{given.apk}: no such file")
        if given.page_bytes is not None:
            _require_pages(phone, given.page_bytes)
        outcome = run_test(phone, given.apk, given.out, limit_s=given.seconds, settle_s=given.settle)
    except (AdbError, OSError) as error:
        outcome = Outcome(False, str(error))
    print(outcome.line if outcome.has_passed else f"phone test: {outcome.line}")  # noqa: T201  # its purpose
    return 0 if outcome.has_passed else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Start the built-in test of an APK on the device that adb sees.")
    parser.add_argument("apk", type=Path, help="the APK, built for the device's processor")
    parser.add_argument("--out", type=Path, required=True, help="a folder for the logs and the picture of the screen")
    parser.add_argument("--seconds", type=float, default=LIMIT_S, help="how long to wait (default: %(default)g)")
    parser.add_argument(
        "--settle", type=float, default=SETTLE_S, help="seconds to go on after it (default: %(default)g)"
    )
    parser.add_argument("--page-bytes", type=int, help="fail unless the device has memory pages of this size")
    return parser


def _require_pages(phone: Phone, page_bytes: int) -> None:
    phone.do("wait-for-device")
    found = phone.do("shell", "getconf", "PAGE_SIZE").strip()
    if found != str(page_bytes):
        raise AdbError(f"the device has memory pages of {found} bytes, not {page_bytes}")


def _goes_on(phone: Phone, settle_s: float) -> bool:
    """Whether the app is still there some seconds after its test."""
    time.sleep(settle_s)
    with suppress(AdbError):
        return phone.do("shell", "pidof", PACKAGE).strip() != ""
    return False


def _read(process: "subprocess.Popen[str]", lines: "SimpleQueue[str | None]") -> None:
    for line in process.stdout or ():
        lines.put(line.rstrip("\n"))
    lines.put(None)


def _until(lines: "SimpleQueue[str | None]", end: float) -> Iterator[str]:
    with suppress(Empty):
        while (line := lines.get(timeout=max(0.0, end - time.monotonic()))) is not None:
            yield line


def _last(text: str) -> str:
    """The last line that says anything."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


if __name__ == "__main__":
    sys.exit(main())
