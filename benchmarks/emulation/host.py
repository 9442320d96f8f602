"""What emulation needs of the machine that it runs on, and its programs run with errors of one line."""

import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from osteo_edge.errors import OsteoEdgeError

EMULATOR = "qemu-aarch64"
PACKAGES = {
    EMULATOR: "qemu-user",
    "gcc": "gcc libc6-dev",
    "mmdebstrap": "mmdebstrap",
    "tar": "tar",
}
"""The Debian packages that have each program; the C library's headers come with the compiler's."""

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
OLDEST, TOO_NEW = (7, 1), (9, 0)
"""Versions of QEMU: 7.1 brought the Cortex-A76, and 9.0 takes no plugins of API version 1 any more."""


def available() -> str | None:
    """None if guests can be made and run here, else one line that says what is missing and what to do."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return "emulation needs Linux on x86-64 (Debian or Ubuntu)"
    if shutil.which("apt-get") is None:
        return "emulation needs Debian or Ubuntu: the guest's packages are fetched by apt"
    missing = [program for program in PACKAGES if shutil.which(program) is None]
    if missing:
        packages = " ".join(PACKAGES[program] for program in missing)
        return f"emulation needs {', '.join(missing)}: sudo apt-get install {packages}"
    if not KEYRING.exists():
        return "emulation needs the keys of Debian's packages: sudo apt-get install debian-archive-keyring"
    return _unusable_emulator() or _unusable_compiler()


def run_tool(command: Sequence[str | Path], doing: str) -> str:
    """The standard output of a program of this machine; `OsteoEdgeError` with its first error if it fails."""
    try:
        finished = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    except OSError as error:
        raise OsteoEdgeError(f"{doing}: {command[0]} cannot be started ({error.strerror})") from error
    if finished.returncode != 0:
        reason = first_error(finished.stderr) or f"exit code {finished.returncode}"
        raise OsteoEdgeError(f"{doing}: {command[0]} failed ({reason})")
    return finished.stdout


def first_error(messages: str) -> str:
    """The first line that is marked as an error, as by apt, pip or gcc, else the last line.

    >>> first_error("I: fetching\\nE: no such package\\nE: giving up")
    'E: no such package'
    """
    marked = re.search(r"^(E|ERROR|.* error): .*$", messages, re.MULTILINE)
    return last_line(messages) if marked is None else marked[0].strip()


def last_line(text: str) -> str:
    """The last line that is not empty: where Python says why it gave up.

    >>> last_line("reading\\nE: no such package\\n\\n")
    'E: no such package'
    """
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def emulator_version() -> str:
    """The emulator's version, as "7.2.22"."""
    told = run_tool([EMULATOR, "--version"], "finding the version of the emulator")
    found = re.search(r"version (\d+(\.\d+)*)", told)
    if found is None:
        raise OsteoEdgeError(f"{EMULATOR} --version tells no version: is it QEMU? sudo apt-get install qemu-user")
    return found[1]


def _unusable_emulator() -> str | None:
    try:
        version = emulator_version()
    except OsteoEdgeError as error:
        return str(error)
    if OLDEST <= tuple(map(int, version.split("."))) < TOO_NEW:
        return None
    return (
        f"emulation needs QEMU 7.1 to 8.2, and this is {version}: use Debian 12 or Ubuntu 24.04 (a container will do)"
    )


def _unusable_compiler() -> str | None:
    try:
        run_tool(["gcc", "-E", "-include", "stdio.h", "-x", "c", "/dev/null"], "looking for the C library's headers")
    except OsteoEdgeError:
        return "emulation needs the headers of the C library: sudo apt-get install libc6-dev"
    return None
