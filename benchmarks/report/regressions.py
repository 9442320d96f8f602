"""`bench --compare OLD.json`: what got worse, told from noise by interval where there is one, elsewhere by tolerance.

Variants are matched by the bundle's folder name, runtime and threads, by its path where folders of one name are in a
report; what only one report has is listed, and is no regression. What depends on the machine, times and memory,
is judged on the same machine only. Peers are not judged: they are not ours to mend.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from osteo_edge.benchmarks.measuring.results import Fidelity, Instructions, Machine, Measurement, Report, Size
from osteo_edge.benchmarks.measuring.summaries import MARGIN_APART, compare_apart, differs
from osteo_edge.intervals import Estimate, Interval, wilson_interval

Verdict = Literal["regression", "improvement", "no difference", "not comparable"]
CHANGED: tuple[Verdict, ...] = ("regression", "improvement", "not comparable")
Key = tuple[str, str, int, int]

OTHER_MACHINE = "it was measured on another machine"
SAME_INSTRUCTIONS = 0.01
"""Counts differ by less than this between two runs of the same program."""
SAME_SCREENING = 0.05
"""Of whole screenings, which the packages around the model have a share in; as the gate of the emulation has it."""
SAME_SPEED = 0.01
"""A change of the machine's own speed that is not worth a word."""
SAME_MEMORY = 0.05
"""A peak moves by some pages with the allocator's luck."""
SAME_QUALITY = 0.005
"""A change of a share, a calibration error or an AUROC that is not worth a word, however certain."""


@dataclass(frozen=True)
class Change:
    """One quantity of one variant, then and now; `note` says how it was judged, or why it could not be."""

    variant: str
    quantity: str
    verdict: Verdict
    note: str
    old: float | None = None
    new: float | None = None

    def __str__(self) -> str:
        return f"{self.verdict.upper()}  {self.variant}, {self.quantity}: {self.note}"


@dataclass(frozen=True)
class Regressions:
    """A report beside an older one: every quantity that was in both, and what could not be compared.

    `version_differences` are of the libraries, and may be the cause of the others.
    """

    old_created_at: str
    new_created_at: str
    machine_differences: tuple[str, ...]
    version_differences: tuple[str, ...]
    changes: tuple[Change, ...]

    def of(self, verdict: Verdict) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.verdict == verdict)

    @property
    def found(self) -> bool:
        """Whether anything got worse."""
        return bool(self.of("regression"))

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "found": self.found}

    def lines(self) -> Iterator[str]:
        """What a terminal shows: all that changed or could not be compared, and how much did not change."""
        yield f"Beside the report of {self.old_created_at}:"
        for difference in self.machine_differences:
            yield f"  another machine, so neither times nor memory are judged: {difference}"
        for difference in self.version_differences:
            yield f"  another version: {difference}"
        for verdict in CHANGED:
            yield from (f"  {change}" for change in self.of(verdict))
        yield f"  {len(self.of('no difference'))} quantities without a difference, {len(self.of('regression'))} worse."


def find_regressions(old: Report, new: Report) -> Regressions:
    """Compare all variants of the toolkit's own runtimes that are in both reports."""
    differences = tuple(_machine_differences(old.machine, new.machine))
    repeated = _repeated(old) | _repeated(new)
    before, after = _by_key(old.measurements, repeated), _by_key(new.measurements, repeated)
    changes = [
        change for key in before if key in after for change in _compare(before[key], after[key], bool(differences))
    ]
    changes += [_unmatched(before[key], "it was not measured this time") for key in before if key not in after]
    changes += [_unmatched(after[key], "it was not measured then") for key in after if key not in before]
    versions = tuple(_version_differences(old.machine, new.machine))
    return Regressions(old.created_at, new.created_at, differences, versions, tuple(changes))


def _repeated(report: Report) -> set[str]:
    """The names that several folders of the report have."""
    names = [Path(path).name for path in {found.variant.bundle for found in report.measurements}]
    return {name for name in names if names.count(name) > 1}


def _by_key(measurements: Sequence[Measurement], repeated: set[str]) -> dict[Key, Measurement]:
    """By what a variant is; the last number tells apart what one report measured twice."""
    found: dict[Key, Measurement] = {}
    for measurement in measurements:
        variant, number = measurement.variant, 0
        if variant.is_peer:
            continue
        name = Path(variant.bundle).name
        name = variant.bundle if name in repeated else name
        while (key := (name, variant.runtime, variant.threads, number)) in found:
            number += 1
        found[key] = measurement
    return found


def _machine_differences(old: Machine, new: Machine) -> Iterator[str]:
    for name in ("cpu", "cores", "governor"):
        then, now = getattr(old, name), getattr(new, name)
        if then != now:
            yield f"{name} was {then or 'not known'} and is {now or 'not known'}"


