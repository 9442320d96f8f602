"""The disk of a machine that boots: an arm64 Debian 12 with systemd, in files that an emulator starts from.

Nothing is emulated to make it, and no privilege is needed: packages are unpacked, and what their scripts would have set
up is written here. Users, and folders that belong to them, are systemd's work when the machine starts.
"""

import gzip
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osteo_edge.benchmarks.emulation.guest_root import debian_root
from osteo_edge.benchmarks.emulation.host import run_tool
from osteo_edge.cache import made_once

TOOLS: Final = ("mmdebstrap", "mke2fs", "depmod", "cpio", "unshare")
"""The programs that make a disk."""
SUITE: Final = "bookworm"
PACKAGES: Final = (
    *("base-files", "base-passwd", "bash", "coreutils", "dash", "findutils", "grep", "hostname", "libc-bin", "sed"),
    *("dbus", "init-system-helpers", "kmod", "login", "mount", "ncurses-base", "passwd", "procps", "util-linux"),
    *("libpam-modules", "libpam-runtime", "libpam-systemd", "systemd", "systemd-sysv", "udev"),
    *("busybox-static", "linux-image-arm64", "qemu-guest-agent"),
    *("libstdc++6", "python3"),
    *("libegl1", "libgbm1", "libgl1", "libgl1-mesa-dri", "libgles2", "libmtdev1"),
    "ntfs-3g",
)
"""The system, what the emulator wants of it, and what Raspberry Pi OS has for the program and its window."""
BYTES: Final = 3 << 30

TO_MOUNT: Final = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
MODULES: Final = (
    *(*TO_MOUNT, "virtio-gpu", "virtio_console", "virtio_input", "virtio-rng", "evdev", "autofs4"),
    *("xhci-pci", "usb-storage", "sd_mod", "vfat", "exfat", "fuse"),
    *("nls_cp437", "nls_ascii", "nls_utf8", "nls_iso8859-1"),
)
"""Of the kernel's 292 MB: what mounts the disk, and what is plugged into the machine."""
MERGED: Final = ("bin", "lib", "sbin")
"""Debian's packages still have these folders, which its installer makes links into /usr."""
MASKED: Final = ("systemd-hwdb-update.service", "systemd-journal-catalog-update.service", "systemd-binfmt.service")
"""Work of a first boot that an installed system has behind it, and minutes long when emulated."""

INIT: Final = """\
#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev
while read -r module; do $b insmod "/modules/$module"; done </modules/list
until [ -b /dev/vda ]; do $b sleep 0.1; done
$b mount -t ext4 -o rw,noatime /dev/vda /root || exec $b poweroff -f
exec $b switch_root /root /sbin/init
"""
PAM: Final = {
    "auth": "auth required pam_unix.so\n",
    "account": "account required pam_unix.so\n",
    "password": "password required pam_unix.so yescrypt\n",
    "session": "session required pam_unix.so\nsession optional pam_systemd.so\n",
    "session-noninteractive": "session required pam_unix.so\n",
}
"""What pam-auth-update would write."""


@dataclass(frozen=True)
class SystemFiles:
    """What a machine starts from; the disk is a sparse file, to be copied before it is written to."""

    kernel: Path
    ramdisk: Path
    disk: Path


def system_files() -> SystemFiles:
    """Debian with systemd; made on first use (some two minutes and 700 MB) and cached.

    `OsteoEdgeError`, with the error of the program that failed, if that cannot be done.
    """
    depends_on = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder = made_once(f"machine-{SUITE}-arm64-{depends_on}", _make)
    return SystemFiles(folder / "vmlinuz", folder / "initrd", folder / "disk")


def find_tool(name: str) -> str | None:
    """The path of a program, also of one for administrators; None if it is not here."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")


def make_disk(content: Path, disk: Path, size_bytes: int, label: str) -> None:
    """Write an ext4 file system with what is in a folder; all of it is root's."""
    with disk.open("wb") as file:
        file.truncate(size_bytes)
    # In a user namespace the files of whoever runs this are root's. Not lazily: the kernel would write the rest at the
    # first mount, while the machine is measured.
    command = [_tool("mke2fs"), "-q", "-t", "ext4", "-L", label, "-E", "lazy_itable_init=0,lazy_journal_init=0", "-d"]
    run_tool(["unshare", "--user", "--map-root-user", *command, content, disk], f"writing the disk {label}")


