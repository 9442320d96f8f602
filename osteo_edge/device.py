"""What a device is, as far as it decides on which packages run there, and which of the window's libraries it has.

Needs Python's own library and nothing else: a kit's installer runs it before anything is installed.
"""

import ctypes
import os
import platform
import struct
import sys
from dataclasses import dataclass
from typing import Final

SIXTY_FOUR: Final = 64
WINDOW_LIBRARIES: Final = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libGLESv2.so.2": "libgles2",
    "libmtdev.so.1": "libmtdev1",
}
"""What the app's window loads of the system, with Debian's packages; Raspberry Pi OS Lite is without them."""


@dataclass(frozen=True)
class Device:
    """What decides on which wheels run: the processor, the bits of a pointer in Python, its version, and glibc's."""

    machine: str
    bits: int
    python: str
    glibc: str | None

    @property
    def words(self) -> str:
        return f"{self.machine}, {self.bits} bits, Python {self.python}, glibc {self.glibc or 'missing'}"


def this_device() -> Device:
    """The device and the Python that this runs on."""
    try:
        told = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        told = None
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return Device(platform.machine(), 8 * struct.calcsize("P"), python, told.split()[-1] if told else None)


def missing_for_window() -> tuple[str, ...]:
    """The Debian packages that the app's window needs and this system has not; the watched folder does without."""
    return tuple(package for library, package in WINDOW_LIBRARIES.items() if not _loads(library))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
