import errno
import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from zipfile import ZipInfo

import pytest

from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.exports.backup_contents import CONTENTS, BackupError
from osteo_edge.edge_app.exports.restoring import restore_backup
from osteo_edge.edge_app.history.encrypting import encrypt_history
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.images import Picture, image_path, write_image
from osteo_edge.edge_app.history.opening import DATABASE, open_database
from osteo_edge.errors import OsteoEdgeError

PICTURES = (Picture(b"first film" * 1000, ".jpg"), Picture(b"second film", ".dcm"), Picture(b"third", ""))


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A history of three images."""
    folder = tmp_path / "history"
    opened = open_database(folder)
    for picture in PICTURES:
        write_image(folder, picture)
        opened.connection.execute("INSERT INTO images VALUES (?, ?)", (picture.sha256, picture.suffix))
    opened.close()
    return folder


@pytest.fixture
def backup(tmp_path: Path, history: Path) -> Path:
    return write_backup(history, tmp_path / "backup.zip").path


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def hashes(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        return {sha256 for (sha256,) in connection.execute("SELECT sha256 FROM images")}


def repack(backup: Path, **changes: bytes | None) -> Path:
    """The backup with members changed, added, or, for None, left out; `contents` stands for the list of contents."""
    with zipfile.ZipFile(backup) as archive:
        members: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    members |= {CONTENTS if name == "contents" else name: data for name, data in changes.items()}
    changed = backup.with_name("changed.zip")
    with zipfile.ZipFile(changed, "w") as archive:
        for name, data in members.items():
            if data is not None:
                archive.writestr(name, data)
    return changed


def refused(path: Path, words: str) -> None:
    """Assert that the backup is refused with one line that has these words, and leaves nothing behind."""
    folder = path.parent / "restored"
    before = sorted(path.parent.iterdir())
    with pytest.raises(BackupError, match=words) as caught:
        restore_backup(path, folder)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert sorted(path.parent.iterdir()) == before


def test_what_is_backed_up_is_restored(tmp_path: Path, history: Path) -> None:
    backup = write_backup(history, tmp_path / "stick" / "backup.zip")
    assert (backup.images, backup.damaged, backup.missing) == (3, (), ())
    assert backup.size_bytes == backup.path.stat().st_size
    assert list(backup.path.parent.iterdir()) == [backup.path]
    contents = restore_backup(backup.path, tmp_path / "new" / "history")
    assert len(contents.files) == 4
    restored = files(tmp_path / "new" / "history")
    images = {image_path(Path(), each.sha256, each.suffix).as_posix(): each.data for each in PICTURES}
    assert restored == {DATABASE: restored[DATABASE], **images}
    assert hashes(tmp_path / "new" / "history") == {picture.sha256 for picture in PICTURES}
    open_database(tmp_path / "new" / "history").close()


def test_while_a_backup_is_written_the_history_is_not_encrypted(tmp_path: Path, history: Path) -> None:
    def encrypt(share: float) -> None:
        with pytest.raises(HistoryError, match=r"not encrypted: [^\n]*a backup is being written"):
            encrypt_history(history, "719305")

    backup = write_backup(history, tmp_path / "backup.zip", on_progress=encrypt)
    assert (backup.images, backup.damaged, backup.missing) == (3, (), ())
    encrypt_history(history, "719305")


def test_while_the_history_is_encrypted_no_backup_is_written(tmp_path: Path, history: Path) -> None:
    def back_up(share: float) -> None:
        with pytest.raises(HistoryError, match=r"the backup was not written: [^\n]*try again when that is done$"):
            write_backup(history, tmp_path / "backup.zip")

    keys, _ = encrypt_history(history, "719305", on_progress=back_up)
    assert not (tmp_path / "backup.zip").exists()
    assert write_backup(history, tmp_path / "backup.zip", keys=keys).missing == ()


def test_an_exchange_just_before_the_lock_is_noticed(
    tmp_path: Path, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that was locked is not the one that has its name by now."""
    real = fcntl.flock

    def late(lock: int, how: int) -> None:
        history.rename(tmp_path / "before")
        shutil.copytree(tmp_path / "before", history)
        real(lock, how)

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", late)
        with pytest.raises(HistoryError, match="try again when that is done"):
            write_backup(history, tmp_path / "backup.zip")
    assert not (tmp_path / "backup.zip").exists()


def test_a_history_in_use_is_backed_up_with_what_was_committed(tmp_path: Path, history: Path) -> None:
    opened = open_database(history)
    opened.connection.execute("INSERT INTO images VALUES (?, '')", ("d" * 64,))  # in the write-ahead log only
    opened.connection.execute("BEGIN IMMEDIATE")
    opened.connection.execute("INSERT INTO images VALUES (?, '')", ("e" * 64,))
    backup = write_backup(history, tmp_path / "backup.zip")
    opened.connection.execute("ROLLBACK")
    opened.close()
    restore_backup(backup.path, tmp_path / "restored")
    assert hashes(tmp_path / "restored") == {*(picture.sha256 for picture in PICTURES), "d" * 64}


