"""What is done in one window of the app, in the record that nobody can change unseen (`osteo_edge.audit_log`).

Hashes of films and models, ids of screenings, names of settings, counts: never a patient's code, age, note or result,
nor the name of a file, for nothing in the record is ever deleted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Final, Protocol

from osteo_edge.audit_log import AuditLog, Value
from osteo_edge.errors import OsteoEdgeError

WITH_PIN: Final = "PIN"
WITHOUT_PIN: Final = "PIN not entered"
NO_PIN: Final = "no PIN"


class What(Enum):
    """What can be done. The app has no accounts: of who did it, it is known whether they had entered the PIN."""

    STARTED = "started"
    ENDED = "ended"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    SCREENED = "screened"
    NOT_READABLE = "not readable"
    REPLACED = "film replaced"
    SAVED = "saved"
    NOTED = "noted"
    DXA_ENTERED = "DXA result entered"
    DXA_REMOVED = "DXA result removed"
    FOLLOWED = "answer followed"
    OVERRIDDEN = "answer overridden"
    DECISION_REMOVED = "decision removed"
    DELETED = "deleted"
    BROUGHT_BACK = "deletion undone"
    PURGED = "purged"
    MODEL_INSTALLED = "model installed"
    MODEL_CHOSEN = "model chosen"
    MODEL_REMOVED = "model removed"
    SETTINGS_CHANGED = "settings changed"
    PIN_SET = "PIN set"
    PIN_REMOVED = "PIN removed"
    WRONG_PIN = "wrong PIN"
    ENCRYPTED = "history encrypted"
    DECRYPTED = "history decrypted"
    CODE_MADE = "recovery code made"
    CODE_ENTERED = "recovery code entered"
    WRONG_CODE = "wrong recovery code"
    EXPORTED = "exported"
    RESTORED = "backup restored"


class Tell(Protocol):
    """Record an event, which is on the disk when this returns; `OsteoEdgeError` if the disk does not take it."""

    def __call__(self, what: What, /, **about: Value) -> None:
        """See above."""


def tell_nobody(what: What, /, **about: Value) -> None:
    """Record nothing: for what is no clinic's, such as a backup that is being checked."""


class AuditTrail:
    """The record of one window, in `folder`, where others may write as well. Any thread may use it.

    It begins by itself with the first event; `at_start` says what the window began with.
    """

    def __init__(self, folder: Path, *, has_pin: Callable[[], bool], **at_start: Value) -> None:
        self._log, self._has_pin, self._at_start = AuditLog(folder), has_pin, at_start
        self._turn = threading.Lock()
        self._has_begun = self._has_entered = False

    @property
    def who(self) -> str:
        """Who is at the window, as far as that is known."""
        if not self._has_pin():
            return NO_PIN
        return WITH_PIN if self._has_entered else WITHOUT_PIN

    def enter(self) -> None:
        """The PIN was entered."""
        self._has_entered = True

    def leave(self) -> None:
        """The window was locked, or there is no PIN any more: from here on nobody has entered it."""
        self._has_entered = False

    def begin(self) -> None:
        """Record that the window was opened, if that was not done yet."""
        with self._turn:
            self._begin(self.who)

    def note(self, what: What, /, **about: Value) -> None:
        """Record an event, which is on the disk when this returns; `OsteoEdgeError` if the disk does not take it."""
        self.of_now(what, **about)()

    def of_now(self, what: What, /, **about: Value) -> Callable[[], None]:
        """What is to be called on a worker thread to record an event by who is there now."""
        who = self.who

        def note() -> None:
            with self._turn:
                self._begin(who)
                self._log.append(what.value, who=who, **about)

        return note

    def end(self) -> None:
        """Record that the window was closed, if anything was recorded of it and the disk takes it."""
        with self._turn, suppress(OsteoEdgeError):
            if self._has_begun:
                self._has_begun = False
                self._log.append(What.ENDED.value, who=self.who)

    def _begin(self, who: str) -> None:
        if not self._has_begun:
            self._log.append(What.STARTED.value, who=who, **self._at_start)
            self._has_begun = True
