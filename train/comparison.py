"""What a repeated cross-validation found: every contender's answers on films it never saw, measured and compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from osteo_edge.answers import Answers, Question, questions_about
from osteo_edge.dataset import Case
from osteo_edge.intervals import Estimate
from osteo_edge.subgroups import Subgroup
from osteo_edge.train.folds import Folds

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Kind = Literal["recipe", "fused", "baseline"]


@dataclass(frozen=True)
class FoldRun:
    """One fold of one repeat, both from 0: what was fitted on its validation part, and how the fit went.

    `losses` are learning curves by name, one value an epoch; `seconds` is what fitting and answering took.
    """

    repeat: int
    fold: int
    temperature: float
    threshold: float
    seconds: float = 0.0
    losses: dict[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What one contender answered on every case in every repeat, each case by a model that was fitted without it.

    `probabilities` are calibrated, (repeats, cases, labels); `thresholds` that of the fold in which the case was
    tested, (repeats, cases). Probabilities of different folds are of different models: rank them within a fold only.
    """

    probabilities: Floats
    thresholds: Floats
    runs: tuple[FoldRun, ...]

    def in_repeat(
        self, repeat: int, truth: Indices, labels: tuple[str, ...], groups: npt.NDArray[np.str_], folds: Folds
    ) -> Answers:
        """The answers of one repeat, with the folds as strata; all but the first label are positive."""
        probabilities, threshold = self.probabilities[repeat], self.thresholds[repeat]
        return Answers(truth, probabilities, labels, labels[1:], threshold, groups, folds.tested_in[repeat])


@dataclass(frozen=True, eq=False)
class Contender:
    """One row of the comparison: a recipe, a recipe fused with what is known of the patient, or a baseline.

    `measures` are named as in `osteo_edge.measuring.measure_answers`, those in `headline` to be read first; each is
    the mean over the repeats, with an interval over groups. `differences` are its AUROC less the reference's by name
    of the question, paired; empty for the reference. `confusion` counts cases, given label by answered label, and is
    the mean over the repeats. `about` is what `Recipe.describe` told. `alarms` are reasons not to believe the figures.
    """

    name: str
    kind: Kind
    title: str
    source: str
    about: dict[str, Any]
    answers: OutOfFold
    measures: dict[str, Estimate]
    headline: tuple[str, ...]
    differences: dict[str, Estimate]
    confusion: tuple[tuple[float, ...], ...]
    subgroups: tuple[Subgroup, ...] = ()
    alarms: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """What all its folds took."""
        return sum(run.seconds for run in self.answers.runs)


@dataclass(frozen=True)
class Added:
    """What a recipe's image adds to `over`, the same numbers about the patient alone: AUROC of both less of these."""

    recipe: str
    over: str
    question: str
    difference: Estimate

    @property
    def verdict(self) -> str:
        """In words; an interval that holds 0 shows nothing."""
        found = self.difference
        if found.value != found.value:
            return f"cannot be compared with {self.over}: too few cases"
        return f"adds {found.value:.3f} [{found.low:.3f}, {found.high:.3f}] to {self.over}: {_shown(found)}"

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "difference": self.difference.to_dict(), "verdict": self.verdict}


@dataclass(frozen=True, eq=False)
class Comparison:
    """All of a cross-validation, for the terminal, the JSON file and the report.

    `cases` are the usable ones in the order of every array, `truth` their class numbers, (cases,), `groups` what the
    bootstrap drew whole, (cases,). `folds.tested_in` gives the fold of each case by repeat, (repeats, cases).
    `excluded` names the images that no fold uses, with the reason. `seconds` are by stage.
    """

    dataset: str
    label_source: str
    labels: tuple[str, ...]
    cases: tuple[Case, ...]
    truth: Indices
    groups: npt.NDArray[np.str_]
    folds: Folds
    reference: str
    contenders: tuple[Contender, ...]
    added: tuple[Added, ...]
    prevalence: float | None
    excluded: dict[str, str]
    environment: Mapping[str, str]
    seconds: dict[str, float]

    @property
    def positive_labels(self) -> tuple[str, ...]:
        return self.labels[1:]

    @property
    def questions(self) -> tuple[Question, ...]:
        """The clinical questions: any positive label against the rest, and the gravest against the rest."""
        return questions_about(self.positive_labels)

    def contender(self, name: str) -> Contender:
        """The row called `name`; `KeyError` where there is none."""
        return {contender.name: contender for contender in self.contenders}[name]

    def answers(self, name: str, repeat: int) -> Answers:
        """What the contender answered in one repeat, with the folds as strata: for curves and for other measures."""
        found = self.contender(name).answers
        return found.in_repeat(repeat, self.truth, self.labels, self.groups, self.folds)


def _shown(difference: Estimate) -> str:
    if difference.low > 0:
        return "shown to add something"
    return "shown to do harm" if difference.high < 0 else "not shown to add anything"
