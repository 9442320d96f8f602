"""The site's own numbers, from screenings whose DXA result came back."""

from collections.abc import Callable
from itertools import count
from math import isnan

import pytest

from osteo_edge.edge_app.history.entry import Entry
from osteo_edge.edge_app.history.followup import FollowUp, follow_up, one_per_patient
from osteo_edge.edge_app.history.store import History, Record

LABELS = ("osteopenia", "osteoporosis")
TABLE = {
    "refer": {"normal": 3, "osteopenia": 4, "osteoporosis": 8},
    "no_finding": {"normal": 6, "osteopenia": 2, "osteoporosis": 1},
    "uncertain": {"normal": 1, "osteopenia": 2, "osteoporosis": 0},
    "rejected": {"normal": 1, "osteopenia": 0, "osteoporosis": 0},
}
SCORES = {"refer": 0.9, "no_finding": 0.1, "uncertain": 0.5, "rejected": None}


@pytest.fixture
def cases(entry: Callable[..., Entry]) -> list[Entry]:
    """Patients as in `TABLE`, and one whose DXA is not back."""
    number = count()
    marked = [
        entry(code=f"K-{next(number)}", outcome=outcome, dxa=dxa, score=SCORES[outcome])
        for outcome, row in TABLE.items()
        for dxa, n in row.items()
        for _ in range(n)
    ]
    return [*marked, entry(code="K-waiting")]


@pytest.fixture
def found(cases: list[Entry]) -> FollowUp:
    return follow_up(cases, LABELS)


def test_the_table_counts_every_patient_with_a_result(found: FollowUp) -> None:
    assert found.table == TABLE
    assert found.n == 28
    assert (found.answered.value, found.answered.n) == (24 / 28, 28)


def test_each_question_has_its_own_shares_of_those_with_an_answer(found: FollowUp) -> None:
    low, osteoporosis = found.agreements
    assert low.question.labels == LABELS
    assert (low.sensitivity.value, low.sensitivity.n) == (12 / 15, 15)
    assert (low.specificity.value, low.specificity.n) == (6 / 9, 9)
    assert (low.confirmed.value, low.confirmed.n) == (12 / 15, 15)
    assert (osteoporosis.sensitivity.value, osteoporosis.sensitivity.n) == (8 / 9, 9)
    assert (osteoporosis.specificity.value, osteoporosis.specificity.n) == (8 / 15, 15)
    assert (osteoporosis.confirmed.value, osteoporosis.confirmed.n) == (8 / 15, 15)


def test_the_intervals_are_wilsons(found: FollowUp) -> None:
    sensitivity = found.agreements[0].sensitivity
    assert (sensitivity.low, sensitivity.high) == pytest.approx((0.5481, 0.9295), abs=1e-4)


def test_calibration_lays_what_came_true_beside_the_score(found: FollowUp) -> None:
    assert found.calibration.n.tolist() == [9, 3, 15]
    assert found.calibration.predicted == pytest.approx([0.1, 0.5, 0.9])
    assert found.calibration.observed == pytest.approx([3 / 9, 2 / 3, 12 / 15])
    for share, interval in zip(found.calibration.observed, found.calibration_intervals, strict=True):
        assert 0 <= interval.low < share < interval.high <= 1


def test_without_results_there_are_no_numbers(entry: Callable[..., Entry]) -> None:
    found = follow_up([entry()], ("osteoporosis",))
    assert found.n == 0
    assert isnan(found.agreements[0].sensitivity.value)
    assert found.calibration.n.size == 0


def test_a_patient_counts_once_with_the_newest_result(entry: Callable[..., Entry]) -> None:
    old = entry(code="k-1 ", taken_at="2025-01-01T00:00:00+00:00")
    new = entry(code="K-1", taken_at="2026-01-01T00:00:00+00:00")
    assert one_per_patient([new, old]) == [new]


def test_two_films_of_a_patient_are_one_case(entry: Callable[..., Entry]) -> None:
    assert follow_up([entry(dxa="normal"), entry(dxa="normal")], LABELS).n == 1


def test_without_a_code_each_film_counts_once(entry: Callable[..., Entry]) -> None:
    films = [entry(code=None, image_sha256=64 * digit) for digit in "aab"]
    assert len(one_per_patient(films)) == 2


def test_two_models_are_not_mixed(entry: Callable[..., Entry]) -> None:
    both = [entry(code=digit, dxa="normal", model_sha256=64 * digit) for digit in "ab"]
    with pytest.raises(ValueError, match="several models"):
        follow_up(both, LABELS)


def test_it_reads_what_the_history_holds(history: History, record: Callable[..., Record]) -> None:
    saved = record()
    history.add(saved)
    history.mark_dxa(saved.entry.id, "osteopenia", -1.4)
    assert follow_up(history.entries(), LABELS).table["refer"]["osteopenia"] == 1