def _version_differences(old: Machine, new: Machine) -> Iterator[str]:
    then, now = {"Python": old.python, **old.libraries}, {"Python": new.python, **new.libraries}
    for name in dict.fromkeys((*then, *now)):
        if then.get(name) != now.get(name):
            yield f"{name} was {then.get(name, 'missing')} and is {now.get(name, 'missing')}"


def _unmatched(measurement: Measurement, why: str) -> Change:
    return Change(measurement.variant.name, "everything", "not comparable", why)


def _compare(old: Measurement, new: Measurement, other_machine: bool) -> Iterator[Change]:
    yield from _latency(old, new, other_machine)
    yield from _memory(old, new, other_machine)
    yield from _sizes(new.variant.name, old.size, new.size)
    yield from _instructions(old, new)
    yield from _fidelity(old, new)


def _latency(old: Measurement, new: Measurement, other_machine: bool) -> Iterator[Change]:
    name, quantity = new.variant.name, "latency"
    if old.latency is None or new.latency is None:
        yield from _one_sided(name, quantity, old.latency, new.latency)
        return
    then, now = old.latency.summary.median.value, new.latency.summary.median.value
    reason = OTHER_MACHINE if other_machine else _instability(old, new)
    if reason:
        yield Change(name, quantity, "not comparable", reason, then, now)
        return
    ratio = compare_apart(new.latency, old.latency)
    verdict = _judged(ratio.value - 1 if differs(ratio, margin=MARGIN_APART) else 0.0, higher_is_worse=True)
    note = f"median {then:,.4f} ms to {now:,.4f} ms, {ratio.value:.3f} times [{ratio.low:.3f}, {ratio.high:.3f}]"
    yield Change(name, quantity, verdict, note + _speed(now / then / ratio.value) + _delegates(old, new), then, now)


def _speed(times: float) -> str:
    """What the ratio leaves out: how much longer the machine took for one and the same calculation."""
    return "" if abs(times - 1) < SAME_SPEED else f"; the machine itself took {times:.3f} times as long"


def _delegates(old: Measurement, new: Measurement) -> str:
    """What explains most large changes."""
    then, now = (measurement.variant.delegate or "none" for measurement in (old, new))
    return "" if then == now else f"; the delegate was {then} and is {now}"


def _instability(old: Measurement, new: Measurement) -> str | None:
    for when, measurement in (("then", old), ("now", new)):
        if measurement.unstable:
            return f"it was not stable {when}: {'; '.join(measurement.unstable)}"
    return None


def _memory(old: Measurement, new: Measurement, other_machine: bool) -> Iterator[Change]:
    name = new.variant.name
    if old.memory is None or new.memory is None:
        yield from _one_sided(name, "peak memory", old.memory, new.memory)
        return
    then, now = old.memory.peak_bytes, new.memory.peak_bytes
    if other_machine:
        yield Change(name, "peak memory", "not comparable", OTHER_MACHINE, then, now)
    elif _overlap(old.memory.peaks_bytes, new.memory.peaks_bytes):
        note = f"{then:,} to {now:,} bytes; single processes then and now overlap"
        yield Change(name, "peak memory", "no difference", note, then, now)
    else:
        yield _by_tolerance(name, "peak memory", then, now, SAME_MEMORY, "bytes")


def _overlap(old: Sequence[int] | None, new: Sequence[int] | None) -> bool:
    """Whether both are known and the values of the one reach among those of the other."""
    return bool(old and new and min(old) <= max(new) and min(new) <= max(old))


def _sizes(name: str, old: Size | None, new: Size | None) -> Iterator[Change]:
    if old is None or new is None:
        yield from _one_sided(name, "size", old, new)
        return
    quantities = {
        "model file": "model_bytes",
        "gzipped model file": "gzip_bytes",
        "parameters": "parameters",
        "multiply-accumulate operations": "macs",
    }
    for quantity, field in quantities.items():
        unit = "bytes" if field.endswith("bytes") else ""
        yield _by_tolerance(name, quantity, getattr(old, field), getattr(new, field), 0.0, unit)


def _instructions(old: Measurement, new: Measurement) -> Iterator[Change]:
    name, before, after = new.variant.name, _counts(old), _counts(new)
    for quantity in dict.fromkeys((*before, *after)):
        then, now = before.get(quantity), after.get(quantity)
        if then is None or now is None:
            yield from _one_sided(name, quantity, then, now)
        else:
            tolerance = SAME_SCREENING if "screening" in quantity else SAME_INSTRUCTIONS
            yield _by_tolerance(name, quantity, then, now, tolerance, "")


