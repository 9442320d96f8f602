from pathlib import Path

import pytest

from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.own_copies import shown_name, take_in
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.radiograph import read_radiograph
from tests.osteo_edge.test_metadata import MARKER, jpeg


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "clinic")


def test_two_films_of_one_name_are_both_kept(tmp_path: Path, folders: Folders) -> None:
    kept = []
    for text in ("a", "b"):
        copy = tmp_path / "knee 4.JPG"
        copy.write_text(text)
        kept.append(take_in(copy, folders))
        assert not copy.exists()
    assert [path.read_text() for path in kept] == ["a", "b"]
    assert [shown_name(path) for path in kept] == ["knee 4.JPG", "knee 4.JPG"]
    assert folders.photos.stat().st_mode & 0o077 == 0


def test_neither_the_name_nor_the_notes_of_a_film_are_on_the_disk(tmp_path: Path, folders: Folders) -> None:
    copy = tmp_path / f"{MARKER.decode()}.jpg"
    copy.write_bytes(jpeg(6))
    before = read_radiograph(copy)
    kept = take_in(copy, folders)
    assert shown_name(kept) == f"{MARKER.decode()}.jpg"
    files = [path for path in folders.root.rglob("*") if path.is_file()]
    assert files == [kept]
    assert MARKER.decode() not in kept.name
    assert MARKER not in kept.read_bytes()
    after = read_radiograph(kept)
    assert (after.pixels == before.pixels).all()
    assert not copy.exists()


@pytest.mark.parametrize("name", ["knee.jpg", "photo-20261121-093000-000001.jpg", "a-b"])
def test_what_was_not_taken_in_has_its_own_name(name: str) -> None:
    assert shown_name(Path(name)) == name


def test_a_film_that_is_cut_off_is_kept_as_it_is_and_refused_later(tmp_path: Path, folders: Folders) -> None:
    copy = tmp_path / "knee.jpg"
    copy.write_bytes(jpeg()[:300])
    assert take_in(copy, folders).read_bytes() == jpeg()[:300]


def test_what_cannot_be_kept_is_one_line(tmp_path: Path, folders: Folders) -> None:
    with pytest.raises(OsteoEdgeError, match=r"^gone.jpg: cannot be kept \(No such file or directory\)"):
        take_in(tmp_path / "gone.jpg", folders)
