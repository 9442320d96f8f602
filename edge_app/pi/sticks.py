"""Mount the USB sticks that are plugged into a kiosk, where no desktop does; osteo-edge-stick@.service runs this file.

Python's own library alone. A stick is a stranger's: its label names a folder below `MEDIA` and can name no other, and
no program, device or link on it is one here. What it was given is written to it at once, since nobody tells when it
will be pulled. Run as root: `python3 -I sticks.py mount sda1`, and `unmount`.
"""

import fcntl
import grp
import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MEDIA: Final = Path("run/media/osteo-edge")
"""Below the root: where the app looks for sticks, as udisks2 has it for a user of this name; a boot empties it."""
OWNER: Final = "osteo-edge"
UNNAMED: Final = "USB"
LONGEST: Final = 32
"""Letters of a name; the longest label that is not NTFS's has 16."""
SAFE: Final = ("nosuid", "nodev", "noexec", "noatime")
NO_LINKS: Final = "nosymfollow"
"""Which the kernel's own file systems know, and ntfs-3g does not."""
OWNED: Final = ("ext2", "ext3", "ext4")
"""Where files have owners, other ones than here."""
BY_TAG: Final = {"UUID": "by-uuid", "LABEL": "by-label", "PARTUUID": "by-partuuid", "PARTLABEL": "by-partlabel"}
"""What fstab(5) may call a device to the folder of /dev/disk that has it by that name."""

ROOT: Final = Path("/")


class StickError(Exception):
    """Why a stick cannot be used, in one line."""


@dataclass(frozen=True)
class Mount:
    """A line of /proc/self/mountinfo: the device's number, as "8:1", its name, as "/dev/sda1", and where it is."""

    number: str
    source: str
    place: Path


def mount(device: str, root: Path = ROOT) -> str:
    """Mount the stick `device`, such as "sda1", for the app; gives a line about it. `StickError` if that cannot be."""
    with _alone(root):
        if (use := system_use(device, root)) is not None:
            return f"{device}: left alone, {use}"
        properties = _properties(device)
        kind = properties.get("ID_FS_TYPE", "")
        place = _new_folder(root, folder_name(properties.get("ID_FS_LABEL_ENC", "")))
        problems = []
        for name, options in attempts(kind, pwd.getpwnam(OWNER).pw_uid, grp.getgrnam(OWNER).gr_gid):
            problem = _run("mount", "-t", name, "-o", ",".join(options), f"/dev/{device}", str(place))
            if problem is None:
                if kind in OWNED:
                    _let_in(place)
                return f"{device}: {name} at {place}"
            problems.append(f"{name}: {problem}")
            _run("umount", "--lazy", str(place))  # ntfs-3g may have mounted it, and failed then
        place.rmdir()
        raise StickError(f"{device}: cannot be mounted ({'; '.join(problems) or f'{kind}: not a known file system'})")


def unmount(device: str, root: Path = ROOT) -> str:
    """Unmount what is left of a stick, whether it is still plugged in or not."""
    with _alone(root):
        for found in _mounts(root):
            if found.source == f"/dev/{device}" and (root / MEDIA) in found.place.parents:
                place = str(found.place)
                if (problem := _run("umount", place)) is not None and _run("umount", "--lazy", place) is not None:
                    raise StickError(f"{device}: cannot be unmounted ({problem})")
        _clear(root)
    return f"{device}: unmounted"


def folder_name(label: str) -> str:
    r"""A name for the folder of a stick from its label as udev has it, where what is unusual is written \xNN.

    >>> folder_name(r"X-ray\x20\xc3\xa9t\xc3\xa9"), folder_name(r"..\x2f..\x2fetc"), folder_name("..")
    ('X-ray été', '_.._etc', 'USB')
    """
    plain = re.sub(rb"\\x([0-9a-fA-F]{2})", lambda match: bytes([int(match[1], 16)]), os.fsencode(label))
    letters = plain.decode("utf-8", "replace")[:LONGEST]
    safe = "".join(letter if letter.isprintable() and letter not in "/\\" else "_" for letter in letters)
    return safe.strip(" .") or UNNAMED


