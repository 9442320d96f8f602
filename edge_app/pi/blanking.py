"""Switch a panel's light off while nobody touches anything, and on at the first touch or key.

The kiosk runs this file by its path, beside the app, with the standard library alone: nothing else does it where the
app draws on the screen without a desktop.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LIGHTS = Path("/sys/class/backlight")
INPUTS = Path("/dev/input")
ON, OFF = "0", "4"
"""FB_BLANK_UNBLANK and FB_BLANK_POWERDOWN, for bl_power (Linux, Documentation/ABI/stable/sysfs-class-backlight)."""
LOOK_S = 5.0
"""How often to look for keyboards that were plugged in meanwhile."""
READ_BYTES = 4096


class Devices:
    """The input devices of a folder, opened as they come and closed as they go."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[Path, int] = {}

    def used_within(self, seconds: float) -> bool:
        """Wait for a touch or a key, at most so long; whether there was one."""
        self._find()
        ready, _, _ = select.select(list(self._open.values()), [], [], seconds)
        was_used = False
        for path, device in list(self._open.items()):
            if device in ready:
                was_used |= self._drain(path)
        return was_used

    def close(self) -> None:
        """Let all of them go."""
        for device in self._open.values():
            os.close(device)
        self._open.clear()

    def _find(self) -> None:
        for path in sorted(self._folder.glob("event*")):
            if path not in self._open:
                with suppress(OSError):
                    self._open[path] = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def _drain(self, path: Path) -> bool:
        """Take what there is; False for a device that has gone, which is then closed."""
        try:
            read = os.read(self._open[path], READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            read = b""
        if not read:
            os.close(self._open.pop(path))
        return bool(read)


def switch(state: str, lights: Path = LIGHTS) -> None:
    """Write the state to every panel; one that may not be written stays as it is."""
    for power in sorted(lights.glob("*/bl_power")):
        with suppress(OSError):
            power.write_text(state, "ascii")


def blank_when_unused(idle_s: float, waits: Iterable[bool], *, lights: Path = LIGHTS) -> None:
    """Switch by what `waits` tells: whether there was a touch or a key within the last short while."""
    last, is_dark = time.monotonic(), False
    for was_used in waits:
        if was_used:
            last = time.monotonic()
        should_be_dark = time.monotonic() - last >= idle_s
        if should_be_dark != is_dark:
            switch(OFF if should_be_dark else ON, lights)
            is_dark = should_be_dark


@contextmanager
def lit_in_the_end(lights: Path) -> Iterator[None]:
    """Leave the light on, however the block ends; SIGTERM ends it."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        switch(ON, lights)


def main(minutes: str, inputs: Path = INPUTS, lights: Path = LIGHTS) -> None:
    """Go on until SIGTERM."""
    idle_s = 60 * float(minutes)
    devices = Devices(inputs)
    with lit_in_the_end(lights):
        blank_when_unused(idle_s, iter(lambda: devices.used_within(min(LOOK_S, idle_s)), None), lights=lights)


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:4]))
