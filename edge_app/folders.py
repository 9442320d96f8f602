"""Where the app keeps what it must not lose: everything below one folder."""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.history.wiping import wipe_file
from osteo_edge.errors import OsteoEdgeError

OLD_S: Final = 24 * 3600.0
"""What is older than a day belongs to no window that still uses it."""


@dataclass(frozen=True)
class Folders:
    """The places below the data folder `root`; none of them need be there yet."""

    root: Path

    def make(self) -> None:
        """Make the data folder, for its owner alone, if it is not there; `OsteoEdgeError` if that cannot be."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            problem = f"cannot be made ({error.strerror or error}); check the disk, or choose another --data"
            raise OsteoEdgeError(f"{self.root}: {problem}") from error

    @property
    def settings(self) -> Path:
        return self.root / "settings.json"

    @property
    def uid_key(self) -> Path:
        """What this device makes the UIDs of de-identified DICOM files with."""
        return self.root / "uid-key"

    @property
    def pin_attempts(self) -> Path:
        return self.root / "pin-attempts.json"

    @property
    def history(self) -> Path:
        return self.root / "history"

    @property
    def audit(self) -> Path:
        """The record of what was done; in no backup, and never cut short."""
        return self.root / "audit"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def photos(self) -> Path:
        """Films cut out of photos, or handed over by another app, until their screening is saved or dropped."""
        return self.root / "photos"

    @property
    def dismissed(self) -> Path:
        """Which films of the watched folder nobody wants to see any more."""
        return self.root / "dismissed.json"

    @property
    def exports(self) -> Path:
        """Where reports, tables and backups go unless another place is chosen."""
        return self.root / "exports"

    @property
    def outgoing(self) -> Path:
        """What is handed to another app, until that has it."""
        return self.root / "outgoing"

    @property
    def left_off(self) -> Path:
        """Which screens were open when the system ended the app."""
        return self.root / "left-off.json"

    @property
    def gpu_trial(self) -> Path:
        """Is there while a phone's GPU is being tried, and after one that has ended the app."""
        return self.root / "gpu-trial"

    @property
    def windows(self) -> Path:
        """Which windows are open on this folder."""
        return self.root / "windows"

    @property
    def log(self) -> Path:
        return self.root / "log" / "app.log"

    @property
    def window(self) -> Path:
        """What the window toolkit keeps for itself."""
        return self.root / "window"


def remove_old(folder: Path, older_than_s: float = OLD_S) -> int:
    """Overwrite and remove the files of a folder that have not been written to for so long; how many there were.

    What cannot be removed stays.
    """
    removed = 0
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in folder.iterdir():
            with suppress(OSError):
                if path.is_file() and time.time() - path.stat().st_mtime > older_than_s:
                    wipe_file(path)
                    removed += 1
    return removed
