"""A history is encrypted or decrypted whole, or stays as it was; what went before is gone."""

import errno
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from osteo_edge.edge_app.audit_trail import What
from osteo_edge.edge_app.history import encrypting, exchange
from osteo_edge.edge_app.history.connecting import connect
from osteo_edge.edge_app.history.encrypted import is_encrypted
from osteo_edge.edge_app.history.encrypting import decrypt_history, encrypt_history
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.exchange import NOT_CONFIRMED, REPLACED, REWRITTEN
from osteo_edge.edge_app.history.former import former_databases, keep_former
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.edge_app.history.store import History
from osteo_edge.edge_app.history.vault import Keys, read_vault
from osteo_edge.errors import OsteoEdgeError
from tests.edge_app.history.made import make_record
from tests.edge_app.history.sealed import MARKERS, ONE, PIN, found


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
        with pytest.raises(HistoryError, match="was altered since it was saved"):
            history.image(bad.image.sha256)
    decrypt_history(folder, keys)
    with History(folder) as history, pytest.raises(HistoryError, match="was altered since it was saved"):
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


@pytest.mark.usefixtures("cheap_pin")
def test_a_history_that_is_not_there_yet_begins_encrypted(tmp_path: Path) -> None:
    keys, _ = encrypt_history(tmp_path / "history", PIN)
    with History(tmp_path / "history", keys=keys) as history:
        history.add(ONE)
    assert found(tmp_path / "history") == []