def attempts(kind: str, uid: int, gid: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What to mount a file system as, the first that works: for `mount -t`, and for its `-o`.

    Where the file system knows no owners all of it belongs to the app. NTFS that was pulled is read-only for the kernel
    until Windows has seen it, and not for ntfs-3g.
    """
    owned = (f"uid={uid}", f"gid={gid}", "fmask=0117", "dmask=0007")
    safe = (*SAFE, NO_LINKS)
    if kind == "vfat":  # with sync each cluster would be written with the whole of its table
        yield kind, (*safe, *owned, "utf8=1", "shortname=mixed", "flush", "dirsync")
    elif kind == "exfat":
        yield kind, (*safe, *owned, "iocharset=utf8", "sync")
    elif kind == "ntfs":
        if shutil.which("mount.ntfs-3g", path="/usr/sbin:/sbin") is not None:
            yield "ntfs-3g", (*SAFE, *owned, "sync")
        yield "ntfs3", (*safe, *owned, "iocharset=utf8", "sync")
        yield "ntfs3", (*safe, *owned, "iocharset=utf8", "ro")
    elif kind in OWNED:
        yield kind, (*safe, "sync")


def system_use(device: str, root: Path = ROOT) -> str | None:
    """What the disk of a device is used for by others, as root's disk is, or by us already; None for a stick."""
    if re.fullmatch("[a-z][a-z0-9]*", device) is None:
        raise StickError(f"{device}: no name of a disk or a partition")
    own = (root / "sys/class/block" / device).resolve()
    if not own.is_dir():
        raise StickError(f"{device}: is not there")
    disk = own.parent if (own / "partition").exists() else own
    members = {path.name: path for path in (disk, *(found.parent for found in disk.glob("*/partition")))}
    numbers = {(path / "dev").read_text("ascii").strip() for path in members.values()}
    for found in _mounts(root):
        if found.number in numbers or found.source.removeprefix("/dev/") in members:
            is_ours = (root / MEDIA) in found.place.parents
            if not is_ours or found.source == f"/dev/{device}":
                return f"its disk is at {found.place}"
    if any(any((path / "holders").glob("*")) for path in members.values()):
        return "its disk is part of another one"
    if any(_device_of(source, root) in members for source in _first_words(root / "etc/fstab")):
        return "its disk is in /etc/fstab"
    if any(source.removeprefix("/dev/") in members for source in _first_words(root / "proc/swaps")):
        return "its disk is swapped to"
    return None


def _device_of(source: str, root: Path) -> str:
    """The kernel's name of what fstab(5) calls `source`."""
    tag, is_tag, value = source.partition("=")
    path = root / "dev/disk" / BY_TAG[tag] / value.strip('"') if is_tag and tag in BY_TAG else root / source.lstrip("/")
    return path.resolve().name


def _first_words(path: Path) -> list[str]:
    with suppress(OSError):
        lines = path.read_text("utf-8", "replace").splitlines()
        return [line.split()[0] for line in lines if line.split() and not line.startswith("#")]
    return []


def _mounts(root: Path) -> list[Mount]:
    lines = [line.split() for line in (root / "proc/self/mountinfo").read_bytes().splitlines()]
    return [
        Mount(words[2].decode(), _decoded(words[words.index(b"-", 6) + 2]), root / _decoded(words[4]).lstrip("/"))
        for words in lines
    ]


def _decoded(field: bytes) -> str:
    return os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8) & 255]), field))


def _new_folder(root: Path, name: str) -> Path:
    """A folder for a stick of that name; a second stick of the same name is "NAME 2"."""
    _clear(root)
    number = 1
    while True:
        place = root / MEDIA / (name if number == 1 else f"{name} {number}")
        with suppress(FileExistsError):
            place.mkdir(0o755)
            return place
        number += 1


def _clear(root: Path) -> None:
    """Remove the folders that hold no stick any more; one that does is busy."""
    for place in (root / MEDIA).iterdir():
        with suppress(OSError):
            place.rmdir()


def _let_in(place: Path) -> None:
    """Let the app write to a stick whose files have owners; their own rights stay. A write-protected one is read."""
    with suppress(OSError):
        os.chown(place, -1, grp.getgrnam(OWNER).gr_gid)
        place.chmod(place.stat().st_mode & 0o777 | 0o070)


def _properties(device: str) -> dict[str, str]:
    """What udev knows of a device."""
    command = ["udevadm", "info", "--query=property", f"--name=/dev/{device}"]
    printed = subprocess.run(command, capture_output=True, check=False).stdout
    return dict(line.split("=", 1) for line in os.fsdecode(printed).splitlines() if "=" in line)


def _run(*command: str) -> str | None:
    """Run a program; what it complains of if it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode == 0:
        return None
    said = done.stderr.decode("utf-8", "replace").split("\n")[0].strip()
    return said or f"exit code {done.returncode}"


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One at a time: sticks are plugged in and pulled together."""
    folder = os.open(root / MEDIA, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def main(words: list[str]) -> int:
    """Mount or unmount; 1 and one line on standard error if that fails."""
    commands = {"mount": mount, "unmount": unmount}
    if len(words) != 2 or words[0] not in commands:
        sys.stderr.write("osteo-edge: sticks.py mount DEVICE, or unmount DEVICE\n")
        return 2
    try:
        sys.stdout.write(f"osteo-edge: {commands[words[0]](words[1])}\n")
    except (StickError, OSError, KeyError) as error:
        sys.stderr.write(f"osteo-edge: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