def test_a_damaged_image_is_copied_and_named_and_strange_files_are_left_out(tmp_path: Path, history: Path) -> None:
    path = image_path(history, PICTURES[0].sha256, PICTURES[0].suffix)
    path.write_bytes(b"bit rot")
    path.with_name("Thumbs.db").touch()
    backup = write_backup(history, tmp_path / "backup.zip")
    assert backup.damaged == (path.relative_to(history).as_posix(),)
    assert backup.images == 3
    restore_backup(backup.path, tmp_path / "restored")


def test_a_missing_image_is_named_and_the_others_are_backed_up(tmp_path: Path, history: Path) -> None:
    gone = image_path(history, PICTURES[1].sha256, PICTURES[1].suffix)
    gone.unlink()
    backup = write_backup(history, tmp_path / "backup.zip")
    assert (backup.images, backup.missing) == (2, (gone.relative_to(history).as_posix(),))
    restore_backup(backup.path, tmp_path / "restored")
    assert hashes(tmp_path / "restored") == hashes(history)


def test_how_far_it_is_is_told_and_it_can_be_stopped(tmp_path: Path, history: Path) -> None:
    shares = list[float]()
    write_backup(history, tmp_path / "backup.zip", on_progress=shares.append)
    assert shares == sorted(shares)
    assert (0 < shares[0] < 1, shares[-1]) == (True, 1.0)
    stick = tmp_path / "stick"

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_backup(history, stick / "backup.zip", on_progress=stop)
    assert list(stick.iterdir()) == []


