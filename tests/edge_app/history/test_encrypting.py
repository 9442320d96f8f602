"""An encrypted history is one like any other to whoever has its keys, and nothing to anybody else."""

import errno
import fcntl
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from osteo_edge.edge_app.audit_trail import What
from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.history import encrypted, encrypting, exchange, vault
from osteo_edge.edge_app.history.connecting import connect
from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.history.encrypted import COPY, PAGE_BYTES, VAULT, is_encrypted, looks_encrypted
from osteo_edge.edge_app.history.encrypting import decrypt_history, encrypt_history
from osteo_edge.edge_app.history.entry import new_id
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.exchange import NOT_CONFIRMED, REPLACED, REWRITTEN
from osteo_edge.edge_app.history.former import former_databases, keep_former
from osteo_edge.edge_app.history.opening import DATABASE, LOCK, damaged_databases
from osteo_edge.edge_app.history.query import Query
from osteo_edge.edge_app.history.schema import VERSION_1, VERSION_2, VERSION_3, VERSION_4
from osteo_edge.edge_app.history.store import History
from osteo_edge.edge_app.history.vault import NOT_INSTALLED, Keys, LockedError, VaultError, new_vault, read_vault
from osteo_edge.errors import OsteoEdgeError
from tests.edge_app.history.made import make_record

PIN = "719305"
MARKERS = (b"K-1042", b"hip fracture", b"A FILM OF SOMEBODY", b"WHERE IT LOOKED", b"K-draft")
ONE = make_record(b"A FILM OF SOMEBODY" * 300, b"WHERE IT LOOKED" * 20, code="K-1042", note="hip fracture")


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs is tested elsewhere."""
    monkeypatch.setattr(vault, "PIN_COST", vault.CODE_COST)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plain history with one screening and an unfinished form."""
    folder = tmp_path / "history"
    with History(folder) as history:
        history.add(ONE)
        history.save_draft(Draft(new_id(), "2026-03-04T05:06:07+00:00", {"code": "K-draft"}))
    return folder


@pytest.fixture
def keys(folder: Path) -> Keys:
    """The keys of it, once it is encrypted."""
    return encrypt_history(folder, PIN)[0]


@pytest.fixture
def history(folder: Path, keys: Keys) -> Iterator[History]:
    with History(folder, keys=keys) as opened:
        yield opened


def everything(folder: Path) -> bytes:
    """The bytes of all files around a history, their names among them."""
    files = sorted(path for path in folder.parent.rglob("*") if path.is_file())
    return b"\n".join(str(path).encode() + b"\n" + path.read_bytes() for path in files)


def found(folder: Path) -> list[bytes]:
    there = everything(folder)
    return [marker for marker in MARKERS if marker in there]


def columns(connection: sqlite3.Connection) -> set[str]:
    return {name for _, name, *_ in connection.execute("PRAGMA table_info(entries)")}


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


def without_vault(folder: Path) -> bytes:
    """Take both files with the keys away; all that is left."""
    for name in (VAULT, COPY):
        (folder / name).unlink()
    (folder / LOCK).touch()
    return everything(folder)


@pytest.mark.parametrize("has_keys", [False, True], ids=["anew", "keys in memory"])
def test_without_the_file_of_the_keys_nothing_is_opened_nor_begun_anew(
    folder: Path, keys: Keys, has_keys: bool
) -> None:
    before = without_vault(folder)
    for _ in range(2):
        with pytest.raises(
            VaultError, match=r"^[^\n]+history: the history is encrypted, [^\n]+ keys is missing: [^\n]+$"
        ):
            History(folder, keys=keys if has_keys else None)
    assert everything(folder) == before


def test_the_file_of_the_keys_opens_it_again_when_it_is_brought_back(folder: Path, keys: Keys) -> None:
    vault_file = (folder / VAULT).read_bytes()
    without_vault(folder)
    (folder / VAULT).write_bytes(vault_file)
    with History(folder, keys=keys) as history:
        assert history.image(ONE.image.sha256) == ONE.image


