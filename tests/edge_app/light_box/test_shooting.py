import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.edge_app.light_box import shooting
from osteo_edge.edge_app.light_box.camera import Camera, CameraError, DesktopCamera, RecordedCamera
from osteo_edge.edge_app.light_box.choice import camera_for
from osteo_edge.edge_app.light_box.pi_camera import PiCamera
from osteo_edge.edge_app.light_box.shooting import Shooting
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.lettering import Picture


class CountingCamera:
    """Notes what is done with it; gives black pictures."""

    def __init__(self, *, works: bool = True) -> None:
        self.done = list[str]()
        self._works = works

    def open(self) -> None:
        self.done.append("open")
        if not self._works:
            raise CameraError("camera 0: not there")

    def frame(self) -> Picture:
        self.done.append("frame")
        return np.zeros((4, 4, 3), np.uint8)

    def still(self) -> Picture:
        self.done.append("still")
        return np.zeros((8, 8, 3), np.uint8)

    def close(self) -> None:
        self.done.append("close")


@pytest.fixture
def camera() -> CountingCamera:
    return CountingCamera()


@pytest.fixture
def use(camera: CountingCamera) -> Iterator[Shooting]:
    one = Shooting(lambda: camera)
    yield one
    one.close()


def test_the_first_picture_switches_the_camera_on(use: Shooting, camera: CountingCamera) -> None:
    assert camera.done == []
    use.frame()
    use.still()
    use.close()
    assert camera.done == ["open", "frame", "still", "close"]


def test_once_off_it_stays_off(use: Shooting, camera: CountingCamera) -> None:
    use.frame()
    use.close()
    use.close()
    with pytest.raises(OsteoEdgeError, match="switched off"):
        use.frame()
    assert camera.done == ["open", "frame", "close"]


def test_a_use_that_never_began_needs_no_end(use: Shooting, camera: CountingCamera) -> None:
    use.close()
    assert camera.done == []
    with pytest.raises(OsteoEdgeError):
        use.still()


def test_the_next_use_waits_until_the_one_before_has_ended(use: Shooting, camera: CountingCamera) -> None:
    use.frame()
    threading.Timer(0.05, use.close).start()
    following = Shooting(lambda: camera)
    following.frame()
    following.close()
    assert camera.done == ["open", "frame", "close", "open", "frame", "close"]


def test_a_use_that_does_not_end_is_told(
    use: Shooting, camera: CountingCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shooting, "PATIENCE_S", 0.01)
    use.frame()
    with pytest.raises(OsteoEdgeError, match="still in use"):
        Shooting(lambda: camera).frame()


def test_a_camera_that_cannot_be_switched_on_keeps_no_other_from_it(camera: CountingCamera) -> None:
    for _ in range(2):
        with pytest.raises(CameraError):
            Shooting(lambda: CountingCamera(works=False)).frame()
    use = Shooting(lambda: camera)
    use.frame()
    use.close()


def test_closing_soon_closes(use: Shooting, camera: CountingCamera) -> None:
    use.frame()
    use.close_soon()
    for thread in threading.enumerate():
        if thread.name == "camera off":
            thread.join(5)
    assert camera.done[-1] == "close"


@pytest.mark.parametrize(
    ("choice", "kind"), [("0", DesktopCamera), ("12", DesktopCamera), ("frames", RecordedCamera), ("²", RecordedCamera)]
)
def test_the_choice_names_the_camera(choice: str, kind: type[Camera]) -> None:
    assert type(camera_for(choice)) is kind


def test_without_a_choice_it_is_the_pis_own_camera_where_there_is_picamera2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert type(camera_for("auto")) is DesktopCamera
    (tmp_path / "picamera2.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    assert type(camera_for("auto")) is PiCamera
