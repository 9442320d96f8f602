"""A clock that is behind the program or the history cannot be right."""

from datetime import date, datetime, timedelta, timezone

import pytest

from osteo_edge.edge_app import device_clock
from osteo_edge.edge_app.device_clock import DOUBT, doubt_words, doubtful_date
from osteo_edge.edge_app.history.entry import utc
from osteo_edge.version import RELEASED

NOW = datetime(2027, 6, 30, 12, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_clock, "RELEASED", "2027-01-01")


def test_the_version_has_a_date() -> None:
    assert date.fromisoformat(RELEASED) > date(2026, 1, 1)


def test_a_clock_that_goes_on_is_not_doubted() -> None:
    assert doubtful_date(NOW, None) is None
    assert doubtful_date(NOW, utc(NOW - timedelta(days=1))) is None
    assert doubtful_date(NOW, utc(NOW + timedelta(minutes=30))) is None


def test_a_clock_behind_the_program_is_doubted() -> None:
    start = datetime(2000, 1, 1, 12, tzinfo=timezone.utc)
    assert doubtful_date(start, None) == start.astimezone().date()
    assert doubtful_date(start, utc(start - timedelta(days=1))) is not None


def test_a_clock_behind_the_newest_screening_is_doubted() -> None:
    assert doubtful_date(NOW, utc(NOW + timedelta(hours=3))) == NOW.astimezone().date()


def test_the_date_is_told() -> None:
    assert "clock says 2000-01-01." in doubt_words(date(2000, 1, 1), str)
    assert doubt_words(date(2000, 1, 1), lambda text: {DOUBT: "le {date}"}[text]) == "le 2000-01-01"
