"""What `osteo-edge doctor` looks at of the device itself: a line a thing, each with what to do where it is amiss.

A check asks the machine that it is given, and says nothing where that does not tell. None of them raises an error,
whatever a machine answers.
"""

import importlib.util
import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from osteo_edge.data_folder import SERVICES, default_data_folder
from osteo_edge.device import SIXTY_FOUR, Device, missing_for_window, this_device
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.host import THIS_MACHINE, Host
from osteo_edge.throttling import describe_throttling, read_temperature_c
from osteo_edge.trust import trusted_folder, trusted_keys
from osteo_edge.version import RELEASED

MIB: Final = 1 << 20
NEEDED_MEMORY_MIB: Final = 200
"""The watcher takes 180 MB at most while it screens."""
NEEDED_SPACE_MIB: Final = 500
"""An update unpacks some 400 MB beside the version in use."""
HOT_C: Final = 80.0
"""From here on a Raspberry Pi slows itself down (Raspberry Pi documentation, "Frequency management")."""
SET_CLOCK: Final = "sudo date --set 'YEAR-MM-DD HH:MM'"
UNDER_VOLTAGE: Final = "under-voltage"
UNITS: Final = ("osteo-edge-watch", "osteo-edge-kiosk")


@dataclass(frozen=True)
class DeviceLine:
    """One line: what it is about, how it is, and what to do; nothing to do means that it is fine."""

    line: str
    found: str
    remedy: str = ""


Found = tuple[str, str]
"""How something is, and what to do, or "" where it is fine."""


def check_device(host: Host = THIS_MACHINE) -> tuple[DeviceLine, ...]:
    """A line for each of `CHECKS` that the machine tells something about, in their order."""
    answers = ((line, check(host)) for line, check in CHECKS.items())
    return tuple(DeviceLine(line, *found) for line, found in answers if found is not None)


def check_system(host: Host, device: Device | None = None) -> Found | None:
    """The bits of the system, Python's version and the C library: what wheels are there for."""
    device = device or this_device()
    board = host.read("proc/device-tree/model")
    words = f"{board}, {device.words}" if board else device.words
    if device.bits != SIXTY_FOUR:
        return words, "install the 64-bit Raspberry Pi OS: the packages do not exist for 32 bits"
    if device.glibc is None:
        return words, "take a system with glibc, such as Raspberry Pi OS or Debian: the packages are built for it"
    return words, ""


def check_memory(host: Host) -> Found | None:
    """How much memory there is, and how much of it is free for another program."""
    total, available = (_meminfo_mib(host, field) for field in ("MemTotal", "MemAvailable"))
    if total is None or available is None:
        return None
    words = f"{available} MiB of {total} MiB available"
    if available >= NEEDED_MEMORY_MIB:
        return words, ""
    return words, "end other programs, or restart the device; with 512 MB take a system without desktop (Lite)"


def check_space(host: Host) -> Found | None:
    """The space where the data lie; of several places that with the least."""
    free = {folder: space for folder in _data_folders(host) if (space := _free_mib(folder)) is not None}
    if not free:
        return None
    folder = min(free, key=lambda one: free[one])
    words = f"{free[folder] / 1024:.1f} GiB free in {folder}"
    if free[folder] >= NEEDED_SPACE_MIB:
        return words, ""
    return words, "move exports and backups to a stick, and what else is not needed; an update needs 400 MB"


def check_disk(host: Host) -> Found | None:
    """Whether the disk of the data takes anything: a card that is worn out is switched to reading alone."""
    mounts = _mounts(host)
    if not mounts:
        return None
    held = [folder for folder in _data_folders(host) if _is_read_only(_inside(host, folder), mounts)]
    if not held:
        return "takes what is written", ""
    return f"{held[0]} can only be read", (
        "save the data to a stick and restart; if it comes again, the card is worn out: set up a new one"
    )


def check_clock(host: Host, now: datetime | None = None) -> Found | None:
    """Whether the clock can be right, and what keeps it so: it dates every screening."""
    now = (now or datetime.now(timezone.utc)).astimezone()
    words = now.strftime("%Y-%m-%d %H:%M %Z").strip()
    keeper = _clock_keeper(host)
    if now < _released():
        return words, f"set it: {SET_CLOCK}"
    if keeper is None:
        return words, ""
    return f"{words}, {keeper[0]}", keeper[1]


def check_power(host: Host) -> Found | None:
    """Whether the power supply holds its voltage, on a board that measures it."""
    flags = _flags(host)
    if flags is None:
        alarms = [path for path in host.find("sys/class/hwmon/hwmon*/in0_lcrit_alarm") if _is_of_pi(host, path)]
        if not alarms:
            return None
        flags = (f"{UNDER_VOLTAGE} now",) if any(host.read_number(path) for path in alarms) else ()
    low = [flag for flag in flags if flag.startswith(UNDER_VOLTAGE)]
    if not low:
        return "holds its voltage", ""
    return ", ".join(low), "take the board's own power supply and its cable, and fewer things at its USB sockets"


def check_cooling(host: Host) -> Found | None:
    """The temperature, and whether a Raspberry Pi has slowed itself down for it."""
    degrees, flags = read_temperature_c(host), _flags(host) or ()
    if degrees is None and not flags:
        return None
    slowed = [] if any(flag.startswith(UNDER_VOLTAGE) for flag in flags) else [*flags]
    words = ", ".join([*([] if degrees is None else [f"{degrees:.0f} °C"]), *slowed])
    is_hot = degrees is not None and degrees >= HOT_C and host.read("proc/device-tree/model") is not None
    if not (is_hot or slowed):
        return (words, "") if words else None
    return words, "fit a heat sink or a fan, free its air slots, and keep it out of the sun"


