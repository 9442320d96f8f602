"""An encrypted history is one like any other to whoever has its keys, and nothing to anybody else."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from osteo_edge.edge_app.history import encrypted
from osteo_edge.edge_app.history.connecting import connect
from osteo_edge.edge_app.history.encrypting import encrypt_history
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.former import former_databases
from osteo_edge.edge_app.history.opening import DATABASE, LOCK, damaged_databases
from osteo_edge.edge_app.history.query import Query
from osteo_edge.edge_app.history.schema import VERSION_1, VERSION_2, VERSION_3, VERSION_4
from osteo_edge.edge_app.history.store import History
from osteo_edge.edge_app.history.vault import NOT_INSTALLED, Keys, LockedError, VaultError, new_vault, read_vault
from tests.edge_app.history.made import make_record
from tests.edge_app.history.sealed import MARKERS, ONE, PIN, everything, found


@pytest.fixture
def history(folder: Path, keys: Keys) -> Iterator[History]:
    with History(folder, keys=keys) as opened:
        yield opened


def test_nothing_of_it_can_be_read_without_the_keys(folder: Path) -> None:
    assert found(folder) == list(MARKERS)
    assert ONE.image.sha256.encode() in everything(folder)
    encrypt_history(folder, PIN)
    assert found(folder) == []
    for sha256 in (ONE.image.sha256, ONE.overlay.sha256 if ONE.overlay else ""):
        assert sha256.encode() not in everything(folder)
    assert not list(folder.parent.glob("history.*"))


def test_all_of_it_is_there_with_them(history: History) -> None:
    assert history.search().entries == (ONE.entry,)
    assert history.image(ONE.image.sha256) == ONE.image
    assert [draft.fields["code"] for draft in history.drafts()] == ["K-draft"]


def test_it_is_written_and_searched_like_any_other(history: History, folder: Path) -> None:
    more = [make_record(b"film %d" % number, b"overlay", code=f"k-1042 {number}") for number in range(120)]
    assert history.add_all(more) == 120
    assert history.count(Query(code="K-1042")) == 121
    assert history.annotate(ONE.entry.id, "a hip fracture in 2019").note == "a hip fracture in 2019"
    history.delete(ONE.entry.id)
    assert history.purge_deleted(timedelta()) == 1
    with pytest.raises(HistoryError, match="no image"):
        history.image(ONE.image.sha256)
    assert history.sweep() == 0
    assert len(list((folder / "images").glob("*/*"))) == 121
    assert found(folder) == []


def test_what_is_written_while_it_is_open_is_encrypted_in_the_log_too(history: History, folder: Path) -> None:
    history.add(make_record(b"film", code="K-SECRET-9"))
    assert (folder / f"{DATABASE}-wal").stat().st_size > 0
    assert b"K-SECRET-9" not in everything(folder)


def test_without_keys_or_with_others_it_stays_shut_and_as_it_is(folder: Path, keys: Keys) -> None:
    (folder / LOCK).touch()
    before = everything(folder)
    for wrong in (None, new_vault(PIN)[1]):
        with pytest.raises(LockedError, match="enter the PIN"):
            History(folder, keys=wrong)
    assert everything(folder) == before
    assert read_vault(folder).open_with_pin(PIN) == keys


def test_a_plain_one_takes_no_keys(folder: Path) -> None:
    with pytest.raises(LockedError, match="not encrypted any more"):
        History(folder, keys=new_vault(PIN)[1])


def test_without_the_packages_it_is_one_line(folder: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encrypted, "NEEDED", ("no_such_package",))
    with pytest.raises(VaultError) as caught:
        History(folder, keys=keys)
    assert str(caught.value) == NOT_INSTALLED
    assert damaged_databases(folder) == []


def test_damage_is_told_from_a_wrong_key_and_kept_aside(folder: Path, keys: Keys) -> None:
    page = bytearray((folder / DATABASE).read_bytes())
    page[5000] ^= 1
    (folder / DATABASE).write_bytes(page)
    with History(folder, keys=keys) as history:
        assert history.damage is not None
        assert history.count() == 0
        assert history.add(ONE)
    assert len(damaged_databases(folder)) == 1
    assert found(folder) == []


def test_an_altered_or_exchanged_image_is_told(history: History, folder: Path, keys: Keys) -> None:
    film, overlay = ONE.pictures
    path, other = (folder / "images" / name[:2] / name for name in map(keys.hidden_name, (film.sha256, overlay.sha256)))
    sealed = path.read_bytes()
    path.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(HistoryError, match="was altered since it was saved"):
        history.image(film.sha256)
    path.write_bytes(other.read_bytes())
    with pytest.raises(HistoryError, match="was altered since it was saved"):
        history.image(film.sha256)
    path.write_bytes(sealed)
    assert history.image(film.sha256) == film


def columns(connection: sqlite3.Connection) -> set[str]:
    return {name for _, name, *_ in connection.execute("PRAGMA table_info(entries)")}


def test_an_older_encrypted_one_becomes_one_of_this_version(folder: Path, keys: Keys) -> None:
    with closing(sqlite3.connect(":memory:")) as old:
        for statement in (*VERSION_1, *VERSION_2, *VERSION_3, *VERSION_4[:2]):
            old.execute(statement)
        known = columns(old)
    with closing(connect(folder / DATABASE, keys)) as connection:
        connection.execute("DROP INDEX entries_by_film")
        for column in columns(connection) - known:
            connection.execute(f"ALTER TABLE entries DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 4")
    with History(folder, keys=keys) as history:
        assert history.search().entries == (ONE.entry,)
    assert [path.name for path in former_databases(folder)] == ["history.version-4.sqlite3"]
    assert found(folder) == []


def test_errors_are_those_of_sqlite3(folder: Path, keys: Keys) -> None:
    with closing(connect(folder / DATABASE, keys)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            connection.execute("SELECT * FROM no_such")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO images VALUES ('short', '')")
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")
    with closing(connect(folder / DATABASE, new_vault(PIN)[1])) as other:
        with pytest.raises(sqlite3.DatabaseError) as caught:
            other.execute("SELECT 1 FROM entries").fetchall()
        assert type(caught.value) is sqlite3.DatabaseError
