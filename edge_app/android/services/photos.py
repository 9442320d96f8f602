"""The photo that the camera app is asked for: its file is remembered, for this process may end behind the camera."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

from osteo_edge.edge_app.android.services.errors import NO_PHOTO, DeviceError
from osteo_edge.edge_app.folders import remove_old

REMEMBERED: Final = "asked-for"


@dataclass(frozen=True)
class Photos:
    """The folder that the camera app may write to, one file at a time; photos go from it to `incoming`."""

    folder: Path
    incoming: Path

    def ask(self) -> Path:
        """A new file for the next photo, in place of any before it; `DeviceError` if there is no room."""
        path = self.folder / f"photo-{uuid4().hex}.jpg"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.forget()
            path.touch()  # some camera apps write only to what is there
            (self.folder / REMEMBERED).write_text(path.name)
        except OSError as error:
            reason = error.strerror or error
            raise DeviceError(f"no photo can be taken ({reason}); free some space and try again") from error
        return path

    def asked_for(self) -> Path | None:
        """The file that a camera app was asked to write, by this process or the one before."""
        try:
            name = (self.folder / REMEMBERED).read_text()
        except (OSError, ValueError):
            return None
        path = self.folder / Path(name).name
        return path if path.is_file() else None

    def take(self, path: Path) -> Path:
        """Take a photo over, out of the camera app's reach; `DeviceError` if there is none."""
        try:
            if path.stat().st_size == 0:
                raise DeviceError(NO_PHOTO)
            self.incoming.mkdir(parents=True, exist_ok=True)
            return path.replace(self.incoming / path.name)
        except OSError as error:
            raise DeviceError(NO_PHOTO) from error
        finally:
            self.forget()

    def forget(self) -> None:
        """Remove what is asked for, and every other photo there."""
        for path in self.folder.glob("*"):
            with suppress(OSError):
                path.unlink()

    def tidy(self) -> None:
        """Remove every photo but the one that may still be in the making."""
        remove_old(self.folder)
        asked = self.asked_for()
        if asked is None:
            self.forget()
            return
        for path in self.folder.glob("photo-*"):
            if path != asked:
                with suppress(OSError):
                    path.unlink()
