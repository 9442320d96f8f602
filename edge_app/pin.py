"""The PIN that locks the app's screens, and opens the history if that is encrypted.

Alone it keeps a passer-by from an unattended screen: whoever does not know it does not see the history and cannot
screen or export. It encrypts nothing then. Whoever can read the disk reads the films, the database and the exports
without it, and whoever can write the settings file or the count of wrong attempts takes it away. From the settings file
a PIN of four digits is found in minutes by trying all of them, which scrypt makes slow but not hard: it must be used
for nothing else.

A PIN that also encrypts has six digits at least. The settings do not hold it; `history.vault` is how it is known.
"""

import hmac
import json
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from hashlib import scrypt
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

from osteo_edge.durable import write_durably
from osteo_edge.edge_app.translation import Translate
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.locking import in_turn
from osteo_edge.strict import from_dict, to_dict

MIN_DIGITS: Final = 4
MIN_DIGITS_TO_ENCRYPT: Final = 6
"""Whoever has the disk can try all PINs, each at scrypt's cost: docs/history.md says how long that takes."""
MAX_DIGITS: Final = 12
SALT_BYTES: Final = 16
KEY_BYTES: Final = 32
COST: Final = 2**14  # with blocks of 8, 16 MiB and some 50 ms: RFC 7914 and its authors' figure for interactive logins
BLOCKS: Final = 8

BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
"""Linux's name for the time since it was started, random(4)."""
FREE_ATTEMPTS: Final = 3
FIRST_DELAY_S: Final = 5.0
MAX_DELAY_S: Final = 900.0

TOO_SHORT: Final = "Use 4 to 12 digits"
TOO_SHORT_TO_ENCRYPT: Final = "Use 6 to 12 digits, the more the safer"
TOO_EASY: Final = "Too easy to guess: use other digits"
WAIT_SECONDS: Final = "Wrong too often. Wait {seconds} s."
WAIT_MINUTES: Final = "Wrong too often. Wait {minutes} min {seconds} s."

Verdict = Literal["right", "wrong", "wait"]


@dataclass(frozen=True)
class PinHash:
    """The scrypt key of a PIN (RFC 7914; N = 2^14, r = 8, p = 1) and its salt, in hex."""

    salt: str
    key: str

    def __post_init__(self) -> None:
        for name, length in (("salt", SALT_BYTES), ("key", KEY_BYTES)):
            value = getattr(self, name)
            if len(value) != 2 * length or not set(value) <= set("0123456789abcdef"):
                raise ValueError(f"{name} must be {2 * length} hex digits")


@dataclass(frozen=True)
class Attempts:
    """How many wrong PINs have been tried in a row, and when the last one was.

    `last_at` is in seconds since 1970, and `ticks` in seconds since the start of the system that is called `boot`: None
    where it has no name, and in a count of an older version.
    """

    wrong: int
    last_at: float
    boot: str | None = None
    ticks: float | None = None

    def __post_init__(self) -> None:
        if self.wrong < 0:
            raise ValueError("wrong must not be negative")


def pin_problem(pin: str, *, encrypts: bool = False) -> str | None:
    """What is wrong with a PIN that someone chooses, as a message to translate; None if it can be used.

    >>> pin_problem("12a4"), pin_problem("7777"), pin_problem("7193")
    ('Use 4 to 12 digits', 'Too easy to guess: use other digits', None)
    >>> pin_problem("7193", encrypts=True)
    'Use 6 to 12 digits, the more the safer'
    """
    fewest = MIN_DIGITS_TO_ENCRYPT if encrypts else MIN_DIGITS
    if not (fewest <= len(pin) <= MAX_DIGITS and pin.isascii() and pin.isdigit()):
        return TOO_SHORT_TO_ENCRYPT if encrypts else TOO_SHORT
    steps = {int(after) - int(before) for before, after in pairwise(pin)}
    return TOO_EASY if steps in ({0}, {1}, {-1}) else None


def hash_pin(pin: str) -> PinHash:
    """The hash to keep of a PIN, with a salt of its own. Some 50 ms, on a Pi a multiple of that."""
    salt = os.urandom(SALT_BYTES)
    return PinHash(salt.hex(), _key(pin, salt).hex())


def matches(pin: str, known: PinHash) -> bool:
    """Whether it is that PIN; the comparison takes as long whatever the difference is."""
    return hmac.compare_digest(_key(pin, bytes.fromhex(known.salt)), bytes.fromhex(known.key))


