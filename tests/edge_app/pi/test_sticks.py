import errno
import grp
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from osteo_edge.edge_app.pi import sticks
from osteo_edge.edge_app.pi.sticks import MEDIA, StickError, attempts, folder_name, mount, system_use, unmount

MOUNTED = "36 25 {number} / {place} rw,relatime shared:1 - {kind} {source} rw"
ROOT_DISK = MOUNTED.format(number="179:2", place="/", kind="ext4", source="/dev/root")


class Device:
    """The files of a device that starts from its card, `mmcblk0`, and what is mounted there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in (MEDIA, "proc/self", "sys/class/block", "etc"):
            (root / folder).mkdir(parents=True)
        self.lines = [ROOT_DISK]
        self.plug("mmcblk0", "179:0", mmcblk0p1="179:1", mmcblk0p2="179:2")
        self._write()

    def plug(self, disk: str, number: str, **partitions: str) -> None:
        folder = self.root / "sys/devices" / disk
        for name, own in ((disk, number), *partitions.items()):
            place = folder if name == disk else folder / name
            (place / "holders").mkdir(parents=True)
            (place / "dev").write_text(f"{own}\n")
            if name != disk:
                (place / "partition").touch()
            (self.root / "sys/class/block" / name).symlink_to(place)

    def mounted(self, source: str, place: str, *, number: str = "8:1", kind: str = "vfat") -> None:
        escaped = place.replace(" ", r"\040")
        self.lines.append(MOUNTED.format(number=number, place=escaped, kind=kind, source=source))
        self._write()

    def _write(self) -> None:
        (self.root / "proc/self/mountinfo").write_text("".join(f"{line}\n" for line in self.lines))

    @property
    def folders(self) -> list[str]:
        return sorted(path.name for path in (self.root / MEDIA).iterdir())


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Device:
    me = SimpleNamespace(pw_uid=990, gr_gid=991)
    monkeypatch.setattr(pwd, "getpwnam", lambda name: me)
    monkeypatch.setattr(grp, "getgrnam", lambda name: me)
    made = Device(tmp_path / "root")
    made.plug("sda", "8:0", sda1="8:1", sda2="8:2")
    return made


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The programs that were called; none of them fails."""
    called: list[tuple[str, ...]] = []
    monkeypatch.setattr(sticks, "_run", lambda *command: called.append(command))
    return called


def say_of_each(monkeypatch: pytest.MonkeyPatch, kind: str, label: str) -> None:
    monkeypatch.setattr(sticks, "_properties", lambda name: {"ID_FS_TYPE": kind, "ID_FS_LABEL_ENC": label})


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("XRAY", "XRAY"),
        (r"My\x20stick", "My stick"),
        (r"Sant\xc3\xa9", "Santé"),
        (r"..\x2f..\x2fetc", "_.._etc"),
        ("../../etc", "_.._etc"),
        (r"\x2fetc\x2fpasswd", "_etc_passwd"),
        ("..", "USB"),
        (".", "USB"),
        ("", "USB"),
        (r"\x20\x20", "USB"),
        (r".ssh", "ssh"),
        (r"a\x00b\x0ac\x5cd", "a_b_c_d"),
        (r"\xe2\x80\xaegnp", "_gnp"),
        (r"\xff\xfe", "\ufffd\ufffd"),
        ("$(reboot)`x`;'\"", "$(reboot)`x`;'\""),
        ("x" * 200, "x" * 32),
    ],
)
def test_a_label_names_a_folder_and_never_another_one(label: str, name: str) -> None:
    found = folder_name(label)
    assert found == name
    assert Path("/media", found).parent == Path(os.path.normpath(Path("/media", found))).parent == Path("/media")
    assert len(os.fsencode(found)) < 255


