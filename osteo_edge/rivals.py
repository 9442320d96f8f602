"""What age and weight alone would have told of the same cases, beside the model."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from osteo_edge import metrics
from osteo_edge.answers import Answers, Bools, Floats, Indices, Question
from osteo_edge.dataset import Case
from osteo_edge.intervals import Estimate, paired_difference
from osteo_edge.ost import ost_index


@dataclass(frozen=True)
class Rival:
    """What one number about the patient reaches on the cases where it is known, and the model on the same cases.

    `difference` is the model's AUROC less the rival's, paired.
    """

    question: str
    name: str
    auroc: Estimate
    model_auroc: Estimate
    difference: Estimate

    @property
    def verdict(self) -> str:
        """In words, whether the image tells more than the number."""
        if not self.difference.low > 0:
            return f"the model does not beat {self.name}"
        return f"the model beats {self.name}"

    def to_dict(self) -> dict[str, Any]:
        estimates = {name: getattr(self, name).to_dict() for name in ("auroc", "model_auroc", "difference")}
        return {"question": self.question, "name": self.name, **estimates, "verdict": self.verdict}


def compare_rivals(cases: Sequence[Case], answers: Answers) -> tuple[Rival, ...]:
    """Age alone and the OST index beside the model, for each question that the cases with known values can decide."""
    return tuple(_rivals(cases, answers))


def _rivals(cases: Sequence[Case], answers: Answers) -> Iterator[Rival]:
    of_case: dict[str, Callable[[Case], float | None]] = {"age alone": _age, "the OST index": _ost}
    for name, number in of_case.items():
        values = np.array([number(case) for case in cases], np.float64)  # None becomes NaN
        known = ~np.isnan(values)
        for question in answers.questions:
            positive, _ = answers.asked(question.labels)
            if 0 < positive[known].sum() < known.sum():
                yield _compare(question, name, answers.take(known), values[known])


def _compare(question: Question, name: str, answers: Answers, values: Floats) -> Rival:
    positive, score = answers.asked(question.labels)
    of_model, of_rival = partial(_area, positive, score), partial(_area, positive, values)
    model, rival, difference = paired_difference(of_model, of_rival, positive.size, groups=answers.groups)
    return Rival(question.name, name, rival, model, difference)


def _area(positive: Bools, score: Floats, cases: Indices) -> float:
    return metrics.auroc(positive[cases], score[cases])


def _age(case: Case) -> float | None:
    return case.age


def _ost(case: Case) -> float | None:
    """Turned round, so that high means at risk, as for age and for the model."""
    return None if case.age is None or case.weight is None else -ost_index(case.weight, case.age)
