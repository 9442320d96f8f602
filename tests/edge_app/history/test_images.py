"""Image files are whole or not there."""

import os
from pathlib import Path

import pytest

from osteo_edge.edge_app.history.images import Picture, image_path, picture_of, stored_images, write_image

FILM = Picture(b"a film", ".jpg")


def test_an_image_lies_under_its_hash_as_it_came(tmp_path: Path) -> None:
    assert write_image(tmp_path, FILM)
    (path,) = stored_images(tmp_path)
    assert path == tmp_path / "images" / FILM.sha256[:2] / f"{FILM.sha256}.jpg"
    assert path.read_bytes() == b"a film"


def test_an_image_is_written_once(tmp_path: Path) -> None:
    assert [write_image(tmp_path, FILM), write_image(tmp_path, FILM)] == [True, False]


def test_an_image_that_lost_its_end_is_written_again(tmp_path: Path) -> None:
    write_image(tmp_path, FILM)
    path = image_path(tmp_path, FILM.sha256, ".jpg")
    path.write_bytes(b"a")
    assert write_image(tmp_path, FILM)
    assert path.read_bytes() == b"a film"


def test_an_image_that_cannot_be_synced_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "images" / FILM.sha256[:2]).mkdir(parents=True)

    def fail(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_image(tmp_path, FILM)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_file_is_on_the_disk_before_it_has_its_name_and_the_name_before_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images" / FILM.sha256[:2]).mkdir(parents=True)
    path, seen = image_path(tmp_path, FILM.sha256, ".jpg"), list[tuple[bool, bool]]()
    real = os.fsync

    def watch(descriptor: int) -> None:
        seen.append((os.path.isdir(descriptor), path.exists()))  # noqa: PTH112 (a descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    write_image(tmp_path, FILM)
    assert seen == [(False, False), (True, True)]


@pytest.mark.parametrize(
    ("name", "suffix"), [("Film.JPG", ".jpg"), ("IM0001", ""), ("1.2.840.113619", ".113619"), ("x.ä ö", "")]
)
def test_a_file_keeps_its_bytes_and_a_plain_suffix(tmp_path: Path, name: str, suffix: str) -> None:
    (tmp_path / name).write_bytes(b"a film")
    assert picture_of(tmp_path / name) == Picture(b"a film", suffix)


def test_a_suffix_leads_nowhere_else() -> None:
    with pytest.raises(ValueError, match="suffix"):
        Picture(b"", "/../../x")
