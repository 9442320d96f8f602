import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.answers import Answers
from osteo_edge.dataset import Case
from osteo_edge.subgroups import Subgroup, measure_subgroups

LABELS = ("normal", "osteopenia", "osteoporosis")
NAMES = ["AUROC osteopenia or osteoporosis", "AUROC osteoporosis", "sensitivity", "specificity"]


def measure(cases: Sequence[Case]) -> dict[str, Subgroup]:
    """The subgroups of a model that finds every positive woman and no positive man, and refers nobody else."""
    truth = np.array([LABELS.index(case.label) for case in cases])
    scores = np.array([0.8 if case.label != "normal" and case.sex != "male" else 0.2 for case in cases])
    probabilities = np.stack([1 - scores, scores / 2, scores / 2], axis=1)
    n = len(cases)
    answers = Answers(truth, probabilities, LABELS, LABELS[1:], np.full(n, 0.5), np.arange(n))
    return {f"{group.factor} {group.value}": group for group in measure_subgroups(cases, answers)}


def case(label: str, *, sex: str | None = None, age: float | None = None, name: str = "x.png") -> Case:
    return Case(Path(name), name, label, sex=sex, age=age)


def test_men_and_women_are_measured_apart() -> None:
    found = measure([case(label, sex=sex) for sex in ("male", "female") for label in LABELS for _ in range(5)])
    women, men = found["sex female"], found["sex male"]
    assert (women.n, women.positives) == (men.n, men.positives) == (15, 10)
    assert list(women.estimates) == NAMES
    assert women.estimates["sensitivity"].value == women.estimates[NAMES[0]].value == 1
    assert men.estimates["sensitivity"].value == 0
    assert men.estimates[NAMES[0]].value == 0.5
    assert men.estimates["sensitivity"].high == pytest.approx(0.2775, abs=1e-4)  # Wilson, 0 of 10
    assert women.estimates["sensitivity"].n == 10


@pytest.mark.parametrize(
    ("age", "band"),
    [(39.9, "0-39"), (40, "40-54"), (54.5, "40-54"), (55, "55-69"), (69, "55-69"), (70, "70+"), (103, "70+")],
)
def test_an_age_is_in_one_band(age: float, band: str) -> None:
    assert [name for name in measure([case("normal", age=age)]) if name.startswith("age")] == [f"age {band}"]


@pytest.mark.parametrize(
    ("name", "value"), [("x.JPEG", "jpg"), ("x.jpg", "jpg"), ("x.png", "png"), ("x.dicom", "dcm"), ("x.tiff", "tif")]
)
def test_a_format_is_told_by_the_suffix_in_any_spelling(name: str, value: str) -> None:
    assert list(measure([case("normal", name=name)])) == [f"format {value}"]


def test_too_few_are_listed_with_their_number() -> None:
    found = measure([case("normal", sex="female"), case("normal", sex="female"), case("osteoporosis", sex="male")])
    assert (found["sex female"].n, found["sex female"].positives) == (2, 0)
    assert (found["sex male"].n, found["sex male"].positives) == (1, 1)
    assert found["sex female"].too_few
    assert found["sex male"].too_few
    assert not found["format png"].too_few
    assert found["sex male"].estimates == {}


def test_the_subgroups_come_in_their_order() -> None:
    found = measure([case("normal", sex=sex, age=age) for sex, age in (("male", 80), ("female", 20), (None, 60))])
    assert list(found) == ["sex female", "sex male", "age 0-39", "age 55-69", "age 70+", "format png"]


def test_cases_of_unknown_sex_and_age_are_in_none_of_their_subgroups() -> None:
    assert list(measure([case("normal"), case("osteopenia")])) == ["format png"]


def test_a_subgroup_is_plain_for_machines() -> None:
    plain = json.loads(json.dumps(measure([case("normal"), case("osteopenia")])["format png"].to_dict()))
    assert (plain["factor"], plain["value"], plain["n"], plain["too_few"]) == ("format", "png", 2, False)
    assert plain["estimates"]["specificity"]["value"] == 1
