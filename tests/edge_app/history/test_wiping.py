import os
from pathlib import Path

import pytest

from osteo_edge.edge_app.history.wiping import CHUNK_BYTES, wipe_file, wipe_folder


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 7])
def test_a_file_is_zeros_before_it_goes(tmp_path: Path, size: int) -> None:
    path, other = tmp_path / "film.jpg", tmp_path / "kept"
    path.write_bytes(b"x" * size)
    os.link(path, other)  # sees what is left in the blocks
    wipe_file(path)
    assert not path.exists()
    assert other.read_bytes() == bytes(size)


def test_a_file_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    wipe_file(tmp_path / "gone")


def test_a_file_that_cannot_be_written_to_goes_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "film.jpg"
    path.write_bytes(b"x")
    path.chmod(0o400)
    wipe_file(path)
    assert not path.exists()


def test_a_folder_goes_with_all_that_is_in_it_and_a_link_is_not_followed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "history", tmp_path / "outside"
    (folder / "images" / "ab").mkdir(parents=True)
    film, other = folder / "images" / "ab" / "film", tmp_path / "kept"
    film.write_bytes(b"secret")
    os.link(film, other)
    outside.write_bytes(b"not mine")
    (folder / "link").symlink_to(outside)
    wipe_folder(folder)
    assert not folder.exists()
    assert other.read_bytes() == bytes(6)
    assert outside.read_bytes() == b"not mine"
    wipe_folder(folder)
