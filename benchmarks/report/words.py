"""A benchmark report in sentences, for somebody who has to choose a bundle and never heard of a percentile."""

import math
from collections.abc import Iterator, Sequence

from osteo_edge.benchmarks.measuring.results import Fidelity, Latency, Report
from osteo_edge.benchmarks.report.quantities import duration, listed, percent, score, size
from osteo_edge.benchmarks.report.regressions import Regressions
from osteo_edge.benchmarks.report.standings import (
    PeerStanding,
    Standing,
    as_fast,
    median_of,
    peer_standings,
    standings,
    way_of,
)

PURPOSE = (
    "This report measures how a program runs on one machine. It says nothing about any patient, and it is no evidence "
    "that a model may be used on patients."
)

PEERS_RULE = (
    "Intervals are at 95 %. A difference is called one only if the interval leaves out 1 at 99 %, too, and the ratio "
    "is more than 1 % off."
)


def title_of(report: Report) -> str:
    """What was measured, and where."""
    bundles = len({found.variant.bundle for found in report.measurements})
    return f"Benchmark of {bundles} {'bundle' if bundles == 1 else 'bundles'} on {report.machine.cpu}"


def sentences(report: Report) -> tuple[str, ...]:
    """What the report comes to, most important first."""
    found = standings(report)
    return tuple(
        sentence
        for part in (
            _speed(found),
            _steps(found),
            _sizes(found),
            _fidelity(found),
            _baselines(found),
            _peers(report),
            _missing(report),
        )
        for sentence in part
    )


def warnings(report: Report, regressions: Regressions | None = None) -> tuple[str, ...]:
    """Why figures are not to be trusted as they stand, and what got worse."""
    return tuple(_warnings(report, regressions))


def peer_sentence(found: PeerStanding) -> str:
    """Who is faster, plainly."""
    peer, ours = found.peer.variant.runtime, found.ours.variant.runtime
    if not found.differs:
        return f"no difference between {peer} and {ours} can be told"
    times = 1 / found.ratio.value if found.is_faster else found.ratio.value
    faster, slower = (peer, ours) if found.is_faster else (ours, peer)
    doubt = ", if these unstable times can be trusted" if found.peer.unstable or found.ours.unstable else ""
    return f"{faster} is faster: {slower} takes {times:.2f} times as long{doubt}"


def _warnings(report: Report, regressions: Regressions | None) -> Iterator[str]:
    unstable = [found for found in report.measurements if found.unstable]
    if unstable:
        timed = sum(found.latency is not None for found in report.measurements)
        yield (
            f"Unstable: the times of {len(unstable)} of {timed} variants are not to be trusted; the reasons "
            "stand below. Repeat on a machine that does nothing else."
        )
    if report.settings.mode == "quick":
        yield "A quick run: good for a first look, too short to quote."
    if any(_may_have_been_seen(found.fidelity) for found in report.measurements):
        yield (
            "The labelled images are not divided as those that the model learned from: it may have seen some of them, "
            "and its figures of quality are then too good."
        )
    if regressions is not None and regressions.found:
        worse = regressions.of("regression")
        yield (
            f"Worse than in the report of {regressions.old_created_at}: "
            f"{listed([f'{change.variant}, {change.quantity}' for change in worse])}."
        )


def _may_have_been_seen(fidelity: Fidelity | None) -> bool:
    return fidelity is not None and not fidelity.on_trained_split


def _speed(found: Sequence[Standing]) -> Iterator[str]:
    timed = sorted(
        ((one, latency) for one in found if (latency := _latency(one)) is not None),
        key=lambda pair: pair[1].summary.median.value,
    )
    if not timed:
        return
    (first, latency), *others = timed
    assert first.fastest is not None
    fastest = "The fastest bundle is" if others else "The bundle is"
    yield (
        f"{fastest} {first.name}: its model takes {duration(latency.summary.median.value)} for one image, and 99 times "
        f"of 100 less than {duration(latency.summary.p99)} ({way_of(first.fastest.variant)})."
    )
    equal = [one.name for one, other in others if as_fast(other, latency)]
    if equal:
        yield f"Whether {listed(equal)} {'is' if len(equal) == 1 else 'are'} slower, these runs cannot tell."
    slowest, its_latency = timed[-1]
    if others and slowest.name not in equal:
        times = its_latency.summary.median.value / latency.summary.median.value
        yield f"The slowest is {slowest.name}, which takes {times:.1f} times as long."


