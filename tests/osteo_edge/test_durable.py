import errno
import os
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import pytest

from osteo_edge import durable
from osteo_edge.durable import append_durably, cut_back, make_folder, remove_partials, sync_tree, write_durably
from osteo_edge.errors import OsteoEdgeError


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("osteo_edge.durable.os.fsync", refuse)


def test_a_file_is_written_with_its_folder_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "new" / "result.json"
    for data in (b"one", b"two"):
        assert write_durably(file, data, "the result").read_bytes() == data
    assert list(file.parent.iterdir()) == [file]


def test_a_full_disk_leaves_the_old_file_and_is_one_line(tmp_path: Path, full_disk: None) -> None:
    file = tmp_path / "result.json"
    file.write_bytes(b"old")
    with pytest.raises(OsteoEdgeError) as raised:
        write_durably(file, b"new", "the result")
    assert str(raised.value) == (
        f"{file}: the result cannot be written (No space left on device); free some space or choose another place"
    )
    assert (list(tmp_path.iterdir()), file.read_bytes()) == ([file], b"old")


def test_an_append_that_fails_leaves_the_file_as_it_was(tmp_path: Path, full_disk: None) -> None:
    file = tmp_path / "ledger"
    file.write_bytes(b"old\n")
    with pytest.raises(OsteoEdgeError, match="the ledger cannot be written"):
        append_durably(file, b"new\n", "the ledger")
    assert file.read_bytes() == b"old\n"


def test_appending_makes_the_file_and_adds_to_it(tmp_path: Path) -> None:
    file = tmp_path / "ledger"
    append_durably(file, b"one\n", "the ledger")
    append_durably(file, b"two\n", "the ledger")
    assert file.read_bytes() == b"one\ntwo\n"
    cut_back(file, 4)
    assert file.read_bytes() == b"one\n"


def test_two_who_write_one_file_at_once_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, write, others = tmp_path / "result.json", durable._write, [b"of the other"]

    def write_and_be_overtaken(path: Path, data: bytes, mode: str) -> None:
        write(path, data, mode)
        if others:
            write_durably(file, others.pop(), "the result")

    monkeypatch.setattr(durable, "_write", write_and_be_overtaken)
    write_durably(file, b"of the one", "the result")
    assert (list(tmp_path.iterdir()), file.read_bytes()) == ([file], b"of the one")


def test_the_name_of_each_new_folder_is_brought_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = list[Path]()
    monkeypatch.setattr(durable, "sync_folder", synced.append)
    make_folder(tmp_path / "a" / "b" / "c")
    assert synced == [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]
    make_folder(tmp_path / "a" / "b" / "c")
    assert len(synced) == 3


def test_the_name_of_a_new_file_is_brought_to_the_disk_once_it_stands_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = list[tuple[Path, list[str]]]()
    monkeypatch.setattr(
        durable, "sync_folder", lambda folder: synced.append((folder, sorted(path.name for path in folder.iterdir())))
    )
    write_durably(tmp_path / "result.json", b"{}", "the result")
    assert synced == [(tmp_path, ["result.json"])]
    append_durably(tmp_path / "ledger", b"one\n", "the ledger")
    assert synced[1:] == [(tmp_path, ["ledger", "result.json"])]


def test_what_killed_writers_left_is_removed_once_nobody_can_be_at_work_on_it(tmp_path: Path) -> None:
    old, ahead, new = (tmp_path / f".{name}.partial" for name in ("old", "ahead", "new"))
    other, folder = tmp_path / ".other", tmp_path / ".folder.partial"
    folder.mkdir()
    for path in (old, ahead, new, other, folder / "file"):
        path.write_bytes(b"half")
    hours = durable.ABANDONED_AFTER_S * 2
    for path, seconds in ((old, -hours), (ahead, hours), (other, -hours), (folder, -hours)):
        moment = path.stat().st_mtime + seconds
        os.utime(path, (moment, moment))
    remove_partials(tmp_path)
    assert sorted(tmp_path.iterdir()) == [new, other]
    remove_partials(tmp_path / "not there")


def test_in_a_shared_folder_what_others_have_not_finished_stays(tmp_path: Path) -> None:
    ours = [tmp_path / f".table.csv.{uuid4().hex}.partial", tmp_path / ".knee.0123abcd.partial"]
    theirs = [tmp_path / name for name in (".download.partial", ".thesis.docx.partial", ".backup-2.partial")]
    for path in (*ours, *theirs):
        path.write_bytes(b"half")
    backup = Path(mkdtemp(prefix=".backup-", suffix=".partial", dir=tmp_path))
    for path in (*ours, *theirs, backup):
        moment = path.stat().st_mtime - durable.ABANDONED_AFTER_S * 2
        os.utime(path, (moment, moment))
    remove_partials(tmp_path, is_shared=True)
    assert set(tmp_path.iterdir()) == set(theirs)


def test_a_folder_of_which_one_file_does_not_reach_the_disk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = tmp_path / "images" / "ab" / "film"
    lost.parent.mkdir(parents=True)
    for file in (tmp_path / "database", lost):
        file.write_bytes(b"data")
    sync_tree(tmp_path)
    inode = lost.stat().st_ino

    def refuse(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == inode:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("osteo_edge.durable.os.fsync", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        sync_tree(tmp_path)
