"""The history is searched in pages, quickly."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest

from osteo_edge.edge_app.history.entry import Entry, utc
from osteo_edge.edge_app.history.query import Place, Query
from osteo_edge.edge_app.history.store import History, Record

MANY = 10_000
NOW = datetime(2026, 6, 30, tzinfo=timezone.utc)


def days_ago(days: float) -> str:
    return utc(NOW - timedelta(days=days))


def codes(history: History, query: Query) -> list[str | None]:
    return [entry.patient.code for entry in history.entries(query)]


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory, record: Callable[..., Record]) -> Iterator[History]:
    with History(tmp_path_factory.mktemp("few")) as history:
        history.add_all(
            [
                record(code="K-1", taken_at=days_ago(3), outcome="refer", note="Étage 2", dxa="normal"),
                record(
                    code="k-12",
                    taken_at=days_ago(2),
                    outcome="uncertain",
                    note="50 % sicher",
                    model_sha256=64 * "b",
                ),
                record(code=None, taken_at=days_ago(1), outcome="rejected"),
                record(code="B_3", taken_at=days_ago(0), outcome="no_finding"),
            ]
        )
        yield history


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(), ["B_3", None, "k-12", "K-1"]),
        (Query(code="K-1"), ["k-12", "K-1"]),
        (Query(code="_"), ["B_3"]),
        (Query(exact_code="k-1"), ["K-1"]),
        (Query(note="étage"), ["K-1"]),
        (Query(note="%"), ["k-12"]),
        (Query(since=days_ago(2), until=days_ago(0)), [None, "k-12"]),
        (Query(outcomes=("rejected", "refer")), [None, "K-1"]),
        (Query(model_sha256=64 * "b"), ["k-12"]),
        (Query(has_dxa=True), ["K-1"]),
        (Query(code="k", has_dxa=False), ["k-12"]),
        (Query(code="'"), []),
    ],
)
def test_a_query_finds_what_it_says(few: History, query: Query, found: list[str | None]) -> None:
    assert codes(few, query) == found
    assert few.count(query) == len(found)


def test_pages_follow_each_other_though_times_are_alike(history: History, record: Callable[..., Record]) -> None:
    history.add_all(record() for _ in range(7))
    pages, after = list[tuple[Entry, ...]](), None
    while not pages or after is not None:
        page = history.search(after=after, limit=3)
        pages.append(page.entries)
        after = page.after
    assert [len(page) for page in pages] == [3, 3, 1]
    assert len({entry.id for page in pages for entry in page}) == 7


def test_a_screening_that_comes_in_between_moves_no_page(history: History, record: Callable[..., Record]) -> None:
    history.add_all(record(code=f"K-{age}", taken_at=days_ago(age)) for age in (1, 2, 3, 4))
    first = history.search(limit=2)
    history.add(record(taken_at=days_ago(0)))
    assert [entry.patient.code for entry in history.search(after=first.after).entries] == ["K-3", "K-4"]


def test_a_list_may_jump(history: History, record: Callable[..., Record]) -> None:
    history.add_all(record(code=f"K-{age}", taken_at=days_ago(age)) for age in range(7))
    page = history.search(Query(code="K-"), limit=3, offset=4)
    assert [entry.patient.code for entry in page.entries] == ["K-4", "K-5", "K-6"]
    assert (page.after, history.search(offset=7).entries) == (None, ())
    assert [entry.patient.code for entry in history.search(limit=1, offset=2).entries] == ["K-2"]


def test_a_full_last_page_says_that_it_is_the_last(history: History, record: Callable[..., Record]) -> None:
    history.add_all(record() for _ in range(4))
    assert history.search(limit=4).after is None


@pytest.mark.timed
def test_ten_thousand_are_searched_within_a_tenth_of_a_second(tmp_path: Path, record: Callable[..., Record]) -> None:
    taken = (utc(NOW - timedelta(hours=number)) for number in range(MANY))
    records = (
        record(code=f"K-{number}", taken_at=at, note="rare" if number == MANY - 1 else f"note {number}")
        for number, at in enumerate(taken)
    )
    queries = [Query(), Query(code="k-99"), Query(note="RARE"), Query(note="nowhere"), Query(until=days_ago(300))]
    with History(tmp_path) as history:
        assert history.add_all(records) == MANY
        last = history.search(Query(until=days_ago(MANY / 24 - 2))).entries[0]
        far = Place(last.taken_at, last.id)
        assert max(fastest(partial(history.search, query)) for query in queries) < 0.1
        assert max(fastest(partial(history.count, query)) for query in queries) < 0.1
        assert fastest(partial(history.search, after=far)) < 0.1
        assert max(fastest(partial(history.search, query, offset=MANY - 100)) for query in queries) < 0.1
        assert fastest(history.models) < 0.1


def fastest(function: Callable[[], object]) -> float:
    """Seconds of the fastest of three calls: the machine may be busy."""

    def once() -> float:
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    return min(once() for _ in range(3))


def test_films_that_have_a_screening_are_told_by_their_hash(history: History, record: Callable[..., Record]) -> None:
    kept = record()
    history.add(kept)
    other = "f" * 64
    assert history.screened([kept.image.sha256, other]) == {kept.image.sha256}
    history.delete(kept.entry.id)
    assert history.screened([kept.image.sha256, other]) == frozenset()
    assert history.screened([]) == frozenset()
