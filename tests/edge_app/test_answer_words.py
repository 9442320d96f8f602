"""What an answer says, in words."""

import re
import typing
from collections.abc import Callable
from datetime import timedelta, timezone
from functools import partial

import pytest

from osteo_edge.edge_app.answer_words import (
    OTHER_BONE,
    OTHER_MODEL,
    USE_UNKNOWN,
    AnswerWords,
    answer_words,
    comparison_caution,
    local_moment,
    spoken,
)
from osteo_edge.edge_app.demo_mark import MARK
from osteo_edge.edge_app.history.entry import Entry, Patient
from osteo_edge.edge_app.ost import ABOUT_OST
from osteo_edge.edge_app.probability_words import NO_PROBABILITY, band_of, probability_words
from osteo_edge.wording import ABNORMALITY_ADVICE, ABNORMALITY_HEADLINES, ADVICE, FAILED_CHECK, HEADLINES, Outcome
from tests.edge_app.history.made import make_entry

OUTCOMES: tuple[Outcome, ...] = typing.get_args(Outcome)
FORBIDDEN = r"\b(normal|healthy|clear|negative|diagnosed|safe)\b"


@pytest.fixture
def make() -> Callable[..., Entry]:
    patient = Patient("K-17", 67, "female", 52.5)
    return partial(make_entry, patient=patient, image_sha256=64 * "b", milliseconds={}, image_stats={})


def lines_of(words: AnswerWords) -> list[str]:
    told = words.probability
    bar = [] if told is None else [told.sentence, told.image, told.operating_point, told.uncertain or ""]
    texts = [words.headline, words.advice, words.no_probability, words.taken, words.ost, words.about_ost, words.dxa]
    lines = (*words.warnings, *words.reasons, *words.patient, *words.origin)
    return [text for text in (*texts, *bar, *lines, words.note, words.intended_use) if text]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_outcome_has_its_headline_and_its_advice(make: Callable[..., Entry], outcome: Outcome) -> None:
    words = answer_words(make(outcome=outcome), str)
    assert (words.headline, words.advice) == (HEADLINES[outcome], ADVICE[outcome])


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_no_line_calls_a_patient_normal(make: Callable[..., Entry], outcome: Outcome) -> None:
    entry = make(outcome=outcome, dxa="normal", t_score=-0.3, intended_use=None)
    assert not [line for line in lines_of(answer_words(entry, str)) if re.search(FORBIDDEN, line, re.IGNORECASE)]


def test_the_mark_of_a_demonstration_stands_before_all_other_warnings(make: Callable[..., Entry]) -> None:
    assert answer_words(make(is_demo=True, warnings=(FAILED_CHECK,)), str).warnings == (MARK, FAILED_CHECK)
    assert answer_words(make(), str).warnings == ()


def test_the_probability_is_told_with_what_it_is_compared_with(make: Callable[..., Entry]) -> None:
    told = answer_words(make(), str).probability
    assert told is not None
    assert told.sentence == "Calibrated probability that the model gives: 0.80 (osteopenia 0.30, osteoporosis 0.50)"
    assert (told.image, told.uncertain) == ("this image 0.80", "uncertain from 0.45 to 0.55")
    assert told.operating_point == "operating point 0.50: referred from here on"


def test_as_many_decimals_as_it_takes_to_see_the_side_of_the_bound(make: Callable[..., Entry]) -> None:
    told = probability_words(make(score=0.49996, abstain_low=None, abstain_high=None), str)
    assert told is not None
    assert (told.image, told.uncertain) == ("this image 0.49996", None)


def test_no_probability_reads_as_ruled_out_or_as_certain(make: Callable[..., Entry]) -> None:
    low = probability_words(make(score=0.001, probabilities={"osteopenia": 0.0, "osteoporosis": 0.001}), str)
    high = probability_words(make(score=0.999, probabilities={"osteopenia": 0.003, "osteoporosis": 0.996}), str)
    assert low is not None
    assert high is not None
    assert low.sentence.endswith("gives: below 0.01 (osteopenia below 0.01, osteoporosis below 0.01)")
    assert high.sentence.endswith("gives: above 0.99 (osteopenia below 0.01, osteoporosis above 0.99)")
    assert (low.image, high.image) == ("this image below 0.01", "this image above 0.99")


@pytest.mark.parametrize("score", [None, float("nan")])
def test_where_the_model_gave_no_number_that_is_said(make: Callable[..., Entry], score: float | None) -> None:
    entry = make(score=None)
    object.__setattr__(entry, "score", score)
    words = answer_words(entry, str)
    assert (words.probability, words.no_probability) == (None, NO_PROBABILITY)


