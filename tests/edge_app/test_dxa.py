import re
from typing import get_args

import pytest

from osteo_edge.edge_app.dxa import DXA_WORDS, category_of, dxa_words
from osteo_edge.edge_app.history.entry import Dxa


def test_no_words_call_a_patient_normal() -> None:
    assert set(DXA_WORDS) == set(get_args(Dxa))
    for dxa in DXA_WORDS:
        for t_score in (None, 0.4, -1.8):
            assert not re.search("normal|healthy|clear|negative|safe", dxa_words(dxa, t_score), re.IGNORECASE)


@pytest.mark.parametrize(
    ("dxa", "t_score", "words"),
    [
        (None, None, ""),
        (None, -1.8, "T-score -1.8"),
        ("normal", None, "T-score -1 or above"),
        ("normal", -0.04, "T-score 0.0"),
        ("normal", -1.8, "T-score -1 or above, T-score -1.8"),
        ("osteoporosis", -2.5, "osteoporosis, T-score -2.5"),
    ],
)
def test_what_was_entered_is_told_in_full(dxa: Dxa | None, t_score: float | None, words: str) -> None:
    assert dxa_words(dxa, t_score) == words


def test_the_words_can_be_translated() -> None:
    assert dxa_words("osteopenia", -1.8, lambda text: f"«{text}»") == "«osteopenia», «T-score -1.8»"


@pytest.mark.parametrize(
    ("t_score", "category"),
    [(0.0, "normal"), (-1.0, "normal"), (-1.1, "osteopenia"), (-2.4, "osteopenia"), (-2.5, "osteoporosis")],
)
def test_the_categories_are_those_of_the_who(t_score: float, category: Dxa) -> None:
    assert category_of(t_score) == category
