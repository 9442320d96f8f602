"""The Pi's camera against a double with the signatures of picamera2; on a Pi it has not been run."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from osteo_edge.edge_app.light_box.camera import Camera, CameraError
from osteo_edge.edge_app.light_box.pi_camera import PiCamera
from osteo_edge.lettering import Picture

Config = dict[str, Any]


class Picamera2:
    """The part of picamera2's class that is used; it records what is asked of it."""

    camera_controls: ClassVar[Config] = {"AfMode": (0, 2, 0)}
    sensor_resolution = (1640, 1232)
    log: ClassVar[list[str]] = []
    cameras: ClassVar[list[Config]] = [{"Model": "imx708", "Num": 0}]
    is_busy = False
    is_stuck = False

    def __init__(self, camera_num: int = 0, verbose_console: Any = None, tuning: Any = None) -> None:
        if self.is_busy:
            raise RuntimeError("Failed to acquire camera: Device or resource busy")
        self.camera_config: Config = {}
        self.log.append(f"camera {camera_num}")

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        return Picamera2.cameras

    def create_preview_configuration(self, main: Config = {}, lores: Any = None, raw: Config = {}) -> Config:  # noqa: B006
        return {"main": {"size": (640, 480), "format": "XBGR8888", **main}}

    def create_still_configuration(self, main: Config = {}, lores: Any = None, raw: Config = {}) -> Config:  # noqa: B006
        return {"main": {"size": self.sensor_resolution, "format": "BGR888", **main}}

    def configure(self, camera_config: Config | str = "preview") -> None:
        assert isinstance(camera_config, dict)
        assert all(side % 2 == 0 for side in camera_config["main"]["size"])
        self.camera_config = camera_config

    def set_controls(self, controls: Config) -> None:
        self.log.append(f"controls {controls}")

    def start(self, config: Any = None, show_preview: bool = False) -> None:
        self.log.append("start")

    def capture_array(self, name: str = "main", wait: Any = None, signal_function: Any = None) -> Picture:
        return self._array(self.camera_config[name])

    def switch_mode_and_capture_array(
        self, camera_config: Config, name: str = "main", wait: Any = None, signal_function: Any = None, delay: int = 0
    ) -> Picture:
        return self._array(camera_config[name])

    def close(self) -> None:
        self.log.append("close")

    def _array(self, stream: Config) -> Picture:
        if self.is_stuck:
            raise RuntimeError("Camera frontend has timed out")
        assert stream["format"] == "RGB888"  # blue, green, red in the array, as picamera2 has it
        width, height = stream["size"]
        return np.full((height, width, 3), (10, 20, 30), np.uint8)


@pytest.fixture
def picamera2(monkeypatch: pytest.MonkeyPatch) -> type[Picamera2]:
    module, libcamera = ModuleType("picamera2"), ModuleType("libcamera")
    module.__dict__["Picamera2"] = Picamera2
    libcamera.__dict__["controls"] = SimpleNamespace(AfModeEnum=SimpleNamespace(Continuous=2))
    monkeypatch.setitem(sys.modules, "picamera2", module)
    monkeypatch.setitem(sys.modules, "libcamera", libcamera)
    monkeypatch.setattr(Picamera2, "log", [])
    return Picamera2


def test_previews_and_stills_are_taken_in_blue_green_red(picamera2: type[Picamera2]) -> None:
    camera: Camera = PiCamera()
    camera.open()
    camera.open()
    assert camera.frame().shape == (600, 800, 3)
    still = camera.still()
    assert (still.shape, still[0, 0].tolist()) == ((1232, 1640, 3), [10, 20, 30])
    camera.close()
    camera.close()
    assert picamera2.log == ["camera 0", "controls {'AfMode': 2}", "start", "close"]


def test_a_camera_without_autofocus_is_left_as_it_is(
    picamera2: type[Picamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picamera2, "camera_controls", {})
    PiCamera().open()
    assert picamera2.log == ["camera 0", "start"]


def test_without_picamera2_the_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraError, match="sudo apt install python3-picamera2"):
        PiCamera().open()


def test_no_camera_is_one_line(picamera2: type[Picamera2]) -> None:
    with pytest.raises(CameraError, match="Pi camera 1: not there; check its cable"):
        PiCamera(1).open()


def test_a_busy_camera_is_one_line(picamera2: type[Picamera2], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picamera2, "is_busy", True)
    with pytest.raises(CameraError, match="close other programs that use it"):
        PiCamera().open()


def test_a_camera_that_stops_answering_is_one_line(picamera2: type[Picamera2], monkeypatch: pytest.MonkeyPatch) -> None:
    camera = PiCamera()
    camera.open()
    monkeypatch.setattr(picamera2, "is_stuck", True)
    with pytest.raises(CameraError, match="gives no picture"):
        camera.still()


def test_a_closed_camera_takes_nothing(picamera2: type[Picamera2]) -> None:
    with pytest.raises(CameraError, match="open it first"):
        PiCamera().frame()
