"""Screenings to keep, each with its film, and a history to keep them in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from osteo_edge.edge_app.history.entry import Entry
from osteo_edge.edge_app.history.store import History, Record
from tests.edge_app.history.made import make_entry, make_record


@pytest.fixture(scope="session")
def entry() -> Callable[..., Entry]:
    return make_entry


@pytest.fixture(scope="session")
def record() -> Callable[..., Record]:
    return make_record


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "history") as opened:
        yield opened
