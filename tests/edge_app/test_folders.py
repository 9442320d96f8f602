import os
import time
from pathlib import Path

import pytest

from osteo_edge.edge_app.folders import Folders, remove_old
from osteo_edge.errors import OsteoEdgeError


def test_everything_lies_below_one_folder(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    places = [getattr(folders, name) for name in vars(Folders) if isinstance(vars(Folders)[name], property)]
    assert len(places) >= 8
    assert all(place.is_relative_to(tmp_path) for place in places)
    assert len(set(places)) == len(places)


def test_only_what_is_old_is_removed(tmp_path: Path) -> None:
    for name, age_s in (("old.jpg", 90_000), ("new.jpg", 10)):
        (tmp_path / name).write_bytes(b"film")
        os.utime(tmp_path / name, times=(time.time() - age_s,) * 2)
    (tmp_path / "folder").mkdir()
    assert remove_old(tmp_path) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "new.jpg"]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert remove_old(tmp_path / "none") == 0


def test_the_data_folder_is_its_owners_alone(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "share" / "clinic")
    folders.make()
    assert folders.root.stat().st_mode & 0o077 == 0
    folders.make()
    (tmp_path / "file").touch()
    with pytest.raises(OsteoEdgeError, match=r"^.*clinic: cannot be made \([^)]+\); "):
        Folders(tmp_path / "file" / "clinic").make()
