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
Groups = npt.NDArray[np.str_]


@dataclass(frozen=True)
class LevelMeasures:
    """What one disturbance at one strength does, each figure with its 95 % interval and n.

    `auroc` is over all films, `auroc_shown` over those that the gate lets through. Of all films, `reversed` is the
    share whose decision turned from no finding to refer or back, `wavered` that which turned to or from uncertain,
    `refused` that which the gate refuses, and `unnoticed` that which is reversed and not refused: a wrong turn that
    somebody would act on. Decisions are compared as if there were no gate. `caught` is the share of the reversed ones
    that the gate refuses; not defined where none is.
    """

    auroc: Estimate
    auroc_shown: Estimate
    reversed: Estimate
    wavered: Estimate
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
        """The one line to remember: where most reversed decisions go unnoticed, at the weakest strength of equals."""
        level, worst = max(self.levels, key=lambda pair: (pair[1].unnoticed.value, -pair[0].strength))
        if worst.unnoticed.value == 0:
            return "No decision was reversed without being refused."
        return (
            f"Most reversed decisions go unnoticed under {level.disturbance.name} {level.amount:g} "
            f"({level.disturbance.unit}): {in_percent(worst.unnoticed)} of the films."
        )


def measure(test: StressTest) -> StressFigures:
    """Every figure of a stress test; all intervals are of one bootstrap over groups."""
    counts = drawn_counts(np.array(test.groups))
    untouched = measure_level(test, test.untouched, counts)
    return StressFigures(test, untouched, tuple(measure_level(test, level.replies, counts) for level in test.levels))


def drawn_counts(groups: Groups) -> Floats:
    """How often each film is drawn in each replicate, whole groups with replacement: (replicates, n)."""
    n = groups.size
    return np.array([np.bincount(drawn, minlength=n) for drawn in draws(n, groups)], np.float64)


def measure_level(test: StressTest, replies: tuple[Reply, ...], counts: Floats) -> LevelMeasures:
    """The figures of the replies to all films; in those to the untouched ones nothing is reversed."""
    groups, score = np.array(test.groups), np.array([reply.score for reply in replies], np.float64)
    refused = np.array([reply.refusal is not None for reply in replies], bool)
    turns = [{before.outcome, after.outcome} for before, after in zip(test.untouched, replies, strict=True)]
    turned = np.array([turn == {"refer", "no_finding"} for turn in turns], bool)
    wavered = np.array([len(turn) == 2 and "uncertain" in turn for turn in turns], bool)
    everyone = np.ones(len(replies), bool)
    return LevelMeasures(
        auroc=auroc_among(everyone, test.positive, score, counts),
        auroc_shown=auroc_among(~refused, test.positive, score, counts),
        reversed=share_among(everyone, turned, groups, counts),
        wavered=share_among(everyone, wavered, groups, counts),
        refused=share_among(everyone, refused, groups, counts),
        caught=share_among(turned, refused, groups, counts),
        unnoticed=share_among(everyone, turned & ~refused, groups, counts),
    )


def share_among(among: Bools, hits: Bools, groups: Groups, counts: Floats) -> Estimate:
    """The share of `hits` among some of the films, (n,) both, with its interval by `drawn_counts`."""
    with np.errstate(invalid="ignore"):  # draws without any of them are NaN, and left out
        interval = percentiles((counts @ (hits & among)) / (counts @ among))
    return as_share(Estimate(metrics.share(hits[among]), interval.low, interval.high, 0), groups[among])


def auroc_among(among: Bools, positive: Bools, score: Floats, counts: Floats) -> Estimate:
    """The area under the curve among some of the films, (n,), with its interval by `drawn_counts`.

    Each pair of a positive and a negative counts as often as both are drawn. NaN where a class is missing, or the model
    gave no number.
    """
    n = int(np.count_nonzero(among))
    if not np.isfinite(score[among]).all():
        return Estimate(metrics.NAN, metrics.NAN, metrics.NAN, n)
    above, below = positive & among, ~positive & among
    apart = score[above][:, np.newaxis] - score[below]
    in_order = (np.sign(apart) + 1) / 2
    with np.errstate(invalid="ignore"):
        pairs = counts[:, above].sum(axis=1) * counts[:, below].sum(axis=1)
        interval = percentiles((counts[:, above] @ in_order * counts[:, below]).sum(axis=1) / pairs)
    return Estimate(metrics.auroc(positive[among], score[among]), interval.low, interval.high, n)


def turns_of(test: StressTest, replies: tuple[Reply, ...]) -> dict[str, int]:
    """How many decisions turned from what to what, the most frequent turn first; as if there were no gate."""
    pairs = zip(test.untouched, replies, strict=True)
    turns = Counter((before.outcome, after.outcome) for before, after in pairs if before.outcome != after.outcome)
    return {f"{before} to {after}".replace("_", " "): number for (before, after), number in turns.most_common()}


def in_percent(share: Estimate) -> str:
    """A share with its interval, to one percent."""
    return f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"
