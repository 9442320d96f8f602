"""The settings of one data folder as they are on its disk, where another window may change them too."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from osteo_edge.edge_app.audit_trail import Tell, What, tell_nobody
from osteo_edge.edge_app.settings import Settings, read_settings, settings_now, write_settings
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.locking import in_turn

if TYPE_CHECKING:
    from osteo_edge.audit_log import Value
    from osteo_edge.edge_app.pin import PinHash

PIN_CHANGED: Final = "The PIN was changed in another window. Nothing was changed here."

NOT_TOLD: Final = frozenset({"watched_folder", "institution"})
"""Settings whose values may hold names of people: that they were changed is recorded, not to what."""


class KeptSettings:
    """`note` is a line that the user must be told on opening, or None. Any thread may change them.

    `tell` records a change before it is written.
    """

    def __init__(self, path: Path, tell: Tell = tell_nobody) -> None:
        self._path, self._tell, self._turn = path, tell, threading.RLock()
        opened = read_settings(path, str)
        self._seen = self._look(), opened.settings
        self.note = opened.note

    @property
    def now(self) -> Settings:
        """Those on the disk; if they cannot be read, the last ones."""
        look, (seen, settings) = self._look(), self._seen
        if look != seen:
            settings = settings_now(self._path) or settings
            self._seen = look, settings
        return settings

    def change(self, **changes: Any) -> Settings:
        """Change some, which are on the disk when this returns; `OsteoEdgeError` if the disk does not take them.

        What another window has set besides stays.
        """
        return self._write(lambda settings: replace(settings, **changes))

    def set_pin(self, pin: PinHash | None, *, in_place_of: PinHash | None) -> Settings:
        """Set a PIN, or none, in place of the one that whoever does it has proved to know, or of none.

        `OsteoEdgeError` if another one is set by now, or the disk does not take it.
        """

        def changed(settings: Settings) -> Settings:
            if settings.pin != in_place_of:
                raise OsteoEdgeError(PIN_CHANGED)
            return replace(settings, pin=pin)

        return self._write(changed)

    def hand_over_pin(self) -> None:
        """Forget the PIN, which is the history's now that it is encrypted."""
        if self.now.pin is not None:
            self._write(lambda settings: replace(settings, pin=None), tell=False)

    def _write(self, change: Callable[[Settings], Settings], *, tell: bool = True) -> Settings:
        with self._turn, in_turn(self._path.parent, "settings.lock"):
            there = settings_now(self._path)
            if there is None:
                read_settings(self._path, str)  # what cannot be used is kept aside
            before = there or self._seen[1]
            changed = change(before)
            if tell:
                self._record(before, changed)
            write_settings(self._path, changed)
            self._seen = self._look(), changed
        return changed

    def _record(self, before: Settings, after: Settings) -> None:
        if after.pin != before.pin:
            self._tell(What.PIN_REMOVED if after.pin is None else What.PIN_SET)
        told = _told(before, after)
        if told:
            self._tell(What.SETTINGS_CHANGED, **told)

    def _look(self) -> tuple[int, int, int] | None:
        """What changes when the file is written; None where there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def _told(before: Settings, after: Settings) -> dict[str, Value]:
    """What is recorded of a change: the names of the settings, and what they were before and are now.

    >>> _told(Settings(), Settings(theme="dark", institution="Clinic of Kigoma"))
    {'settings': 'theme, institution', 'theme_before': 'system', 'theme_now': 'dark'}
    """
    names = [one.name for one in fields(Settings) if getattr(before, one.name) != getattr(after, one.name)]
    names = [name for name in names if name != "pin"]
    told: dict[str, Value] = {"settings": ", ".join(names)} if names else {}
    for name in names:
        if name not in NOT_TOLD:
            told |= {f"{name}_before": getattr(before, name), f"{name}_now": getattr(after, name)}
    return told
