"""An emulated Raspberry Pi: an arm64 Debian without a network, in which programs run as on a certain processor.

The system lies in a user namespace of its own, in which the emulator is what runs programs for arm64 (a binfmt_misc of
its own, which Linux has since 6.7): no privilege is needed, and the machine that runs the tests is left as it is.
"""

import os
import platform
import resource
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from osteo_edge.benchmarks.emulation.boards import BOARDS, write_board
from osteo_edge.benchmarks.emulation.guest_root import debian_root
from osteo_edge.cache import cache_folder
from osteo_edge.edge_app.demo_bundle import FOLDER
from osteo_edge.edge_app.pi.kit import Kit
from osteo_edge.edge_app.pi.making import PYTHONS, make_kit
from osteo_edge.edge_app.pi.packs import EFFORT, Effort
from osteo_edge.errors import OsteoEdgeError

EMULATOR: Final = "qemu-aarch64-static"
PACKAGES: Final = ("base-files", "coreutils", "dash", "findutils", "grep", "libc-bin", "libstdc++6", "python3", "sed")
"""What the installer, the program and its scripts need of a Debian."""
CPUS: Final = tuple(BOARDS)
CURRENT: Final = "/opt/osteo-edge/current"
TIMEOUT_S: Final = 900

ELF_OF_ARM64: Final = (
    r":qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:"
)
"""How binfmt_misc knows a program for arm64: the beginning of its file, and which bits of that count."""
BOOT: Final = """\
set -e
mount -t binfmt_misc binfmt_misc "$WORK/binfmt"
printf '%s' "$FORMAT" > "$WORK/binfmt/register"
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$WORK/upper,workdir=$WORK/overlay,userxattr" "$WORK/root"
cd "$WORK/root"
mkdir -p proc dev sys mnt tmp root
mount -t proc proc proc
mount --bind "$BOARD/proc/cpuinfo" proc/cpuinfo
mount --bind "$BOARD/sys" sys
mount --rbind /dev dev
mount --bind "$SHOWN" mnt
exec env -i QEMU_CPU="$CPU" PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
    "$CHROOT" . /bin/sh -ec "$SCRIPT"
"""

Completed = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Suite:
    """A release of Debian with its Python, and the kit that is tried there.

    A whole kit is one as it is handed out, for both versions of Python. Otherwise it is for this one alone and packed
    quickly, which holds the same files (`test_emulated_pi` compares them): one Python's wheels to fetch in place of
    two, and seconds to pack in place of minutes.
    """

    name: str
    python: str
    whole_kit: bool


BOOKWORM: Final = Suite("bookworm", "3.11", whole_kit=False)
TRIXIE: Final = Suite("trixie", "3.13", whole_kit=True)


@dataclass(frozen=True)
class EmulatedPi:
    """A Debian whose changes stay in `work` from one command to the next; it sees the folder `shown` as /mnt.

    `lower` are the folders that the system is made of, the uppermost first; they stay as they are.
    """

    lower: tuple[Path, ...]
    work: Path
    shown: Path

    @property
    def changes(self) -> Path:
        """What was written in the system."""
        return self.work / "upper"

    def run(self, script: str, *, cpu: str = CPUS[-1]) -> Completed:
        """Run a shell script as root, on the board with that processor, without a network."""
        board = self.work / cpu
        if not board.is_dir():
            board.mkdir()
            write_board(BOARDS[cpu], Path("/nonexistent"), board)
        for name in ("binfmt", "upper", "overlay", "root"):
            (self.work / name).mkdir(exist_ok=True)
        environment = os.environ | {
            "WORK": str(self.work),
            "LOWER": ":".join(map(str, self.lower)),
            "BOARD": str(board),
            "SHOWN": str(self.shown),
            "CPU": cpu,
            "SCRIPT": script,
            "FORMAT": f"{ELF_OF_ARM64}{shutil.which(EMULATOR)}:F",
            "CHROOT": shutil.which("chroot") or "/usr/sbin/chroot",
        }
        namespaces = ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--net"]
        command = [*namespaces, "/bin/sh", "-c", BOOT]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)

    def copied(self, work: Path) -> "EmulatedPi":
        """One that begins where this one is, and leaves it as it is."""
        return replace(self, lower=(self.changes, *self.lower), work=work)

    def on(self, root: Path, work: Path) -> "EmulatedPi":
        """One like `copied` with another system below: the files that were written here, and those of `root`."""
        return replace(self, lower=(self.changes, root), work=work)


@dataclass(frozen=True)
class Installation:
    """How a kit was installed: what the installer printed, and the seconds that it took.

    `cpu_before_s` is what `children_cpu_s` was before.
    """

    pi: EmulatedPi
    kit: Kit
    done: Completed
    took_s: float
    cpu_before_s: float


def emulated_root(suite: Suite, packages: Sequence[str] = PACKAGES) -> Path:
    """A cached folder with these packages of the suite; the test is skipped where none can be made."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("emulation needs Linux on x86-64")
    missing = [tool for tool in (EMULATOR, "mmdebstrap", "unshare") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)}: make emulator")
    try:
        return debian_root(suite.name, packages)
    except OsteoEdgeError as error:
        pytest.skip(f"no arm64 Debian can be made here: {error}")


def start_pi(root: Path, work: Path, shown: Path) -> EmulatedPi:
    """An emulated Raspberry Pi that runs; the test is skipped where this machine's kernel does not allow one."""
    made = EmulatedPi((root,), work, shown)
    tried = made.run("uname -m")
    if any(word in tried.stderr for word in ("unshare:", "mount:", "register")):
        pytest.skip(f"no user namespace with a binfmt_misc of its own here: {tried.stderr.strip()[-200:]}")
    assert tried.stdout.strip() == "aarch64", tried.stderr
    return made


def demo_kit(out: Path, pythons: Sequence[str] = PYTHONS, *, effort: Effort = EFFORT) -> Kit:
    """A kit with the demonstration's bundle; the test is skipped where its wheels cannot be fetched."""
    try:
        return make_kit(FOLDER, out, pythons=pythons, wheels=cache_folder() / "pi-wheels", effort=effort)
    except OsteoEdgeError as error:
        if "pip finds no wheels" in str(error):
            pytest.skip(str(error))
        raise


def kit_of(suite: Suite, out: Path) -> Kit:
    """The kit that is tried in that suite."""
    return demo_kit(out) if suite.whole_kit else demo_kit(out, (suite.python,), effort=0)


def install_kit(pi: EmulatedPi, kit: Kit) -> Installation:
    """Run the kit's own installer in the system."""
    start, cpu_s = time.monotonic(), children_cpu_s()
    done = pi.run(f"sh /mnt/{kit.path.name}/install.sh 2>&1")
    return Installation(pi, kit, done, time.monotonic() - start, cpu_s)


def children_cpu_s() -> float:
    """The processor time, in seconds, of all programs that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