def test_a_stick_is_mounted_for_the_app_and_is_nothing_but_files(
    device: Device, ran: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    say_of_each(monkeypatch, "vfat", r"X-ray\x201")
    said = mount("sda1", device.root)
    place = str(device.root / MEDIA / "X-ray 1")
    assert said == f"sda1: vfat at {place}"
    [(program, _, kind, _, options, source, where)] = ran
    assert (program, kind, source, where) == ("mount", "vfat", "/dev/sda1", place)
    assert {"nosuid", "nodev", "noexec", "nosymfollow", "uid=990", "gid=991", "dmask=0007", "flush"} <= set(
        options.split(",")
    )


@pytest.mark.parametrize("kind", ["vfat", "exfat", "ntfs", "ext2", "ext3", "ext4"])
def test_every_file_system_is_written_to_at_once_and_holds_no_program(kind: str) -> None:
    ways = list(attempts(kind, 990, 991))
    assert ways
    for name, options in ways:
        assert {"nosuid", "nodev", "noexec"} <= set(options)
        assert {"sync", "flush", "ro"} & set(options)
        assert "nosymfollow" in options or name == "ntfs-3g"
        assert ("uid=990" in options) is not kind.startswith("ext")


def test_two_sticks_of_one_name_have_a_folder_each(
    device: Device, ran: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    say_of_each(monkeypatch, "vfat", "XRAY")
    mount("sda1", device.root)
    first = device.root / MEDIA / "XRAY"
    (first / "a file of the stick").touch()
    device.plug("sdb", "8:16", sdb1="8:17")
    assert mount("sdb1", device.root).endswith("/XRAY 2")
    assert [command[-1] for command in ran] == [str(first), f"{first} 2"]


def test_files_that_have_owners_are_opened_for_the_app(
    device: Device, ran: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    owners: list[tuple[Path, int, int]] = []
    monkeypatch.setattr(os, "chown", lambda path, user, group: owners.append((path, user, group)))
    say_of_each(monkeypatch, "ext4", "LINUX")
    mount("sda1", device.root)
    place = device.root / MEDIA / "LINUX"
    assert owners == [(place, -1, 991)]
    assert place.stat().st_mode & 0o777 == 0o775


def test_what_cannot_be_mounted_leaves_no_folder_and_one_line(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    say_of_each(monkeypatch, "ntfs", "OLD")
    tried: list[str] = []

    def fail(*command: str) -> str:
        tried.append(command[2] if command[0] == "mount" else "unmounted")
        return "wrong fs type"

    monkeypatch.setattr(shutil, "which", lambda name, path: "/usr/sbin/mount.ntfs-3g")
    monkeypatch.setattr(sticks, "_run", fail)
    with pytest.raises(StickError, match=r"sda1: cannot be mounted \(ntfs-3g: wrong fs type; ntfs3: .*\)$"):
        mount("sda1", device.root)
    assert tried == ["ntfs-3g", "unmounted", "ntfs3", "unmounted", "ntfs3", "unmounted"]
    assert device.folders == []
    say_of_each(monkeypatch, "zfs_member", "")
    with pytest.raises(StickError, match="zfs_member: not a known file system"):
        mount("sda1", device.root)


def test_a_pulled_stick_leaves_no_folder_and_others_stay(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = (device.root / MEDIA / name for name in ("ONE two", "TWO"))
    for place in (one, two):
        place.mkdir()
    (two / "file").touch()
    device.mounted("/dev/sda1", f"/{MEDIA}/ONE two")
    device.mounted("/dev/sdb1", f"/{MEDIA}/TWO", number="8:17")
    device.mounted("/dev/sda1", "/srv/elsewhere")
    called: list[tuple[str, ...]] = []

    def is_busy(*command: str) -> str | None:
        called.append(command)
        return None if "--lazy" in command else "target is busy"

    monkeypatch.setattr(sticks, "_run", is_busy)
    unmount("sda1", device.root)
    assert called == [("umount", str(one)), ("umount", "--lazy", str(one))]
    assert device.folders == ["TWO"]


def test_a_stick_is_used_by_nobody_else(device: Device) -> None:
    assert system_use("sda1", device.root) is None
    assert system_use("sda", device.root) is None
    device.mounted("/dev/sda1", f"/{MEDIA}/XRAY")
    assert system_use("sda2", device.root) is None
    assert "/run/media/osteo-edge/XRAY" in (system_use("sda1", device.root) or "")


@pytest.mark.parametrize("partition", ["mmcblk0", "mmcblk0p1", "mmcblk0p2"])
def test_the_disk_that_the_device_starts_from_is_left_alone(device: Device, partition: str) -> None:
    assert "its disk is at" in (system_use(partition, device.root) or "")


def test_so_is_one_that_somebody_else_uses(device: Device, ran: list[tuple[str, ...]]) -> None:
    def use(partition: str) -> str:
        return system_use(partition, device.root) or ""

    fstab = device.root / "etc/fstab"
    fstab.write_text("# USB\n\nPARTUUID=0a-02 /data ext4 defaults 0 2\nproc /proc proc defaults 0 0\n")
    assert use("sda1") == ""
    by_partuuid = device.root / "dev/disk/by-partuuid"
    by_partuuid.mkdir(parents=True)
    (device.root / "dev/sda2").touch()
    (by_partuuid / "0a-02").symlink_to("../../sda2")
    assert "/etc/fstab" in use("sda1")
    fstab.unlink()
    (device.root / "proc/swaps").write_text("Filename Type Size\n/dev/sda2 partition 100\n")
    assert "swapped" in use("sda1")
    (device.root / "proc/swaps").unlink()
    (device.root / "sys/devices/sda/sda2/holders/dm-0").mkdir()
    assert "part of another" in use("sda1")
    device.mounted("/dev/sda2", "/mnt", number="8:2")
    assert "/mnt" in use("sda1")
    assert mount("sda1", device.root) == f"sda1: left alone, its disk is at {device.root}/mnt"
    assert ran == []
    assert device.folders == []


@pytest.mark.parametrize("name", ["../sda1", "sda1 -o suid", "", "sdz"])
def test_what_is_no_device_is_refused(device: Device, name: str) -> None:
    with pytest.raises(StickError):
        system_use(name, device.root)


def test_run_as_a_file_by_the_system_s_own_python() -> None:
    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-I", sticks.__file__, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    assert run().returncode == 2
    assert run("eject", "sda1").returncode == 2
    if (Path("/") / MEDIA).exists():
        pytest.skip("this is a kiosk")
    done = run("mount", "sda1")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert os.strerror(errno.ENOENT) in done.stderr
