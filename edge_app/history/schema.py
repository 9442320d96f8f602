"""The tables of the history, and how those of each older version become those of this one."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.former import former_databases, keep_former
from osteo_edge.edge_app.history.vault import Keys
from osteo_edge.findings import finding_called
from osteo_edge.wording import Finding

VERSION_1 = (
    """
    CREATE TABLE images (
        sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64),
        suffix TEXT NOT NULL
    )""",
    """
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
    )""",
    "CREATE INDEX entries_by_time ON entries (taken_at, id) WHERE deleted_at IS NULL",
    "CREATE INDEX entries_by_image ON entries (image_sha256)",
    "CREATE INDEX entries_by_overlay ON entries (overlay_sha256)",
)
VERSION_2 = (
    "ALTER TABLE entries ADD COLUMN image_stats TEXT NOT NULL DEFAULT '{}'",
    "CREATE TABLE drafts (id TEXT PRIMARY KEY, saved_at TEXT NOT NULL, fields TEXT NOT NULL)",
)
VERSION_3 = (
    "ALTER TABLE entries ADD COLUMN warnings TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE entries ADD COLUMN intended_use TEXT",
    "ALTER TABLE entries ADD COLUMN is_demo INTEGER NOT NULL DEFAULT 0 CHECK (is_demo IN (0, 1))",
)
VERSION_4 = (
    "ALTER TABLE entries ADD COLUMN finding TEXT NOT NULL DEFAULT 'density' "
    "CHECK (finding IN ('density', 'abnormality'))",
    "ALTER TABLE entries ADD COLUMN bone TEXT",
    "UPDATE entries SET finding = finding_of(probabilities)",
    "UPDATE entries SET finding = 'abnormality' WHERE probabilities = '{}' "
    "AND model_sha256 IN (SELECT model_sha256 FROM entries WHERE finding = 'abnormality')",
)
"""What a model looks for is told by its labels, and of an answer without any by the model's other answers."""
VERSION_5 = (
    "ALTER TABLE entries ADD COLUMN decided TEXT CHECK (decided IN ('followed', 'otherwise'))",
    "ALTER TABLE entries ADD COLUMN override_reason TEXT NOT NULL DEFAULT ''",
)
VERSION_6 = (
    "ALTER TABLE entries ADD COLUMN film_sha256 TEXT",
    "CREATE INDEX entries_by_film ON entries (film_sha256)",
)
MIGRATIONS = (VERSION_1, VERSION_2, VERSION_3, VERSION_4, VERSION_5, VERSION_6)
"""The statements that lead from each version to the next; a released one is never changed."""


def migrate(connection: sqlite3.Connection, path: Path, keys: Keys | None = None) -> None:
    """Bring the tables of the open database `path` to this version, all or nothing; it is kept as it was before.

    Raises `HistoryError` for a history that a newer version of the program wrote.
    """
    if version(connection) == len(MIGRATIONS):
        return
    connection.create_function("finding_of", 1, _finding_of, deterministic=True)
    with transaction(connection):
        found = version(connection)  # another process may have been faster
        if found > len(MIGRATIONS):
            raise _newer(path, found)
        if found:
            keep_former(path, found, keys)
        for number, statements in enumerate(MIGRATIONS[found:], start=found + 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")


def _finding_of(probabilities: str) -> Finding:
    """What an answer speaks of, by the probabilities of its positive labels as the row has them."""
    try:
        named = json.loads(probabilities)
    except ValueError:  # no entry, which is told of where it is read
        return "density"
    return finding_called(named) if isinstance(named, dict) else "density"


def _newer(path: Path, found: int) -> HistoryError:
    known, kept = len(MIGRATIONS), former_databases(path.parent)
    if kept:
        return HistoryError(
            f"{path}: a newer version of osteo-edge wrote this history (version {found}, known are up to {known}); "
            f"update osteo-edge, or choose another folder; as it was before that version, it is kept at {kept[-1]}"
        )
    return HistoryError(
        f"{path}: a newer version of osteo-edge wrote this history (version {found}, known are up to {known}); "
        "update osteo-edge, or choose another folder"
    )


def version(connection: sqlite3.Connection) -> int:
    """The version of the tables; 0 for an empty database."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, and alone among the writers from the start: nobody writes between what it reads and writes."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
