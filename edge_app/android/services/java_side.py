"""What the app's own Java classes offer, as Python values; the only module of these that knows pyjnius.

Only these few classes are called, with texts and numbers: what they do with Android's own, the compiler holds to their
declarations when the app is built; another app's objects never come to Python; and pyjnius need not look through all of
an activity's methods while the app starts.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from jnius import JavaException, autoclass, detach

from osteo_edge.edge_app.android.services.errors import (
    NO_CAMERA,
    NO_FILE,
    NO_TAKER,
    NOT_COMPLETE,
    OWN_FILE,
    DeviceError,
    opening_line,
)

PACKAGE: Final = "org.osteoedge.app"
Kind = Literal["shared", "answered", "failed", "changed"]
KINDS: Final[dict[int, Kind]] = {1: "shared", 2: "answered", 3: "failed", 4: "changed"}

T = TypeVar("T")


@dataclass(frozen=True)
class Told:
    """One thing that the system has told: Told.java says what each value is."""

    kind: Kind
    request: int
    accepted: bool
    uris: tuple[str, ...]
    problem: str


class JavaContent:
    """A content of another app that is open: a `copying.Content`."""

    def __init__(self, opened: Any, java: Any) -> None:
        self._opened, self._java = opened, java
        self.name: str | None = opened.name
        self.size: int = opened.size
        self.descriptor: int = opened.descriptor
        self.start: int = opened.start
        self.length: int = opened.length

    def check(self) -> None:
        try:
            self._java.check(self._opened)
        except JavaException as error:
            raise DeviceError(NOT_COMPLETE) from error

    def close(self) -> None:
        with suppress(JavaException):
            self._java.close(self._opened)


class JavaSide:
    """The Java classes of the app. To be made on the main thread: on no other does pyjnius find the app's classes."""

    def __init__(self) -> None:
        self._told = autoclass(f"{PACKAGE}.Told")
        self._asking = autoclass(f"{PACKAGE}.Asking")
        self._looks = autoclass(f"{PACKAGE}.Looks")
        self._opened = autoclass(f"{PACKAGE}.Opened")

    @property
    def folder(self) -> Path:
        """The folder whose photos and sending other apps can be given files of; the system may empty it."""
        return Path(self._asking.folder())

    def take(self) -> Told:
        """Wait for what the system tells next; other threads of Python go on meanwhile."""
        told = self._told.take()
        return Told(KINDS[told.kind], told.request, bool(told.accepted), tuple(told.uris), told.problem)

    def open(self, uri: str) -> JavaContent:
        """Open a content for reading, to be closed after; DeviceError if it may not be read, or not here."""
        try:
            if not self._opened.isForeign(uri):
                raise DeviceError(OWN_FILE if uri.startswith("content://") else NO_FILE)
            return JavaContent(self._opened.open(uri), self._opened)
        except JavaException as error:
            raise DeviceError(opening_line(error.classname or "")) from error

    def ask_for_picture(self, request: int) -> None:
        self._asking.picture(request)

    def ask_for_document(self, request: int) -> None:
        self._asking.document(request)

    def ask_for_photo(self, request: int, path: Path) -> None:
        """Have the camera app write to `path`; DeviceError if it cannot be given that file."""
        with _saying(NO_CAMERA):
            self._asking.photo(request, str(path))

    def end_photo(self, path: Path) -> None:
        """Let the camera app write there no more."""
        with suppress(JavaException):
            self._asking.endPhoto(str(path))

    def send(self, request: int, path: Path, media_type: str) -> None:
        """Offer a file to other apps; DeviceError if they cannot be given it."""
        with _saying(NO_TAKER):
            self._asking.send(request, str(path), media_type)

    def keep_secret(self, secret: bool) -> None:
        self._looks.keepSecret(secret)

    def announce(self, text: str) -> None:
        self._looks.say(text)

    def covered(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom, in pixels."""
        left, top, right, bottom = self._looks.covered()
        return left, top, right, bottom

    def is_dark(self) -> bool:
        return bool(self._looks.isDark())


@contextmanager
def _saying(line: str) -> Iterator[None]:
    try:
        yield
    except JavaException as error:
        raise DeviceError(line) from error


def leave_thread(work: Callable[[], T]) -> T:
    """Do the work of a thread that calls Java and then ends: Android stops a process whose thread ends attached."""
    try:
        return work()
    finally:
        detach()
