"""A history of each older version opens in this one, with all that it held."""

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.edge_app.history import schema
from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.history.entry import new_id
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.former import former_databases
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.edge_app.history.schema import MIGRATIONS
from osteo_edge.edge_app.history.store import History, Record

OF_VERSION_2 = """
    ALTER TABLE entries ADD COLUMN image_stats TEXT NOT NULL DEFAULT '{}';
    CREATE TABLE drafts (id TEXT PRIMARY KEY, saved_at TEXT NOT NULL, fields TEXT NOT NULL);
    UPDATE entries SET image_stats = '{"mean": 0.4}';
    INSERT INTO drafts VALUES ('3', '2026-01-01T00:00:00+00:00', '{"code": "K-18"}');
    PRAGMA user_version = 2;
"""
OF_VERSION_3 = """
    ALTER TABLE entries ADD COLUMN warnings TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE entries ADD COLUMN intended_use TEXT;
    ALTER TABLE entries ADD COLUMN is_demo INTEGER NOT NULL DEFAULT 0 CHECK (is_demo IN (0, 1));
    UPDATE entries SET warnings = '["a photo"]', intended_use = 'Screening', is_demo = 1;
    PRAGMA user_version = 3;
"""
OF_VERSION_4 = """
    ALTER TABLE entries ADD COLUMN finding TEXT NOT NULL DEFAULT 'density'
        CHECK (finding IN ('density', 'abnormality'));
    ALTER TABLE entries ADD COLUMN bone TEXT;
    UPDATE entries SET finding = 'abnormality', bone = 'elbow';
    PRAGMA user_version = 4;
"""
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


def write_history(folder: Path, *more: str) -> Path:
    """Write a history of version 1, as that version would have, and what `more` makes of it."""
    connection = sqlite3.connect(folder / DATABASE)
    connection.executescript("".join((VERSION_1, OF_VERSION_1.format(id="1" * 32, image="a" * 64), *more)))
    connection.close()
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a history of version 1 lies."""
    return write_history(tmp_path)


@pytest.fixture(params=[(), (OF_VERSION_2,), (OF_VERSION_2, OF_VERSION_3)], ids=["version 1", "version 2", "version 3"])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where a history of each older version lies."""
    return write_history(tmp_path, *request.param)


def rewrite(folder: Path, statement: str, *values: str) -> None:
    """Change what is in a history as its version would have."""
    connection = sqlite3.connect(folder / DATABASE)
    with connection:
        connection.execute(statement, values)
    connection.close()


def copy_rejected(folder: Path, entry_id: str, model: str) -> None:
    """Add the screening of the history once more, of another model perhaps, and rejected."""
    rewrite(folder, "CREATE TABLE other AS SELECT * FROM entries WHERE id = ?", "1" * 32)
    rewrite(
        folder,
        "UPDATE other SET id = ?, model_sha256 = ?, outcome = 'rejected', probabilities = '{}', score = NULL",
        entry_id,
        model,
    )
    rewrite(folder, "INSERT INTO entries SELECT * FROM other")
    rewrite(folder, "DROP TABLE other")


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


def dump_of(database: Path) -> list[str]:
    """All that is in a database, with its version."""
    connection = sqlite3.connect(database)
    try:
        return [f"version {schema.version(connection)}", *connection.iterdump()]
    finally:
        connection.close()


def test_a_history_of_version_1_keeps_its_screenings(folder: Path) -> None:
    with History(folder) as history:
        (found,) = history.search().entries
    assert (found.patient.code, found.note, found.dxa, found.t_score) == ("K-17", "left knee", "osteopenia", -1.7)
    assert found.image_stats == {}
    assert version_of(folder) == len(MIGRATIONS)


def test_a_history_of_version_2_keeps_its_screenings_and_drafts(tmp_path: Path) -> None:
    with History(write_history(tmp_path, OF_VERSION_2)) as history:
        (found,) = history.search().entries
        assert (found.note, found.image_stats) == ("left knee", {"mean": 0.4})
        assert [draft.fields for draft in history.drafts()] == [{"code": "K-18"}]


def test_a_history_of_version_3_keeps_its_screenings(tmp_path: Path) -> None:
    with History(write_history(tmp_path, OF_VERSION_2, OF_VERSION_3)) as history:
        (found,) = history.search().entries
        assert [draft.fields for draft in history.drafts()] == [{"code": "K-18"}]
    assert (found.warnings, found.intended_use, found.is_demo) == (("a photo",), "Screening", True)
    assert (found.note, found.dxa, found.t_score, found.image_stats) == ("left knee", "osteopenia", -1.7, {"mean": 0.4})
    assert version_of(tmp_path) == len(MIGRATIONS)


def test_a_history_of_version_4_keeps_its_screenings_and_takes_decisions(tmp_path: Path) -> None:
    with History(write_history(tmp_path, OF_VERSION_2, OF_VERSION_3, OF_VERSION_4)) as history:
        (found,) = history.search().entries
        assert (found.finding, found.bone, found.dxa, found.note) == ("abnormality", "elbow", "osteopenia", "left knee")
        assert (found.decided, found.override_reason) == (None, "")
        history.decide(found.id, "otherwise", "an old fracture")
    with History(tmp_path) as history:
        (found,) = history.search().entries
    assert (found.decided, found.override_reason) == ("otherwise", "an old fracture")
    assert [path.name for path in former_databases(tmp_path)] == ["history.version-4.sqlite3"]


def test_an_answer_of_an_older_version_about_osteoporosis_was_about_bone_density(older: Path) -> None:
    with History(older) as history:
        (found,) = history.search().entries
    assert (found.finding, found.bone) == ("density", None)


