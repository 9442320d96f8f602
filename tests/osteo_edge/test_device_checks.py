from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from osteo_edge import device_checks
from osteo_edge.device import Device
from osteo_edge.device_checks import (
    CHECKS,
    UNITS,
    check_clock,
    check_cooling,
    check_device,
    check_disk,
    check_memory,
    check_power,
    check_service,
    check_space,
    check_system,
    check_trusted_keys,
    check_window,
)
from osteo_edge.host import Host
from osteo_edge.trust import VARIABLE
from osteo_edge.version import RELEASED
from tests.signing import Signer

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=timezone.utc)
PI = Device("aarch64", 64, "3.11", "2.36")
FakeHost = Callable[..., Host]


@pytest.fixture
def fake_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    """A machine with these files below its root and these answers of its commands, by their first word."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home" / "data"))

    def make(files: Mapping[str, str] | None = None, **commands: str | None) -> Host:
        for name, text in (files or {}).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

        def run(command: Sequence[str]) -> str | None:
            return commands.get(command[0])

        return Host(tmp_path, run)

    return make


@pytest.mark.parametrize(
    ("device", "words", "remedy"),
    [
        (PI, "aarch64, 64 bits, Python 3.11, glibc 2.36", ""),
        (Device("aarch64", 32, "3.11", "2.36"), "32 bits", "install the 64-bit Raspberry Pi OS"),
        (Device("armv7l", 32, "3.11", "2.36"), "armv7l", "install the 64-bit Raspberry Pi OS"),
        (Device("aarch64", 64, "3.12", None), "glibc missing", "take a system with glibc"),
    ],
)
def test_a_system_without_packages_is_told_so(fake_host: FakeHost, device: Device, words: str, remedy: str) -> None:
    assert_found(check_system(fake_host(), device), words, remedy)


def test_the_board_is_named(fake_host: FakeHost) -> None:
    host = fake_host({"proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0"})
    assert_found(check_system(host, PI), "Raspberry Pi 5 Model B Rev 1.0, aarch64", "")


@pytest.mark.parametrize(
    ("available_kb", "words", "remedy"),
    [(900_000, "878 MiB of 1953 MiB", ""), (200 * 1024, "200 MiB", ""), (150_000, "146 MiB", "end other programs")],
)
def test_little_memory_is_told(fake_host: FakeHost, available_kb: int, words: str, remedy: str) -> None:
    text = f"MemTotal:        2000000 kB\nMemFree:           10000 kB\nMemAvailable:   {available_kb} kB\n"
    assert_found(check_memory(fake_host({"proc/meminfo": text})), words, remedy)


@pytest.mark.parametrize(
    ("free_mib", "words", "remedy"), [(2048, "2.0 GiB free", ""), (500, "0.5 GiB", ""), (499, "0.5 GiB", "to a stick")]
)
def test_little_space_is_told(
    fake_host: FakeHost, free_mib: int, words: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_disks(monkeypatch, lambda folder: free_mib)
    assert_found(check_space(fake_host()), words, remedy)


def test_the_place_with_the_least_space_is_told(fake_host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    host = fake_host({"var/lib/osteo-edge/app/settings.json": "{}", "home/data/osteo-edge/settings.json": "{}"})
    use_disks(monkeypatch, lambda folder: 100 if folder == host.root / "home/data/osteo-edge" else 5000)
    assert_found(check_space(host), f"free in {host.root}/home/data/osteo-edge", "to a stick")
    use_disks(monkeypatch, lambda folder: 100 if folder == host.root / "var/lib/osteo-edge" else 5000)
    assert_found(check_space(host), f"free in {host.root}/var/lib/osteo-edge", "to a stick")


def test_a_disk_that_does_not_tell_its_space_gives_no_line(
    fake_host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> int:
        raise PermissionError(13, "Permission denied")

    use_disks(monkeypatch, refuse)
    assert check_space(fake_host()) is None


MOUNTS = """\
/dev/root / ext4 {root},noatime 0 0
proc /proc proc rw 0 0
/dev/sda1 /media/my\\040stick vfat ro,nosuid 0 0
{more}
"""


@pytest.mark.parametrize(
    ("mounts", "words", "remedy"),
    [
        (MOUNTS.format(root="rw", more=""), "takes what is written", ""),
        (MOUNTS.format(root="ro", more=""), "/var/lib/osteo-edge can only be read", "the card is worn out"),
        (MOUNTS.format(root="ro", more="/dev/sdb1 /var/lib ext4 rw 0 0"), "/home can only be read", "worn out"),
        (MOUNTS.format(root="rw,errors=remount-ro", more="half a line"), "takes what is written", ""),
    ],
)
def test_a_card_that_can_only_be_read_is_told(fake_host: FakeHost, mounts: str, words: str, remedy: str) -> None:
    host = fake_host({"proc/mounts": mounts, "var/lib/osteo-edge/in/film": "", "home/someone": ""})
    assert_found(check_disk(host), words, remedy)


@pytest.mark.parametrize(
    ("files", "answer", "words", "remedy"),
    [
        ({"run/systemd/timesync/synchronized": ""}, None, "set by the network", ""),
        ({}, "yes", "set by the network", ""),
        ({"sys/class/rtc/rtc0/since_epoch": str(int(NOW.timestamp()))}, "no", "kept by a clock chip", ""),
        ({"sys/class/rtc/rtc0/since_epoch": "12"}, "no", "kept by nothing", "fit a clock chip"),
        ({"sys/class/rtc/rtc0/since_epoch": "?"}, "no", "kept by nothing", "fit a clock chip"),
        ({}, "no", "kept by nothing", "fit a clock chip"),
        ({}, None, "2027-03-01", ""),
    ],
)
def test_what_keeps_the_clock_is_told(
    fake_host: FakeHost, files: Mapping[str, str], answer: str | None, words: str, remedy: str
) -> None:
    assert_found(check_clock(fake_host(files, timedatectl=answer), NOW), words, remedy)


def test_a_clock_that_cannot_be_right_is_told(fake_host: FakeHost) -> None:
    released = datetime.fromisoformat(RELEASED).replace(tzinfo=timezone.utc)
    host = fake_host(timedatectl="yes")
    assert_found(check_clock(host, released - timedelta(seconds=1)), "", "set it: sudo date --set")
    assert_found(
        check_clock(host, datetime(1970, 1, 1, 12, tzinfo=timezone.utc)), "1970-01-01", "set it: sudo date --set"
    )
    assert_found(check_clock(host, released), "set by the network", "")


@pytest.mark.parametrize(
    ("answer", "alarm", "words", "remedy"),
    [
        ("throttled=0x0", None, "holds its voltage", ""),
        ("throttled=0x50000", None, "under-voltage since boot", "the board's own power supply"),
        ("throttled=0x50005", None, "under-voltage now, under-voltage since boot", "the board's own power supply"),
        ("throttled=0xe0008", None, "holds its voltage", ""),
        (None, "0", "holds its voltage", ""),
        (None, "1", "under-voltage now", "the board's own power supply"),
    ],
)
def test_a_weak_power_supply_is_told(
    fake_host: FakeHost, answer: str | None, alarm: str | None, words: str, remedy: str
) -> None:
    """The kernel tells those who may not ask the firmware; another voltage's alarm is none."""
    files = {"sys/class/hwmon/hwmon0/in0_lcrit_alarm": "1", "sys/class/hwmon/hwmon0/name": "another chip"}
    if alarm is not None:
        files |= {"sys/class/hwmon/hwmon1/in0_lcrit_alarm": alarm, "sys/class/hwmon/hwmon1/name": "rpi_volt\n"}
    assert_found(check_power(fake_host(files, vcgencmd=answer)), words, remedy)