def _counts(found: Measurement) -> dict[str, int]:
    """The instructions of an inference and of screenings, by what they are of and where."""
    counts = {f"instructions on {_emulated(counted)}": counted.total for counted in found.instructions or ()}
    for screened in found.screenings or ():
        for way, counted in (("cold", screened.cold), ("warm", screened.warm)):
            quantity = f"instructions of a {way} screening of {screened.image} on {_emulated(counted)}"
            counts[quantity] = counted.total
    return counts


def _emulated(counted: Instructions) -> str:
    return f"{counted.cpu} with {counted.runtime}"


def _fidelity(old: Measurement, new: Measurement) -> Iterator[Change]:
    name, then, now = new.variant.name, old.fidelity, new.fidelity
    if then is None or now is None:
        yield from _one_sided(name, "fidelity", then, now)
        return
    reason = _other_images(then, now)
    if reason is not None:
        yield Change(name, "fidelity", "not comparable", reason)
        return
    for question in dict.fromkeys((*then.aurocs, *now.aurocs)):
        one, other = then.aurocs.get(question), now.aurocs.get(question)
        yield from _by_interval(name, f"AUROC {question}", one, other, higher_is_worse=False)
    yield from _by_interval(
        name, "calibration error", then.calibration_error, now.calibration_error, higher_is_worse=True
    )
    yield from _by_interval(
        name, "agreement with the float bundle", then.decisions_agree, now.decisions_agree, higher_is_worse=False
    )


def _other_images(then: Fidelity, now: Fidelity) -> str | None:
    if (then.part, then.n) != (now.part, now.n):
        return f"it was measured on {then.n} {then.part} images, and is on {now.n} {now.part} images"
    if then.images_sha256 is None or now.images_sha256 is None:
        return "whether it was measured on the same images is not known: a report from before that was kept has no hash"
    if then.images_sha256 != now.images_sha256:
        return f"it was measured on other {now.part} images, or on the same under other labels"
    return None


def _by_interval(
    name: str, quantity: str, old: Estimate | None, new: Estimate | None, *, higher_is_worse: bool
) -> Iterator[Change]:
    """Judge a step by the intervals of both values."""
    if old is None or new is None:
        yield from _one_sided(name, quantity, old, new)
        return
    if math.isnan(old.value) or math.isnan(new.value):
        yield Change(name, quantity, "not comparable", "it is not defined on these images")
        return
    step = new.value - old.value
    is_change = abs(step) > max(SAME_QUALITY, _reach(old, new))
    verdict = _judged(step if is_change else 0.0, higher_is_worse=higher_is_worse)
    before, after = _widened(old), _widened(new)
    note = (
        f"{old.value:.3f} [{before.low:.3f}, {before.high:.3f}] to {new.value:.3f} [{after.low:.3f}, {after.high:.3f}]"
    )
    yield Change(name, quantity, verdict, note, old.value, new.value)


def _reach(old: Estimate, new: Estimate) -> float:
    """How far the difference of two values goes by chance, from their own 95 % intervals.

    Of each interval the side that faces the other value counts, and the two add up as squares (Zou and Donner 2008,
    Statistics in Medicine 27:1693). That holds for values that know nothing of each other; those of the same images go
    up and down together, so alarms are fewer still than the one in forty that it allows on each side.
    """
    before, after = _widened(old), _widened(new)
    if new.value < old.value:
        return math.hypot(old.value - before.low, after.high - new.value)
    return math.hypot(before.high - old.value, new.value - after.low)


def _widened(found: Estimate) -> Interval:
    """The interval, or Wilson's for a share of so many images where the bootstrap has none or gives a point.

    Where every draw gives the same value, as for a perfect AUROC, a bootstrap claims certainty. Near 1 the variance of
    an AUROC of as many positive as negative images is that of a share of all of them (Newcombe 2006, Statistics in
    Medicine 25:559, method 5).
    """
    if found.low < found.high:
        return Interval(found.low, found.high)
    return wilson_interval(found.value, found.n)


def _by_tolerance(name: str, quantity: str, old: int, new: int, tolerance: float, unit: str) -> Change:
    step = new - old if abs(new - old) > tolerance * old else 0
    share = f", {(new - old) / old:+.2%}" if old and new != old else ""
    allowed = f" (up to {tolerance:.0%} is chance)" if share and not step else ""
    note = f"{old:,} to {new:,} {unit}".rstrip() + share + allowed
    return Change(name, quantity, _judged(step, higher_is_worse=True), note, old, new)


def _judged(step: float, *, higher_is_worse: bool) -> Verdict:
    if step == 0:
        return "no difference"
    return "regression" if (step > 0) == higher_is_worse else "improvement"


def _one_sided(name: str, quantity: str, old: object, new: object) -> Iterator[Change]:
    """What only one of the reports knows; nothing where neither does."""
    if old is not None or new is not None:
        when = "then" if new is not None else "this time"
        yield Change(name, quantity, "not comparable", f"it was not measured {when}")
