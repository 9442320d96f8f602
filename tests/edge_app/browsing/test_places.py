from pathlib import Path

import pytest

from osteo_edge.edge_app.browsing.places import Place, changes, places, sticks

STICK = "/dev/sda1 /media/ana/KNEES vfat rw,nosuid 0 0\n"
BEFORE = (
    "sysfs /sys sysfs rw 0 0\n"
    "/dev/mmcblk0p2 / ext4 rw,noatime 0 0\n"
    "/dev/mmcblk0p1 /boot/firmware vfat rw 0 0\n"
    "tmpfs /run tmpfs rw 0 0\n"
    "tmpfs /media tmpfs rw 0 0\n"
    "systemd-1 /media/share autofs rw 0 0\n"
    "//server/films /mnt/films cifs rw 0 0\n"
    "/dev/sdc1 /mediatheque ext4 rw 0 0\n"
)


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mounts"
    path.write_text(BEFORE, "utf-8")
    return path


def stick(path: str, name: str | None = None) -> Place:
    return Place("stick", Path(path), Path(path).name if name is None else name)


def test_a_place_is_home_the_watched_folder_or_a_stick(mounts: Path) -> None:
    home, watched = Path("/home/ana"), Path("/srv/xray")
    mounts.write_text(BEFORE + STICK)
    own = (Place("home", home), Place("watched", watched))
    assert places(home, watched, mounts) == (*own, stick("/media/ana/KNEES"))
    assert places(home, None, mounts) == (own[0], stick("/media/ana/KNEES"))


def test_neither_the_system_nor_the_network_is_a_stick(mounts: Path) -> None:
    assert sticks(mounts) == ()


@pytest.mark.parametrize("point", ["/media/ana/KNEES", "/run/media/ana/KNEES", "/media/usb0", "/mnt/usb", "/mnt"])
def test_sticks_are_found_where_systems_mount_them(point: str, mounts: Path) -> None:
    mounts.write_text(f"{BEFORE}/dev/sda1 {point} exfat rw 0 0\n")
    assert sticks(mounts) == (stick(point),)


def test_a_label_may_hold_blanks_and_what_is_no_text(mounts: Path) -> None:
    mounts.write_bytes(
        rb"/dev/sda1 /media/ana/MY\040ST\134ICK\012 vfat rw 0 0" + b"\n/dev/sdb1 /media/ana/\xff vfat rw 0 0\n"
    )
    first, second = sticks(mounts)
    assert first == Place("stick", Path("/media/ana/MY ST\\ICK\n"), "MY ST\\ICK\ufffd")
    assert (bytes(second.path), second.name) == (b"/media/ana/\xff", "\ufffd")


def test_a_stick_that_is_plugged_in_comes_and_one_that_is_pulled_out_goes(mounts: Path) -> None:
    first = sticks(mounts)
    mounts.write_text(BEFORE + STICK)
    second = sticks(mounts)
    mounts.write_text(BEFORE + STICK.replace("KNEES", "OTHER"))
    third = sticks(mounts)
    assert changes(first, second).came == (stick("/media/ana/KNEES"),)
    assert (changes(second, third).came, changes(second, third).went) == (third, second)
    assert changes(third, third).came == changes(third, third).went == ()


def test_a_point_that_is_mounted_twice_is_what_was_mounted_last(mounts: Path) -> None:
    mounts.write_text(BEFORE + STICK + STICK.replace("sda1", "sdb1"))
    assert len(sticks(mounts)) == 1
    mounts.write_text(BEFORE + STICK + STICK.replace("/dev/sda1", "tmpfs"))
    assert sticks(mounts) == ()


def test_what_a_service_may_write_to_is_no_stick(mounts: Path) -> None:
    """Where it may not write elsewhere systemd mounts such folders, which are on the own disk, over themselves."""
    mounts.write_text("/dev/root / ext4 ro 0 0\n/dev/root /media ext4 rw 0 0\n/dev/root /mnt ext4 rw 0 0\n" + STICK)
    assert sticks(mounts) == (stick("/media/ana/KNEES"),)


def test_without_a_list_of_mounts_there_are_no_sticks(tmp_path: Path) -> None:
    assert sticks(tmp_path / "none") == ()
    (tmp_path / "mounts").write_text("\n/dev/sda1\n\n")
    assert sticks(tmp_path / "mounts") == ()


def test_this_system_has_a_list_that_can_be_read() -> None:
    assert all(place.kind == "stick" for place in sticks())
