import os
import tempfile
from pathlib import Path

import pytest

from osteo_edge.cache import cache_folder
from osteo_edge.edge_app.android.places import APP, Places, places_here
from osteo_edge.preflight import is_wanted
from osteo_edge.trust import SYSTEM, VARIABLE, trusted_folder


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME", "OSTEO_EDGE_PREFLIGHT", VARIABLE):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return Places(tmp_path / "files" / "app", tmp_path / "files")


def test_the_apps_folder_is_the_one_with_the_package() -> None:
    assert (APP / "osteo_edge" / "version.py").is_file()


def test_private_files_are_where_android_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANDROID_PRIVATE", str(tmp_path))
    places = places_here()
    assert (places.app, places.private) == (APP, tmp_path)


def test_data_survive_an_update_of_the_app(places: Places) -> None:
    assert places.app not in places.data.parents
    assert places.bundle.parent == places.expected.parent == places.app


def test_what_android_does_not_say_is_said(places: Places) -> None:
    places.temporary.mkdir(parents=True)
    (places.temporary / "left").touch()
    places.data.mkdir()
    (places.data / "kept").touch()
    places.make_ready()
    assert Path.home() == places.private
    assert Path(tempfile.gettempdir()) == places.temporary
    assert places.private in cache_folder().parents
    assert not is_wanted(), "no process can be started to try a runtime in"
    assert list(places.temporary.iterdir()) == []
    assert [path.name for path in places.data.iterdir()] == ["kept"]


def test_an_app_with_keys_trusts_the_models_of_those_alone(places: Places) -> None:
    if SYSTEM.is_dir():
        pytest.skip("this machine has trusted keys of its own")
    places.make_ready()
    assert trusted_folder() is None
    places.trusted_keys.mkdir(parents=True)
    places.make_ready()
    assert trusted_folder() == places.trusted_keys
