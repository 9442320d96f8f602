import re

import pytest

from osteo_edge.edge_app.help_text import (
    AFTER_THE_ANSWERS,
    BEFORE_THE_ANSWERS,
    INSTEAD_ON_A_PHONE,
    NOT_ON_A_PHONE,
    ON_A_PHONE,
    OUTCOMES,
    on_a_phone,
)
from osteo_edge.wording import HEADLINES

SECTIONS = (*BEFORE_THE_ANSWERS, *AFTER_THE_ANSWERS)
SENTENCES = [
    sentence
    for section in (*SECTIONS, *map(on_a_phone, SECTIONS), ON_A_PHONE)
    for paragraph in section.paragraphs
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