def test_an_empty_band_is_none(make: Callable[..., Entry]) -> None:
    assert band_of(make()) == (0.45, 0.55)
    assert band_of(make(abstain_low=0.5, abstain_high=0.5)) is None
    assert band_of(make(abstain_low=None)) is None


def test_the_patient_is_told_as_far_as_the_clinic_did(make: Callable[..., Entry]) -> None:
    words = answer_words(make(), str)
    assert words.patient == ("Patient code: K-17", "Age: 67 years", "Sex: female", "Weight: 52.5 kg")
    assert words.ost.startswith("OST index -2: moderate-risk group")
    assert words.about_ost == ABOUT_OST
    nobody = answer_words(make(patient=Patient()), str)
    assert (nobody.patient, nobody.about_ost) == (("Patient code: not given",), "")
    assert "not known" in nobody.ost


def test_the_dxa_result_and_the_note_are_told_if_there_are_any(make: Callable[..., Entry]) -> None:
    words = answer_words(make(dxa="osteopenia", t_score=-1.8, note="left {knee}"), str)
    assert words.dxa == "DXA result, entered by the clinic: osteopenia, T-score -1.8"
    assert words.note == "Note: left {knee}"
    assert (answer_words(make(), str).dxa, answer_words(make(note=" "), str).note) == ("", "")


def test_what_was_decided_is_told_if_it_was_entered(make: Callable[..., Entry]) -> None:
    assert answer_words(make(), str).decision == ""
    assert answer_words(make(decided="followed"), str).decision == "Decided by the clinic: as the answer says"
    long = answer_words(make(decided="otherwise", override_reason="W{x}\n" * 9000), str).decision
    assert long.startswith("Decided by the clinic: otherwise than the answer says, because: W{x} W{x} ")
    assert len(long) < 5000


def test_an_older_screening_says_that_its_intended_use_was_not_kept(make: Callable[..., Entry]) -> None:
    assert answer_words(make(intended_use=None), str).intended_use == USE_UNKNOWN


def test_every_line_is_in_the_users_language(make: Callable[..., Entry]) -> None:
    entry = make(is_demo=True, dxa="osteopenia", note="n", warnings=("w",))
    for line in lines_of(answer_words(entry, lambda text: f"«{text}»")):
        assert line.startswith("«")
        assert line.endswith("»")


def test_times_are_those_of_the_clock_on_the_wall() -> None:
    assert local_moment("2026-03-04T23:30:00+00:00", timezone(timedelta(hours=3))) == "2026-03-05 02:30"


def test_answers_of_different_models_are_not_compared(make: Callable[..., Entry]) -> None:
    assert comparison_caution(make(), make(model_sha256=64 * "c"), str) == OTHER_MODEL
    assert comparison_caution(make(), make(), str) == ""


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_is_said_aloud_is_the_answer_with_its_warnings_and_nothing_of_the_patient(
    make: Callable[..., Entry], outcome: Outcome
) -> None:
    entry = make(outcome=outcome, warnings=("Photo of a film",), is_demo=True, note="left knee")
    said = spoken(entry, str)
    assert said.startswith(f"{MARK} Photo of a film {HEADLINES[outcome]} {ADVICE[outcome]}")
    for text in ("K-17", "67", "52", "left knee", "female"):
        assert text not in said


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_answer_about_an_abnormality_says_nothing_of_bone_density(
    make: Callable[..., Entry], outcome: Outcome
) -> None:
    entry = make(outcome=outcome, finding="abnormality", bone="elbow", probabilities={"elbow abnormal": 0.8})
    words = answer_words(entry, str)
    assert (words.headline, words.advice) == (ABNORMALITY_HEADLINES[outcome], ABNORMALITY_ADVICE[outcome])
    assert (words.bone, words.ost, words.about_ost) == ("Bone: elbow", "", "")
    assert not [line for line in lines_of(words) if re.search("density|DXA|OST|knee radiograph", line)]
    assert words.probability is not None
    assert words.probability.sentence.endswith("0.80 (elbow: abnormal 0.80)")


def test_the_bone_is_said_aloud(make: Callable[..., Entry]) -> None:
    said = spoken(make(finding="abnormality", bone="elbow"), str)
    assert f"{ABNORMALITY_HEADLINES['refer']} Bone: elbow. {ABNORMALITY_ADVICE['refer']}" in said
    assert "Bone" not in spoken(make(), str)


def test_answers_for_different_bones_are_not_compared(make: Callable[..., Entry]) -> None:
    elbow, wrist = (make(finding="abnormality", bone=bone) for bone in ("elbow", "wrist"))
    assert comparison_caution(elbow, wrist, str) == OTHER_BONE
    assert comparison_caution(elbow, elbow, str) == ""
