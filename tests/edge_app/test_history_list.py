"""What the list of past screenings is asked for, and what it says."""

import re
import time
from collections.abc import Iterator
from datetime import date

import pytest

from osteo_edge.edge_app.history.query import Query
from osteo_edge.edge_app.history_list import (
    MANY,
    NO_CODE,
    NO_DATE,
    NONE_FOUND,
    NONE_YET,
    OUTCOME_CHOICES,
    WRONG_WAY_ROUND,
    Wanted,
    ask,
    found_words,
    row_of,
)
from osteo_edge.wording import HEADLINES, headline
from tests.edge_app.history.made import make_entry

TODAY = date(2026, 3, 31)


@pytest.fixture
def nairobi(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three hours ahead of UTC, all year."""
    monkeypatch.setenv("TZ", "EAT-3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_nothing_in_particular_is_everything() -> None:
    assert ask(Wanted(), TODAY).query == Query()
    assert not Wanted(code="K-1").is_narrowed


def test_code_answer_and_dxa_are_asked_for() -> None:
    wanted = Wanted(" K-1 ", outcomes=("refer", "uncertain"), has_dxa=False)
    assert ask(wanted, TODAY).query == Query(code="K-1", outcomes=("refer", "uncertain"), has_dxa=False)
    assert wanted.is_narrowed


@pytest.mark.parametrize(
    ("wanted", "since", "until"),
    [
        (Wanted(period="today"), "2026-03-30T21:00:00+00:00", None),
        (Wanted(period="week"), "2026-03-24T21:00:00+00:00", None),
        (Wanted(period="dates", first="2026-01-02"), "2026-01-01T21:00:00+00:00", None),
        (Wanted(period="dates", last="2026.1.2"), None, "2026-01-02T21:00:00+00:00"),
        (Wanted(period="all", first="2026-01-02"), None, None),
    ],
)
@pytest.mark.usefixtures("nairobi")
def test_days_begin_and_end_at_midnight_here(wanted: Wanted, since: str | None, until: str | None) -> None:
    asked = ask(wanted, TODAY)
    assert (asked.query.since, asked.query.until, asked.problems) == (since, until, {})


@pytest.mark.parametrize("text", ["2026", "31.03.2026", "2026-02-30", "0001-01-01", "9999-12-31", "tomorrow"])
def test_what_is_no_day_is_told_and_left_out(text: str) -> None:
    asked = ask(Wanted(period="dates", first=text, last=text), TODAY)
    assert asked.problems == {"first": NO_DATE, "last": NO_DATE}
    assert asked.query == Query()


def test_days_the_wrong_way_round_are_told() -> None:
    asked = ask(Wanted(period="dates", first="2026-03-02", last="2026-03-01"), TODAY)
    assert asked.problems == {"last": WRONG_WAY_ROUND}


@pytest.mark.usefixtures("nairobi")
def test_a_row_has_the_words_and_the_time_here() -> None:
    row = row_of(make_entry(taken_at="2026-03-30T22:15:00+00:00", outcome="no_finding", dxa="normal"), str)
    assert (row.code, row.when, row.is_demo) == ("K-17", "2026-03-31 01:15", False)
    assert row.headline == HEADLINES["no_finding"]
    assert row.dxa == "DXA: T-score -1 or above"


def test_a_row_speaks_of_what_was_looked_for_and_names_the_bone() -> None:
    row = row_of(make_entry(finding="abnormality", bone="elbow"), str)
    assert (row.headline, row.bone, row.dxa) == (headline("refer", "abnormality"), "Bone: elbow", "")
    assert row_of(make_entry(), str).bone == ""


def test_the_answers_are_chosen_by_names_that_hold_for_whatever_was_looked_for() -> None:
    assert set(OUTCOME_CHOICES) == set(HEADLINES)
    assert not [words for words in OUTCOME_CHOICES.values() if re.search("density|abnormal|DXA", words)]


def test_no_row_calls_a_patient_normal() -> None:
    rows = (row_of(make_entry(dxa="normal", t_score=score, code=None), str) for score in (None, -0.4, -2.0))
    assert not any("normal" in f"{row.dxa} {row.headline}" for row in rows)


def test_what_is_not_known_is_said_or_left_out() -> None:
    row = row_of(make_entry(code=None), str)
    assert (row.code, row.dxa) == (NO_CODE, "")


def test_an_empty_history_is_told_from_a_search_in_vain() -> None:
    assert found_words(0, True, str) == NONE_YET
    assert found_words(0, False, str) == NONE_FOUND
    assert found_words(10_000, True, str) == MANY.format(count=10_000)
