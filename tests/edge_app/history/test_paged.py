"""A long list of which only some pages are in memory."""

from osteo_edge.edge_app.history.paged import PagedEntries
from tests.edge_app.history.made import make_entry


def page(number: int, rows: int = 3) -> list[str]:
    return [f"{number}.{row}" for row in range(rows)]


def entries(codes: list[str]) -> list:  # type: ignore[type-arg]
    return [make_entry(code=code) for code in codes]


def code(paged: PagedEntries, index: int) -> str | None:
    entry = paged.entry(index)
    return None if entry is None else entry.patient.code


def test_what_is_in_sight_and_not_read_is_missing() -> None:
    paged = PagedEntries(10, page_rows=3)
    assert paged.missing(2, 4) == (0, 1)
    paged.put(1, entries(page(1)))
    assert paged.missing(2, 4) == (0,)
    assert [code(paged, index) for index in (2, 3, 5, 6)] == [None, "1.0", "1.2", None]


def test_nothing_beyond_the_ends_is_missing() -> None:
    paged = PagedEntries(10, page_rows=3)
    assert paged.missing(-5, 1) == (0,)
    assert paged.missing(8, 40) == (2, 3)
    assert paged.missing(0, -1) == ()
    assert PagedEntries(0).missing(0, 5) == ()


def test_a_page_that_has_become_shorter_leaves_places_unknown() -> None:
    paged = PagedEntries(6, page_rows=3)
    paged.put(1, entries(page(1, rows=1)))
    assert [code(paged, index) for index in (3, 4)] == ["1.0", None]
    assert paged.missing(3, 5) == ()


def test_pages_not_looked_at_for_longest_go() -> None:
    paged = PagedEntries(12, page_rows=3, kept_pages=2)
    for number in (0, 1):
        paged.put(number, entries(page(number)))
    assert paged.missing(0, 2) == ()
    paged.put(2, entries(page(2)))
    assert [code(paged, index) for index in (0, 3, 6)] == ["0.0", None, "2.0"]
