import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.browsing.choosing import STICK, Row, films_of, place_row, rows_in
from osteo_edge.edge_app.browsing.errors import PlaceGoneError
from osteo_edge.edge_app.browsing.places import Place


@pytest.fixture
def mixed(tmp_path: Path, draw_film: Callable[..., Path], bundle: Bundle) -> Path:
    """A folder with a film, a backup, a text, a folder, and a bundle within a folder."""
    folder = tmp_path / "stick"
    draw_film("stick/knee 1.png")
    (folder / "read me.txt").write_text("no film")
    with zipfile.ZipFile(folder / "Backup.ZIP", "w"):
        pass
    (folder / "knees").mkdir()
    shutil.copytree(bundle.path, folder / "models" / "golden")
    return folder


def names(rows: tuple[Row, ...]) -> list[tuple[str, str]]:
    return [(row.kind, row.name) for row in rows]


def test_for_a_film_there_are_folders_and_all_files(mixed: Path) -> None:
    rows = rows_in(mixed, "film")
    assert names(rows)[:2] == [("folder", "knees"), ("folder", "models")]
    assert {row.name for row in rows if row.kind == "film"} == {"Backup.ZIP", "knee 1.png", "read me.txt"}
    assert {item.path.name for item in films_of(rows)} == {"Backup.ZIP", "knee 1.png", "read me.txt"}


def test_for_a_backup_there_are_folders_and_zip_files(mixed: Path) -> None:
    assert names(rows_in(mixed, "backup"))[2:] == [("backup", "Backup.ZIP")]


def test_for_a_folder_there_are_folders_alone(mixed: Path) -> None:
    assert {row.kind for row in rows_in(mixed, "folder")} == {"folder"}


def test_bundles_are_found_two_folders_deep_and_told_by_their_title(mixed: Path, bundle: Bundle) -> None:
    first, *others = rows_in(mixed, "bundle")
    assert (first.kind, first.name) == ("bundle", "stick/models/golden")
    assert first.detail == f"{bundle.manifest.name} {bundle.manifest.version}"
    assert {row.kind for row in others} == {"folder"}


def test_a_broken_bundle_is_listed_with_what_is_wrong_with_it(mixed: Path) -> None:
    (mixed / "models" / "golden" / "manifest.json").write_text("{}")
    first, *_ = rows_in(mixed, "bundle")
    assert first.kind == "bundle"
    assert "manifest.json" in first.detail


def test_a_place_leads_on_and_a_stick_goes_by_its_own_name(tmp_path: Path) -> None:
    assert place_row(Place("stick", tmp_path, "ANA")) == Row(tmp_path, "ANA", "place", STICK)
    assert place_row(Place("home", tmp_path)).name == "This device"
    assert place_row(Place("watched", tmp_path)).leads_on


def test_a_folder_that_has_gone_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(PlaceGoneError):
        rows_in(tmp_path / "gone", "bundle")
