"""Screenings to keep, each with its film, and a history to keep them in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from osteo_edge.edge_app.history import vault
from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.history.encrypting import encrypt_history
from osteo_edge.edge_app.history.entry import Entry, new_id
from osteo_edge.edge_app.history.store import History, Record
from osteo_edge.edge_app.history.vault import Keys
from tests.edge_app.history.made import make_entry, make_record
from tests.edge_app.history.sealed import ONE, PIN


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


@pytest.fixture
def cheap_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs is tested elsewhere."""
    monkeypatch.setattr(vault, "PIN_COST", vault.CODE_COST)


@pytest.fixture
def folder(tmp_path: Path, cheap_pin: None) -> Path:
    """A plain history with one screening and an unfinished form, to be encrypted."""
    folder = tmp_path / "history"
    with History(folder) as history:
        history.add(ONE)
        history.save_draft(Draft(new_id(), "2026-03-04T05:06:07+00:00", {"code": "K-draft"}))
    return folder


@pytest.fixture
def keys(folder: Path) -> Keys:
    """The keys of it, once it is encrypted."""
    return encrypt_history(folder, PIN)[0]
