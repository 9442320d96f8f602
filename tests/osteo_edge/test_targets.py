"""What is written takes the place of earlier results alone."""

import os
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.table import write_table
from osteo_edge.targets import require_outside_bundles, require_target
from osteo_edge.writing import write_whole

PAGE = b"<!doctype html>"


@pytest.mark.parametrize("content", [None, b"", b"<!DOCTYPE html>\n<p>of last week</p>"])
def test_a_new_file_and_one_of_the_same_kind_may_be_written(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    if content is not None:
        path.write_bytes(content)
    require_target(path, "the report", PAGE)


@pytest.mark.parametrize("content", [b"path,label\na.png,normal\n", b"\x89PNG\r\n", b"<", b"{}"])
def test_another_kind_of_file_stays(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "films.csv"
    path.write_bytes(content)
    with pytest.raises(
        OsteoEdgeError, match=r"films\.csv: is there, and is another kind of file; choose another place"
    ):
        require_target(path, "the report", PAGE)


def test_what_it_is_made_from_stays_whatever_it_is_called(tmp_path: Path) -> None:
    film, link = tmp_path / "film.png", tmp_path / "link.png"
    film.write_bytes(b"\x89PNG")
    link.symlink_to(film)
    with pytest.raises(OsteoEdgeError, match=r"link\.png: is what the picture is made from"):
        require_target(link, "the picture", b"\x89PNG", inputs=(film,))


def test_a_bundle_stays_as_it_is(bundle: Bundle, tmp_path: Path) -> None:
    for path in (bundle.path, bundle.path / "new.html", bundle.path / "pictures" / "new.html", bundle.model_path):
        with pytest.raises(OsteoEdgeError, match="it lies in the bundle"):
            require_target(path, "the report", PAGE)
    require_outside_bundles(tmp_path, "the report")


def test_a_device_and_a_pipe_stay_and_a_link_leads_to_what_is_written(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    for path in (pipe, Path("/dev/null")):
        with pytest.raises(OsteoEdgeError, match="what is there is no file that could be replaced"):
            require_target(path, "the report", PAGE)
        with pytest.raises(OsteoEdgeError, match="what is there is no file that could be replaced"):
            write_whole(path, b"page", "the report")
        assert not path.is_file()
    (link := tmp_path / "link").symlink_to(tmp_path / "page.html")
    write_whole(link, b"page", "the report")
    assert link.is_symlink()
    assert (tmp_path / "page.html").read_bytes() == b"page"


def test_a_loop_of_links_is_one_line(tmp_path: Path) -> None:
    (loop := tmp_path / "loop").symlink_to(loop)
    with pytest.raises(OsteoEdgeError, match="what is there is no file that could be replaced"):
        write_whole(loop, b"page", "the report")


def test_a_table_does_not_replace_another_one(tmp_path: Path) -> None:
    path = tmp_path / "films.csv"
    write_table(path, ("path", "label"), [("a.png", "normal")])
    with pytest.raises(OsteoEdgeError, match="another kind of file"):
        write_table(path, ("path", "part"), [("a.png", "test")])
    write_table(path, ("path", "label"), [("b.png", "normal")])
    assert "b.png" in path.read_text("utf-8")
