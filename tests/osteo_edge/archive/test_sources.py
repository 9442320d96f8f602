import os
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from osteo_edge.archive.sources import film_names, open_source
from osteo_edge.errors import OsteoEdgeError
from tests.osteo_edge.archive.conftest import BRIGHTNESS
from tests.osteo_edge.archive.dicom_files import KNEE_FILM, write_dicom, write_dicomdir

FILMS = {*BRIGHTNESS, "b/blank.png", "b/cut.png"}


def found_in(path: Path, *, skip: Path | None = None) -> tuple[list[str], dict[str, int]]:
    """The names of the films there, and what was left out."""
    left_out: Counter[str] = Counter()
    return list(film_names(open_source(path), left_out, skip=skip)), dict(left_out)


def test_a_folder_gives_the_films_below_it_in_order(archive: Path) -> None:
    names, left_out = found_in(archive)
    assert names == sorted(FILMS)
    assert left_out == {"hidden": 1, "not_an_image": 1}


def test_a_file_without_a_films_suffix_is_looked_into(archive: Path, film: Path) -> None:
    write_dicom(archive / "1.2.840.113619", **KNEE_FILM)
    (archive / "IM0001").write_bytes(film.read_bytes())
    (archive / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    (archive / "empty").write_bytes(b"")
    names, left_out = found_in(archive)
    assert set(names) == {*FILMS, "1.2.840.113619", "IM0001"}
    assert left_out == {"hidden": 1, "not_an_image": 1, "unsupported_format": 1, "empty": 1}


def test_links_to_folders_are_followed_once_and_never_in_a_circle(archive: Path, tmp_path: Path, film: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "more.png").write_bytes(film.read_bytes())
    (archive / "b" / "up").symlink_to(archive)
    (archive / "x").symlink_to(other)
    (archive / "y").symlink_to(other)
    (archive / "z.png").symlink_to(other / "gone.png")
    names, left_out = found_in(archive)
    assert set(names) == {*FILMS, "x/more.png"}
    assert left_out == {"hidden": 1, "not_an_image": 1, "folder_seen_before": 2, "broken_link": 1}


def test_what_is_no_file_or_not_finished_is_counted(archive: Path) -> None:
    os.mkfifo(archive / "pipe.png")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.fspath(archive / "socket.png"))
    (archive / "film.png.part").write_bytes(b"")
    (archive / "film.tmp").write_bytes(b"")
    (archive / ".cache").mkdir()
    (archive / ".cache" / "thumbnail.png").write_bytes(b"")
    names, left_out = found_in(archive)
    assert set(names) == FILMS
    assert left_out == {"hidden": 2, "not_an_image": 1, "special_file": 2, "unfinished": 2}


def test_a_name_that_is_no_text_is_counted(archive: Path) -> None:
    Path(os.fsdecode(os.fsencode(archive) + b"/kn\xe9e.png")).write_bytes(b"")
    names, left_out = found_in(archive)
    assert set(names) == FILMS
    assert left_out["name_is_no_text"] == 1


def test_the_results_are_no_films(archive: Path, film: Path) -> None:
    out = archive / "results"
    out.mkdir()
    (out / "map.png").write_bytes(film.read_bytes())
    names, left_out = found_in(archive, skip=out)
    assert "folder_seen_before" not in left_out
    assert set(names) == FILMS


def test_the_results_of_other_calls_are_no_films_either(archive: Path, film: Path) -> None:
    for folder in ("older/_plan", "older/maps/3f"):
        (archive / folder).mkdir(parents=True)
    (archive / "older" / "_plan" / "_archive.json").touch()
    (archive / "older" / "maps" / "3f" / "3f.png").write_bytes(film.read_bytes())
    names, left_out = found_in(archive)
    assert set(names) == FILMS
    assert left_out["results"] == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_counted(archive: Path) -> None:
    (archive / "b").chmod(0)
    names, left_out = found_in(archive)
    (archive / "b").chmod(0o755)
    assert "b/c/dark.png" not in names
    assert left_out["unreadable_folder"] == 1


def test_a_folder_of_many_films_is_gone_through_as_it_is_asked(tmp_path: Path) -> None:
    for number in range(300):
        folder = tmp_path / "many" / f"{number // 100}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:03d}.png").touch()
    names = film_names(open_source(tmp_path / "many"), Counter(), skip=None)
    assert next(names) == "0/000.png"
    for later in ("1", "2"):
        for path in (tmp_path / "many" / later).iterdir():
            path.unlink()
    assert len(list(names)) == 99


def test_a_list_names_films_once(archive: Path, tmp_path: Path) -> None:
    listed = tmp_path / "knees.txt"
    bright = str(archive / "bright.png")
    listed.write_text(f"\ufeffarchive/a/dark.png\r\n\n{bright}\narchive/a/dark.png\n gone.png\n", "utf-8")
    names, left_out = found_in(listed)
    assert names == ["archive/a/dark.png", bright, " gone.png"]
    assert left_out == {"no_path": 1, "listed_twice": 1}
    assert open_source(listed).root == str(tmp_path)


def test_a_film_that_a_list_names_in_several_ways_is_one(tmp_path: Path) -> None:
    listed = tmp_path / "knees.txt"
    listed.write_text(f"./a.png\na.png\n{tmp_path}//a.png\nb/../a.png\n")
    assert found_in(listed) == (["./a.png", "b/../a.png"], {"listed_twice": 2})


