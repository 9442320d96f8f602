"""The OST index that stands beside the model's answer: what age and weight alone tell."""

from dataclasses import dataclass
from typing import Literal

from osteo_edge.edge_app.history.entry import Patient
from osteo_edge.ost import ost_index

Risk = Literal["high", "moderate", "low"]

RISK_WORDS: dict[Risk, str] = {
    "high": "high-risk group by age and weight",
    "moderate": "moderate-risk group by age and weight",
    "low": "low-risk group by age and weight, which does not rule out low bone density",
}
GROUPS_FROM_YEARS = 50
"""Nobody asks for the menopause, after which the groups hold: half of all women are past it at about this age."""
NO_GROUP = "no risk group: the groups are those of women from 50 years on"
ABOUT_OST = (
    "OST index: 0.2 x (weight in kg - age in years), whole number. From age and weight alone, not from the image; "
    "the groups (high below -4, moderate -4 to -1, low above -1) were found in Asian women after menopause "
    "(Koh et al. 2001), and are given to women from 50 years on only."
)


@dataclass(frozen=True)
class Ost:
    """The index as a whole number, and the group it falls in; None for whom the groups are not known to fit.

    That is everyone who is not entered as a woman of `GROUPS_FROM_YEARS` or more: a "low" group must not soothe a man,
    a child, or someone of whom too little is known.
    """

    index: int
    risk: Risk | None

    @property
    def words(self) -> str:
        """The group as a user reads it."""
        return NO_GROUP if self.risk is None else RISK_WORDS[self.risk]


def ost_of(patient: Patient) -> Ost | None:
    """The OST of a patient (Koh et al. 2001, Osteoporosis International 12:699); None without age and weight.

    The index loses its decimals towards zero, after the subtraction; some studies cut weight and age each, which makes
    a difference of one at most. Above -1 is the low-risk group, below -4 the high-risk one.

    >>> ost_of(Patient(age_years=70, weight_kg=46.0, sex="female"))
    Ost(index=-4, risk='moderate')
    """
    if patient.age_years is None or patient.weight_kg is None:
        return None
    index = int(ost_index(patient.weight_kg, float(patient.age_years)))
    has_group = patient.sex == "female" and patient.age_years >= GROUPS_FROM_YEARS
    return Ost(index, _risk(index) if has_group else None)


def _risk(index: int) -> Risk:
    if index < -4:
        return "high"
    return "moderate" if index <= -1 else "low"
