"""Why a latency should not be trusted, in words: a run that drifted, was starved or throttled says so itself."""

from collections.abc import Sequence
from statistics import median

from osteo_edge.benchmarks.measuring.results import Latency, MachineState, Settings, Turn
from osteo_edge.benchmarks.measuring.summaries import compare, differs, summarize
from osteo_edge.throttling import throttled_meanwhile

MAX_DRIFT = 0.05
MAX_WAITING = 0.05  # of the time: an idle machine stays below 0.01
MAX_TAIL = 3.0  # the 99th percentile over the median: an idle machine stays below 2
MAX_UNCERTAINTY = 0.05
MAX_CLOCK_FALL = 0.1
MIN_PROCESSES = 5
ROUNDING = 1e-6


def reasons(
    latency: Latency,
    before: MachineState,
    after: MachineState,
    *,
    settings: Settings,
    cores: int,
    threads: int,
) -> tuple[str, ...]:
    """Every reason not to trust the times, with its number; none if the machine was idle and kept its clock.

    `before` and `after` are the states of the machine around the whole measurement, `cores` those that may be used.
    """
    found = (
        _cut_short(latency, settings),
        _too_few_processes(latency),
        _starved(latency.turns, threads),
        _drift(latency, before, after),
        _throttled(before, after),
        _loaded(before, cores),
        _crowded(threads, cores),
        _tail(latency),
        _uncertain(latency),
    )
    return tuple(reason for reason in found if reason is not None)


def _cut_short(latency: Latency, settings: Settings) -> str | None:
    runs = sum(len(turn.runs_ms) for turn in latency.turns)
    seconds = sum(sum(turn.runs_ms) for turn in latency.turns) / 1000
    short = [f"{runs} of {settings.runs} runs"] if runs < settings.runs else []
    if seconds < settings.seconds * (1 - ROUNDING):
        short.append(f"{seconds:.1f} of {settings.seconds:g} s of inference")
    return f"cut short: {' and '.join(short)}, then the time budget was spent" if short else None


def _too_few_processes(latency: Latency) -> str | None:
    found = _processes(latency)
    if found >= MIN_PROCESSES:
        return None
    return (
        f"{found} process{'es' if found > 1 else ''} only: it takes {MIN_PROCESSES} to tell a process's luck from speed"
    )


def _processes(latency: Latency) -> int:
    return len({turn.process for turn in latency.turns})


def _starved(turns: Sequence[Turn], threads: int) -> str | None:
    """Ready to run without a core, as the kernel counts it; where it does not, the CPU time that one thread lacks."""
    wall = sum(sum(turn.runs_ms) for turn in turns)
    waits = [turn.waited_ms for turn in turns if turn.waited_ms is not None]
    times = [turn.cpu_ms for turn in turns if turn.cpu_ms is not None]
    if len(waits) == len(turns):
        share = sum(waits) / wall
    elif len(times) == len(turns) and threads == 1:
        share = 1 - sum(times) / wall
    else:
        return None
    return f"starved: it waited for a core in {share:.0%} of the time" if share > MAX_WAITING else None


def _drift(latency: Latency, before: MachineState, after: MachineState) -> str | None:
    third = len(latency.turns) // 3
    if third < 2:
        return None
    ends = (latency.turns[-third:], latency.turns[:third])
    last, first = (Latency(summarize(turns), turns, ()) for turns in ends)
    ratio = compare(last, first)
    if not differs(ratio, margin=MAX_DRIFT):
        return None
    way = "slower" if ratio.value > 1 else "faster"
    return f"drifted: the last third was {abs(ratio.value - 1):.0%} {way} than the first{_clock_fall(before, after)}"


def _clock_fall(before: MachineState, after: MachineState) -> str:
    """Only beside a drift: an idle core's clock falls too, whenever it likes."""
    if before.clock_mhz is None or after.clock_mhz is None or after.clock_mhz > before.clock_mhz * (1 - MAX_CLOCK_FALL):
        return ""
    return f", and the clock fell from {before.clock_mhz:.0f} to {after.clock_mhz:.0f} MHz"


def _throttled(before: MachineState, after: MachineState) -> str | None:
    """What was or is so; not what had been before already, and the machine only remembers since it was started."""
    flags = throttled_meanwhile(before.throttling, after.throttling)
    hot = "" if after.temperature_c is None else f" at {after.temperature_c:.0f} °C"
    return f"throttled: the machine reported {', '.join(flags)}{hot}" if flags else None


def _loaded(before: MachineState, cores: int) -> str | None:
    if before.load_average < cores / 2:
        return None
    return f"busy: a load of {before.load_average:.1f} on {cores} core{'s' if cores > 1 else ''} before it began"


def _crowded(threads: int, cores: int) -> str | None:
    return f"{threads} threads share {cores} core{'s' if cores > 1 else ''}" if threads > cores else None


def _tail(latency: Latency) -> str | None:
    times = latency.summary.p99 / latency.summary.median.value
    return f"heavy tail: one run in a hundred takes {times:.1f} times the median" if times > MAX_TAIL else None


def _uncertain(latency: Latency) -> str | None:
    found = latency.summary.median
    half = (found.high - found.low) / 2 / found.value
    if half <= MAX_UNCERTAINTY or _processes(latency) < MIN_PROCESSES:
        return None
    turns = [median(turn.runs_ms) / found.value for turn in latency.turns]
    return f"uneven: the median is known to ±{half:.0%} only, turns took {min(turns):.2f} to {max(turns):.2f} times it"
