"""A history of each older version opens in this one, with all that it held."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.edge_app.history import schema
from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.history.entry import new_id
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.edge_app.history.schema import MIGRATIONS
from osteo_edge.edge_app.history.store import History, Record

VERSION_1 = """
    CREATE TABLE images (
        sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64),
        suffix TEXT NOT NULL
    );
    CREATE TABLE entries (
        id TEXT PRIMARY KEY CHECK (length(id) = 32),
        taken_at TEXT NOT NULL,
        code TEXT,
        age_years INTEGER,
        sex TEXT CHECK (sex IN ('female', 'male', 'other')),
        weight_kg REAL,
        outcome TEXT NOT NULL CHECK (outcome IN ('refer', 'no_finding', 'uncertain', 'rejected')),
        probabilities TEXT NOT NULL,
        score REAL,
        threshold REAL NOT NULL,
        abstain_low REAL,
        abstain_high REAL,
        reasons TEXT NOT NULL,
        image_sha256 TEXT NOT NULL REFERENCES images (sha256),
        overlay_sha256 TEXT REFERENCES images (sha256),
        model_name TEXT NOT NULL,
        model_sha256 TEXT NOT NULL,
        software TEXT NOT NULL,
        milliseconds TEXT NOT NULL,
        note TEXT NOT NULL,
        dxa TEXT CHECK (dxa IN ('normal', 'osteopenia', 'osteoporosis')),
        t_score REAL,
        deleted_at TEXT
    );
    CREATE INDEX entries_by_time ON entries (taken_at, id) WHERE deleted_at IS NULL;
    CREATE INDEX entries_by_image ON entries (image_sha256);
    CREATE INDEX entries_by_overlay ON entries (overlay_sha256);
"""
OF_VERSION_1 = """
    INSERT INTO images VALUES ('{image}', '.jpg');
    INSERT INTO entries VALUES (
        '{id}', '2025-12-31T23:00:00+00:00', 'K-17', 63, 'female', 58.5, 'refer', '{{"osteoporosis": 0.8}}', 0.8, 0.5,
        0.45, 0.55, '["score 0.80"]', '{image}', NULL, 'knee', '{image}', 'osteo-edge 0.1.0', '{{"infer": 80.0}}',
        'left knee', 'osteopenia', -1.7, NULL
    );
    PRAGMA user_version = 1;
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a history of version 1 lies, as that version would have written it."""
    connection = sqlite3.connect(tmp_path / DATABASE)
    connection.executescript(VERSION_1 + OF_VERSION_1.format(id="1" * 32, image="a" * 64))
    connection.close()
    return tmp_path


def version_of(folder: Path) -> int:
    connection = sqlite3.connect(folder / DATABASE)
    try:
        return schema.version(connection)
    finally:
        connection.close()


def columns_of(folder: Path) -> list[tuple[object, ...]]:
    """Every column of every table and index, with all that SQLite says of it."""
    connection = sqlite3.connect(folder / DATABASE)
    try:
        names = connection.execute("SELECT type, name FROM sqlite_master ORDER BY name").fetchall()
        return [
            (name, *column)
            for kind, name in names
            for column in connection.execute(f"PRAGMA {kind}_xinfo({name})").fetchall()
        ]
    finally:
        connection.close()


def test_a_history_of_version_1_keeps_its_screenings(folder: Path) -> None:
    with History(folder) as history:
        (found,) = history.search().entries
    assert (found.patient.code, found.note, found.dxa, found.t_score) == ("K-17", "left knee", "osteopenia", -1.7)
    assert found.image_stats == {}
    assert version_of(folder) == len(MIGRATIONS)


def test_a_history_of_version_1_takes_what_is_new(folder: Path, record: Callable[..., Record]) -> None:
    draft = Draft(new_id(), "2026-01-01T00:00:00+00:00", {"code": "K-18"})
    with History(folder) as history:
        history.add(record())
        history.save_draft(draft)
    with History(folder) as history:
        assert [entry.image_stats for entry in history.entries()] == [{"mean": 0.4, "contrast": 0.2}, {}]
        assert history.drafts() == (draft,)


def test_an_old_history_ends_with_the_tables_of_a_new_one(folder: Path, tmp_path: Path) -> None:
    for place in (folder, tmp_path / "new"):
        History(place).close()
    assert columns_of(folder) == columns_of(tmp_path / "new")


def test_a_migration_that_breaks_off_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (MIGRATIONS[0], (*MIGRATIONS[1], "CREATE TABLE drafts (id)")))
    with pytest.raises(HistoryError, match="cannot be opened"):
        History(folder)
    monkeypatch.undo()
    assert version_of(folder) == 1
    with History(folder) as history:
        assert history.count() == 1


def test_a_history_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with History(tmp_path):
        pass
    connection = sqlite3.connect(tmp_path / DATABASE)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(HistoryError, match=r"history\.sqlite3: a newer version .* update osteo-edge"):
        History(tmp_path)
    assert version_of(tmp_path) == 99


def test_no_other_outcome_gets_in(folder: Path) -> None:
    connection = sqlite3.connect(folder / DATABASE)
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        connection.execute("UPDATE entries SET outcome = 'healthy'")
    connection.close()