@pytest.mark.parametrize("pages", [range(1), range(1, 16)], ids=["the first", "all but the first"])
def test_a_damaged_one_without_its_keys_is_not_taken_for_a_plain_one(folder: Path, keys: Keys, pages: range) -> None:
    data = bytearray((folder / DATABASE).read_bytes())
    for page in pages:
        data[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = bytes(PAGE_BYTES)
    (folder / DATABASE).write_bytes(data)
    before = without_vault(folder)
    with pytest.raises(VaultError, match="keys is missing"):
        History(folder)
    assert everything(folder) == before


def test_neither_backup_nor_encryption_takes_it_for_a_plain_one(folder: Path, keys: Keys) -> None:
    before = without_vault(folder)
    with pytest.raises(VaultError, match="keys is missing"):
        write_backup(folder, folder.parent / "backup.zip")
    with pytest.raises(VaultError, match="keys is missing"):
        encrypt_history(folder, PIN)
    assert everything(folder) == before


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 3 * PAGE_BYTES, b"\xff" * PAGE_BYTES, b"no database " * 4000, bytes(range(100))],
    ids=["empty", "zeros", "erased", "text", "less than a page"],
)
def test_a_damaged_plain_one_is_not_taken_for_encrypted(folder: Path, data: bytes) -> None:
    (folder / DATABASE).write_bytes(data)
    assert not looks_encrypted(folder / DATABASE)


@pytest.mark.parametrize("screenings", [0, 40])
def test_a_plain_one_of_which_the_first_page_is_lost_is_not_taken_for_encrypted(
    tmp_path: Path, screenings: int
) -> None:
    with History(tmp_path / "history") as history:
        history.add_all(make_record(b"film %d" % number) for number in range(screenings))
    path = tmp_path / "history" / DATABASE
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])
    assert not looks_encrypted(path)


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
    with pytest.raises(HistoryError, match="altered"):
        history.image(film.sha256)
    path.write_bytes(other.read_bytes())
    with pytest.raises(HistoryError, match="altered"):
        history.image(film.sha256)
    path.write_bytes(sealed)
    assert history.image(film.sha256) == film


def test_it_is_decrypted_again_as_it_was(folder: Path, keys: Keys) -> None:
    told = list[What]()
    decrypt_history(folder, keys, tell=lambda what, /, **about: told.append(what))
    assert told == [What.DECRYPTED]
    assert not is_encrypted(folder)
    with History(folder) as history:
        assert history.search().entries == (ONE.entry,)
        assert history.image(ONE.image.sha256) == ONE.image
        assert history.sweep() == 0
    assert not list(folder.parent.glob("history.*"))


def test_deleted_screenings_and_missing_or_damaged_films_are_taken_along(folder: Path) -> None:
    gone, bad = make_record(b"gone"), make_record(b"bad")
    with History(folder) as history:
        history.add_all([gone, bad])
        history.image_file(gone.image.sha256).unlink()
        history.image_file(bad.image.sha256).write_bytes(b"bit rot")
        history.delete(ONE.entry.id)
    keys, _ = encrypt_history(folder, PIN)
    with History(folder, keys=keys) as history:
        assert history.count() == 2
        assert history.undo_delete(ONE.entry.id) == ONE.entry
        with pytest.raises(HistoryError, match="no image"):
            history.image(gone.image.sha256)
        with pytest.raises(HistoryError, match="altered"):
            history.image(bad.image.sha256)
    decrypt_history(folder, keys)
    with History(folder) as history, pytest.raises(HistoryError, match="altered"):
        history.image(bad.image.sha256)


def test_the_copy_of_an_older_version_is_encrypted_too(folder: Path) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    keep_former(folder / DATABASE, 3)
    keys, _ = encrypt_history(folder, PIN)
    (kept,) = former_databases(folder)
    assert found(folder) == []
    with closing(connect(kept, keys)) as connection:
        assert connection.execute("SELECT code FROM entries").fetchall() == [("K-1042",)]
    with History(folder, keys=keys) as history:
        history.delete(ONE.entry.id)
        history.purge_deleted(timedelta())
    with closing(connect(kept, keys)) as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (0,)


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


@pytest.mark.parametrize("keep", ["database", "exchange"])
def test_what_was_damaged_and_kept_in_clear_is_no_longer_hidden_by_it(folder: Path, keep: str) -> None:
    left = folder / "history.damaged-20260101T000000.sqlite3"
    if keep == "exchange":
        left = folder.with_name("history.replaced-20260101T000000000000") / left.name
        left.parent.mkdir()
    left.write_bytes(b"K-1042")
    with pytest.raises(HistoryError, match="move it to a safe place"):
        encrypt_history(folder, PIN)
    assert left.read_bytes() == b"K-1042"
    assert not is_encrypted(folder)


def test_it_waits_for_no_other_window(folder: Path) -> None:
    with History(folder), pytest.raises(HistoryError, match="another window has the history open"):
        encrypt_history(folder, PIN)
    assert not is_encrypted(folder)
    with History(folder) as history:
        assert history.count() == 1


def test_without_the_space_for_both_it_is_not_begun(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 1000))
    with pytest.raises(HistoryError, match="free some space"):
        encrypt_history(folder, PIN)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["history"]


