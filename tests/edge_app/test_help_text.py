import re
from functools import partial

import pytest

from osteo_edge.edge_app.help_text import (
    AFTER_THE_ANSWERS,
    BEFORE_THE_ANSWERS,
    DXA_RESULTS,
    FOR_ABNORMALITIES,
    FULL_DISK,
    INSTEAD_ON_A_PHONE,
    NOT_ON_A_PHONE,
    ON_A_PHONE,
    OUTCOMES,
    WHICH_BONE,
    about,
    on_a_phone,
    sections_after,
)
from osteo_edge.wording import FINDINGS, HEADLINES

SECTIONS = (*BEFORE_THE_ANSWERS, *AFTER_THE_ANSWERS)
SENTENCES = [
    sentence
    for section in (
        *SECTIONS,
        *map(on_a_phone, SECTIONS),
        ON_A_PHONE,
        *map(partial(about, findings=FINDINGS), SECTIONS),
    )
    for paragraph in (*section.paragraphs, WHICH_BONE)
    for sentence in re.split(r"(?<=[.:])\s+", paragraph)
]


def test_every_outcome_is_explained_once() -> None:
    assert sorted(OUTCOMES) == sorted(HEADLINES)


def test_what_a_phone_has_not_is_not_explained_there() -> None:
    everywhere = {paragraph for section in SECTIONS for paragraph in section.paragraphs}
    assert everywhere >= INSTEAD_ON_A_PHONE.keys() | NOT_ON_A_PHONE
    on_phone = " ".join(paragraph for section in map(on_a_phone, SECTIONS) for paragraph in section.paragraphs)
    assert not re.search(r"\b(stick|plug)", on_phone)


@pytest.mark.parametrize("sentence", SENTENCES, ids=range(len(SENTENCES)))
def test_sentences_are_short_and_say_nothing_of_a_healthy_patient(sentence: str) -> None:
    assert len(sentence.split()) <= 25
    assert not re.search(r"\b(normal|healthy|clear|safe|sure|guarantee)", sentence.lower())


def test_of_a_model_that_looks_for_abnormalities_nothing_is_said_of_bone_density() -> None:
    told = [*(about(section, ["abnormality"]) for section in BEFORE_THE_ANSWERS), *sections_after(["abnormality"])]
    text = " ".join(paragraph for section in told for paragraph in (section.title, *section.paragraphs))
    assert not re.search(r"density|DXA|OST|knee", text)
    assert "rules out a fracture" in text
    assert all(paragraph for section in told for paragraph in section.paragraphs)


def test_of_a_model_that_looks_for_both_both_are_said_and_the_rest_once() -> None:
    both = " ".join(
        paragraph for section in map(partial(about, findings=FINDINGS), SECTIONS) for paragraph in section.paragraphs
    )
    assert [both.count(words) for words in ("rules out low bone density", "rules out a fracture", FULL_DISK)] == [1] * 3
    assert sections_after(["density"]) == AFTER_THE_ANSWERS
    assert DXA_RESULTS in sections_after(FINDINGS)


def test_what_is_said_instead_stands_for_something_that_is_said() -> None:
    assert {paragraph for section in SECTIONS for paragraph in section.paragraphs} >= FOR_ABNORMALITIES.keys()
