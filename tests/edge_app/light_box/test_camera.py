import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge.edge_app.light_box.camera import PREVIEW_SIDE_PX, Camera, CameraError, DesktopCamera, RecordedCamera
from osteo_edge.edge_app.light_box.choice import camera_for
from osteo_edge.lettering import Picture


class Capture:
    """OpenCV's video capture with one camera, number 0, of 1600 x 1200 pixels; each picture is brighter by one."""

    pictures = 0
    is_gone = False

    def __init__(self, number: int) -> None:
        self.is_open = number == 0

    def isOpened(self) -> bool:  # noqa: N802
        return self.is_open

    def set(self, key: int, value: float) -> bool:
        return True

    def read(self) -> tuple[bool, Picture | None]:
        Capture.pictures += 1
        return (False, None) if Capture.is_gone else (True, np.full((1200, 1600, 3), Capture.pictures, np.uint8))

    def release(self) -> None:
        self.is_open = False


@pytest.fixture
def capture(monkeypatch: pytest.MonkeyPatch) -> type[Capture]:
    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    monkeypatch.setattr(Capture, "pictures", 0)
    monkeypatch.setattr(Capture, "is_gone", False)
    return Capture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.full((900, 1200, 3), 50 * i, np.uint8))
    (tmp_path / "notes.txt").touch()
    return tmp_path


def test_a_recording_is_played_over_and_over(folder: Path) -> None:
    camera: Camera = RecordedCamera(folder)
    camera.open()
    assert [int(camera.frame().mean()) for _ in range(4)] == [0, 50, 100, 0]
    camera.close()


def test_a_still_of_a_recording_is_the_last_frame_at_full_size(folder: Path) -> None:
    camera = RecordedCamera(folder)
    camera.open()
    camera.frame()
    assert max(camera.frame().shape) == PREVIEW_SIDE_PX
    still = camera.still()
    assert (still.shape, int(still.mean())) == ((900, 1200, 3), 50)


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_a_recording_without_pictures_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CameraError, match="no recorded pictures"):
        RecordedCamera(tmp_path / name).open()


def test_a_desktop_camera_shows_previews_and_takes_full_stills(capture: type[Capture]) -> None:
    camera: Camera = DesktopCamera()
    camera.open()
    camera.open()
    assert camera.frame().shape == (600, 800, 3)
    still = camera.still()
    assert (still.shape, int(still[0, 0, 0])) == ((1200, 1600, 3), 3)  # the second of two: the first may be old
    camera.close()
    with pytest.raises(CameraError, match="not open"):
        camera.frame()


def test_a_camera_that_is_not_there_is_one_line(capture: type[Capture]) -> None:
    with pytest.raises(CameraError, match="camera 1: not there, or used by another program"):
        DesktopCamera(1).open()


@pytest.mark.parametrize("choice", ["auto", "0"])
def test_without_opencv_a_webcam_is_one_line_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch, choice: str) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    camera = camera_for(choice)
    with pytest.raises(CameraError, match="camera 0: a webcam needs OpenCV: pip install opencv-python-headless"):
        camera.open()
    camera.close()


def test_a_camera_that_is_pulled_out_is_one_line(capture: type[Capture]) -> None:
    camera = DesktopCamera()
    camera.open()
    capture.is_gone = True
    with pytest.raises(CameraError, match="gives no picture; plug it in again"):
        camera.still()


def test_a_closed_camera_takes_nothing(folder: Path) -> None:
    for camera in (RecordedCamera(folder), DesktopCamera()):
        camera.close()
        with pytest.raises(CameraError, match="not open"):
            camera.still()