class StopError(Exception):
    """What a user who stops it raises."""


@pytest.mark.parametrize("at", [0.0, 0.5])
def test_who_stops_it_finds_all_as_it_was(folder: Path, at: float) -> None:
    def stop(share: float) -> None:
        if share >= at:
            raise StopError

    with pytest.raises(StopError):
        encrypt_history(folder, PIN, on_progress=stop)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["history"]
    with History(folder) as history:
        assert history.image(ONE.image.sha256) == ONE.image


def test_what_cannot_be_recorded_is_not_done(folder: Path) -> None:
    def refuse(what: What, /, **about: object) -> None:
        raise OsteoEdgeError(f"{what}: no space")

    with pytest.raises(OsteoEdgeError, match="no space"):
        encrypt_history(folder, PIN, tell=refuse)
    assert not is_encrypted(folder)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["history"]


def test_a_power_cut_between_the_renames_leaves_the_one_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(new: Path, folder: Path) -> Path:
        folder.replace(exchange.new_place(folder, REPLACED))
        raise KeyboardInterrupt

    monkeypatch.setattr(encrypting, "put_in_place", killed)
    monkeypatch.setattr(encrypting, "wipe_folder", lambda folder: None)
    with pytest.raises(KeyboardInterrupt):
        encrypt_history(folder, PIN)
    assert not folder.exists()
    assert list(folder.parent.glob(f"history.{REWRITTEN}-*"))
    with History(folder) as history:
        assert history.search().entries == (ONE.entry,)
        history.sweep()
    assert sorted(path.name for path in folder.parent.iterdir()) == ["history"]


def refuse_to_confirm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fails where the names of the exchanged folders are to be brought to it."""

    def failing(which: Path) -> None:
        if list(which.glob(f"history.{REPLACED}-*")):
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(exchange, "sync_folder", failing)


def test_encrypted_and_not_confirmed_by_the_disk_is_told_as_that(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warnings = list[str]()
    with monkeypatch.context() as patched:
        refuse_to_confirm(patched)
        keys, code = encrypt_history(folder, PIN, warn=warnings.append)
    assert warnings == [NOT_CONFIRMED]
    assert read_vault(folder).open_with_code(code) == keys
    assert list(folder.parent.glob(f"history.{REPLACED}-*"))  # a power cut may bring it back
    with History(folder, keys=keys) as history:
        assert history.search().entries == (ONE.entry,)
        history.sweep()
    assert found(folder) == []
    assert [path.name for path in folder.parent.glob("history.*")] == []


def test_decrypted_and_not_confirmed_by_the_disk_is_told_as_that(
    folder: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings = list[str]()
    with monkeypatch.context() as patched:
        refuse_to_confirm(patched)
        decrypt_history(folder, keys, warn=warnings.append)
    assert warnings == [NOT_CONFIRMED]
    with History(folder) as history:
        assert history.search().entries == (ONE.entry,)


def test_what_is_left_of_the_plain_one_goes_at_the_next_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(encrypting, "wipe_folder", lambda folder: None)
        keys, _ = encrypt_history(folder, PIN)
    assert found(folder) == list(MARKERS)
    with History(folder, keys=keys) as history:
        history.sweep()
    assert found(folder) == []


def test_a_history_that_is_not_there_yet_begins_encrypted(tmp_path: Path) -> None:
    keys, _ = encrypt_history(tmp_path / "history", PIN)
    with History(tmp_path / "history", keys=keys) as history:
        history.add(ONE)
    assert found(tmp_path / "history") == []


def test_a_closed_history_says_so(folder: Path) -> None:
    history = History(folder)
    history.close()
    with pytest.raises(HistoryError, match="was closed"):
        history.count()


def test_whoever_waited_for_the_lock_opens_the_history_that_is_there_now(folder: Path) -> None:
    """The folder was exchanged between the opening of the lock file and its lock."""
    aside = folder.with_name("aside")
    shutil.copytree(folder, aside)
    real = fcntl.flock
    calls = list[int]()

    def slow(lock: object, how: int) -> None:
        calls.append(how)
        if how == fcntl.LOCK_SH and calls.count(how) == 1:
            shutil.rmtree(folder)
            aside.rename(folder)
        real(lock, how)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fcntl, "flock", slow)
        history = History(folder)
    with history, (folder / LOCK).open("ab") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_damaged_vault_does_not_end_the_history(folder: Path, keys: Keys) -> None:
    (folder / VAULT).write_bytes(b"\0" * 100)
    with History(folder, keys=keys) as history:
        assert history.count() == 1
    assert (folder / VAULT).read_bytes() == (folder / COPY).read_bytes()


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
