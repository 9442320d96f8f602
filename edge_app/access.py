"""What the PIN opens: the history, and the keys of an encrypted one as long as the app is unlocked."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, TypeAlias

from osteo_edge.edge_app.audit_trail import AuditTrail, What
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.encrypted import is_encrypted
from osteo_edge.edge_app.history.exchange import bring_back, exchanging
from osteo_edge.edge_app.kept_settings import PIN_CHANGED, KeptSettings
from osteo_edge.errors import OsteoEdgeError

if TYPE_CHECKING:
    from osteo_edge.edge_app.history.store import History
    from osteo_edge.edge_app.history.vault import Keys, Vault
    from osteo_edge.edge_app.pin import PinHash, PinLock, Verdict

LOG: Final = logging.getLogger(__name__)
NOT_CHANGED: Final = "the PIN and the recovery code were not changed"

OnProgress: TypeAlias = Callable[[float], None]
"""Is given the share that is done; what it raises ends the work, and nothing was changed."""
Warn: TypeAlias = Callable[[str], None]
"""Is given a message for the user about what was done."""


class Access:
    """The history of one window: plain, or encrypted, and then shut until somebody enters the PIN.

    Any thread may use it. What changes anything is on record in `trail` before it is done; `OsteoEdgeError` where that
    or the disk is in the way, and all is then as it was.
    """

    def __init__(self, folders: Folders, kept: KeptSettings, trail: AuditTrail) -> None:
        self._folders, self._kept, self._trail = folders, kept, trail
        self._turn = threading.RLock()
        self._history: History | None = None
        self._keys: Keys | None = None
        with suppress(OSError), exchanging(folders.history):  # whoever opens the history hears of it
            bring_back(folders.history)

    @property
    def is_encrypted(self) -> bool:
        """Whether the history is."""
        return is_encrypted(self._folders.history)

    @property
    def is_shut(self) -> bool:
        """Whether the history is encrypted and its keys are not here: nothing of it can be read now."""
        return self._keys is None and self.is_encrypted

    @property
    def keys(self) -> Keys | None:
        """The keys of an encrypted history that is not shut."""
        return self._keys

    @property
    def has_pin(self) -> bool:
        """Whether a PIN is set, of the screens alone or of the encrypted history."""
        return self._kept.now.pin is not None or self.is_encrypted

    def known_pin(self) -> PinHash | Vault | None:
        """By what the PIN is known, for `check`; None where none is set. `VaultError` if that cannot be read."""
        if not self.is_encrypted:
            return self._kept.now.pin
        from osteo_edge.edge_app.history.vault import read_vault, require_library

        require_library()
        return read_vault(self._folders.history)

    def check(self, pin: str, known: PinHash | Vault, lock: PinLock) -> Verdict:
        """Whether it is the PIN; the right one of an encrypted history opens that."""
        from osteo_edge.edge_app.pin import PinHash

        if isinstance(known, PinHash):
            return lock.check(pin, known)
        return lock.attempt(lambda: self._take(known.open_with_pin(pin)))

    def open_with_code(self, code: str) -> bool:
        """Open the encrypted history by its recovery code; whether it is that."""
        from osteo_edge.edge_app.history.vault import read_vault

        keys = read_vault(self._folders.history).open_with_code(code)
        self._trail.note(What.WRONG_CODE if keys is None else What.CODE_ENTERED)
        return self._take(keys)

    def history(self) -> History:
        """The history, opened at the first call; `HistoryError` where it cannot be, or is shut."""
        from osteo_edge.edge_app.history.store import History

        with self._turn:
            if self._history is None:
                self._history = History(self._folders.history, self._trail.note, keys=self._keys)
            return self._history

    def shut(self) -> None:
        """Close an encrypted history and forget its keys."""
        with self._turn:
            if self._keys is not None:
                self._keys = None
                self._close()

    def close(self) -> None:
        """Close the history and forget its keys; whoever still works on it gets a `HistoryError`."""
        with self._turn:
            self._keys = None
            self._close()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """While the block runs nobody in this window has the history open: its folder may be exchanged."""
        with self._turn:
            self._close()
            yield

    def adopt(self, keys: Keys | None) -> None:
        """From now on open the history by these keys: another one was put in its place, which they belong to."""
        with self._turn:
            self._keys = keys
        if keys is not None:
            self._trail.enter()
            with suppress(OsteoEdgeError):  # it is tried again whenever the history is opened
                self._kept.hand_over_pin()

    def encrypt(self, pin: str, *, on_progress: OnProgress = lambda share: None, warn: Warn = LOG.warning) -> str:
        """Encrypt the history under a PIN, in place of the one that is set; the recovery code, kept nowhere else."""
        from osteo_edge.edge_app.history.encrypting import encrypt_history
        from osteo_edge.edge_app.left_off import forget_left_off

        with self.closed():
            keys, code = encrypt_history(
                self._folders.history, pin, tell=self._trail.note, on_progress=on_progress, warn=warn
            )
            self.adopt(keys)
        with suppress(OSError):  # it goes at the next start
            forget_left_off(self._folders.left_off)
        return code

    def decrypt(self, *, on_progress: OnProgress = lambda share: None, warn: Warn = LOG.warning) -> None:
        """Decrypt the history, which is open, and have no PIN any more."""
        from osteo_edge.edge_app.history.encrypting import decrypt_history

        with self.closed():
            keys = self._require_keys()
            decrypt_history(self._folders.history, keys, tell=self._trail.note, on_progress=on_progress, warn=warn)
            self._keys = None
        self._trail.leave()

    def change_pin(self, pin: str, *, in_place_of: Vault) -> None:
        """Set another PIN of the encrypted history, which is open; the recovery code stays.

        `OsteoEdgeError` if another window has changed one of them meanwhile.
        """
        self._change_vault(in_place_of, in_place_of.with_pin(self._require_keys(), pin), What.PIN_SET)

    def new_code(self) -> str:
        """Another recovery code of the encrypted history, which is open; the one before opens nothing any more."""
        from osteo_edge.edge_app.history.vault import read_vault

        vault = read_vault(self._folders.history)
        changed, code = vault.with_new_code(self._require_keys())
        self._change_vault(vault, changed, What.CODE_MADE)
        return code

    def _take(self, keys: Keys | None) -> bool:
        """Keep the keys that something has opened; whether there are any."""
        if keys is not None:
            self.adopt(keys)
        return keys is not None

    def _require_keys(self) -> Keys:
        from osteo_edge.edge_app.history.opening import ENCRYPTED
        from osteo_edge.edge_app.history.vault import LockedError

        if self._keys is None:
            raise LockedError(f"{self._folders.history}: {ENCRYPTED}")
        return self._keys

    def _change_vault(self, before: Vault, after: Vault, what: What) -> None:
        from osteo_edge.edge_app.history.errors import told
        from osteo_edge.edge_app.history.vault import read_vault, write_vault

        folder = self._folders.history
        with self._turn:
            self.history()  # as long as it is open here, no other window puts another in its place
            with told(folder, NOT_CHANGED), exchanging(folder):
                if read_vault(folder) != before:
                    raise OsteoEdgeError(PIN_CHANGED)
                self._trail.note(what)
                write_vault(folder, after)

    def _close(self) -> None:
        history, self._history = self._history, None
        if history is not None:
            history.close()
