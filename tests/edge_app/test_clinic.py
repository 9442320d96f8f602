import json
import os
import shutil
import time
from pathlib import Path
from threading import Thread

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.clinic import FILM_REPLACED, Clinic
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.entry import Patient
from osteo_edge.edge_app.pin import hash_pin
from osteo_edge.edge_app.settings import Settings, read_settings, write_settings
from osteo_edge.errors import RadiographError
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import Manifest
from osteo_edge.radiograph import MAX_FILE_BYTES
from tests.cascade import draw_limb, write_cascade


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "clinic")


def test_a_file_of_any_size_is_refused_before_it_is_read(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vast = tmp_path / "vast.dcm"
    with vast.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    read = Path.read_bytes

    def read_others(path: Path) -> bytes:
        assert path != vast
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_others)
    with pytest.raises(RadiographError, match="not a file of at most 512 MiB"):
        Clinic(folders).screen(vast)


def test_a_change_leaves_what_another_window_has_set(folders: Folders) -> None:
    first, second = Clinic(folders), Clinic(folders)
    pin = hash_pin("7193")
    first.change(pin=pin, institution="Clinic of Kigoma")
    changed = second.change(theme="dark")
    assert changed == Settings(pin=pin, institution="Clinic of Kigoma", theme="dark")
    assert read_settings(folders.settings, str).settings == changed
    assert first.settings == second.settings == changed


def test_windows_that_change_settings_at_once_lose_nothing(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    write = write_settings

    def slowly(path: Path, settings: Settings) -> None:
        time.sleep(0.1)
        write(path, settings)

    monkeypatch.setattr("osteo_edge.edge_app.kept_settings.write_settings", slowly)
    first, second = Clinic(folders), Clinic(folders)
    threads = [
        Thread(target=lambda: first.change(institution="Clinic of Kigoma")),
        Thread(target=lambda: second.change(retention_days=730)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Clinic(folders).settings == Settings(institution="Clinic of Kigoma", retention_days=730)


def test_settings_that_vanish_or_are_damaged_meanwhile_do_not_take_the_pin_off(folders: Folders) -> None:
    clinic = Clinic(folders)
    pin = hash_pin("7193")
    clinic.change(pin=pin)
    folders.settings.write_text("{")
    assert clinic.settings.pin == pin
    assert clinic.change(theme="dark") == Settings(pin=pin, theme="dark")
    (kept,) = folders.root.glob("settings.damaged-*.json")
    assert kept.read_text() == "{"
    folders.settings.unlink()
    assert clinic.settings.pin == pin
    assert clinic.change(theme="light").pin == pin
    assert json.loads(folders.settings.read_text())["pin"] is not None


def test_a_film_that_is_not_the_one_that_was_chosen_is_not_screened(folders: Folders, tmp_path: Path) -> None:
    film = Path(shutil.copy(DRAWN_FILM, tmp_path / "knee.jpg"))
    clinic = Clinic(folders)
    assert clinic.screen(film, sha256=sha256_file(film)).path == film
    with pytest.raises(RadiographError, match=FILM_REPLACED):
        clinic.screen(film, sha256="0" * 64)


def test_a_bone_that_was_named_is_believed_by_a_model_that_knows_it(
    folders: Folders, tmp_path: Path, manifest: Manifest
) -> None:
    film = draw_limb(tmp_path / "film.png", "elbow", 0.7)
    clinic = Clinic(folders, bundle=write_cascade(tmp_path / "limbs", manifest).path)
    found = [clinic.screen(film, bone=bone).screening for bone in (None, "wrist", "hip")]
    assert [(one.bone, one.bone_found, one.bone_given) for one in found] == [
        ("elbow", "elbow", None),
        ("wrist", "elbow", "wrist"),
        ("elbow", "elbow", None),
    ]
    clinic.close()


def test_a_model_of_one_question_leaves_a_bone_aside_that_was_named(folders: Folders) -> None:
    clinic = Clinic(folders)
    assert clinic.screen(DRAWN_FILM, bone="elbow").screening.bone_given is None
    clinic.close()


def test_films_that_nobody_saved_and_what_was_handed_on_are_gone_a_day_later(folders: Folders) -> None:
    for folder in (folders.photos, folders.outgoing):
        folder.mkdir(parents=True)
        for name, age_s in (("old.jpg", 90_000), ("new.jpg", 10)):
            (folder / name).write_bytes(b"film")
            os.utime(folder / name, times=(time.time() - age_s,) * 2)
    Clinic(folders).tidy_locked()
    assert [path.name for path in folders.photos.iterdir()] == ["new.jpg"]
    assert [path.name for path in folders.outgoing.iterdir()] == ["new.jpg"]


def test_a_form_ends_when_its_screening_is_saved(folders: Folders) -> None:
    clinic = Clinic(folders)
    record = clinic.record(clinic.screen(DRAWN_FILM), patient=Patient("K-17"))
    clinic.save(record)
    assert not clinic.forms.has_ended("a" * 32)
    clinic.save(record, draft_id="a" * 32)
    assert clinic.forms.has_ended("a" * 32)
    clinic.close()


def test_the_model_that_the_app_comes_with_is_installed_and_used(folders: Folders, bundle: Bundle) -> None:
    clinic = Clinic(folders, shipped=bundle.path)
    assert clinic.model().manifest == bundle.manifest
    assert clinic.models.chosen() == clinic.model().id


def test_a_model_of_the_app_that_cannot_be_used_keeps_nobody_from_the_demonstration(
    folders: Folders, tmp_path: Path
) -> None:
    model = Clinic(folders, shipped=tmp_path / "gone").model()
    assert model.is_demo
    assert model.problem is not None
    assert "gone" in model.problem
