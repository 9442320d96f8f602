"""Thousands of screenings as if they were all there: the pages of a list that are looked at, and which are missing."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from osteo_edge.edge_app.history.entry import Entry

PAGE_ROWS: Final = 50
KEPT_PAGES: Final = 12


class PagedEntries:
    """What is known of `count` screenings, by their place in the list; the pages not looked at for longest go."""

    def __init__(self, count: int = 0, *, page_rows: int = PAGE_ROWS, kept_pages: int = KEPT_PAGES) -> None:
        self.count = count
        self.page_rows = page_rows
        self._kept_pages = kept_pages
        self._pages: OrderedDict[int, tuple[Entry, ...]] = OrderedDict()

    def entry(self, index: int) -> Entry | None:
        """The screening at a place; None where its page has not been read, or it is not there any more."""
        page = self._pages.get(index // self.page_rows, ())
        within = index % self.page_rows
        return page[within] if within < len(page) else None

    def missing(self, first: int, last: int) -> tuple[int, ...]:
        """The pages that must be read to show the places from `first` to `last`, in their order."""
        wanted = self._pages_of(first, last)
        for page in wanted:
            if page in self._pages:
                self._pages.move_to_end(page)
        return tuple(page for page in wanted if page not in self._pages)

    def put(self, page: int, entries: Iterable[Entry]) -> None:
        """Keep a page that has been read."""
        self._pages[page] = tuple(entries)
        self._pages.move_to_end(page)
        while len(self._pages) > self._kept_pages:
            self._pages.popitem(last=False)

    def _pages_of(self, first: int, last: int) -> range:
        low, high = max(0, first), min(last, self.count - 1)
        return range(low // self.page_rows, high // self.page_rows + 1) if low <= high else range(0)
