"""What a model answered on a set of cases beside what was true, and the two-class questions that it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.manifest import Manifest
from osteo_edge.routing import answered, routed

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Groups = npt.NDArray[Any]
ANY_FINDING = "any finding"


@dataclass(frozen=True)
class Question:
    """A two-class question to the model, such as "osteoporosis against the rest"."""

    name: str
    labels: tuple[str, ...]


def questions_about(positive_labels: Sequence[str]) -> tuple[Question, ...]:
    """Any positive label against the rest, and, where they are grades, the last (the gravest) against the rest.

    >>> [question.name for question in questions_about(["osteopenia", "osteoporosis"])]
    ['osteopenia or osteoporosis', 'osteoporosis']
    """
    positive = tuple(positive_labels)
    anything = Question(" or ".join(positive), positive)
    return (anything,) if len(positive) == 1 else (anything, Question(positive[-1], positive[-1:]))


def questions_to(manifest: Manifest) -> tuple[Question, ...]:
    """What a model is asked: of one that answers for several bones, whose labels are no grades, any finding alone."""
    positive = manifest.decision.positive_labels
    return questions_about(positive) if manifest.router is None else (Question(ANY_FINDING, positive),)


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model answered on n cases, and what was true.

    `truth` are class numbers, (n,); `probabilities` calibrated, (n, labels); `threshold` is (n,), since each fold of a
    cross-validation has its own; `groups` are (n,) and never torn apart by the bootstrap; `strata` are fold numbers,
    (n,), where scores may only be compared within a fold. `heads` are the places of each bone's labels, of a model that
    answers for several bones (`osteo_edge.routing`).
    """

    truth: Indices
    probabilities: Floats
    labels: tuple[str, ...]
    positive_labels: tuple[str, ...]
    threshold: Floats
    groups: Groups
    strata: Indices | None = None
    heads: tuple[tuple[int, ...], ...] = ()

    @property
    def questions(self) -> tuple[Question, ...]:
        if self.heads:
            return (Question(ANY_FINDING, self.positive_labels),)
        return questions_about(self.positive_labels)

    @property
    def bone(self) -> Indices:
        """The number of the head that answers, (n,); 0 for a model of one question."""
        return routed(self.probabilities, self.heads) if self.heads else np.zeros(len(self.truth), np.intp)

    @property
    def predicted(self) -> Indices:
        """The class number of the most probable label, (n,)."""
        return np.asarray(self.probabilities.argmax(axis=1), np.intp)

    def asked(self, labels: Sequence[str]) -> tuple[Bools, Floats]:
        """Which cases have one of the labels, and the summed probability of these labels, (n,) each.

        The probability is that of the head which answers, where there are several.
        """
        places = [self.labels.index(label) for label in labels]
        among = np.zeros(len(self.labels), bool)
        among[places] = True
        return among[self.truth], answered(self.probabilities, self.heads)[:, places].sum(axis=1)

    def take(self, cases: Indices | Bools) -> "Answers":
        """The answers on some of the cases, or on cases drawn repeatedly."""
        strata = None if self.strata is None else self.strata[cases]
        arrays = {name: getattr(self, name)[cases] for name in ("truth", "probabilities", "threshold", "groups")}
        return replace(self, **arrays, strata=strata)
