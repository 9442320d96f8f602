"""How the app reads films: on Linux in a confined process, which ends when nobody has needed it for a while.

On a phone, where no program may start another, and elsewhere than on Linux they are decoded in the app itself.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from osteo_edge.errors import RadiographError

if TYPE_CHECKING:
    from osteo_edge.isolated_reading import IsolatedReader
    from osteo_edge.radiograph import Radiograph

IDLE_S: Final = 300.0
"""Starting the process again takes a second or two on a small device, keeping it tens of megabytes."""


class FilmReader:
    """Reads files as `read_radiograph` does; any thread may use it, one file is decoded at a time.

    `command` starts another process than the program's own; `tell` hears, once, that the system does not filter what
    such a process asks of it.
    """

    def __init__(
        self,
        command: Sequence[str] | None = None,
        *,
        idle_s: float = IDLE_S,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._command, self._idle_s, self._tell = command, idle_s, tell
        self._turn = threading.Lock()
        self._apart: IsolatedReader | None = None
        self._resting: threading.Timer | None = None

    def __call__(self, path: Path) -> Radiograph:
        """Read a file; RadiographError also where its decoding breaks, or no process can be started for it."""
        from osteo_edge.radiograph import read_radiograph

        return self._read(lambda apart: apart(path), path) if is_apart() else read_radiograph(path)

    def decode(self, data: bytes, path: Path) -> Radiograph:
        """The same for the bytes of a file that were read already; `path` only names it."""
        from osteo_edge.radiograph import decode

        return self._read(lambda apart: apart.decode(data, path), path) if is_apart() else decode(data, path)

    def start(self) -> None:
        """Start the process beside, so that the first film need not wait for it; if it cannot be, a film tells why."""
        if is_apart():
            with suppress(OSError):
                self._reader().start()
            self._rest_later()

    def close(self) -> None:
        """End the process; another film would start it again."""
        with self._turn:
            apart, resting = self._apart, self._resting
        if resting is not None:
            resting.cancel()
        if apart is not None:
            apart.rest()

    def _read(self, read: Callable[[IsolatedReader], Radiograph], path: Path) -> Radiograph:
        try:
            return read(self._reader())
        except OSError as error:
            raise RadiographError(f"{path}: cannot be decoded now ({error.strerror or error}); try again") from error
        finally:
            self._rest_later()

    def _reader(self) -> IsolatedReader:
        from osteo_edge.isolated_reading import COMMAND, IsolatedReader

        with self._turn:
            if self._apart is None:
                self._apart = IsolatedReader(self._command or COMMAND, tell=self._tell)
            return self._apart

    def _rest_later(self) -> None:
        """Let the process end when `idle_s` seconds have passed from now without a film."""
        with self._turn:
            if self._resting is not None:
                self._resting.cancel()
            if self._apart is not None:
                self._resting = threading.Timer(self._idle_s, self._apart.rest)
                self._resting.daemon = True
                self._resting.start()


def is_apart() -> bool:
    """Whether this system has processes that can be confined; Android's Python calls itself Linux, too."""
    return sys.platform == "linux" and not hasattr(sys, "getandroidapilevel")
