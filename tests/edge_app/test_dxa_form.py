import re

import pytest

from osteo_edge.edge_app import dxa_form
from osteo_edge.edge_app.dxa import DXA_WORDS
from osteo_edge.edge_app.dxa_form import (
    MAX_T_SCORE,
    RESULT_DIFFERS,
    T_SCORE_NO_NUMBER,
    T_SCORE_OUT_OF_RANGE,
    T_SCORE_WITHOUT_MINUS,
    DxaFields,
    DxaReading,
    read_dxa_form,
)
from osteo_edge.edge_app.history.entry import Dxa
from osteo_edge.edge_app.typed import NOT_IN_LIST

TEXTS = [value for name, value in vars(dxa_form).items() if name.isupper() and isinstance(value, str)]


@pytest.mark.parametrize(
    ("form", "dxa", "t_score"),
    [
        (DxaFields(), None, None),
        (DxaFields("osteopenia"), "osteopenia", None),
        (DxaFields("osteopenia", "-1.8"), "osteopenia", -1.8),
        (DxaFields("", " -2,5 "), "osteoporosis", -2.5),
        (DxaFields("", "\u2212١٫٨"), "osteopenia", -1.8),
        (DxaFields("", "+0.4"), "normal", 0.4),
        (DxaFields("", "-0.04"), "normal", 0.0),
    ],
)
def test_a_result_is_read_as_it_was_entered(form: DxaFields, dxa: Dxa | None, t_score: float | None) -> None:
    assert read_dxa_form(form, str) == DxaReading(dxa, t_score)


@pytest.mark.parametrize("text", ["low", "-", "1e1", "-1.8.2", "--1", "9" * 5000])
def test_what_is_no_number_is_told(text: str) -> None:
    assert read_dxa_form(DxaFields("normal", text), str) == DxaReading(None, None, {"t_score": T_SCORE_NO_NUMBER})


def test_a_forgotten_decimal_sign_is_told() -> None:
    problem = T_SCORE_OUT_OF_RANGE.format(most=f"{MAX_T_SCORE:g}")
    assert read_dxa_form(DxaFields(t_score="-18"), str).problems == {"t_score": problem}


def test_a_category_that_is_none_is_told() -> None:
    assert read_dxa_form(DxaFields("fine", "-1"), str) == DxaReading(None, None, {"result": NOT_IN_LIST})


def test_a_forgotten_minus_sign_and_a_contradiction_are_hints() -> None:
    assert read_dxa_form(DxaFields(t_score="1.8"), str) == DxaReading(
        "normal", 1.8, {}, {"t_score": T_SCORE_WITHOUT_MINUS}
    )
    assert read_dxa_form(DxaFields("osteopenia", "-0.5"), str) == DxaReading(
        "osteopenia", -0.5, {}, {"result": RESULT_DIFFERS.format(category=DXA_WORDS["normal"])}
    )


def test_no_text_judges_the_patient() -> None:
    assert len(TEXTS) >= 5
    assert not [text for text in TEXTS if re.search("normal|healthy|clear|negative|safe", text, re.IGNORECASE)]
