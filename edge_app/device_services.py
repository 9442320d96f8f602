"""What the app asks of the device beyond its window: on Android the system does it, elsewhere nobody needs to.

All calls are made on the window's thread, and what comes of them is told there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

MAX_BACKUP_BYTES: Final = 64 * 2**30
"""What a file that was written by the app itself may have."""

OnFile = Callable[[Path | None], None]
"""Takes the app's own copy of what was chosen, or None where the user chose nothing."""
OnError = Callable[[str], None]
"""Takes one line, translated or to be translated, about what went wrong."""


@dataclass(frozen=True)
class Insets:
    """What of the window's edges the system covers (status bar, cut-out, navigation, keyboard), in pixels."""

    left: float = 0
    top: float = 0
    right: float = 0
    bottom: float = 0


class DeviceServices(Protocol):
    """The system's own choosers, camera and looks. A file that comes from it is a private copy, to be removed after."""

    def choose_picture(self, on_file: OnFile, on_error: OnError) -> None:
        """Let the user choose a picture in the system's photo picker."""

    def choose_document(self, on_file: OnFile, on_error: OnError, *, most_bytes: int | None = None) -> None:
        """Let the user choose any file, such as DICOM, in the system's document picker.

        It may be as large as a film may, or have `most_bytes`.
        """

    def take_photo(self, on_file: OnFile, on_error: OnError) -> None:
        """Let the user take a photo with the device's camera app."""

    def send(self, path: Path, on_error: OnError) -> None:
        """Offer a file, such as an export, to other apps."""

    def on_shared(self, on_file: OnFile, on_error: OnError, on_photo: OnFile) -> None:
        """Have every file told that another app shares with this one: what started it, and what comes later.

        A photo is told apart: the user was taking it when the system ended the app.
        """

    def keep_secret(self, secret: bool) -> None:
        """Keep the window out of screenshots and of the list of recent apps, or no longer."""

    def announce(self, text: str) -> None:
        """Have the screen reader, where one is on, say the text."""

    def insets(self) -> Insets:
        """What the system covers now."""

    def is_dark(self) -> bool:
        """Whether the user has asked the system for dark colours."""

    def on_change(self, changed: Callable[[], None]) -> None:
        """Have it told when `insets` or `is_dark` may be others: the device was turned, or a keyboard has come."""
