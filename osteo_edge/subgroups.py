"""How a model answers in parts of the patients: by sex, by age, and by the format of the file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from osteo_edge.answers import Answers
from osteo_edge.dataset import Case
from osteo_edge.intervals import Estimate
from osteo_edge.measuring import estimate_values, screening_values

AGE_BANDS = {"0-39": 40.0, "40-54": 55.0, "55-69": 70.0, "70+": float("inf")}
"""Years, each band below its number; the names sort as the ages do."""
SAME_FORMAT = {"jpeg": "jpg", "tiff": "tif", "dicom": "dcm"}


@dataclass(frozen=True)
class Subgroup:
    """The cases that have one `value` of a `factor`, how many of them are positive, and what was measured on them.

    `estimates` is empty where there are too few: not one positive and one negative.
    """

    factor: str
    value: str
    n: int
    positives: int
    estimates: dict[str, Estimate]

    @property
    def too_few(self) -> bool:
        return not 0 < self.positives < self.n

    def to_dict(self) -> dict[str, Any]:
        estimates = {name: estimate.to_dict() for name, estimate in self.estimates.items()}
        return {**vars(self), "too_few": self.too_few, "estimates": estimates}


def measure_subgroups(cases: Sequence[Case], answers: Answers) -> tuple[Subgroup, ...]:
    """The AUROC of both questions, sensitivity and specificity by sex, age and file format.

    Cases of which a factor is not known are in none of its subgroups. The intervals are wide and there are many of
    them: a difference between subgroups is a reason to look, not a finding.
    """
    return tuple(
        subgroup
        for factor, value_of in FACTORS.items()
        for subgroup in _by_value(factor, [value_of(case) for case in cases], answers)
    )


def _by_value(factor: str, values: Sequence[str | None], answers: Answers) -> Iterator[Subgroup]:
    for value in sorted({value for value in values if value is not None}):
        yield _measure(factor, value, answers.take(np.array([value == other for other in values])))


def _measure(factor: str, value: str, answers: Answers) -> Subgroup:
    positive, _ = answers.asked(answers.positive_labels)
    n, positives = positive.size, int(positive.sum())
    estimates = estimate_values(screening_values, answers) if 0 < positives < n else {}
    return Subgroup(factor, value, n, positives, estimates)


def _sex(case: Case) -> str | None:
    return case.sex


def _age_band(case: Case) -> str | None:
    return None if case.age is None else next((name for name, end in AGE_BANDS.items() if case.age < end), None)


def _format(case: Case) -> str | None:
    suffix = case.path.suffix.lower().lstrip(".")
    return SAME_FORMAT.get(suffix, suffix) or None


FACTORS: dict[str, Callable[[Case], str | None]] = {"sex": _sex, "age": _age_band, "format": _format}