def test_an_image_that_is_purged_meanwhile_is_left_out(
    tmp_path: Path, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = image_path(history, PICTURES[0].sha256, PICTURES[0].suffix)
    real = ZipInfo.from_file

    def purge_first(source: Path, name: str, **options: bool) -> ZipInfo:
        gone.unlink(missing_ok=True)
        return real(source, name, **options)

    monkeypatch.setattr(ZipInfo, "from_file", purge_first)
    backup = write_backup(history, tmp_path / "backup.zip")
    assert (backup.images, backup.missing) == (2, (gone.relative_to(history).as_posix(),))
    restore_backup(backup.path, tmp_path / "restored")


@pytest.mark.parametrize("moment", [0.0, 2**32], ids=["1970", "2106"])
def test_an_image_of_a_clock_that_was_wrong_is_backed_up(tmp_path: Path, history: Path, moment: float) -> None:
    for path in (history / "images").rglob("*.*"):
        os.utime(path, (moment, moment))
    backup = write_backup(history, tmp_path / "backup.zip")
    assert (backup.images, backup.damaged, backup.missing) == (3, (), ())
    restore_backup(backup.path, tmp_path / "restored")


def test_no_history_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no history to back up"):
        write_backup(tmp_path, tmp_path / "backup.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_is_not_backed_up(tmp_path: Path, history: Path) -> None:
    (history / DATABASE).write_bytes(b"no database" * 1000)
    with pytest.raises(BackupError, match=r"cannot be backed up \(file is not a database\); start the app"):
        write_backup(history, tmp_path / "backup.zip")
    assert list(tmp_path.iterdir()) == [history]


def test_a_full_disk_leaves_the_older_backup(history: Path, backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = backup.read_bytes()

    def fill_up(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("osteo_edge.edge_app.exports.backup.os.fsync", fill_up)
    with pytest.raises(OsteoEdgeError, match=r"the backup cannot be written \(No space left on device\)"):
        write_backup(history, backup)
    assert backup.read_bytes() == older
    assert sorted(backup.parent.iterdir()) == [backup, history]


def test_a_folder_with_something_in_it_is_not_restored_to(backup: Path, history: Path) -> None:
    before = files(history)
    with pytest.raises(OsteoEdgeError, match="something already"):
        restore_backup(backup, history)
    assert files(history) == before


def test_an_empty_folder_is_restored_to(tmp_path: Path, backup: Path) -> None:
    (tmp_path / "restored").mkdir()
    restore_backup(backup, tmp_path / "restored")
    assert (tmp_path / "restored" / DATABASE).is_file()


def test_a_full_disk_is_told_before_and_during_a_restore(
    tmp_path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(tmp_path.iterdir())
    with monkeypatch.context() as patched:
        patched.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
        with pytest.raises(OsteoEdgeError, match="not enough space"):
            restore_backup(backup, tmp_path / "restored")

    waits = iter([OSError(errno.ENOSPC, "No space left on device")])

    def fill_up() -> None:
        for error in waits:
            raise error

    monkeypatch.setattr("osteo_edge.durable.os.sync", fill_up)
    with pytest.raises(OsteoEdgeError, match=r"restored: the backup cannot be restored here \(No space left"):
        restore_backup(backup, tmp_path / "restored")
    assert sorted(tmp_path.iterdir()) == before


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "nothing.zip", "no such file")
    for name, data in {"empty": b"", "picture": b"\xff\xd8\xff" * 100, "end": b"PK\5\6" + bytes(18)}.items():
        path = tmp_path / f"{name}.zip"
        path.write_bytes(data)
        refused(path, "not a backup of a history")


def test_a_foreign_zip_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "foreign.zip", "w") as archive:
        archive.writestr("holiday.txt", "sun")
    refused(tmp_path / "foreign.zip", r"no contents\.json in it")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_backup_that_is_cut_off_is_refused(backup: Path, share: float) -> None:
    data = backup.read_bytes()
    backup.write_bytes(data[: int(len(data) * share)])
    refused(backup, "damaged")


def test_a_changed_bit_is_found_or_changes_nothing_that_is_restored(tmp_path: Path, backup: Path) -> None:
    data = backup.read_bytes()
    path, folder = tmp_path / "flipped.zip", tmp_path / "restored"
    restore_backup(backup, tmp_path / "whole")
    found, restored = 0, files(tmp_path / "whole")
    for place in range(0, len(data), len(data) // 60):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
        if is_restored(path, folder):  # a date or an attribute in the ZIP's own headers
            assert files(folder) == restored
            shutil.rmtree(folder)
            continue
        found += 1
        assert not folder.exists()
    assert found > 50


def is_restored(path: Path, folder: Path) -> bool:
    try:
        restore_backup(path, folder)
    except BackupError:
        return False
    return True


def listed(backup: Path, **changes: object) -> bytes:
    with zipfile.ZipFile(backup) as archive:
        return json.dumps(json.loads(archive.read(CONTENTS)) | changes).encode()


def test_other_bytes_under_a_listed_name_are_refused(backup: Path) -> None:
    name = image_path(Path(), PICTURES[1].sha256, ".dcm").as_posix()
    refused(repack(backup, **{name: b"other!! film"[: len(PICTURES[1].data)]}), "not as it was backed up")
    refused(repack(backup, **{name: b"longer than it was"}), "does not hold what contents.json lists")
    refused(repack(backup, **{name: None}), "does not hold what contents.json lists")
    refused(repack(backup, **{"images/extra.png": b"x"}), "does not hold what contents.json lists")


@pytest.mark.parametrize(
    "name", ["../outside.txt", "/tmp/outside.txt", "images/../../outside.txt", "images\\..\\outside", "C:outside", "."]
)
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, backup: Path, name: str) -> None:
    with zipfile.ZipFile(backup) as archive:
        contents = json.loads(archive.read(CONTENTS))
    contents["files"].append({"name": name, "sha256": "0" * 64, "size_bytes": 1})
    refused(repack(backup, contents=json.dumps(contents).encode(), **{name: b"x"}), "name must be that of")
    assert not (tmp_path.parent / "outside.txt").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"format": "photo album"}, "format"), ({"version": 2}, "version"), ({"files": []}, DATABASE), ({"x": 1}, "'x'")],
)
def test_another_list_of_contents_is_refused(backup: Path, changes: dict[str, object], words: str) -> None:
    refused(repack(backup, contents=listed(backup, **changes)), words)


def test_a_bomb_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CONTENTS, b" " * 2**22)
    refused(tmp_path / "bomb.zip", "is compressed")


def test_overlapping_members_are_refused(tmp_path: Path, backup: Path) -> None:
    data = bytearray(backup.read_bytes())
    central = data.index(b"PK\1\2")
    data[central + 20 : central + 28] = (2**30).to_bytes(4, "little") * 2
    (tmp_path / "swollen.zip").write_bytes(data)
    refused(tmp_path / "swollen.zip", "more than its own size")


def test_a_database_that_is_none_is_refused(backup: Path) -> None:
    other = b"no database" * 100
    contents = json.loads(listed(backup))
    for part in contents["files"]:
        if part["name"] == DATABASE:
            part |= {"sha256": hashlib.sha256(other).hexdigest(), "size_bytes": len(other)}
    refused(repack(backup, contents=json.dumps(contents).encode(), **{DATABASE: other}), "its database is damaged")


def test_a_history_of_a_newer_version_is_refused(tmp_path: Path, history: Path) -> None:
    with closing(sqlite3.connect(history / DATABASE)) as connection:
        connection.execute("PRAGMA user_version = 99")
    refused(write_backup(history, tmp_path / "backup.zip").path, "a newer version of osteo-edge made this backup")
