"""Whether a machine slows itself down, as its firmware or processor tells; and its clock and temperature."""

import re
from collections.abc import Iterable, Iterator

from osteo_edge.host import THIS_MACHINE, Host

PROCESSOR_ZONES = ("cpu", "x86_pkg", "soc")
"""How the names of thermal zones begin that lie in the processor."""
FLAGS = {0: "under-voltage", 1: "clock capped", 2: "throttled", 3: "soft temperature limit"}
"""Bits of `vcgencmd get_throttled`: now, and 16 higher since boot (Raspberry Pi documentation, "vcgencmd")."""
SINCE_BOOT = 16
REMEMBERED = "since boot"
"""How what was so at some time ends; what is so ends in "now"."""


def read_throttling(host: Host = THIS_MACHINE) -> tuple[str, ...]:
    """A Raspberry Pi's flags, and how often an Intel processor was throttled; empty where the machine does not tell."""
    return (*describe_throttling(host.run(["vcgencmd", "get_throttled"]) or ""), *_throttle_counts(host))


def describe_throttling(answer: str) -> tuple[str, ...]:
    """What `vcgencmd get_throttled` says, in words.

    >>> describe_throttling("throttled=0x50005")
    ('under-voltage now', 'throttled now', 'under-voltage since boot', 'throttled since boot')
    """
    found = re.fullmatch(r"throttled=(0x[0-9a-fA-F]+)", answer.strip())
    bits = int(found[1], 16) if found else 0
    now = [f"{words} now" for bit, words in FLAGS.items() if bits >> bit & 1]
    return (*now, *(f"{words} {REMEMBERED}" for bit, words in FLAGS.items() if bits >> (bit + SINCE_BOOT) & 1))


def throttled_meanwhile(before: Iterable[str], after: Iterable[str]) -> tuple[str, ...]:
    """Of two readings, what was or is so; not what the machine only remembers from before the first.

    >>> throttled_meanwhile(["under-voltage since boot"], ["under-voltage since boot", "throttled since boot"])
    ('throttled since boot',)
    """
    before = tuple(before)
    remembered = {flag for flag in before if flag.endswith(REMEMBERED)}
    return tuple(flag for flag in dict.fromkeys((*before, *after)) if flag not in remembered)


def read_clock_mhz(host: Host = THIS_MACHINE) -> float | None:
    """The clock of the fastest core; None where the machine does not tell."""
    paths = host.find("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")
    clocks = [khz / 1000 for path in paths if (khz := host.read_number(path)) is not None]
    if not clocks:
        clocks = [
            float(mhz) for mhz in re.findall(r"^cpu MHz\s*:\s*([\d.]+)", host.read("proc/cpuinfo") or "", re.MULTILINE)
        ]
    return max(clocks, default=None)


def read_temperature_c(host: Host = THIS_MACHINE) -> float | None:
    """The temperature of the processor, else of the hottest zone; None where the machine does not tell."""
    zones = {}
    for path in host.find("sys/class/thermal/thermal_zone*/temp"):
        millidegrees = host.read_number(path)
        if millidegrees is not None:
            zones[path] = (host.read(path.removesuffix("temp") + "type") or "", millidegrees / 1000)
    of_processor = [degrees for kind, degrees in zones.values() if kind.lower().startswith(PROCESSOR_ZONES)]
    found = max(of_processor or [degrees for _, degrees in zones.values()], default=None)
    return found if found is not None else _firmware_temperature_c(host)


def _firmware_temperature_c(host: Host) -> float | None:
    found = re.fullmatch(r"temp=([\d.]+)'C", host.run(["vcgencmd", "measure_temp"]) or "")
    return None if found is None else float(found[1])


def _throttle_counts(host: Host) -> Iterator[str]:
    for what in ("core", "package"):
        paths = host.find(f"sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/{what}_throttle_count")
        times = max((host.read_number(path) or 0 for path in paths), default=0)
        if times:
            yield f"{what} throttled {times} times {REMEMBERED}"
