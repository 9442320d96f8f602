"""Which windows are open on one data folder, so that none takes what another one still works on."""

import fcntl
import os
import re
import threading
from contextlib import suppress
from pathlib import Path

from osteo_edge.edge_app.history.entry import new_id
from osteo_edge.edge_app.history.errors import told


class OpenWindow:
    """One window, as the others see it: a file in `folder` that is locked as long as the window is there.

    The system takes the lock back however the window ends. Any thread may use it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._id = folder, new_id()
        self._turn = threading.Lock()
        self._held: int | None = None

    def show_itself(self) -> str:
        """Let the others see that this window is open, until `close`; the id by which they know it."""
        path = self._folder / self._id
        with self._turn, told(path, "the form was not kept"):
            if self._held is None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._held = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return self._id

    def is_other(self, window: str) -> bool:
        """Whether an id is that of another window that is open now."""
        if window == self._id or not re.fullmatch("[0-9a-f]{32}", window):
            return False
        path = self._folder / window
        try:
            handle = os.open(path, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        except OSError as error:
            return isinstance(error, BlockingIOError)
        finally:
            os.close(handle)
        return False

    def close(self) -> None:
        """Let the others see that it is open no more."""
        with self._turn:
            held, self._held = self._held, None
        if held is not None:
            with suppress(OSError):
                (self._folder / self._id).unlink()
            os.close(held)