def _latency(standing: Standing) -> Latency | None:
    return None if standing.fastest is None else standing.fastest.latency


def _steps(found: Sequence[Standing]) -> Iterator[str]:
    """Those of the bundle that `_speed` names: which bundle has the fastest steps, their times cannot tell."""
    known = [(one, one.stages) for one in found if one.stages is not None and one.stages.end_to_end_ms]
    if not known:
        return
    one, stages = min(known, key=lambda pair: math.inf if pair[0].fastest is None else median_of(pair[0].fastest))
    start = f"; the first one, with the start of the program, takes {duration(_median(stages.cold_start_ms))}"
    apart = ". These were measured one bundle after the other, so small differences between bundles mean nothing"
    yield (
        "With everything around the model, an answer from an X-ray file takes "
        f"{duration(_median(stages.end_to_end_ms))} ({one.name}){start if stages.cold_start_ms else ''}"
        f"{apart if len(known) > 1 else ''}."
    )


def _sizes(found: Sequence[Standing]) -> Iterator[str]:
    sized = sorted((one.size.model_bytes, one.name) for one in found if one.size is not None)
    if len(sized) > 1:
        yield (
            f"The smallest file is {sized[0][1]} with {size(sized[0][0])}, the largest {sized[-1][1]} with "
            f"{size(sized[-1][0])}."
        )
    elif sized:
        yield f"Its file has {size(sized[0][0])}."
    held = sorted((one.memory.peak_bytes, one.name) for one in found if one.memory is not None)
    if held:
        most = f", at most {size(held[-1][0])} ({held[-1][1]})" if len(held) > 1 else ""
        yield f"At work the program holds {size(held[0][0])} of memory ({held[0][1]}){most}."


def _fidelity(found: Sequence[Standing]) -> Iterator[str]:
    known = [(one.name, one.fidelity) for one in found if one.fidelity is not None]
    if not known:
        yield "How well the bundles answer was not measured: that needs labelled images."
        return
    agreeing = sorted(
        (fidelity.decisions_agree.value, name, fidelity.n) for name, fidelity in known if fidelity.decisions_agree
    )
    if agreeing:
        share, name, n = agreeing[0]
        most = ", and no other bundle strays farther from its own" if len(agreeing) > 1 else ""
        yield f"{name} and its uncompressed model decide alike on {percent(share)} of {n} labelled images{most}."
    meaning = ", where 0.5 is guessing and 1 is never wrong"
    for question in dict.fromkeys(question for _, fidelity in known for question in fidelity.aurocs):
        aurocs = [
            (fidelity.aurocs[question], name)
            for name, fidelity in known
            if question in fidelity.aurocs and not math.isnan(fidelity.aurocs[question].value)
        ]
        if not aurocs:
            continue
        best, name = max(aurocs, key=lambda pair: pair[0].value)
        equal = sum(other.high >= best.low for other, _ in aurocs) - 1
        overlap = f". {_as_good(equal, len(aurocs) - 1)}" if equal > 0 else ""
        yield f"The highest AUROC for {question} is that of {name}, {score(best)}{meaning}{overlap}."
        meaning = ""


def _as_good(equal: int, others: int) -> str:
    """Of how many others the intervals reach the best value."""
    if others == 1:
        return "The other one may be as good: its interval reaches that far"
    return f"Of the other {others}, {equal} may be as good: their intervals reach that far"


def _baselines(found: Sequence[Standing]) -> Iterator[str]:
    """The fastest bundle that has any beside each of its baselines."""
    known = [one.fastest for one in found if one.fastest is not None and one.fastest.baselines]
    if not known:
        return
    fastest = min(known, key=median_of)
    for beside in fastest.baselines or ():
        ratio = beside.latency_ratio.value
        times = f"{ratio:.1f} times as long as" if ratio >= 1 else f"{percent(ratio)} of the time of"
        yield f"For one image {fastest.variant.name} takes {times} {beside.device} ({beside.precision}), as recorded."


def _peers(report: Report) -> Iterator[str]:
    for found in peer_standings(report):
        if found.is_faster:
            yield f"A rival runtime is faster on {found.ours.variant.name}: {peer_sentence(found)}."


def _missing(report: Report) -> Iterator[str]:
    if report.missing:
        number = len(report.missing)
        yield f"{number} {'thing' if number == 1 else 'things'} asked for could not be measured; the end tells why."


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