def delay_s(wrong: int) -> float:
    """How long to wait after so many wrong PINs in a row.

    >>> [delay_s(wrong) for wrong in (0, 2, 3, 4, 5, 50)]
    [0.0, 0.0, 5.0, 10.0, 20.0, 900.0]
    """
    if wrong < FREE_ATTEMPTS:
        return 0.0
    return min(FIRST_DELAY_S * 2.0 ** min(wrong - FREE_ATTEMPTS, 16), MAX_DELAY_S)


def wait_words(wait_s: float, translate: Translate = str) -> str:
    """How long to wait, in whole seconds that never end before the wait does.

    >>> wait_words(4.2), wait_words(121)
    ('Wrong too often. Wait 5 s.', 'Wrong too often. Wait 2 min 1 s.')
    """
    minutes, seconds = divmod(math.ceil(wait_s), 60)
    return translate(WAIT_MINUTES if minutes else WAIT_SECONDS).format(minutes=minutes, seconds=seconds)


def boot_name() -> str | None:
    """What the system calls the time since it was started; None where it does not."""
    try:
        return BOOT.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None


class PinLock:
    """Checks PINs, ever more slowly after wrong ones; the count is kept in a file, which all windows share.

    A wrong attempt counts before it is answered: neither killing the program nor another window undoes it. The delay
    goes by a clock that cannot be set, until the system is started anew; then by the system's, and one that was set
    back makes it start again. A full disk does not lock anyone out: the count then lasts until the program ends. Any
    thread may use it.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        boot: Callable[[], str | None] = boot_name,
    ) -> None:
        self._path, self._now, self._monotonic, self._boot = path, now, monotonic, boot()
        self._lock = threading.Lock()
        self._seen: bytes | None = None
        self._attempts, self._last = Attempts(0, now()), monotonic()
        self._look()

    def wait_s(self) -> float:
        """How many seconds are left before the next attempt, 0 if it may be made now."""
        with self._lock:
            self._look()
            return self._wait_s()

    def check(self, pin: str, known: PinHash) -> Verdict:
        """Whether it is the PIN; `wait` while the delay runs, and then nothing is tried."""
        return self.attempt(lambda: matches(pin, known))

    def attempt(self, is_right: Callable[[], bool]) -> Verdict:
        """As `check`, by whatever else tells whether it is the PIN; what that raises counts as a wrong one."""
        with self._lock:
            with self._in_turn():
                self._look()
                if self._wait_s() > 0:
                    return "wait"
                self._note(self._attempts.wrong + 1)
            if not is_right():
                return "wrong"
            self._note(0)
            return "right"

    def _wait_s(self) -> float:
        return max(0.0, delay_s(self._attempts.wrong) - (self._monotonic() - self._last))

    def _note(self, wrong: int) -> None:
        self._last = self._monotonic()
        self._attempts = Attempts(wrong, self._now(), self._boot, self._last)
        data = json.dumps(to_dict(self._attempts)).encode()
        with suppress(OsteoEdgeError):
            write_durably(self._path, data, "the count of wrong PINs")
            self._seen = data

    def _look(self) -> None:
        """Take over what another window, or an earlier run, has counted; a file that is gone changes nothing."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return
        except OSError:
            data = b""
        if data == self._seen:
            return
        self._seen = data
        try:
            self._attempts = from_dict(Attempts, json.loads(data))
        except (ValueError, RecursionError):  # as if someone had tried, for no power cut leaves it like this
            self._attempts = Attempts(FREE_ATTEMPTS, self._now())
        self._last = self._monotonic() - max(self._elapsed_s(self._attempts), 0.0)

    def _elapsed_s(self, attempts: Attempts) -> float:
        """How long ago the last attempt was; negative if the clock was set back since."""
        if attempts.boot is not None and attempts.boot == self._boot and attempts.ticks is not None:
            return self._monotonic() - attempts.ticks
        return self._now() - attempts.last_at

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """No two windows count at once, where the disk knows locks."""
        with ExitStack() as stack:
            with suppress(OsteoEdgeError):
                stack.enter_context(in_turn(self._path.parent, f"{self._path.stem}.lock"))
            yield


def _key(pin: str, salt: bytes) -> bytes:
    return scrypt(pin.encode("utf-8", "surrogatepass"), salt=salt, n=COST, r=BLOCKS, p=1, dklen=KEY_BYTES)
