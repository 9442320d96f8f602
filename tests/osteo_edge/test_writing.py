import errno
from pathlib import Path

import pytest

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.writing import replacing, write_whole


def test_a_file_is_written_with_its_folder_and_over_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.html"
    assert write_whole(path, b"one", "the page") == path
    write_whole(path, b"two", "the page")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(b"older")

    def fill_up(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill_up)
    with pytest.raises(OsteoEdgeError) as caught:
        write_whole(path, b"newer", "the page")
    assert str(caught.value) == (f"{path}: the page cannot be written (No space left on device); choose another place")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "older"


def test_a_place_below_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OsteoEdgeError, match=r"the page cannot be written \((Not a directory|File exists)\)"):
        write_whole(tmp_path / "file" / "page.html", b"", "the page")


def test_what_fails_half_way_through_a_large_file_leaves_the_older_one(tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    path.write_bytes(b"older")

    def fail_half_way() -> None:
        with replacing(path, "the backup") as partial:
            partial.write_bytes(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"older"


def test_two_who_write_one_file_at_once_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    with replacing(path, "the page") as partial:
        partial.write_bytes(b"of the one")
        write_whole(path, b"of the other", "the page")
        assert path.read_bytes() == b"of the other"
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"of the one"