def _make(folder: Path) -> None:
    unpacked = debian_root(SUITE, PACKAGES)
    root = folder / "root"
    kernel = next((unpacked / "boot").glob("vmlinuz-*"))
    shutil.copyfile(kernel, folder / "vmlinuz")
    run_tool(["cp", "--archive", unpacked, root], "copying Debian")  # with its hard links, 1 GB of them
    for name in ("boot", "lib/modules"):
        shutil.rmtree(root / name)
    for name in MERGED:
        run_tool(["cp", "--archive", "--link", f"{root / name}/.", root / "usr" / name], "moving all into /usr")
        shutil.rmtree(root / name)
        (root / name).symlink_to(f"usr/{name}")
    modules = _copy_modules(unpacked / "lib" / "modules" / kernel.name.removeprefix("vmlinuz-"), root)
    _set_up(root)
    _make_ramdisk(folder / "ramdisk", unpacked / "bin" / "busybox", modules, folder / "initrd")
    make_disk(root, folder / "disk", BYTES, "root")
    shutil.rmtree(root)
    shutil.rmtree(folder / "ramdisk")


def _copy_modules(source: Path, root: Path) -> list[Path]:
    """Copy the kernel's modules that are wanted and those that they need; gives those that mount a disk, in order."""
    target = root / "usr" / "lib" / "modules" / source.name
    needs: dict[str, list[str]] = {}
    for line in run_tool(
        [_tool("depmod"), "--dry-run", "--basedir", source.parents[2], source.name], "reading"
    ).splitlines():
        path, is_list, others = line.partition(":")
        if is_list and path.startswith("kernel/"):
            needs[path] = others.split()
    by_name = {_module_name(path): path for path in needs}

    def closure(names: Sequence[str]) -> Iterator[str]:
        for name in names:
            path = by_name[name]
            yield from reversed(needs[path])
            yield path

    for path in dict.fromkeys(closure(MODULES)):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, target / path)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        shutil.copyfile(source / name, target / name)
    run_tool([_tool("depmod"), "--basedir", root, source.name], "listing modules")
    return [target / path for path in dict.fromkeys(closure(TO_MOUNT))]


def _tool(name: str) -> str:
    return find_tool(name) or name


def _module_name(path: str) -> str:
    return Path(path).name.partition(".")[0]


def _set_up(root: Path) -> None:
    etc = root / "etc"
    for name in ("passwd", "group"):
        shutil.copyfile(root / "usr" / "share" / "base-passwd" / f"{name}.master", etc / name)
    (etc / "shadow").write_text(
        "".join(f"{line.split(':')[0]}:*:20000:0:99999:7:::\n" for line in (etc / "passwd").read_text().splitlines())
    )
    (etc / "shadow").chmod(0o600)
    for name, text in PAM.items():
        (etc / "pam.d" / f"common-{name}").write_text(text, "utf-8")
    (etc / "hostname").write_text("pi\n", "utf-8")
    (etc / "fstab").write_text("LABEL=stick /media/stick ext4 ro,nofail,x-systemd.device-timeout=60s 0 0\n", "utf-8")
    for folder in ("media/stick", "var/log/journal"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (etc / "machine-id").write_text("c0ffee00c0ffee00c0ffee00c0ffee00\n", "ascii")
    system = etc / "systemd" / "system"
    for service in MASKED:
        (system / service).symlink_to("/dev/null")
    (system / "default.target").symlink_to("/lib/systemd/system/multi-user.target")
    wanted = system / "getty.target.wants"
    wanted.mkdir(exist_ok=True)
    (wanted / "getty@tty1.service").symlink_to("/lib/systemd/system/getty@.service")


def _make_ramdisk(folder: Path, busybox: Path, modules: Sequence[Path], target: Path) -> None:
    """What the kernel starts with: a shell that loads `modules`, mounts the disk and goes on there."""
    for name in ("bin", "dev", "modules", "root"):
        (folder / name).mkdir(parents=True)
    shutil.copyfile(busybox, folder / "bin" / "busybox")
    (folder / "bin" / "busybox").chmod(0o755)
    for path in modules:
        shutil.copyfile(path, folder / "modules" / path.name)
    (folder / "modules" / "list").write_text("".join(f"{path.name}\n" for path in modules), "utf-8")
    (folder / "init").write_text(INIT, "utf-8")
    (folder / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(folder)) for path in sorted(folder.rglob("*")))
    packing = ["cpio", "--create", "--format=newc", "--quiet"]
    packed = subprocess.run(packing, input=names.encode(), cwd=folder, capture_output=True, check=True)
    target.write_bytes(gzip.compress(packed.stdout, compresslevel=1))
