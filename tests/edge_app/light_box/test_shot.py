import cv2
import numpy as np
import pytest

from osteo_edge.edge_app.light_box.crop import crop
from osteo_edge.edge_app.light_box.drawn import DrawnPhoto, Scene, draw_photo
from osteo_edge.edge_app.light_box.shot import NO_FRAME, NOT_FOUND, SHOWN_SIDE_PX, Shot, shot_of, turned, with_corners
from osteo_edge.radiograph import Pixels


@pytest.fixture(scope="module")
def drawn(drawn_film: Pixels) -> DrawnPhoto:
    return draw_photo(drawn_film, Scene(pitch=5, yaw=-4, roll=3))


@pytest.fixture(scope="module")
def shot(drawn: DrawnPhoto) -> Shot:
    return shot_of(drawn.photo)


def test_the_film_is_found_in_shares_of_the_photo(shot: Shot, drawn: DrawnPhoto) -> None:
    assert (shot.origin, shot.problem) == ("found", "")
    assert np.abs(shot.corners_px - drawn.corners).max() < 8
    assert shot.corners.min() >= 0
    assert shot.corners.max() <= 1


def test_what_is_shown_is_small_and_in_red_green_blue(shot: Shot, drawn: DrawnPhoto) -> None:
    assert max(shot.shown.shape) == SHOWN_SIDE_PX
    small = cv2.resize(drawn.photo, shot.shown.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.array_equal(shot.shown, small[..., ::-1])


def test_without_a_film_there_are_corners_to_start_from() -> None:
    shot = shot_of(np.zeros((600, 800, 3), np.uint8))
    assert (shot.origin, shot.problem, shot.raised) == ("start", NOT_FOUND, ())
    assert np.allclose(shot.corners[[0, 2]], [[0.1, 0.1], [0.9, 0.9]], atol=0.01)
    assert with_corners(shot, shot.corners).problem == ""


def test_corners_set_by_hand_are_put_in_order_and_kept_within_the_photo(shot: Shot) -> None:
    moved = with_corners(shot, np.array([[1.4, 0.9], [0.1, 0.1], [0.8, -0.3], [0.1, 0.8]]))
    assert np.allclose(moved.corners, [[0.1, 0.1], [0.8, 0.0], [1.0, 0.9], [0.1, 0.8]])
    assert (moved.origin, moved.problem) == ("hand", "")


def test_corners_that_frame_no_film_are_told(shot: Shot) -> None:
    flat = with_corners(shot, np.array([[0.1, 0.1], [0.5, 0.1], [0.9, 0.1], [0.5, 0.9]]))
    assert (flat.problem, flat.raised) == (NO_FRAME, ())


def test_what_is_amiss_follows_the_corners(shot: Shot) -> None:
    assert "cut_off" not in shot.raised
    assert "cut_off" in with_corners(shot, np.array([[0.0, 0.0], [0.8, 0.1], [0.8, 0.9], [0.1, 0.9]])).raised
    small = np.array([[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]])
    assert "far" in with_corners(shot, small).raised


def test_turned_by_a_quarter_the_film_comes_out_as_it_is_seen(shot: Shot) -> None:
    upright = crop(shot.photo, shot.corners_px)
    once = turned(shot)
    assert once.shown.shape[:2] == shot.shown.shape[1::-1]
    quarter = crop(once.photo, once.corners_px)
    expected = cv2.rotate(upright, cv2.ROTATE_90_CLOCKWISE)
    assert abs(quarter.shape[0] - expected.shape[0]) <= 2
    same_size = cv2.resize(quarter, expected.shape[1::-1]).astype(float)
    assert np.abs(same_size - expected).mean() < 4
    assert np.abs(cv2.rotate(expected, cv2.ROTATE_180).astype(float) - expected).mean() > 10
    assert np.allclose(turned(turned(turned(once))).corners, shot.corners)
