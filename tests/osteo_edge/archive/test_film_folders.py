from pathlib import Path

import pytest

from osteo_edge.archive.film_folders import FilmFolders, answers


def found(*films: Path) -> tuple[str, ...]:
    """The folders of some films."""
    folders = FilmFolders()
    for film in films:
        folders.add(film)
    return folders.found()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    for name in ("one/x", "one/y", "other"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.png").touch()
    return tmp_path


def test_the_folder_is_the_deepest_that_holds_all_films(archive: Path) -> None:
    films = [archive / "one/x/a.png", archive / "one/y/a.png", archive / "other/a.png"]
    assert found(films[0]) == (str(archive / "one/x"),)
    assert found(*films[:2]) == (str(archive / "one"),)
    assert found(*films) == found(*reversed(films)) == (str(archive),)
    assert found() == ()


def test_links_are_resolved(archive: Path) -> None:
    (archive / "one/link").symlink_to(archive / "other")
    assert found(archive / "one/link/a.png") == (str(archive / "other"),)
    assert found(archive / "one/../other/a.png") == (str(archive / "other"),)


def test_a_folder_that_is_not_there_is_none_of_them(archive: Path) -> None:
    assert found(archive / "gone/a.png", archive / "one/x/a.png") == (str(archive / "one/x"),)
    assert found(archive / "gone/a.png") == ()


def test_each_file_system_has_its_own(archive: Path, other_disk: Path) -> None:
    (other_disk / "b.png").touch()
    assert set(found(archive / "one/x/a.png", other_disk / "b.png")) == {str(archive / "one/x"), str(other_disk)}


def test_a_folder_that_is_gone_or_empty_does_not_answer(archive: Path) -> None:
    (archive / "empty").mkdir()
    assert answers(str(archive))
    assert not answers(str(archive / "empty"))
    assert not answers(str(archive / "gone"))
    assert not answers(str(archive / "other/a.png"))
