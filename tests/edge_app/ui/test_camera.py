from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.light_box import choice, photo
from osteo_edge.edge_app.light_box.camera import Camera, CameraError, RecordedCamera
from osteo_edge.edge_app.light_box.drawn import DrawnPhoto, Scene, draw_photo
from osteo_edge.edge_app.light_box.hints import WORDS, HintId
from osteo_edge.edge_app.light_box.shot import NO_FRAME, NOT_FOUND
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.lettering import Picture
from osteo_edge.radiograph import Pixels, read_radiograph

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy

TAB, ENTER, RIGHT, UP = 9, 13, 275, 273
Taken = list[tuple[Path, tuple[HintId, ...]]]


@pytest.fixture(scope="module")
def film() -> Pixels:
    pixels = cv2.resize(read_radiograph(DRAWN_FILM).pixels, (480, 600), interpolation=cv2.INTER_AREA)
    return np.asarray(pixels, np.float32)


@pytest.fixture(scope="module")
def drawn(film: Pixels) -> DrawnPhoto:
    """A photo of a film within a lit panel."""
    return draw_photo(film, Scene(pitch=6, yaw=-5, roll=3))


@pytest.fixture
def frames(tmp_path: Path, drawn: DrawnPhoto) -> Path:
    """A folder of recorded pictures for the camera."""
    return recorded(tmp_path / "frames", drawn.photo)


def recorded(folder: Path, picture: Picture) -> Path:
    folder.mkdir(exist_ok=True)
    cv2.imwrite(str(folder / "photo.jpg"), picture)
    return folder


def open_camera(robot: Robot) -> Taken:
    """Open the screen; what it gives comes into the list, with the screen closed by then."""
    taken = Taken()

    def on_taken(path: Path, raised: tuple[HintId, ...]) -> None:
        assert robot.shell.name == "home"
        taken.append((path, raised))

    robot.shell.go("camera", on_taken=on_taken)
    return taken


