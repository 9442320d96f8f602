"""What is older than the clinic wants to keep is counted, and just that goes."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from osteo_edge.edge_app.history.entry import utc
from osteo_edge.edge_app.history.store import History
from osteo_edge.edge_app.retention import Outdated, deleted_words, find_outdated, question_words, remove_outdated
from tests.edge_app.history.made import make_record

NOW = datetime(2026, 6, 30, 12, tzinfo=timezone.utc)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "history") as opened:
        yield opened


def days_ago(days: float) -> str:
    return utc(NOW - timedelta(days=days))


def test_just_what_was_counted_is_removed(history: History) -> None:
    history.add_all(make_record(b"%d" % n, code=f"K-{n}", taken_at=days_ago(n)) for n in (1, 364, 366, 400))
    outdated = find_outdated(history, 365, NOW)
    assert (outdated.count, outdated.total) == (2, 4)
    assert remove_outdated(history, outdated) == 2
    assert [entry.patient.code for entry in history.entries()] == ["K-1", "K-364"]
    assert find_outdated(history, 365, NOW).count == 0


def test_what_a_clock_dated_that_was_not_set_is_not_counted_and_stays(history: History) -> None:
    history.add(make_record(b"pi", code="PI", taken_at="2000-01-01T00:00:07+00:00"))
    outdated = find_outdated(history, 365, NOW)
    assert (outdated.count, outdated.total) == (0, 1)
    assert remove_outdated(history, outdated) == 0
    assert [entry.patient.code for entry in history.entries()] == ["PI"]


def test_the_question_says_how_many_and_what_day_it_is() -> None:
    words = question_words(Outdated(12, 300, 365, NOW), str)
    assert "12 of 300 screenings are older than 365 days." in words
    assert NOW.astimezone().date().isoformat() in words
    assert question_words(Outdated(1, 300, 365, NOW), str).startswith("1 of 300 screenings is older")


def test_what_was_removed_is_told() -> None:
    assert (deleted_words(1, str), deleted_words(2, str)) == (
        "1 screening was deleted for good.",
        "2 screenings were deleted for good.",
    )