def test_a_name_that_no_file_can_have_is_counted(tmp_path: Path) -> None:
    (tmp_path / "knees.txt").write_text("a\0.png\nb.png\n")
    assert found_in(tmp_path / "knees.txt") == (["b.png"], {"name_is_no_text": 1})


@pytest.mark.parametrize(
    "text",
    [
        "id,path\n1,a.png\n2,\n3,b.png\n4,a.png\n",
        '"Image","label"\na.png,x\n"",y\n b.png ,z\na.png,z\n',
        "image,PATH\nx,a.png\nx,\nx,b.png\nx,a.png\n\n",
    ],
)
def test_a_csv_index_names_films_by_its_column(text: str, tmp_path: Path) -> None:
    index = tmp_path / "index.csv"
    index.write_text(text)
    assert found_in(index) == (["a.png", "b.png"], {"no_path": 1, "listed_twice": 1})


def test_a_parquet_index_names_films_by_its_column(tmp_path: Path) -> None:
    index = tmp_path / "index.parquet"
    table = pyarrow.table({"id": [1, 2, 3, 4], "path": ["a.png", None, "b.png", "a.png"]})
    pyarrow.parquet.write_table(table, index)
    assert found_in(index) == (["a.png", "b.png"], {"no_path": 1, "listed_twice": 1})


def dicomdir(folder: Path, film: str = "DICOM/IM0") -> Path:
    """A medium with two films and a report."""
    records: list[tuple[str, str | None]] = [("PATIENT", None), ("STUDY", None), ("SERIES", None)]
    records += [("IMAGE", f"{film}001"), ("IMAGE", f"{film}002"), ("SR DOCUMENT", "DICOM/SR0001")]
    for kind, name in records:
        if kind == "IMAGE":
            write_dicom(folder / str(name), **KNEE_FILM)
    return write_dicomdir(folder / "DICOMDIR", records)


def test_a_dicomdir_names_its_films(tmp_path: Path) -> None:
    path = dicomdir(tmp_path / "medium")
    names, left_out = found_in(path)
    assert len(names) == 2
    assert all((path.parent / name).is_file() for name in names)
    assert left_out == {"not_an_image": 1}


def test_a_medium_whose_names_are_shown_in_small_letters_is_read(tmp_path: Path) -> None:
    path = dicomdir(tmp_path / "medium")
    upper, _ = found_in(path)
    for name in upper:
        small = path.parent / name.lower()
        small.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / name).rename(small)
    names, _ = found_in(path)
    assert names == [name.lower() for name in upper]


def test_a_folder_with_a_dicomdir_gives_its_films_and_not_the_dicomdir(tmp_path: Path) -> None:
    path = dicomdir(tmp_path / "medium")
    names, left_out = found_in(path.parent)
    assert sorted(names) == sorted(found_in(path)[0])
    assert left_out == {"dicomdir": 1}


@pytest.mark.parametrize("elsewhere", ["..", ""])
def test_a_dicomdir_does_not_lead_out_of_its_medium(elsewhere: str, tmp_path: Path) -> None:
    medium = tmp_path / "medium"
    medium.mkdir()
    path = write_dicomdir(medium / "DICOMDIR", [("IMAGE", f"{elsewhere}/etc/passwd"), ("SR DOCUMENT", "SR1")])
    assert found_in(path) == ([], {"outside_medium": 1, "not_an_image": 1})


def test_a_dicomdir_with_a_damaged_record_is_refused_in_one_line(tmp_path: Path) -> None:
    path = dicomdir(tmp_path / "medium")
    named = b"\x04\x00\x00\x15"  # the tag Referenced File ID, before its type
    before, _, after = path.read_bytes().rpartition(named + b"CS")
    path.write_bytes(before + named + b"C\xff" + after)
    with pytest.raises(OsteoEdgeError, match="not readable as a DICOMDIR"):
        found_in(path)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("index.csv", b"file,label\na.png,x\n", "has no column path or image"),
        ("index.csv", b"path\nkn\xe9e.png\n", "not readable as UTF-8 CSV"),
        ("index.csv", b"", "has no column path or image"),
        ("index.csv", b"path;label\na.png;x\n", r"call the one .* so \(in a CSV file, commas stand between columns\)"),
        ("index.parquet", b"PAR1 and more", "not readable as Parquet"),
        ("list.txt", b"kn\xe9e.png\n", "not readable as UTF-8 text"),
        ("DICOMDIR", b"no DICOM data", "not readable as a DICOMDIR"),
        ("film.png", b"", "not a source of films"),
    ],
)
def test_what_is_no_source_is_refused_in_one_line(name: str, content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(OsteoEdgeError, match=told) as caught:
        found_in(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_column_of_numbers_is_refused(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"path": [1, 2]}), tmp_path / "index.parquet")
    with pytest.raises(OsteoEdgeError, match="holds no text"):
        found_in(tmp_path / "index.parquet")


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match="no such folder or file"):
        open_source(tmp_path / "missing")


def test_a_folder_that_is_gone_is_refused(archive: Path, draw_film: Callable[..., Path]) -> None:
    source = open_source(archive)
    archive.rename(archive.with_name("moved"))
    with pytest.raises(OsteoEdgeError, match="cannot be read"):
        list(film_names(source, Counter(), skip=None))