def test_a_film_is_found_framed_and_cut_out(
    start: Callable[..., Robot], frames: Path, drawn: DrawnPhoto, film: Pixels
) -> None:
    robot = start(camera=str(frames))
    taken = open_camera(robot)
    robot.tap("Take the photo")
    robot.see("Use this film")
    found = np.array(robot.screen.pad.corners) * drawn.photo.shape[1::-1]
    assert np.abs(found - drawn.corners).max() < 10
    robot.tap("Use this film")
    robot.until(lambda: taken)
    ((path, raised),) = taken
    assert path.parent == robot.clinic.folders.photos
    assert raised == ()
    pixels = read_radiograph(path).pixels
    assert pixels.shape[0] / pixels.shape[1] == pytest.approx(600 / 480, rel=0.02)
    same_size = cv2.resize(pixels, film.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.corrcoef(same_size.ravel(), film.ravel())[0, 1] > 0.95


def test_a_corner_is_dragged_and_the_hints_follow(start: Callable[..., Robot], frames: Path) -> None:
    robot = start(camera=str(frames))
    taken = open_camera(robot)
    robot.tap("Take the photo")
    robot.see("Use this film")
    pad = robot.screen.pad
    before = pad.corners[0]
    x, y = pad.to_window(*pad.at(before))
    robot.drag((x + 25, y - 25), (x - 275, y + 275))  # held beside the corner, and dragged beyond the photo
    assert pad.corners[0] == (0.0, 0.0)
    robot.see(WORDS["cut_off"])
    robot.tap("Use this film")
    robot.until(lambda: taken)
    assert "cut_off" in taken[0][1]


def test_a_touch_far_from_every_corner_moves_none(start: Callable[..., Robot], frames: Path) -> None:
    robot = start(camera=str(frames))
    open_camera(robot)
    robot.tap("Take the photo")
    robot.see("Use this film")
    pad = robot.screen.pad
    before = list(pad.corners)
    robot.drag(pad.to_window(*pad.center), (10, 200))
    assert list(pad.corners) == before


def test_corners_that_frame_no_film_are_told_and_not_cut_out(start: Callable[..., Robot], frames: Path) -> None:
    robot = start(camera=str(frames))
    taken = open_camera(robot)
    robot.tap("Take the photo")
    robot.see("Use this film")
    pad = robot.screen.pad
    for corner in (0, 3):
        robot.drag(pad.to_window(*pad.at(pad.corners[corner])), pad.to_window(*pad.at((0.5 - 0.05 * corner, 0.5))))
    robot.see(NO_FRAME)
    robot.tap("Use this film")
    robot.see("the corners do not frame a film")
    assert taken == []
    robot.see("Use this film")


def test_the_film_comes_out_as_it_was_turned(start: Callable[..., Robot], frames: Path) -> None:
    robot = start((360, 740), camera=str(frames))
    taken = open_camera(robot)
    robot.tap("Take the photo")
    robot.see("Use this film")
    width, height = robot.screen.pad.texture.size
    robot.tap("Turn")
    robot.until(lambda: robot.screen.pad.texture.size == (height, width))
    robot.tap("Use this film")
    robot.until(lambda: taken)
    pixels = read_radiograph(taken[0][0]).pixels
    assert pixels.shape[0] < pixels.shape[1]


def test_corners_are_moved_by_keys(start: Callable[..., Robot], frames: Path) -> None:
    robot = start(camera=str(frames))
    open_camera(robot)
    robot.tap("Take the photo")
    robot.see("Use this film")
    pad = robot.screen.pad
    x, y = pad.corners[0]
    while not pad.is_marked:
        robot.key(TAB)
    robot.key(RIGHT)
    assert pad.corners[0] == pytest.approx((x + 0.005, y))
    robot.key(ENTER)
    robot.key(UP)
    assert pad.corners[0] == pytest.approx((x + 0.005, y - 0.005))
    robot.key(ENTER)
    x, y = pad.corners[1]
    robot.key(RIGHT)
    assert pad.corners[1] == pytest.approx((x + 0.005, y))


def test_without_a_film_the_user_sets_the_corners(start: Callable[..., Robot], tmp_path: Path) -> None:
    robot = start(camera=str(recorded(tmp_path / "frames", np.full((600, 800, 3), 40, np.uint8))))
    open_camera(robot)
    robot.tap("Take the photo")
    robot.see(NOT_FOUND)
    robot.tap("Take again")
    robot.see("Take the photo")
    assert not robot.sees(NOT_FOUND)


def test_what_is_amiss_is_told(start: Callable[..., Robot], tmp_path: Path, film: Pixels) -> None:
    scene = Scene(fill=0.4, blur=6, glare=0.02)
    robot = start(camera=str(recorded(tmp_path / "frames", draw_photo(film, scene).photo)))
    taken = open_camera(robot)
    robot.tap("Take the photo")
    robot.see(WORDS["blur"])
    robot.see(WORDS["far"])
    robot.tap("Use this film")
    robot.until(lambda: taken)
    assert {"blur", "far"} <= set(taken[0][1])


def test_no_camera_is_one_line_and_a_way_back(start: Callable[..., Robot], tmp_path: Path) -> None:
    robot = start(camera=str(tmp_path / "nothing"))
    taken = open_camera(robot)
    robot.see("no recorded pictures; name a folder with .jpg or .png files")
    robot.tap("Try again")
    robot.see("no recorded pictures")
    robot.tap("Go back")
    assert robot.shell.name == "home"
    assert taken == []


def test_a_disk_that_does_not_take_the_film_is_told_and_the_photo_stays(
    start: Callable[..., Robot], frames: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Path:
        raise OsteoEdgeError("the film of the photo cannot be written (No space left on device)")

    robot = start(camera=str(frames))
    taken = open_camera(robot)
    robot.tap("Take the photo")
    robot.see("Use this film")
    monkeypatch.setattr(photo, "write_film", refuse)
    robot.tap("Use this film")
    robot.see("No space left on device")
    monkeypatch.undo()
    robot.tap("Use this film")
    robot.until(lambda: taken)


class WatchedCamera(RecordedCamera):
    """Tells whether it is on; takes a photo only when it may."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.is_on = False
        self.may_take = threading.Event()
        self.breaks = False

    def open(self) -> None:
        super().open()
        self.is_on = True

    def frame(self) -> Picture:
        if self.breaks:
            raise CameraError("camera 0: gives no picture; plug it in again")
        return super().frame()

    def still(self) -> Picture:
        self.may_take.wait(20)
        return super().still()

    def close(self) -> None:
        super().close()
        self.is_on = False


@pytest.fixture
def camera(frames: Path, monkeypatch: pytest.MonkeyPatch) -> WatchedCamera:
    """The camera that the app will use."""
    watched = WatchedCamera(frames)

    def camera_for(_: str) -> Camera:
        return watched

    monkeypatch.setattr(choice, "camera_for", camera_for)
    return watched


def test_leaving_switches_the_camera_off(start: Callable[..., Robot], camera: WatchedCamera) -> None:
    robot = start()
    open_camera(robot)
    robot.see("Take the photo")
    assert camera.is_on
    robot.tap("‹ Back")
    robot.until(lambda: not camera.is_on)
    open_camera(robot)
    robot.see("Take the photo")
    assert camera.is_on
    robot.shell.go("help")
    robot.until(lambda: not camera.is_on)
    robot.shell.back()
    robot.see("Take the photo")
    robot.until(lambda: camera.is_on)


def test_a_photo_that_takes_long_can_be_cancelled(start: Callable[..., Robot], camera: WatchedCamera) -> None:
    robot = start()
    open_camera(robot)
    robot.tap("Take the photo")
    robot.see("Looking for the film…")
    robot.tap("Cancel")
    camera.may_take.set()
    robot.see("Take the photo")
    robot.frames(10)
    assert robot.screen.shot is None
    robot.tap("Take the photo")
    robot.see("Use this film")


def test_a_camera_that_is_unplugged_is_told_and_switched_on_again(
    start: Callable[..., Robot], camera: WatchedCamera
) -> None:
    robot = start()
    open_camera(robot)
    robot.see("Take the photo")
    camera.breaks = True
    robot.see("camera 0: gives no picture; plug it in again")
    robot.until(lambda: not camera.is_on)
    camera.breaks = False
    robot.tap("Try again")
    robot.see("Take the photo")


def test_leaving_while_the_film_is_looked_for_gives_nothing(start: Callable[..., Robot], camera: WatchedCamera) -> None:
    robot = start()
    taken = open_camera(robot)
    robot.tap("Take the photo")
    robot.see("Looking for the film…")
    robot.tap("‹ Back")
    camera.may_take.set()
    robot.until(lambda: not camera.is_on)
    robot.frames(10)
    assert (robot.shell.name, taken) == ("home", [])
