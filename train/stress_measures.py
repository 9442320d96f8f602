"""The figures of a stress test: how well scores still order the films, how many answers turn, and who notices."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge import metrics
from osteo_edge.intervals import Estimate, as_share, draws, percentiles
from osteo_edge.train.stress import Level, Reply, StressTest

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Groups = npt.NDArray[np.str_]


@dataclass(frozen=True)
class LevelMeasures:
    """What one disturbance at one strength does, each figure with its 95 % interval and n.

    `auroc` is over all films, `auroc_shown` over those that the gate lets through; of a model that tells bones apart,
    over pairs of films of one bone. Of all films, `reversed` is the share whose decision turned from no finding to
    refer or back, `wavered` that which turned to or from uncertain, `rerouted` that which another bone's head answers,
    whatever it says. `unnoticed` is that which is reversed or re-routed and not refused: an opposite turn, or another
    bone's answer, that somebody would act on. Decisions are compared with those untouched, as if there were no
    gate, and not with the labels.

    `refused` is the share that the gate refuses, `caught` that of the reversed and re-routed films, not defined where
    none is; both of the films that the gate lets through untouched.
    """

    auroc: Estimate
    auroc_shown: Estimate
    reversed: Estimate
    wavered: Estimate
    rerouted: Estimate
    refused: Estimate
    caught: Estimate
    unnoticed: Estimate

    def to_dict(self) -> dict[str, Any]:
        return {name: found.to_dict() for name, found in vars(self).items()}


@dataclass(frozen=True)
class StressFigures:
    """The figures of the untouched films, and those of each level, in the test's order."""

    test: StressTest
    untouched: LevelMeasures
    by_level: tuple[LevelMeasures, ...]

    @property
    def levels(self) -> Iterator[tuple[Level, LevelMeasures]]:
        return zip(self.test.levels, self.by_level, strict=True)

    @property
    def verdict(self) -> str:
        """The one line to remember: where most changed answers go unnoticed, at the weakest strength of equals."""
        changed = "reversed or re-routed" if any(self.test.bones) else "reversed"
        level, worst = max(self.levels, key=lambda pair: (pair[1].unnoticed.value, -pair[0].strength))
        if worst.unnoticed.value == 0:
            return f"No decision was {changed} without being refused."
        return (
            f"Most {changed} decisions go unnoticed under {level.disturbance.name} {level.amount:g} "
            f"({level.disturbance.unit}): {in_percent(worst.unnoticed)} of the films."
        )


def measure(test: StressTest) -> StressFigures:
    """Every figure of a stress test; all intervals are of one bootstrap over groups."""
    counts = drawn_counts(np.array(test.groups))
    untouched = measure_level(test, test.untouched, np.ones(len(test.cases), bool), counts)
    by_level = tuple(measure_level(test, level.replies, ~test.refused, counts) for level in test.levels)
    return StressFigures(test, untouched, by_level)


def drawn_counts(groups: Groups) -> Floats:
    """How often each film is drawn in each replicate, whole groups with replacement: (replicates, n)."""
    n = groups.size
    return np.array([np.bincount(drawn, minlength=n) for drawn in draws(n, groups)], np.float64)


def measure_level(test: StressTest, replies: tuple[Reply, ...], admitted: Bools, counts: Floats) -> LevelMeasures:
    """The figures of the replies to all films; in those to the untouched ones nothing is reversed.

    `admitted` are the films, (n,), whose refusals count.
    """
    groups, score = np.array(test.groups), np.array([reply.score for reply in replies], np.float64)
    refused = np.array([reply.refusal is not None for reply in replies], bool)
    pairs = list(zip(test.untouched, replies, strict=True))
    turns = [{before.outcome, after.outcome} for before, after in pairs]
    turned = np.array([turn == {"refer", "no_finding"} for turn in turns], bool)
    wavered = np.array([len(turn) == 2 and "uncertain" in turn for turn in turns], bool)
    rerouted = np.array([len({before.bone, after.bone} - {None}) == 2 for before, after in pairs], bool)
    changed = turned | rerouted
    everyone = np.ones(len(replies), bool)
    return LevelMeasures(
        auroc=auroc_among(everyone, test.positive, score, counts, test.strata),
        auroc_shown=auroc_among(~refused, test.positive, score, counts, test.strata),
        reversed=share_among(everyone, turned, groups, counts),
        wavered=share_among(everyone, wavered, groups, counts),
        rerouted=share_among(everyone, rerouted, groups, counts),
        refused=share_among(admitted, refused, groups, counts),
        caught=share_among(changed & admitted, refused, groups, counts),
        unnoticed=share_among(everyone, changed & ~refused, groups, counts),
    )


def share_among(among: Bools, hits: Bools, groups: Groups, counts: Floats) -> Estimate:
    """The share of `hits` among some of the films, (n,) both, with its interval by `drawn_counts`."""
    with np.errstate(invalid="ignore"):  # draws without any of them are NaN, and left out
        interval = percentiles((counts @ (hits & among)) / (counts @ among))
    return as_share(Estimate(metrics.share(hits[among]), interval.low, interval.high, 0), groups[among])


def auroc_among(among: Bools, positive: Bools, score: Floats, counts: Floats, strata: Indices) -> Estimate:
    """The area under the curve among some of the films, (n,), with its interval by `drawn_counts`.

    Each pair of a positive and a negative of one of the `strata`, (n,), counts as often as both are drawn. NaN where
    there is no such pair, or the model gave no number.
    """
    n = int(np.count_nonzero(among))
    if not np.isfinite(score[among]).all():
        return Estimate(metrics.NAN, metrics.NAN, metrics.NAN, n)
    above, below = positive & among, ~positive & among
    pairs = strata[above][:, np.newaxis] == strata[below]
    in_order = pairs * (np.sign(score[above][:, np.newaxis] - score[below]) + 1) / 2

    def drawn(weights: Floats | Bools) -> Floats:
        return np.asarray((counts[:, above] @ weights * counts[:, below]).sum(axis=1), np.float64)

    with np.errstate(invalid="ignore"):
        interval = percentiles(drawn(in_order) / drawn(pairs))
    value = metrics.auroc(positive[among], score[among], strata[among])
    return Estimate(value, interval.low, interval.high, n)


def turns_of(test: StressTest, replies: tuple[Reply, ...]) -> dict[str, int]:
    """How many decisions turned from what to what, the most frequent turn first; as if there were no gate."""
    pairs = zip(test.untouched, replies, strict=True)
    turns = Counter((before.outcome, after.outcome) for before, after in pairs if before.outcome != after.outcome)
    return {f"{before} to {after}".replace("_", " "): number for (before, after), number in turns.most_common()}


def in_percent(share: Estimate) -> str:
    """A share with its interval, to one percent; a dash where it is not defined."""
    if share.n == 0:
        return "-"
    return f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"
