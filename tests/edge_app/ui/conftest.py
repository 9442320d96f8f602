"""A window on a display of its own, and a robot that uses it by touch and by keys."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import cv2
import numpy as np
import pytest

from osteo_edge.audit_log import FILE, verify_log
from osteo_edge.edge_app import arriving
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.demo_bundle import FOLDER as DEMO_BUNDLE
from osteo_edge.edge_app.device_services import DeviceServices
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.light_box.drawn import Scene, draw_photo
from osteo_edge.edge_app.virtual_display import virtual_display
from osteo_edge.edge_app.window_start import prepare_kivy
from osteo_edge.radiograph import read_radiograph
from tests.edge_app.ui.device import RecordedDevice
from tests.edge_app.ui.phone import UPRIGHT

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot


@pytest.fixture(scope="session")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An X server without a screen, with OpenGL in software; Kivy is imported for the first time under it."""
    if find_spec("kivy") is None:  # not imported here: it reads its configuration as it is
        pytest.skip("no Kivy: pip install 'osteo-edge[app]'")
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb: make display")
    assert "kivy.core.window" not in sys.modules, "something has opened a window before there was a display"
    with virtual_display() as environment:
        os.environ |= environment
        prepare_kivy(Folders(tmp_path_factory.mktemp("kivy")), size=(800, 480))
        from osteo_edge.edge_app.ui.window import require_window

        require_window()
        yield environment["DISPLAY"]


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """A data folder in which the app has never been started."""
    return Folders(tmp_path / "clinic")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A watched folder, which is looked at all the time."""
    monkeypatch.setattr(arriving, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(arriving, "FIRST_LOOKS_EVERY_S", 0.02)
    folder = tmp_path / "watched"
    folder.mkdir()
    return folder


@pytest.fixture
def start(display: str, folders: Folders) -> Iterator[Callable[..., Robot]]:
    """Start the app in `folders`, on the demonstration bundle unless another one is named, with a robot before it."""
    from tests.edge_app.ui.robot import Robot

    robots = list[Robot]()

    def start(
        size: tuple[int, int] = (800, 480),
        *,
        camera: str = "auto",
        device: DeviceServices | None = None,
        **settings: Any,
    ) -> Robot:
        clinic = Clinic(folders)
        if settings:
            clinic.change(**settings)
        robots.append(Robot(clinic, size, camera=camera, device=device))
        return robots[-1]

    yield start
    for robot in robots:
        robot.close()
    if (folders.audit / FILE).exists():
        assert verify_log(folders.audit).findings == ()


@pytest.fixture
def device(tmp_path: Path) -> RecordedDevice:
    return RecordedDevice(tmp_path / "cache")


@pytest.fixture
def phone(start: Callable[..., Robot], device: RecordedDevice) -> Callable[..., Robot]:
    """Start the app on the phone, upright unless another size is named."""

    def start_it(size: tuple[int, int] = UPRIGHT, **settings: Any) -> Robot:
        return start(size, device=device, **settings)

    return start_it


@pytest.fixture(scope="module")
def light_box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of a film on a light box."""
    small = cv2.resize(read_radiograph(DRAWN_FILM).pixels, (480, 600), interpolation=cv2.INTER_AREA)
    pixels = np.asarray(small, np.float32)
    path = tmp_path_factory.mktemp("photo") / "IMG 1.jpg"
    cv2.imwrite(str(path), draw_photo(pixels, Scene(pitch=6, yaw=-5, roll=3)).photo)
    return path


@pytest.fixture
def zipped_model(tmp_path: Path) -> Path:
    path = tmp_path / "knee.zip"
    with ZipFile(path, "w") as archive:
        for file in sorted(DEMO_BUNDLE.iterdir()):
            archive.write(file, f"knee/{file.name}")
    return path