def check_window(host: Host) -> Found | None:
    """What the app's window needs of the system, where the app is installed."""
    if importlib.util.find_spec("kivy") is None:
        return None
    missing = missing_for_window()
    if not missing:
        return "all there", ""
    return f"missing: {', '.join(missing)}", (
        f"sudo apt-get install {' '.join(missing)}; only the app needs them, the watched folder does not"
    )


def check_service(host: Host, unit: str) -> Found | None:
    """The state of one of the services, where systemd knows it."""
    asked = "LoadState,ActiveState,SubState,Result,UnitFileState,StatusText"
    answer = host.run(["systemctl", "show", f"--property={asked}", f"{unit}.service"]) or ""
    told = dict(line.partition("=")[::2] for line in answer.splitlines())
    if told.get("LoadState") != "loaded":
        return None
    state, text = told.get("ActiveState", ""), told.get("StatusText", "")
    is_wanted = told.get("UnitFileState") == "enabled"
    if state == "active":
        return (f"running, {text}" if text else "running"), ""
    if state == "failed" or told.get("SubState") == "auto-restart":
        does = "has failed" if state == "failed" else "fails, and is started again and again"
        return f"{does} ({told.get('Result') or 'no reason given'})", (
            f"read why: journalctl -u {unit} -n 30; then: sudo systemctl restart {unit}"
        )
    if state == "inactive" and is_wanted:
        return "stopped", f"sudo systemctl start {unit}"
    return (state if is_wanted else "not in use"), ""


def check_trusted_keys(host: Host) -> Found | None:
    """Whose models the device takes; nothing where it takes any."""
    folder = trusted_folder()
    if folder is None:
        return None
    try:
        keys = trusted_keys(folder)
    except OsteoEdgeError as error:
        return "no model is trusted", str(error)
    if not keys:
        return f"{folder} is empty: no model is trusted", "copy the .pub file of who signs the models there"
    return f"models signed by {', '.join(key.name for key in keys)}", ""


CHECKS: Final[dict[str, Callable[[Host], Found | None]]] = {
    "System": check_system,
    "Memory": check_memory,
    "Free space": check_space,
    "Disk": check_disk,
    "Clock": check_clock,
    "Power supply": check_power,
    "Cooling": check_cooling,
    "Window libraries": check_window,
    "Trusted keys": check_trusted_keys,
    UNITS[0]: lambda host: check_service(host, UNITS[0]),
    UNITS[1]: lambda host: check_service(host, UNITS[1]),
}
"""The lines in their order; `docs/doctor.md` has an entry for each."""


def _meminfo_mib(host: Host, field: str) -> int | None:
    found = re.search(rf"^{field}:\s+(\d+) kB$", host.read("proc/meminfo") or "", re.MULTILINE)
    return None if found is None else int(found[1]) // 1024


def _data_folders(host: Host) -> Iterable[Path]:
    """Where the services and the user keep data: what is there of it, or the nearest folder above that is."""
    services = host.root / SERVICES
    if _is_folder(services):
        yield services
    try:
        own = default_data_folder()
    except RuntimeError:  # a user without a home
        return
    while not _is_folder(own) and own != own.parent:
        own = own.parent
    yield own


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _free_mib(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free // MIB
    except OSError:
        return None


def _mounts(host: Host) -> dict[str, bool]:
    """Of each mount point whether it can only be read; the last line about one counts (`proc(5)`)."""
    fields = [line.split() for line in (host.read("proc/mounts") or "").splitlines()]
    return {_unescaped(one[1]): "ro" in one[3].split(",") for one in fields if len(one) > 3}


def _unescaped(field: str) -> str:
    r"""A field of the list of mounts, where blanks and backslashes are written in octal (`fstab(5)`).

    >>> _unescaped(r"/media/my\040stick")
    '/media/my stick'
    """
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)


def _inside(host: Host, folder: Path) -> Path:
    """A folder as the machine itself calls it."""
    return Path("/") / folder.relative_to(host.root) if folder.is_relative_to(host.root) else folder


def _is_read_only(folder: Path, mounts: dict[str, bool]) -> bool:
    return next((mounts[str(one)] for one in (folder, *folder.parents) if str(one) in mounts), False)


def _released() -> datetime:
    return datetime.fromisoformat(RELEASED).replace(tzinfo=timezone.utc)


def _clock_keeper(host: Host) -> Found | None:
    """What keeps the clock right over a power cut: a network, or a clock chip; None where the machine does not tell."""
    if host.read("run/systemd/timesync/synchronized") is not None:
        return "set by the network", ""
    synchronized = host.run(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    if synchronized == "yes":
        return "set by the network", ""
    chips = [host.read_number(path) for path in host.find("sys/class/rtc/rtc*/since_epoch")]
    if any(seconds is not None and seconds >= _released().timestamp() for seconds in chips):
        return "kept by a clock chip", ""
    if synchronized is None:
        return None
    return "kept by nothing when the power is off", (
        f"fit a clock chip with a battery (RTC), or set the clock after each power cut: {SET_CLOCK}"
    )


def _flags(host: Host) -> tuple[str, ...] | None:
    """What the firmware of a Raspberry Pi says of voltage and temperature; None where it does not tell."""
    answer = host.run(["vcgencmd", "get_throttled"])
    return describe_throttling(answer) if answer is not None and answer.startswith("throttled=") else None


def _is_of_pi(host: Host, alarm: str) -> bool:
    """Whether a voltage alarm of the kernel is that of a Raspberry Pi's own supply (Linux, drivers/hwmon)."""
    return host.read(f"{os.path.dirname(alarm)}/name") == "rpi_volt"  # noqa: PTH120 - no path of this machine
