import re
import typing

import pytest

from osteo_edge.wording import (
    ABNORMALITY_ADVICE,
    ABNORMALITY_HEADLINES,
    ABNORMALITY_USE,
    ADVICE,
    BOTH_USE,
    FAILED_CHECK,
    FINDINGS,
    HEADLINES,
    INTENDED_USE,
    PHANTOM_USE,
    SEVERITIES,
    SEVERITY_USE,
    Finding,
    Outcome,
    Severity,
    advice,
    headline,
    intended_use,
    severity_words,
)

GRADES = [severity_words(severity) for severity in SEVERITIES]
USES = [INTENDED_USE, ABNORMALITY_USE, BOTH_USE, PHANTOM_USE]
OF_ABNORMALITIES = [*ABNORMALITY_HEADLINES.values(), *ABNORMALITY_ADVICE.values()]
TEXTS = [*HEADLINES.values(), *ADVICE.values(), *OF_ABNORMALITIES, *USES, SEVERITY_USE, FAILED_CHECK, *GRADES]


def test_every_outcome_has_a_headline_and_advice() -> None:
    outcomes = set(typing.get_args(Outcome))
    assert outcomes == {"refer", "no_finding", "uncertain", "rejected"}
    for texts in (HEADLINES, ADVICE, ABNORMALITY_HEADLINES, ABNORMALITY_ADVICE):
        assert set(texts) == outcomes


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_says_that_a_bone_is_fine(text: str) -> None:
    assert not re.search(r"\bnormal|healthy|clear|negative|diagnosed|safe", text, re.IGNORECASE)


def test_the_answer_without_finding_does_not_rule_out() -> None:
    for finding in FINDINGS:
        assert "does not rule out" in headline("no_finding", finding)
        assert "not a diagnosis" in advice("refer", finding)


def test_an_answer_about_abnormalities_says_nothing_of_bone_density() -> None:
    assert typing.get_args(Finding) == FINDINGS
    assert not [text for text in (*OF_ABNORMALITIES, ABNORMALITY_USE) if re.search("density|DXA|knee", text)]
    assert headline("refer") == headline("refer", "density") == HEADLINES["refer"]
    assert headline("refer", "abnormality") == "Possible abnormality: have this film read"
    assert advice("rejected", "abnormality").startswith("Screen a radiograph of a bone that this model knows")


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


def test_the_intended_use_is_that_of_what_the_model_looks_for() -> None:
    assert intended_use("MURA", "abnormality").startswith(ABNORMALITY_USE)
    assert intended_use("MURA and DXA", "density", "abnormality").startswith(BOTH_USE)
    assert intended_use("DXA", "density") == intended_use("DXA")
    assert intended_use("phantom", "abnormality") == PHANTOM_USE
    assert all("Not a diagnosis" in use and "not to be used to rule out" in use for use in USES[:3])
