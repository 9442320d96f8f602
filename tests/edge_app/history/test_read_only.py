"""A disk that could only be read when the program started is written to as soon as it can be."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.store import History, Record


def test_the_second_attempt_to_save_succeeds(
    tmp_path: Path, record: Callable[..., Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    with History(tmp_path) as history:
        history.add(record(code="K-1"))
    connect = sqlite3.connect

    def connect_to_read(path: Path, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(f"{path.as_uri()}?mode=ro", uri=True, **options)
        return connection

    with monkeypatch.context() as reading:
        reading.setattr(sqlite3, "connect", connect_to_read)
        history = History(tmp_path)
    with history:
        new = record(code="K-2")
        with pytest.raises(HistoryError, match="readonly"):
            history.add(new)
        assert history.add(new)
        assert sorted(str(entry.patient.code) for entry in history.entries()) == ["K-1", "K-2"]
