"""What measured times come to, and whether two lots of them differ: intervals that know how the runs hang together.

Runs that follow each other in one process are alike, so a thousand of them say little more than a few: what is drawn
with replacement is whole processes, or turns where there is one process, or tenths of a turn where there is one turn.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from osteo_edge.benchmarks.measuring.results import Latency, Summary, Turn
from osteo_edge.intervals import Estimate

Floats = npt.NDArray[np.float64]

REPLICATES = 2000
TENTHS = 10
MARGIN = 0.01
MARGIN_APART = 0.05  # of two reports: the yardstick follows a machine's speed to within a few percent
Z_95, Z_99 = NormalDist().inv_cdf(0.975), NormalDist().inv_cdf(0.995)


def summarize(turns: Sequence[Turn]) -> Summary:
    """The pooled runs of all turns; the median's interval is a bootstrap over processes."""
    blocks = _blocks(turns)
    drawn = np.log(_drawn_medians(blocks, _weights(len(blocks), 0)))
    values = np.concatenate(blocks)
    p90, p95, p99 = np.percentile(values, [90, 95, 99])
    return Summary(
        median=_estimate(float(np.median(values)), drawn, len(blocks), values.size),
        p90=float(p90),
        p95=float(p95),
        p99=float(p99),
        minimum=float(values.min()),
        mean=float(values.mean()),
        standard_deviation=float(values.std(ddof=1)) if values.size > 1 else 0.0,
    )


def percentile_of(latency: Latency, percent: float) -> Estimate:
    """A percentile of all runs with its 95 % interval, by the same bootstrap over processes as the median's.

    Where the tail is one process's bad luck the interval is wide; n is the number of runs.
    """
    blocks = _blocks(latency.turns)
    values = np.concatenate(blocks)
    drawn = np.log(_drawn_percentiles(blocks, _weights(len(blocks), 0), percent / 100))
    return _estimate(float(np.percentile(values, percent)), drawn, len(blocks), values.size)


def latency_of(values_ms: Sequence[float], *, warm_up_ms: Sequence[float] = ()) -> Latency:
    """Times that were taken in one go, as a report from elsewhere has them: one turn of one process."""
    turns = (Turn(0, 0.0, tuple(values_ms)),)
    return Latency(summarize(turns), turns, tuple(warm_up_ms))


def compare(latency: Latency, reference: Latency, *, same_run: bool = False) -> Estimate:
    """The median of `latency` over that of `reference`, with its 95 % interval; n is the number of blocks behind it.

    With `same_run` both were measured in turns with each other: whole rounds are drawn, so that a slow moment of the
    machine counts for both.
    """
    above, below = _blocks(latency.turns), _blocks(reference.turns)
    weights, other_weights = _weights(len(above), 0), _weights(len(below), 1)
    if same_run and len(rounds := _rounds(latency, reference)) > 1:
        above, below = [one for one, _ in rounds], [other for _, other in rounds]
        weights = other_weights = _weights(len(rounds), 0)
    drawn = np.log(_drawn_medians(above, weights) / _drawn_medians(below, other_weights))
    ratio = float(np.median(np.concatenate(above)) / np.median(np.concatenate(below)))
    fewest = min(len(above), len(below))
    return _estimate(ratio, drawn, fewest, fewest)


def compare_apart(latency: Latency, reference: Latency) -> Estimate:
    """Like `compare` for two reports of one machine: each turn's runs are counted in its yardsticks.

    A core that is slower by a tenth today would pass for a regression otherwise. Plain times are compared where either
    report has no yardsticks.
    """
    above, below = _in_yardsticks(latency), _in_yardsticks(reference)
    if above is None or below is None:
        return compare(latency, reference)
    return compare(above, below)


def _in_yardsticks(latency: Latency) -> Latency | None:
    """The runs as multiples of their turn's yardstick; None where a turn has none."""
    turns = []
    for turn in latency.turns:
        if turn.yardstick_ms is None:
            return None
        turns.append(replace(turn, runs_ms=tuple(time / turn.yardstick_ms for time in turn.runs_ms)))
    return replace(latency, turns=tuple(turns))


