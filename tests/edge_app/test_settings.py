import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.edge_app.pin import hash_pin
from osteo_edge.edge_app.settings import (
    FILE_NAME,
    LEFT_THERE,
    MAX_FILE_BYTES,
    MAX_INSTITUTION,
    NEWER,
    SET_ASIDE,
    OpenedSettings,
    Settings,
    read_settings,
    write_settings,
)
from osteo_edge.errors import OsteoEdgeError

CHANGED = Settings(
    language="sw",
    text_percent=150,
    theme="dark",
    threads=2,
    watched_folder="/srv/x ray/Füße",
    retention_days=730,
    institution="Hôpital de Kisangani, radiologie",
    colour_map="jet",
    lock_after_minutes=15,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app" / FILE_NAME


def written(path: Path, **changes: Any) -> Path:
    write_settings(path, Settings())
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")
    return path


def test_a_first_start_has_the_defaults_and_no_file(path: Path) -> None:
    assert read_settings(path, str) == OpenedSettings(Settings(), None)
    assert not path.exists()


def test_what_was_set_is_there_again(path: Path) -> None:
    settings = replace(CHANGED, pin=hash_pin("7193"))
    write_settings(path, settings)
    assert read_settings(path, str) == OpenedSettings(settings)
    assert os.listdir(path.parent) == [FILE_NAME]  # noqa: PTH208


def test_a_folder_whose_name_is_no_unicode_is_kept(path: Path) -> None:
    settings = Settings(watched_folder=os.fsdecode(b"/srv/\xff"))
    write_settings(path, settings)
    assert read_settings(path, str).settings == settings


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[1]",
        b"\xff\xfe",
        b"[" * 50_000,
        b" " * (MAX_FILE_BYTES + 1),
        b'{"schema": 1}',
        b'{"schema": "1"}',
    ],
    ids=range(9),
)
def test_a_damaged_file_is_set_aside_and_told(data: bytes, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(data)
    opened = read_settings(path, str)
    (kept,) = path.parent.iterdir()
    assert opened == OpenedSettings(Settings(), SET_ASIDE.format(name=kept.name))
    assert kept.read_bytes() == data
    assert read_settings(path, str) == OpenedSettings(Settings())


@pytest.mark.parametrize(
    "changes",
    [
        {"language": "de"},
        {"text_percent": 110},
        {"text_percent": True},
        {"threads": 0},
        {"threads": 65},
        {"threads": "2"},
        {"retention_days": 0},
        {"retention_days": 1e9},
        {"watched_folder": "films"},
        {"watched_folder": ""},
        {"watched_folder": "/srv/\0"},
        {"watched_folder": "/srv/\ud800"},
        {"institution": "two\nlines"},
        {"institution": "x" * (MAX_INSTITUTION + 1)},
        {"institution": None},
        {"colour_map": "hot"},
        {"lock_after_minutes": 2},
        {"pin": "7193"},
        {"pin": {"salt": "", "key": ""}},
        {"fullscreen": True},
        {"schema": 0},
    ],
    ids=str,
)
def test_a_value_that_is_none_is_not_used(changes: dict[str, Any], path: Path) -> None:
    opened = read_settings(written(path, **changes), str)
    (kept,) = path.parent.iterdir()
    assert opened == OpenedSettings(Settings(), SET_ASIDE.format(name=kept.name))


def test_the_file_of_a_newer_version_is_kept_for_it(path: Path) -> None:
    opened = read_settings(written(path, schema=4, fullscreen=True), str)
    (kept,) = path.parent.iterdir()
    assert opened == OpenedSettings(Settings(), NEWER.format(name=kept.name))
    assert json.loads(kept.read_text("utf-8"))["fullscreen"] is True


def test_the_file_of_an_older_version_is_read_with_its_pin(path: Path) -> None:
    pin = hash_pin("7193")
    document = json.loads(written(path, theme="dark", pin=asdict(pin), schema=1).read_text("utf-8"))
    del document["lock_after_minutes"]
    path.write_text(json.dumps(document), "utf-8")
    assert read_settings(path, str) == OpenedSettings(Settings(theme="dark", pin=pin, lock_after_minutes=5))


def test_the_theme_that_was_chosen_before_there_was_that_of_the_device_stays(path: Path) -> None:
    assert read_settings(written(path, theme="light", schema=2), str) == OpenedSettings(Settings(theme="light"))
    assert Settings().theme == "system"


def test_a_damaged_file_of_an_older_version_is_set_aside(path: Path) -> None:
    note = read_settings(written(path, schema=1, threads=0), str).note
    assert note is not None
    assert note.startswith("The settings could not be read")


def test_a_file_that_can_neither_be_read_nor_moved_does_not_keep_the_app_from_starting(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    written(path, threads=0)
    monkeypatch.setattr(Path, "rename", refuse)
    assert read_settings(path, str) == OpenedSettings(Settings(), LEFT_THERE)
    path.unlink()
    path.mkdir()
    assert read_settings(path, str) == OpenedSettings(Settings(), LEFT_THERE)


def test_what_is_told_is_translated(path: Path) -> None:
    note = read_settings(written(path, threads=0), {SET_ASIDE: "Ancien fichier: {name}"}.__getitem__).note
    assert note is not None
    assert note.startswith("Ancien fichier: settings.damaged-")


def test_a_disk_that_does_not_take_them_gives_one_line_and_leaves_the_old_ones(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    write_settings(path, CHANGED)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OsteoEdgeError, match=r"settings\.json: the settings cannot be written \(No space left"):
            write_settings(path, Settings())
    assert read_settings(path, str) == OpenedSettings(CHANGED)


def test_impossible_settings_cannot_be_made() -> None:
    for changes in ({"threads": 0}, {"retention_days": 36_501}, {"watched_folder": "a"}, {"institution": "\t"}):
        with pytest.raises(ValueError, match=next(iter(changes))):
            Settings(**{**asdict(CHANGED), **changes})
