import re
from dataclasses import asdict

import pytest

from osteo_edge.edge_app import screening_form
from osteo_edge.edge_app.alphabet import OTHER_LETTERS
from osteo_edge.edge_app.history.entry import Patient
from osteo_edge.edge_app.ost import Ost
from osteo_edge.edge_app.screening_form import (
    AGE_IS_A_YEAR,
    AGE_NO_NUMBER,
    AGE_OF_A_CHILD,
    AGE_OUT_OF_RANGE,
    CODE_LOOKS_LIKE_A_NAME,
    CODE_TOO_LONG,
    WEIGHT_NO_NUMBER,
    WEIGHT_OUT_OF_RANGE,
    WEIGHT_UNUSUAL,
    FormFields,
    FormReading,
    fields_of,
    looks_like_a_name,
    read_form,
)
from osteo_edge.edge_app.typed import NOT_IN_LIST

TEXTS = [value for name, value in vars(screening_form).items() if name.isupper() and isinstance(value, str)]


def test_a_full_form_becomes_a_patient_with_the_ost_beside() -> None:
    reading = read_form(FormFields(" K-17 ", "70", "female", "46,0 kg"), str)
    assert reading == FormReading(Patient("K-17", 70, "female", 46.0), Ost(-4, "moderate"), {}, {})


def test_everything_may_be_left_out() -> None:
    assert read_form(FormFields(), str) == FormReading(Patient(), None, {}, {})
    assert read_form(FormFields(" ", " ", "", "\t"), str) == FormReading(Patient(), None, {}, {})


@pytest.mark.parametrize(
    ("text", "years"), [("67", 67), (" 67 ", 67), ("0", 0), ("130", 130), ("067", 67), ("٦٧", 67), ("６７", 67)]
)
def test_an_age_is_read_in_the_digits_of_any_script(text: str, years: int) -> None:
    reading = read_form(FormFields(age=text), str)
    assert reading.patient == Patient(age_years=years)
    assert reading.problems == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sixty", AGE_NO_NUMBER),
        ("67.5", AGE_NO_NUMBER),
        ("-3", AGE_NO_NUMBER),
        ("6 7", AGE_NO_NUMBER),
        ("²", None),
        ("1e1", AGE_NO_NUMBER),
        ("9" * 5000, AGE_NO_NUMBER),
        ("131", AGE_OUT_OF_RANGE.format(most=130)),
        ("1958", AGE_IS_A_YEAR),
    ],
)
def test_an_age_that_is_none_is_told_and_there_is_no_patient(text: str, problem: str | None) -> None:
    reading = read_form(FormFields("K-17", text), str)
    assert reading.problems.get("age") == problem
    assert (reading.patient is None) == (problem is not None)


@pytest.mark.parametrize(
    ("text", "kilograms"),
    [("61.5", 61.5), ("61,5", 61.5), ("61", 61.0), ("61,25", 61.2), ("٦١٫٥", 61.5), ("500", 500.0), ("61.5KG", 61.5)],
)
def test_a_weight_is_read_with_a_point_or_a_comma(text: str, kilograms: float) -> None:
    assert read_form(FormFields(weight=text), str).patient == Patient(weight_kg=kilograms)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1.234,5", WEIGHT_NO_NUMBER),
        ("61,", WEIGHT_NO_NUMBER),
        (",5", WEIGHT_NO_NUMBER),
        ("nan", WEIGHT_NO_NUMBER),
        ("inf", WEIGHT_NO_NUMBER),
        ("1e2", WEIGHT_NO_NUMBER),
        ("-61", WEIGHT_NO_NUMBER),
        ("135 lb", WEIGHT_NO_NUMBER),
        ("0", WEIGHT_OUT_OF_RANGE.format(most=500)),
        ("0.04", WEIGHT_OUT_OF_RANGE.format(most=500)),
        ("501", WEIGHT_OUT_OF_RANGE.format(most=500)),
    ],
)
def test_a_weight_that_is_none_is_told(text: str, problem: str) -> None:
    reading = read_form(FormFields(age="70", weight=text), str)
    assert reading == FormReading(None, None, {"weight": problem}, {})


def test_unlikely_values_are_hinted_at_but_taken() -> None:
    reading = read_form(FormFields("Maria Lopez", "9", "other", "6.15"), str)
    assert reading.patient == Patient("Maria Lopez", 9, "other", 6.2)
    assert reading.hints == {"code": CODE_LOOKS_LIKE_A_NAME, "age": AGE_OF_A_CHILD, "weight": WEIGHT_UNUSUAL}
    assert reading.problems == {}


def test_every_field_with_a_problem_is_told_at_once_in_the_language_of_the_user() -> None:
    reading = read_form(FormFields("x" * 65, "131", "woman", "heavy"), lambda text: f"<{text}>")
    assert reading.problems == {
        "code": f"<{CODE_TOO_LONG.format(most=64)}>",
        "age": f"<{AGE_OUT_OF_RANGE.format(most=130)}>",
        "sex": f"<{NOT_IN_LIST}>",
        "weight": f"<{WEIGHT_NO_NUMBER}>",
    }


@pytest.mark.parametrize(
    "name",
    [
        "Maria Lopez",
        "LOPEZ, MARIA",
        "Jean-Pierre N'Diaye",
        "J. Maria Lopez",
        "Amina binti Juma",
        "李 小龙 王五",
        "Zoë Müller",
    ],
)
def test_a_full_name_looks_like_one(name: str) -> None:
    assert looks_like_a_name(name)


@pytest.mark.parametrize("code", ["", "K-17", "2026-0017", "MARIA", "KNEE 17", "A B", "X-RAY/11 left", "OP121"])
def test_a_code_does_not(code: str) -> None:
    assert not looks_like_a_name(code)


def test_a_code_is_one_line_without_what_cannot_be_seen() -> None:
    reading = read_form(FormFields("K\n17\u200b  b\x07"), str)
    assert reading.patient == Patient("K 17 b")


@pytest.mark.parametrize("code", ["患者1", "K-ሰላም", "०१", "مرضى", "K 😀"])
def test_a_code_that_would_be_shown_as_boxes_is_refused(code: str) -> None:
    assert read_form(FormFields(code), str) == FormReading(None, None, {"code": OTHER_LETTERS}, {})


def test_a_code_may_have_accents_however_they_are_typed() -> None:
    assert read_form(FormFields("E\u0301-17 Я"), str).patient == Patient("É-17 Я")


def test_a_draft_gives_the_fields_back_as_they_were_typed() -> None:
    form = FormFields("K-", "6", "female", "61,", "elbow")
    assert fields_of(asdict(form) | {"path": "/media/STICK/knee.png"}) == form
    assert fields_of({}) == FormFields()
    before_bones = {"code": "K-1", "age": "", "sex": "", "weight": ""}
    assert fields_of(before_bones) == FormFields("K-1")


def test_no_text_judges_the_patient() -> None:
    assert len(TEXTS) >= 10
    assert not [text for text in TEXTS if re.search("normal|healthy|clear|negative|safe", text, re.IGNORECASE)]
