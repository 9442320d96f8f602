from pathlib import Path

import pytest

from osteo_edge.edge_app.own_copies import shown_name, take_in
from osteo_edge.errors import OsteoEdgeError


def test_two_films_of_one_name_are_both_kept(tmp_path: Path) -> None:
    kept = []
    for text in ("a", "b"):
        copy = tmp_path / "knee 4.jpg"
        copy.write_text(text)
        kept.append(take_in(copy, tmp_path / "photos"))
        assert not copy.exists()
    assert [path.read_text() for path in kept] == ["a", "b"]
    assert [shown_name(path) for path in kept] == ["knee 4.jpg", "knee 4.jpg"]
    assert (tmp_path / "photos").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["knee.jpg", "photo-20261121-093000-000001.jpg", "a-b"])
def test_what_was_not_taken_in_has_its_own_name(name: str) -> None:
    assert shown_name(Path(name)) == name


def test_what_cannot_be_kept_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=r"^gone.jpg: cannot be kept \(No such file or directory\)"):
        take_in(tmp_path / "gone.jpg", tmp_path / "photos")
