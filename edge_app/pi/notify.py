"""Tell systemd how a service is: ready, alive, ending (sd_notify(3)); without systemd nothing is told.

The protocol is a datagram of NAME=VALUE lines to the socket that NOTIFY_SOCKET names, so that no library is needed.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

READY, STOPPING, ALIVE = "READY=1", "STOPPING=1", "WATCHDOG=1"
MICROSECONDS = 1e6


class Notifier:
    """Tells one service manager, or nobody.

    `alive` may be called as often as one likes: it is told at most twice in the time after which the service manager
    takes the service for dead. Call it from the loop that does the work, so that a loop that hangs is found out.
    """

    def __init__(
        self, address: str | None, watchdog_s: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._address = address
        self._every_s = None if watchdog_s is None else watchdog_s / 2
        self._clock = clock
        self._told_at = -float("inf")

    def ready(self, status: str) -> None:
        """The service does its work from now on."""
        self._send(READY, _status(status))

    def status(self, status: str) -> None:
        """One line for `systemctl status`; it is to hold nothing about a patient."""
        self._send(_status(status))

    def alive(self) -> None:
        """The loop has come round once more."""
        now = self._clock()
        if self._every_s is not None and now - self._told_at >= self._every_s:
            self._told_at = now
            self._send(ALIVE)

    def stopping(self) -> None:
        """The end has been asked for."""
        self._send(STOPPING)

    def _send(self, *lines: str) -> None:
        """A manager that does not listen changes nothing about the work: it then finds the service silent."""
        if self._address is None:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            sender.sendto("\n".join(lines).encode(), address)


def open_notifier(environment: Mapping[str, str] = os.environ) -> Notifier:
    """The notifier of the service manager that started this process; of nobody if none did."""
    return Notifier(environment.get("NOTIFY_SOCKET") or None, _watchdog_s(environment))


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """The time after which silence is taken for death; None if nobody watches this process (sd_watchdog_enabled(3))."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        seconds = int(environment.get("WATCHDOG_USEC", "0")) / MICROSECONDS
    except ValueError:
        return None
    return seconds if seconds > 0 else None


def _status(text: str) -> str:
    return f"STATUS={' '.join(text.split())}"