@pytest.mark.parametrize(
    ("is_board", "millidegrees", "answer", "words", "remedy"),
    [
        (True, "61200", "throttled=0x0", "61 °C", ""),
        (True, "80000", "throttled=0x0", "80 °C", "fit a heat sink or a fan"),
        (True, "70000", "throttled=0x80008", "70 °C, soft temperature limit now", "fit a heat sink or a fan"),
        (True, "50000", "throttled=0x50000", "50 °C", ""),  # throttled for want of power, not for heat
        (False, "90000", None, "90 °C", ""),  # others may be that warm
    ],
)
def test_a_hot_board_is_told(
    fake_host: FakeHost, is_board: bool, millidegrees: str, answer: str | None, words: str, remedy: str
) -> None:
    files = {
        "sys/class/thermal/thermal_zone0/temp": millidegrees,
        "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    }
    board = {"proc/device-tree/model": "Raspberry Pi 4 Model B"} if is_board else {}
    assert_found(check_cooling(fake_host(files | board, vcgencmd=answer)), words, remedy)


@pytest.mark.parametrize(
    ("missing", "words", "remedy"),
    [((), "all there", ""), (("libgles2", "libmtdev1"), "missing: libgles2", "apt-get install libgles2 libmtdev1;")],
)
def test_missing_libraries_of_the_window_are_told(
    fake_host: FakeHost, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], words: str, remedy: str
) -> None:
    monkeypatch.setattr(device_checks, "missing_for_window", lambda: missing)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert_found(check_window(fake_host()), words, remedy)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert check_window(fake_host()) is None


