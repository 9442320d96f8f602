import numpy as np
import pytest

from osteo_edge.edge_app.light_box.crop import MAX_SIDE_PX, WHITE, crop, proportions, tilt, turned
from osteo_edge.edge_app.light_box.drawn import Scene, draw_photo
from osteo_edge.errors import RadiographError
from osteo_edge.radiograph import Pixels


@pytest.mark.parametrize("angles", [(0.0, 0.0), (12.0, 0.0), (0.0, -18.0), (15.0, 15.0)])
@pytest.mark.parametrize("focal", [0.7, 0.8, 1.0])
def test_a_tilted_film_keeps_its_proportions(drawn_film: Pixels, angles: tuple[float, float], focal: float) -> None:
    scene = Scene(pitch=angles[0], yaw=angles[1], fill=0.75, focal=focal)
    corners = draw_photo(drawn_film, scene).corners
    assert proportions(corners, (scene.height, scene.width)) == pytest.approx(640 / 800, rel=0.03)


def test_the_tilt_is_the_angle_from_straight_ahead(drawn_film: Pixels) -> None:
    for degrees in (0.0, 10.0, 25.0):
        drawn = draw_photo(drawn_film, Scene(pitch=degrees, fill=0.7))
        assert tilt(drawn.corners, (1080, 1440)) == pytest.approx(degrees, abs=1.0)


def test_the_crop_is_the_film(drawn_film: Pixels) -> None:
    drawn = draw_photo(drawn_film, Scene(pitch=10, yaw=-10, roll=5, unevenness=0, noise=1))
    straight = crop(drawn.photo, drawn.corners)[..., 1]
    rows = (np.linspace(0.02, 0.98, 90) * straight.shape[0]).astype(int)
    columns = (np.linspace(0.02, 0.98, 70) * straight.shape[1]).astype(int)
    truth = drawn_film[(np.linspace(0.02, 0.98, 90) * 800).astype(int)][
        :, (np.linspace(0.02, 0.98, 70) * 640).astype(int)
    ]
    assert np.corrcoef(straight[rows][:, columns].ravel(), truth.ravel())[0, 1] > 0.97


def test_a_colour_cast_goes_and_other_colours_stay(drawn_film: Pixels) -> None:
    drawn = draw_photo(drawn_film, Scene(warmth=0.06, noise=0.5))
    grey = crop(drawn.photo, drawn.corners)
    assert np.ptp(grey.mean(axis=(0, 1))) < 1
    painted = drawn.photo.copy()
    painted[:, : painted.shape[1] // 2, 0] = 0
    halves = crop(painted, drawn.corners).astype(int)
    assert np.ptp(halves, axis=2).mean() > 0.06 * 255


def test_the_crop_is_turned_with_its_corners(drawn_film: Pixels) -> None:
    drawn = draw_photo(drawn_film, Scene(noise=0))
    upright = crop(drawn.photo, drawn.corners)
    on_its_side = crop(drawn.photo, turned(drawn.corners, 1))
    assert on_its_side.shape[:2] == pytest.approx(upright.shape[1::-1], abs=2)
    same_size = np.rot90(upright, -1)[: on_its_side.shape[0] - 4, : on_its_side.shape[1] - 4]
    rest = on_its_side[: same_size.shape[0], : same_size.shape[1]]
    assert np.abs(same_size.astype(int) - rest[: same_size.shape[0]]).mean() < 3


def test_a_large_photo_gives_a_crop_of_at_most_the_largest_size() -> None:
    photo = np.full((3000, 4000, 3), 128, np.uint8)
    corners = np.array([[100.0, 100], [3900, 100], [3900, 2900], [100, 2900]])
    assert max(crop(photo, corners).shape) == MAX_SIDE_PX


def test_corners_that_frame_nothing_are_refused() -> None:
    with pytest.raises(RadiographError, match="put them on the film's four corners"):
        crop(np.zeros((100, 100, 3), np.uint8), np.array([[0.0, 0], [50, 50], [50, 0], [0, 50]]))


@pytest.mark.parametrize("exposure", [0.7, 0.95])
def test_the_crop_is_as_bright_as_a_file_whatever_the_exposure(drawn_film: Pixels, exposure: float) -> None:
    drawn = draw_photo(drawn_film, Scene(exposure=exposure, clear=0.7))
    low, high = np.quantile(crop(drawn.photo, drawn.corners), [0.01, 0.995])
    assert low < 8
    assert high == pytest.approx(WHITE * 255, abs=8)


def test_a_blank_stays_a_blank() -> None:
    photo = np.clip(np.random.default_rng(0).normal(200, 2, (400, 400, 3)), 0, 255).astype(np.uint8)
    corners = np.array([[10.0, 10], [390, 10], [390, 390], [10, 390]])
    assert crop(photo, corners).std() < 0.04 * 255
