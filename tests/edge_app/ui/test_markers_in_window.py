"""What is typed in the window comes up where docs/privacy.md says, and nowhere else."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.history.encrypted import can_encrypt
from tests.edge_app.test_markers import DATABASE, NAMED, PIN, TYPED, found_in
from tests.edge_app.ui.new_screening import fill

if TYPE_CHECKING:
    from tests.edge_app.ui.device import RecordedDevice
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where programs may write to without being asked."""
    folder = tmp_path / "around"
    for variable in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "TMPDIR", "HOME"):
        (folder / variable).mkdir(parents=True)
        monkeypatch.setenv(variable, str(folder / variable))
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "TMPDIR"))
    return folder


def play(robot: Robot, device: RecordedDevice, film: Path) -> None:
    """A film that another app hands over is screened, saved, noted, looked at in the history, and a form is left."""
    film.write_bytes(DRAWN_FILM.read_bytes())
    robot.tap("New screening")
    fill(robot, code=str(TYPED["code"]), age="71")
    device.chosen = film
    robot.tap("Choose a picture")
    robot.see(str(TYPED["code"]))
    robot.tap("Save")
    robot.see("Saved on this device.")
    robot.tap("Note")
    robot.type(robot.screen.panel.opened.ids.note.ids.box, str(TYPED["note"]))
    robot.tap("Save the note")
    robot.see(str(TYPED["note"]))
    robot.shell.home()
    robot.tap("History")
    robot.see(str(TYPED["code"]))
    robot.shell.home()
    robot.tap("New screening")
    fill(robot, code=str(TYPED["draft"]), age="71")
    robot.until(robot.clinic.history().drafts)


def test_it_is_in_the_database_and_in_what_was_left_open_alone(
    phone: Callable[..., Robot], device: RecordedDevice, around: Path
) -> None:
    robot = phone()
    play(robot, device, around.parent / f"{NAMED['file']}.jpg")
    found = found_in(robot.clinic.folders.root) | found_in(around)
    in_database = [found.pop(name) for name in DATABASE if name in found]
    assert {"code", "note", "draft"} <= set.union(*in_database)
    assert found == {}
    robot.app.dispatch("on_pause")
    found = found_in(robot.clinic.folders.root)
    assert {name: found[name] for name in {*found} - DATABASE} == {"left-off.json": {"draft"}}


@pytest.mark.skipif(not can_encrypt(), reason="cryptography and sqlcipher3 are not installed")
def test_on_an_encrypted_device_it_is_nowhere(
    phone: Callable[..., Robot], device: RecordedDevice, around: Path
) -> None:
    robot = phone()
    robot.clinic.history()
    robot.clinic.access.encrypt(PIN)
    play(robot, device, around.parent / f"{NAMED['file']}.jpg")
    robot.app.dispatch("on_pause")
    assert found_in(robot.clinic.folders.root) | found_in(around) == {}