def differs(ratio: Estimate, *, margin: float = MARGIN) -> bool:
    """Whether a ratio from `compare` is a difference, not noise: a 99 % interval without 1, and more than `margin` off.

    One false alarm in twenty, which is what a 95 % interval allows, would be too many for a gate.

    >>> differs(Estimate(1.05, 1.03, 1.07, 20)), differs(Estimate(1.05, 0.99, 1.11, 20))
    (True, False)
    """
    if not ratio.low > 0:
        return False
    log, low, high = np.log([ratio.value, ratio.low, ratio.high])
    freedom = max(ratio.n - 1, 1)
    reach = (high - log if log < 0 else log - low) * _student(freedom, Z_99) / _student(freedom)
    return bool(abs(log) > reach and abs(log) > np.log1p(margin))


def _rounds(latency: Latency, reference: Latency) -> list[tuple[Floats, Floats]]:
    """The runs of each process of either that has its counterpart; processes of one number took turns."""
    above, below = _by_process(latency.turns), _by_process(reference.turns)
    found = [(above[process], below[process]) for process in sorted(above.keys() & below.keys())]
    if not found:
        raise ValueError("no processes of the same round: not measured in the same run")
    return found


def _blocks(turns: Sequence[Turn]) -> list[Floats]:
    processes = _by_process(turns)
    if len(processes) > 1:
        return list(processes.values())
    found = [np.asarray(turn.runs_ms, np.float64) for turn in turns]
    if len(found) > 1:
        return found
    return [tenth for tenth in np.array_split(found[0], TENTHS) if tenth.size]


def _by_process(turns: Sequence[Turn]) -> dict[int, Floats]:
    runs: dict[int, list[float]] = {}
    for turn in turns:
        runs.setdefault(turn.process, []).extend(turn.runs_ms)
    return {process: np.asarray(values, np.float64) for process, values in runs.items()}


def _weights(blocks: int, seed: int) -> Floats:
    """How often each block is drawn in each replicate: (replicates, blocks)."""
    drawn = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1 / blocks), REPLICATES)
    return drawn.astype(np.float64)


def _drawn_medians(blocks: Sequence[Floats], weights: Floats) -> Floats:
    """The median of each replicate's runs, the lower one of two."""
    return _drawn_percentiles(blocks, weights, 0.5)


def _drawn_percentiles(blocks: Sequence[Floats], weights: Floats, share: float) -> Floats:
    """The least run of each replicate that has `share` of its runs at or below it: a bisection, for all replicates.

    How many runs of each block lie below a value is counted once, and no percentile lies outside of the blocks' own.
    """
    ordered = [np.sort(block) for block in blocks]
    middles = [block[max(math.ceil(share * block.size) - 1, 0)] for block in ordered]
    values = np.unique(np.concatenate([block[(block >= min(middles)) & (block <= max(middles))] for block in ordered]))
    upto = np.stack([np.searchsorted(block, values, side="right") for block in ordered], axis=1).astype(np.float64)
    enough = weights @ np.array([block.size for block in blocks]) * share
    low, high = np.zeros(len(weights), np.intp), np.full(len(weights), values.size - 1)
    while (low < high).any():
        middle = (low + high) // 2
        reached = np.einsum("ij,ij->i", weights, upto[middle]) >= enough
        low, high = np.where(reached, low, middle + 1), np.where(reached, middle, high)
    return np.asarray(values[low])


def _estimate(value: float, drawn: Floats, blocks: int, n: int) -> Estimate:
    """A positive `value` with the t interval of the bootstrap's standard error, in logarithms of times.

    The percentile interval is too short for few blocks; this is as wide as Student's for their number, with the
    bootstrap's standard error corrected by blocks / (blocks - 1) (Hesterberg 2015, The American Statistician 69:371).
    """
    if blocks < 2:
        return Estimate(value, float("nan"), float("nan"), n)
    error = float(drawn.std()) * np.sqrt(blocks / (blocks - 1)) * _student(blocks - 1)
    return Estimate(value, float(value * np.exp(-error)), float(value * np.exp(error)), n)


def _student(freedom: int, z: float = Z_95) -> float:
    """The quantile of Student's t where the normal one is `z`.

    Exact for one and two degrees of freedom, which have closed forms; from three on by the series of Abramowitz and
    Stegun (1964, 26.7.5), at 97.5 % within 1 %, at 99.5 % within 4 % for three and 1.3 % for more.

    >>> [round(_student(freedom), 3) for freedom in (1, 2, 30)]
    [12.706, 4.303, 2.042]
    """
    tail = 1 - NormalDist().cdf(z)
    if freedom == 1:
        return math.tan(math.pi * (0.5 - tail))
    if freedom == 2:
        return (1 - 2 * tail) / math.sqrt(2 * tail * (1 - tail))
    return float(
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
