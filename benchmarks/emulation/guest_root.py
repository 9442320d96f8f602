"""The files of an arm64 Debian and of Python packages for it, made on an x86-64 machine without any privilege.

Packages are unpacked only: none of their scripts is run, nothing is mounted, no device is made. The result is for
emulated programs that are shown these folders, not for booting.
"""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from osteo_edge.benchmarks.emulation.host import run_tool
from osteo_edge.cache import made_once

NEWEST_GLIBC = {"bookworm": 36}
"""Debian release to the minor version of its GNU C library 2.x: which wheels run there (PEP 600)."""

LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")


def debian_root(suite: str, packages: Sequence[str]) -> Path:
    """A folder with these packages of a Debian release and all that they depend on, for arm64.

    It is made on first use (some 15 s and 70 MB for Python) and cached. `OsteoEdgeError`, with the error of the program
    that failed, if that cannot be done.
    """

    def make(folder: Path) -> None:
        archive = folder.with_name(f"{folder.name}.tar")
        try:
            run_tool(_mmdebstrap(suite, packages, archive), f"unpacking Debian {suite} for arm64")
            run_tool(
                ["tar", "--extract", "--no-same-owner", "--file", archive, "--directory", folder],
                f"unpacking Debian {suite} for arm64",
            )
        finally:
            archive.unlink(missing_ok=True)

    return made_once(f"debian-{suite}-arm64-{_digest(packages)}", make)


def python_packages(suite: str, python: str, requirements: Sequence[str]) -> Path:
    """A folder for PYTHONPATH with these requirements, as wheels for arm64, that Python version and that release."""
    platforms = ("manylinux2014", *(f"manylinux_2_{minor}" for minor in range(17, NEWEST_GLIBC[suite] + 1)))

    def make(folder: Path) -> None:
        command = [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
            *("--only-binary=:all:", "--implementation=cp", f"--python-version={python}", f"--target={folder}"),
            *(f"--platform={platform}_aarch64" for platform in platforms),
            *requirements,
        ]
        run_tool(command, f"fetching {', '.join(requirements)} for arm64")

    return made_once(f"python{python}-{suite}-arm64-{_digest(requirements)}", make)


def debian_mirror() -> str | None:
    """The mirror of Debian that this machine's apt uses; None if it uses none, as on Ubuntu."""
    targets = ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)"]
    for line in run_tool([*targets, "Created-By: Packages"], "finding apt's mirror").splitlines():
        if line.startswith("Debian|Debian|main|"):
            return line.rpartition("|")[2]
    return None


def _mmdebstrap(suite: str, packages: Sequence[str], archive: Path) -> list[str | Path]:
    """Chrootless, which needs no privilege and mounts nothing; its danger, scripts that act on the host, is not there:
    the variant runs none. Without a mirror of its own mmdebstrap takes Debian's usual one.
    """
    mirror = debian_mirror()
    return [
        "mmdebstrap",
        "--mode=chrootless",
        "--variant=extract",
        "--arch=arm64",
        "--format=tar",
        "--skip=output/dev",
        f"--include={','.join(packages)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
        suite,
        archive,
        *([] if mirror is None else [f"deb {mirror} {suite} main"]),
    ]


def _digest(words: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]