@pytest.mark.parametrize(
    ("state", "words", "remedy"),
    [
        ("active running success enabled|12 films", "running, 12 films", ""),
        ("active running success enabled|", "running", ""),
        ("failed failed exit-code enabled|", "has failed (exit-code)", "journalctl -u osteo-edge-watch -n 30"),
        ("activating auto-restart oom-kill enabled|", "again and again (oom-kill)", "systemctl restart"),
        ("activating start success enabled|", "activating", ""),
        ("inactive dead success enabled|", "stopped", "sudo systemctl start osteo-edge-watch"),
        ("inactive dead success disabled|", "not in use", ""),
    ],
)
def test_the_state_of_a_service_is_told(fake_host: FakeHost, state: str, words: str, remedy: str) -> None:
    states, text = state.split("|")
    active, sub, result, unit_file = states.split()
    told = (
        f"LoadState=loaded\nActiveState={active}\nSubState={sub}\nResult={result}\n"
        f"UnitFileState={unit_file}\nStatusText={text}"
    )
    assert_found(check_service(fake_host(systemctl=told), UNITS[0]), words, remedy)
    assert check_service(fake_host(systemctl=told.replace("=loaded", "=not-found")), UNITS[0]) is None


def test_whose_models_are_taken_is_told_on_a_locked_device_alone(
    fake_host: FakeHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signer: Signer
) -> None:
    host = fake_host()
    assert check_trusted_keys(host) is None
    folder = tmp_path / "trusted-keys"
    folder.mkdir()
    monkeypatch.setenv(VARIABLE, str(folder))
    assert_found(check_trusted_keys(host), "no model is trusted", "copy the .pub file")
    (folder / "bad.pub").write_text("no key")
    assert_found(check_trusted_keys(host), "no model is trusted", "bad.pub: no public P-256 key")
    (folder / "bad.pub").write_bytes(signer.public.read_bytes())
    assert_found(check_trusted_keys(host), "models signed by bad", "")


def test_a_machine_that_tells_nothing_gives_only_what_python_knows(
    fake_host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert [line.line for line in check_device(fake_host())] == ["System", "Free space", "Clock"]


@pytest.mark.parametrize("nonsense", ["", "=", "\0\xff", "throttled=", "12 kB\n" * 9, "ro " * 50, "LoadState=loaded"])
def test_nonsense_of_a_machine_is_no_error(fake_host: FakeHost, nonsense: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    def no_disk(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    paths = (
        "proc/meminfo", "proc/mounts", "proc/device-tree/model", "run/systemd/timesync",
        "sys/class/thermal/thermal_zone0/temp", "sys/class/rtc/rtc0/since_epoch", "sys/class/hwmon/hwmon0/name",
        "sys/class/hwmon/hwmon0/in0_lcrit_alarm", "var/lib/osteo-edge",
    )  # fmt: skip
    host = fake_host(dict.fromkeys(paths, nonsense), vcgencmd=nonsense, systemctl=nonsense, timedatectl=nonsense)
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setattr("shutil.disk_usage", no_disk)
    assert {line.line for line in check_device(host)} <= set(CHECKS)


def use_disks(monkeypatch: pytest.MonkeyPatch, free_mib: Callable[[Path], int]) -> None:
    def usage(folder: Path) -> object:
        return type("Usage", (), {"free": free_mib(folder) << 20})

    monkeypatch.setattr("shutil.disk_usage", usage)


def assert_found(found: tuple[str, str] | None, words: str, remedy: str) -> None:
    """The words must be in what was found; so must those of the remedy, and none may be there where none is wanted."""
    assert found is not None
    assert words in found[0]
    assert (remedy in found[1]) if remedy else found[1] == ""
