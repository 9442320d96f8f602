import re
import typing

import pytest

from osteo_edge.wording import (
    ADVICE,
    FAILED_CHECK,
    HEADLINES,
    INTENDED_USE,
    PHANTOM_USE,
    SEVERITIES,
    SEVERITY_USE,
    Outcome,
    Severity,
    intended_use,
    severity_words,
)

GRADES = [severity_words(severity) for severity in SEVERITIES]
TEXTS = [*HEADLINES.values(), *ADVICE.values(), INTENDED_USE, PHANTOM_USE, SEVERITY_USE, FAILED_CHECK, *GRADES]


def test_every_outcome_has_a_headline_and_advice() -> None:
    outcomes = set(typing.get_args(Outcome))
    assert set(HEADLINES) == set(ADVICE) == outcomes == {"refer", "no_finding", "uncertain", "rejected"}


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_says_that_a_bone_is_fine(text: str) -> None:
    assert not re.search("normal|healthy|clear|negative|diagnosed|safe", text, re.IGNORECASE)


def test_the_answer_without_finding_does_not_rule_out() -> None:
    assert "does not rule out" in HEADLINES["no_finding"]
    assert "not a diagnosis" in ADVICE["refer"]


def test_a_grade_is_never_shown_without_saying_that_it_is_no_clinical_stage() -> None:
    assert typing.get_args(Severity) == SEVERITIES
    assert [words.split(" (")[0] for words in GRADES] == [f"unsupervised grade: {name}" for name in SEVERITIES]
    assert all("not a clinical stage" in words for words in (*GRADES, SEVERITY_USE))


def test_drawn_labels_allow_no_use_on_patients() -> None:
    assert intended_use("phantom") == PHANTOM_USE
    assert "Must not be used on patients" in PHANTOM_USE


def test_the_intended_use_names_the_source_of_the_labels() -> None:
    assert intended_use("DXA").startswith(INTENDED_USE)
    assert intended_use("DXA").endswith("came from: DXA.")
