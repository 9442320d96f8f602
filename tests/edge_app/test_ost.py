import re

import pytest

from osteo_edge.edge_app.history.entry import Patient, Sex
from osteo_edge.edge_app.ost import ABOUT_OST, GROUPS_FROM_YEARS, NO_GROUP, RISK_WORDS, Ost, Risk, ost_of


@pytest.mark.parametrize(
    ("age", "weight", "expected"),
    [
        (75, 45.0, Ost(-6, "high")),
        (75, 50.0, Ost(-5, "high")),
        (75, 50.1, Ost(-4, "moderate")),  # -4.98 loses its decimals
        (70, 65.0, Ost(-1, "moderate")),
        (70, 65.1, Ost(0, "low")),
        (51, 63.0, Ost(2, "low")),
    ],
)
def test_the_index_is_cut_to_a_whole_number_and_grouped_as_published(age: int, weight: float, expected: Ost) -> None:
    assert ost_of(Patient(age_years=age, weight_kg=weight, sex="female")) == expected


def test_multiples_of_five_lose_nothing_to_rounding() -> None:
    for age in range(131):
        for fifths in range(-age // 5 + 1, 40):
            ost = ost_of(Patient(age_years=age, weight_kg=float(age + 5 * fifths)))
            assert ost is not None
            assert ost.index == fifths


@pytest.mark.parametrize("patient", [Patient(), Patient(age_years=70), Patient(weight_kg=50.0)])
def test_there_is_none_without_age_or_weight(patient: Patient) -> None:
    assert ost_of(patient) is None


@pytest.mark.parametrize(
    ("sex", "age", "risk"),
    [
        ("female", 50, "low"),
        ("female", 49, None),
        ("female", 9, None),
        ("male", 60, None),
        ("other", 60, None),
        (None, 60, None),
    ],
)
def test_only_those_whom_the_groups_were_found_in_are_put_in_one(sex: Sex | None, age: int, risk: Risk | None) -> None:
    ost = ost_of(Patient(age_years=age, weight_kg=80.0, sex=sex))
    assert ost is not None
    assert ost.risk == risk
    assert (ost.words == NO_GROUP) == (risk is None)


def test_the_words_name_the_age_that_is_asked_for() -> None:
    for words in (NO_GROUP, ABOUT_OST):
        assert f"from {GROUPS_FROM_YEARS} years on" in words


def test_no_group_is_told_as_the_all_clear() -> None:
    assert "does not rule out" in RISK_WORDS["low"]
    for text in (*RISK_WORDS.values(), NO_GROUP, ABOUT_OST):
        assert not re.search("normal|healthy|clear|negative|safe", text, re.IGNORECASE)
