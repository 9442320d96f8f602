"""Counters of energy: Intel's and AMD's RAPL, and the power management chip of a Raspberry Pi 5."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.host import THIS_MACHINE, Host

POWERCAP = "sys/class/powercap"
RAPL_DOMAINS = ("package", "dram")
"""What the domains are called that are added up: all others are parts of a package, or hold it (psys)."""
PMIC_COMMAND = ("vcgencmd", "pmic_read_adc")
PMIC_READING = re.compile(r"(\w+)_([AV])\s+(?:current|volt)\(\d+\)=([\d.]+)[AV]")
PMIC_PERIOD_S = 0.1
NO_COUNTER = "no energy counter: this machine has neither RAPL (/sys/class/powercap) nor a Raspberry Pi 5's PMIC"


@dataclass(frozen=True)
class Consumption:
    """What was drawn from the source, and in what time."""

    joules: float
    seconds: float


class EnergyMeter(Protocol):
    """A counter of energy; `source` is its name for reports."""

    @property
    def source(self) -> str: ...

    def measure(self, work: Callable[[], None]) -> Consumption:
        """What the machine consumes while `work` goes on."""


def open_energy_meter(host: Host = THIS_MACHINE) -> EnergyMeter | str:
    """The meter that this machine has, or why there is none."""
    domains, unreadable = _rapl_domains(host)
    if domains:
        return RaplMeter(host, domains)
    if pmic_watts(host) is not None:
        return PmicMeter(host)
    if unreadable:
        return f"/{unreadable} is not readable: run as root, or make it so with chmod a+r"
    return NO_COUNTER


@dataclass(frozen=True)
class RaplDomain:
    """One counter of microjoules below /sys/class/powercap, which starts again from 0 after `most_uj`."""

    name: str
    path: str
    most_uj: int


@dataclass(frozen=True)
class RaplMeter:
    """The counters of the processor packages and their memory (Linux: Documentation/power/powercap).

    They are read before and after only: a counter may start again once in between, which takes it minutes at least.
    """

    host: Host
    domains: tuple[RaplDomain, ...]

    @property
    def source(self) -> str:
        return f"RAPL ({', '.join(domain.name for domain in self.domains)})"

    def measure(self, work: Callable[[], None]) -> Consumption:
        before, start = self._read(), time.monotonic()
        work()
        seconds, after = time.monotonic() - start, self._read()
        drawn = (
            (last - first) % (domain.most_uj + 1)
            for domain, first, last in zip(self.domains, before, after, strict=True)
        )
        return Consumption(sum(drawn) / 1e6, seconds)

    def _read(self) -> list[int]:
        return [self._read_domain(domain) for domain in self.domains]

    def _read_domain(self, domain: RaplDomain) -> int:
        microjoules = self.host.read_number(domain.path)
        if microjoules is None:
            raise OsteoEdgeError(f"/{domain.path}: could be read before, but no more; measure again")
        return microjoules


@dataclass(frozen=True)
class PmicMeter:
    """The rails that a Raspberry Pi 5's power management chip measures, sampled ten times a second and averaged.

    What it does not see: USB devices, and what is lost before the rails.
    """

    host: Host
    source: str = "PMIC"

    def measure(self, work: Callable[[], None]) -> Consumption:
        samples, done = list[float](), threading.Event()
        sampler = threading.Thread(target=self._sample, args=(samples, done), daemon=True)
        start = time.monotonic()
        sampler.start()
        try:
            work()
        finally:
            done.set()
            sampler.join()
        seconds = time.monotonic() - start
        if not samples:
            raise OsteoEdgeError(f"{' '.join(PMIC_COMMAND)}: answered before, but no more; measure again")
        return Consumption(sum(samples) / len(samples) * seconds, seconds)

    def _sample(self, samples: list[float], done: threading.Event) -> None:
        while True:
            watts = pmic_watts(self.host)
            if watts is not None:
                samples.append(watts)
            if done.wait(PMIC_PERIOD_S):
                return


def pmic_watts(host: Host = THIS_MACHINE) -> float | None:
    """What all rails take at this moment, whose current and voltage are both told; None without such a chip."""
    readings = PMIC_READING.findall(host.run(PMIC_COMMAND) or "")
    values = {(rail, unit): float(value) for rail, unit, value in readings}
    rails = {rail for rail, unit in values if (rail, "A") in values and (rail, "V") in values}
    return sum(values[rail, "A"] * values[rail, "V"] for rail in rails) if rails else None


def _rapl_domains(host: Host) -> tuple[tuple[RaplDomain, ...], str | None]:
    """The readable domains, and a counter that is not readable, if any is not."""
    found, unreadable = [], None
    for path in host.find(f"{POWERCAP}/intel-rapl:*"):
        name, counter = host.read(f"{path}/name") or "", f"{path}/energy_uj"
        most = host.read_number(f"{path}/max_energy_range_uj")
        if not name.startswith(RAPL_DOMAINS) or most is None:
            continue
        if host.read_number(counter) is None:
            unreadable = counter
        else:
            found.append(RaplDomain(name, counter, most))
    return tuple(found), unreadable
