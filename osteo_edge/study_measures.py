"""How well studies are told normal or abnormal: for each bone, on average over the bones, and for all studies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge import metrics
from osteo_edge.answers import Bools, Floats, Groups, Indices
from osteo_edge.intervals import REPLICATES, Estimate, as_share, estimate_many, paired_difference

Bones = npt.NDArray[np.str_]

NAMES = ("accuracy", "precision", "sensitivity", "specificity", "F1", "AUROC", "Cohen's kappa")
COLUMNS = ("Bone", "Studies", "TP", "FN", "FP", "TN", *NAMES)
MEAN, ALL = "mean", "all"
"""The names of the last two lines, short since tables are wide."""


@dataclass(frozen=True, eq=False)
class StudyAnswers:
    """What was answered on n studies and what was true, (n,) each.

    `score` is the probability of abnormality; a study whose score reaches its `threshold` is called abnormal. `groups`
    are patients, whom the bootstrap draws whole: one may have studies of several bones.
    """

    bones: Bones
    positive: Bools
    score: Floats
    threshold: Floats
    groups: Groups

    @property
    def called(self) -> Bools:
        """Which studies are called abnormal, (n,)."""
        return np.asarray(self.score >= self.threshold)

    def take(self, studies: Indices | Bools) -> "StudyAnswers":
        """The answers on some of the studies, or on studies drawn repeatedly."""
        scores = (self.score[studies], self.threshold[studies])
        return StudyAnswers(self.bones[studies], self.positive[studies], *scores, self.groups[studies])


@dataclass(frozen=True)
class StudyMeasures:
    """The four counts of one bone's studies, or of all, and each of `NAMES` with its 95 % interval and n.

    The n of a share (accuracy, precision, sensitivity, specificity) is that of the studies that it is a share of.
    """

    bone: str
    true_positives: int
    false_negatives: int
    false_positives: int
    true_negatives: int
    estimates: dict[str, Estimate]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """TP, FN, FP, TN, in the order in which the field prints them."""
        return self.true_positives, self.false_negatives, self.false_positives, self.true_negatives

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "estimates": {name: found.to_dict() for name, found in self.estimates.items()}}


@dataclass(frozen=True)
class StudyTable:
    """One line a bone in alphabetical order; the plain mean over the bones, each weighing the same; and all studies.

    The AUROC of all studies compares studies of one bone only: heads of different bones are not on one scale. A mean
    is NaN where one of the bones does not define it.
    """

    bones: tuple[StudyMeasures, ...]
    mean: dict[str, Estimate]
    all: StudyMeasures

    def to_dict(self) -> dict[str, Any]:
        """The table as JSON values, after `console.without_nan`."""
        mean = {name: found.to_dict() for name, found in self.mean.items()}
        return {"bones": [each.to_dict() for each in self.bones], "mean": mean, "all": self.all.to_dict()}

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The cells of the table under `COLUMNS`."""
        for each in self.bones:
            yield _row(each.bone, [str(count) for count in each.counts], each.estimates)
        yield _row(MEAN, [""] * 4, self.mean)
        yield _row(ALL, [str(count) for count in self.all.counts], self.all.estimates)

    def halves(self) -> Iterator[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
        """The table as two narrower ones, each with its columns and its rows: a terminal is narrow."""
        rows, middle = list(self.rows()), COLUMNS.index("specificity")
        yield COLUMNS[:middle], [row[:middle] for row in rows]
        yield (COLUMNS[0], *COLUMNS[middle:]), [(row[0], *row[middle:]) for row in rows]


def measure_studies(answers: StudyAnswers, *, replicates: int = REPLICATES, seed: int = 0) -> StudyTable:
    """The table of a set of studies; intervals are 95 %, all of one bootstrap over patients.

    Where the bootstrap's interval of a share is a point, at 0 and 1, it is Wilson's for as many cases as there are
    patients. What a bone's studies do not define, all of them normal for instance, is NaN. Raises ValueError for none.
    """
    if not answers.positive.size:
        raise ValueError("there is no study to measure")
    bones = tuple(str(bone) for bone in np.unique(answers.bones))

    def values(drawn: Indices) -> list[float]:
        sample = answers.take(drawn)
        by_bone = [_values(sample.take(sample.bones == bone)) for bone in bones]
        return [value for line in (*by_bone, np.mean(by_bone, axis=0), _values(sample)) for value in line]

    found = estimate_many(values, answers.positive.size, groups=answers.groups, replicates=replicates, seed=seed)
    lines = [found[start : start + len(NAMES)] for start in range(0, len(found), len(NAMES))]
    *of_bones, mean, of_all = lines
    return StudyTable(
        bones=tuple(
            _measures(bone, answers.take(answers.bones == bone), line)
            for bone, line in zip(bones, of_bones, strict=True)
        ),
        mean=dict(zip(NAMES, mean, strict=True)),
        all=_measures(ALL, answers, of_all),
    )


def mean_auroc(answers: StudyAnswers, bones: Sequence[str] | None = None) -> float:
    """The plain mean of the AUROC of each of `bones`, else of all that there are.

    NaN where one of them has studies of one class only or none at all, and where there are no studies.
    """
    names = np.unique(answers.bones) if bones is None else bones
    own = [answers.take(answers.bones == bone) for bone in names]
    areas = [metrics.auroc(each.positive, each.score) for each in own]
    return float(np.mean(areas)) if areas else metrics.NAN


def compare_mean_auroc(
    first: StudyAnswers, second: StudyAnswers, *, replicates: int = REPLICATES, seed: int = 0
) -> tuple[Estimate, Estimate, Estimate]:
    """The mean AUROC over the bones of two models on the same studies, and the first less the second, paired."""

    bones = [str(bone) for bone in np.unique(first.bones)]

    def on(model: StudyAnswers, drawn: Indices) -> float:
        return mean_auroc(model.take(drawn), bones)

    if not (np.array_equal(first.bones, second.bones) and np.array_equal(first.positive, second.positive)):
        raise ValueError("two models can be compared on the same studies in the same order only")
    one, other = (partial(on, model) for model in (first, second))
    return paired_difference(one, other, first.positive.size, groups=first.groups, replicates=replicates, seed=seed)


def _values(answers: StudyAnswers) -> list[float]:
    """Each of `NAMES`, NaN where the studies do not define it."""
    positive, called = answers.positive, answers.called
    _, strata = np.unique(answers.bones, return_inverse=True)
    truth, predicted = positive.astype(np.intp), called.astype(np.intp)
    return [
        metrics.share(positive == called),
        float(metrics.precision(truth, predicted, 2)[1]),
        metrics.sensitivity(positive, called),
        metrics.specificity(positive, called),
        float(metrics.f1(truth, predicted, 2)[1]),
        metrics.auroc(positive, answers.score, strata),
        metrics.cohen_kappa(truth, predicted),
    ]


def _measures(bone: str, answers: StudyAnswers, found: list[Estimate]) -> StudyMeasures:
    positive, called = answers.positive, answers.called
    members = {
        "accuracy": np.ones_like(positive),
        "precision": called,
        "sensitivity": positive,
        "specificity": ~positive,
    }
    estimates = {
        name: as_share(each, answers.groups[members[name]]) if name in members else replace(each, n=positive.size)
        for name, each in zip(NAMES, found, strict=True)
    }
    return StudyMeasures(
        bone=bone,
        true_positives=int(np.sum(positive & called)),
        false_negatives=int(np.sum(positive & ~called)),
        false_positives=int(np.sum(~positive & called)),
        true_negatives=int(np.sum(~positive & ~called)),
        estimates=estimates,
    )


def _row(name: str, counts: list[str], estimates: dict[str, Estimate]) -> tuple[str, ...]:
    return (name, str(estimates["AUROC"].n), *counts, *(_cell(estimates[measure]) for measure in NAMES))


def _cell(found: Estimate) -> str:
    if np.isnan(found.value):
        return "not defined"
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
