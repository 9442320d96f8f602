"""The follow-up says what the cases allow, and no more."""

from dataclasses import replace

import pytest

from osteo_edge.edge_app.follow_up_words import (
    NO_CASE,
    NO_RESULTS,
    agreement_lines,
    agreement_title,
    answered_line,
    calibration_points,
    drift_scale,
    drift_words,
    model_words,
    point_words,
    share_words,
    summary,
)
from osteo_edge.edge_app.history.drift import Drift, Month
from osteo_edge.edge_app.history.entry import Dxa
from osteo_edge.edge_app.history.followup import FollowUp, follow_up
from osteo_edge.edge_app.history.query import UsedModel
from osteo_edge.intervals import Estimate
from tests.edge_app.history.made import make_entry

LABELS = ("osteopenia", "osteoporosis")


def of(*results: tuple[Dxa, int], score: float = 0.8) -> FollowUp:
    """Referred patients: how many with which result."""
    entries = [
        make_entry(code=f"K-{n}", dxa=dxa, score=score)
        for n, dxa in enumerate(dxa for dxa, count in results for _ in range(count))
    ]
    return follow_up(entries, LABELS)


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, NO_RESULTS),
        (1, "1 patient with a DXA result: too few to say anything"),
        (5, "5 patients with a DXA result: too few to say anything"),
        (10, "10 patients with a DXA result"),
    ],
)
def test_few_results_say_nothing(count: int, words: str) -> None:
    assert summary(of(("normal", count)), str) == words


def test_a_share_comes_with_its_interval_and_its_cases() -> None:
    assert share_words(Estimate(13 / 16, 0.5699, 0.9341, 16)) == "81 % (57 to 93 %), 13 of 16"


def test_a_share_of_few_is_no_percentage() -> None:
    assert share_words(Estimate(2 / 9, 0.06, 0.55, 9)) == "2 of 9: too few for a percentage"
    assert share_words(Estimate(float("nan"), float("nan"), float("nan"), 0)) == NO_CASE


def test_each_question_has_its_three_shares() -> None:
    found = of(("osteoporosis", 6), ("osteopenia", 6), ("normal", 4))
    low, severe = found.agreements
    assert agreement_title(low, str) == "Osteopenia or osteoporosis in DXA"
    assert agreement_title(severe, str) == "Osteoporosis in DXA"
    assert [line.words for line in agreement_lines(low, str)] == [
        "100 % (76 to 100 %), 12 of 12",
        "0 of 4: too few for a percentage",
        "75 % (51 to 90 %), 12 of 16",
    ]
    assert answered_line(found, str).words == "100 % (81 to 100 %), 16 of 16"


def test_no_line_calls_a_patient_normal() -> None:
    found = of(("normal", 12))
    lines = [line for agreement in found.agreements for line in agreement_lines(agreement, str)]
    assert not any("normal" in f"{line.title} {line.words}".lower() for line in lines)


def test_calibration_needs_cases_and_is_told_in_words_too() -> None:
    assert calibration_points(of(("osteoporosis", 9))) == ()
    (point,) = calibration_points(of(("osteoporosis", 9), ("normal", 1)))
    assert point.score == pytest.approx(0.8)
    assert (point.share, point.n) == (0.9, 10)
    assert point_words(point, str) == ("Of 10 films with a score of about 80 %, DXA found 90 % positive (60 to 98 %).")
    assert point_words(replace(point, n=1), str).startswith("Of 1 film with a score of about 80 %")


def test_a_demonstration_is_told_apart() -> None:
    assert model_words(UsedModel("a" * 64, "knee", True, 3), str) == "knee (demonstration)"
    assert model_words(UsedModel("a" * 64, "knee", False, 3), str) == "knee"


FIRST = Month("2026-01", 60, 0.35, 0.4, 0.45, None, None, False)
LATER = Month("2026-02", 30, 0.36, 0.41, 0.46, 0.55, 0.4, False)


def drift(*months: Month, statistic: str = "mean", reference_n: int = 60) -> Drift:
    return Drift(statistic, reference_n, (0.35, 0.45) if reference_n else None, months)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (drift(replace(FIRST, n=20), reference_n=0), "There are not enough films yet to see a change: 20 of 50."),
        (drift(FIRST), "The first 60 films are what later months are compared with. No later month has 10 films yet."),
        (drift(FIRST, LATER), "The films of 2026-02 are like the first ones."),
        (
            drift(FIRST, replace(LATER, higher=0.9, drifted=True)),
            "The films of 2026-02 are brighter than the first ones.",
        ),
        (
            drift(FIRST, replace(LATER, higher=0.1, drifted=True)),
            "The films of 2026-02 are darker than the first ones.",
        ),
        (
            drift(FIRST, replace(LATER, higher=0.1, drifted=True), statistic="contrast"),
            "The films of 2026-02 have less contrast than the first ones.",
        ),
        (
            drift(FIRST, replace(LATER, higher=0.9, drifted=True), replace(LATER, month="2026-03")),
            "The films of 2026-03 are like the first ones.",
        ),
    ],
)
def test_the_newest_month_that_was_judged_is_told(found: Drift, words: str) -> None:
    told = drift_words(found, str)
    assert told[0] == words
    assert len(told) == (2 if found.drifted else 1)


def test_the_plot_shows_all_quartiles_with_some_air() -> None:
    low, high = drift_scale(drift(FIRST, LATER), (FIRST, LATER))
    assert low < 0.35
    assert high > 0.46
    flat = replace(FIRST, lower_quartile=0.4, upper_quartile=0.4)
    low, high = drift_scale(drift(flat, reference_n=0), (flat,))
    assert low < 0.4 < high
