"""The tables of what variants stand beside: recorded baselines, other runtimes, other settings, and the machine."""

from collections.abc import Iterator
from pathlib import Path

from osteo_edge.benchmarks.measuring.results import BesideBaseline, Report, Tuning
from osteo_edge.benchmarks.report.quantities import (
    DASH,
    SPACE,
    count,
    milliseconds,
    milliseconds_with_interval,
    optional,
    optional_size,
    percent,
    percent_with_interval,
    with_interval,
)
from osteo_edge.benchmarks.report.regressions import CHANGED, Regressions
from osteo_edge.benchmarks.report.standings import peer_standings
from osteo_edge.benchmarks.report.tables import Table
from osteo_edge.benchmarks.report.words import peer_sentence


def baselines(report: Report) -> Table:
    """One row a variant and recorded baseline: above 1 the variant needs more."""
    head = ("Variant", "Baseline", "Latency", "Images a second", "Memory", "Size", "Decides alike", "Mean difference")
    rows = []
    for found in report.measurements:
        for beside in found.baselines or ():
            ratios = (optional(beside.memory_ratio, ".2f"), optional(beside.size_ratio, ".3f"))
            agree = percent_with_interval(beside.decisions_agree) if beside.decisions_agree else DASH
            alike = (agree, optional(beside.mean_difference, ".4f"))
            shown = (_baseline_name(beside), with_interval(beside.latency_ratio), _rates(beside))
            rows.append((found.variant.name, *shown, *ratios, *alike))
    return Table(head, tuple(rows))


def peers(report: Report) -> Table:
    """One row a peer and model, with a plain verdict."""
    head = ("Peer", "Beside", "Its median", "Ours", "Its time over ours", "Answers differ by", "Verdict")
    rows = tuple(_peer_rows(report))
    return Table(head, rows)


def tunings(report: Report) -> Table:
    """One row a configuration that was tried, the fastest of each bundle first."""
    head = ("Bundle", "Threads", "Delegate", "Median [95 %]", "")
    found = report.tunings or ()
    return Table(head, tuple(row for tuning in found for row in _tuning_rows(tuning)))


def changes(regressions: Regressions) -> Table:
    """What changed since an earlier report or could not be compared, what got worse first."""
    shown = [change for verdict in CHANGED for change in regressions.of(verdict)]
    rows = ((change.verdict, change.variant, change.quantity, change.note) for change in shown)
    return Table(("", "Variant", "Quantity", "Then and now"), tuple(rows))


def machine(report: Report) -> Table:
    """What was measured on."""
    found = report.machine
    facts = {
        "CPU": found.cpu,
        "Features": ", ".join(found.cpu_features) or DASH,
        "Cores": str(found.cores),
        "Memory": optional_size(found.memory_bytes),
        "Governor": found.governor or DASH,
        "System": found.system,
        "Python": found.python,
        "Libraries": ", ".join(f"{name} {version}" for name, version in found.libraries.items()) or DASH,
        "Revision": found.revision or DASH,
    }
    return Table(("", "Value"), tuple(facts.items()))


def machine_states(report: Report) -> Table:
    """What may have changed meanwhile."""
    states = (report.machine.before, report.machine.after)
    rows = (
        ("At", *(state.at for state in states)),
        ("Load average", *(f"{state.load_average:.2f}" for state in states)),
        ("Free memory", *(optional_size(state.available_memory_bytes) for state in states)),
        ("Clock", *(optional(state.clock_mhz, ".0f", f"{SPACE}MHz") for state in states)),
        ("Temperature", *(optional(state.temperature_c, ".1f", f"{SPACE}°C") for state in states)),
        ("Throttling", *(", ".join(state.throttling) or "none reported" for state in states)),
    )
    return Table(("", "Before", "After"), rows)


def missing(report: Report) -> Table:
    """What was asked for and not measured, and why."""
    return Table(("Of", "What", "Why"), tuple((each.of, each.what, each.reason) for each in report.missing))


def _baseline_name(beside: BesideBaseline) -> str:
    """The device, and what a reader must know of it."""
    remarks = ["recorded on a CPU"] if beside.on_accelerator is False else []
    remarks += ["random weights"] if beside.has_random_weights else []
    return "; ".join((f"{beside.device}, {beside.precision}", *remarks))


def _rates(beside: BesideBaseline) -> str:
    batch = "" if beside.baseline_batch is None else f" in batches of {beside.baseline_batch}"
    return f"{count(beside.images_per_second)} beside {count(beside.baseline_images_per_second)}{batch}"


def _tuning_rows(tuning: Tuning) -> Iterator[tuple[str, ...]]:
    for number, tried in enumerate(tuning.configurations):
        remarks = ["the fastest"] if number == 0 else []
        if tried.delegate and tried.threads == tuning.default_threads:
            verdict = "within the bound" if tuning.passed else "too slow"
            remarks.append(f"the usual one: {with_interval(tuning.slowdown)} times the fastest, {verdict}")
        delegate = "yes" if tried.delegate else "no"
        median = milliseconds_with_interval(tried.latency.summary.median)
        yield Path(tuning.bundle).name, str(tried.threads), delegate, median, "; ".join(remarks)


def _peer_rows(report: Report) -> Iterator[tuple[str, ...]]:
    for found in peer_standings(report):
        theirs, ours = found.peer.latency, found.ours.latency
        assert theirs is not None
        assert ours is not None
        medians = (milliseconds(theirs.summary.median.value), milliseconds(ours.summary.median.value))
        names = (found.peer.variant.name, found.ours.variant.name)
        difference = found.peer.variant.peer_difference
        differ = DASH if difference is None else percent(difference)
        yield (*names, *medians, with_interval(found.ratio), differ, peer_sentence(found))