@pytest.mark.parametrize(
    ("probabilities", "finding"),
    [
        ('{"abnormal": 0.8}', "abnormality"),
        ('{"Elbow ABNORMAL": 0.5, "wrist abnormal": 0.3}', "abnormality"),
        ('{"abnormal": 0.5, "osteoporosis": 0.3}', "density"),
        ('{"paranormal": 0.8}', "density"),
        ('{"abnormal density": 0.8}', "density"),
        ("{}", "density"),
    ],
)
def test_what_an_answer_of_an_older_version_spoke_of_is_told_by_its_labels(
    older: Path, probabilities: str, finding: str
) -> None:
    rewrite(older, "UPDATE entries SET probabilities = ?", probabilities)
    with History(older) as history:
        (found,) = history.search().entries
    assert (found.finding, found.bone) == (finding, None)
    (kept,) = former_databases(older)
    assert probabilities in "".join(dump_of(kept))


def test_a_rejected_film_of_an_older_version_is_of_what_its_model_looks_for(older: Path) -> None:
    rewrite(older, "UPDATE entries SET probabilities = ?", '{"abnormal": 0.8}')
    for number, model in (("2", "a"), ("3", "b")):
        copy_rejected(older, number * 32, model * 64)
    with History(older) as history:
        assert {one.id[0]: one.finding for one in history.entries()} == {
            "1": "abnormality",
            "2": "abnormality",
            "3": "density",
        }


@pytest.mark.parametrize("broken", ["no JSON", '["abnormal"]', "[1]"])
def test_a_row_that_someone_else_wrote_does_not_keep_the_history_from_opening(older: Path, broken: str) -> None:
    rewrite(older, "UPDATE entries SET probabilities = ?", broken)
    with History(older) as history:
        assert history.count() == 1
    assert version_of(older) == len(MIGRATIONS)


@pytest.mark.parametrize("more", [(), (OF_VERSION_2,)], ids=["version 1", "version 2"])
def test_what_an_older_version_did_not_keep_is_not_made_up(tmp_path: Path, more: tuple[str, ...]) -> None:
    with History(write_history(tmp_path, *more)) as history:
        (found,) = history.search().entries
    assert (found.intended_use, found.is_demo, found.warnings) == (None, False, ())
    assert found.reasons == ("score 0.80",)


def test_a_history_of_version_1_takes_what_is_new(folder: Path, record: Callable[..., Record]) -> None:
    draft = Draft(new_id(), "2026-01-01T00:00:00+00:00", {"code": "K-18"})
    with History(folder) as history:
        history.add(record())
        history.save_draft(draft)
    with History(folder) as history:
        assert [entry.image_stats for entry in history.entries()] == [{"mean": 0.4, "contrast": 0.2}, {}]
        assert history.drafts() == (draft,)


def test_an_old_history_ends_with_the_tables_of_a_new_one(older: Path, tmp_path: Path) -> None:
    for place in (older, tmp_path / "new"):
        History(place).close()
    assert columns_of(older) == columns_of(tmp_path / "new")


def test_a_migration_that_breaks_off_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (MIGRATIONS[0], (*MIGRATIONS[1], "CREATE TABLE drafts (id)")))
    with pytest.raises(HistoryError, match="cannot be opened"):
        History(folder)
    monkeypatch.undo()
    assert version_of(folder) == 1
    with History(folder) as history:
        assert history.count() == 1


def test_an_older_history_is_kept_as_it_was(older: Path) -> None:
    """The version that wrote it opens the copy again, and nothing of it is missing there."""
    before = dump_of(older / DATABASE)
    History(older).close()
    (kept,) = former_databases(older)
    assert dump_of(kept) == before
    assert [path.name for path in older.iterdir() if "partial" in path.name or "-wal" in path.name] == []
    History(older).close()
    assert former_databases(older) == [kept]


def test_only_the_last_version_before_this_one_is_kept(tmp_path: Path) -> None:
    (tmp_path / "history.version-0.sqlite3").write_bytes(b"K-1042")
    os.link(tmp_path / "history.version-0.sqlite3", tmp_path / "blocks")  # sees what is left in them
    History(write_history(tmp_path)).close()
    assert [path.name for path in former_databases(tmp_path)] == ["history.version-1.sqlite3"]
    assert (tmp_path / "blocks").read_bytes() == bytes(6)


def test_a_new_history_has_nothing_from_before(tmp_path: Path) -> None:
    History(tmp_path).close()
    assert former_databases(tmp_path) == []


def test_without_space_for_the_copy_the_history_stays_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dump_of(folder / DATABASE)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HistoryError, match=r"cannot be opened \(No space left on device\); free some space"):
        History(folder)
    monkeypatch.undo()
    assert dump_of(folder / DATABASE) == before
    assert former_databases(folder) == []


def test_what_is_removed_for_good_is_removed_from_what_an_older_version_left(tmp_path: Path) -> None:
    with History(write_history(tmp_path, OF_VERSION_2)) as history:
        (kept,) = former_databases(tmp_path)
        assert b"left knee" in kept.read_bytes()
        assert b"K-18" in kept.read_bytes()
        assert history.purge_older_than(1) == 1
    assert former_databases(tmp_path) == [kept]
    assert b"left knee" not in kept.read_bytes()
    assert b"K-18" not in kept.read_bytes()


def test_whoever_goes_back_is_told_where_the_history_of_before_is(folder: Path) -> None:
    History(folder).close()
    connection = sqlite3.connect(folder / DATABASE)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(
        HistoryError, match=r"as it was before that version, it is kept at .*history\.version-1\.sqlite3"
    ):
        History(folder)


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


def test_no_other_finding_gets_in(folder: Path) -> None:
    History(folder).close()
    connection = sqlite3.connect(folder / DATABASE)
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        connection.execute("UPDATE entries SET finding = 'none'")
    connection.close()
