"""How long nobody has used the app, so that it can lock itself."""

import time
from collections.abc import Callable
from typing import Final

CHECK_S: Final = 2.0
"""How often to look whether it is time to lock."""


def boot_clock() -> float:
    """Seconds on a clock that nobody can set and that, where the system has such a one, goes on in its sleep."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Idle:
    """Counts the time since the last use.

    >>> idle = Idle(clock=iter([100.0, 400.0]).__next__)
    >>> idle.is_over(5)
    True
    """

    def __init__(self, clock: Callable[[], float] = boot_clock) -> None:
        self._clock = clock
        self.used()

    def used(self) -> None:
        """Somebody has touched the window, or a key."""
        self._since = self._clock()

    def is_over(self, minutes: float) -> bool:
        """Whether nobody has for so many minutes."""
        return self._clock() - self._since >= 60 * minutes
