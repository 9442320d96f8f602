import numpy as np
import pytest

from osteo_edge.edge_app.light_box.corners import corners_to_start_from, find_film, set_by_hand
from osteo_edge.edge_app.light_box.drawn import DrawnPhoto, Scene, draw_photo, some_scene
from osteo_edge.lettering import Picture
from osteo_edge.radiograph import Pixels


def error_of(drawn: DrawnPhoto) -> float:
    """The largest distance of a corner from where it is, as a share of the film's diagonal; 1 where none was found."""
    outline = find_film(drawn.photo)
    if outline is None:
        return 1.0
    diagonal = np.linalg.norm(drawn.corners[2] - drawn.corners[0])
    return float(np.linalg.norm(outline.corners - drawn.corners, axis=1).max() / diagonal)


@pytest.mark.parametrize(
    "scene",
    [
        Scene(),
        Scene(pitch=15, yaw=-12, roll=6, fill=0.75),
        Scene(placement="at_edge", yaw=8),
        Scene(margin=0.06),
        Scene(unevenness=0.35, exposure=0.85, noise=5),
        Scene(height=1440, width=1080, blur=1.6),
        Scene(height=480, width=640),
    ],
    ids=["straight", "tilted", "at the panel's edge", "narrow margin", "uneven", "portrait", "small"],
)
def test_the_corners_of_a_film_are_found(drawn_film: Pixels, scene: Scene) -> None:
    assert error_of(draw_photo(drawn_film, scene)) < 0.01


def test_on_photos_of_all_kinds_most_corners_are_within_half_a_percent(drawn_film: Pixels) -> None:
    scenes = [scene for seed in range(14) if (scene := some_scene(seed)).placement != "fills_panel"]
    errors = [error_of(draw_photo(drawn_film, scene)) for scene in scenes]
    assert np.median(errors) < 0.004
    assert np.mean(np.array(errors) < 0.01) >= 0.8


def test_an_outline_is_confident_where_its_sides_are_edges(drawn_film: Pixels) -> None:
    outline = find_film(draw_photo(drawn_film, Scene()).photo)
    assert outline is not None
    assert (outline.kind, outline.confidence > 0.9) == ("film", True)


def test_an_empty_panel_is_a_panel() -> None:
    outline = find_film(draw_photo(np.ones((400, 300), np.float32), Scene(placement="fills_panel", clear=1.0)).photo)
    assert outline is not None
    assert outline.kind == "panel"


def _noise() -> Picture:
    return np.random.default_rng(0).integers(0, 256, (300, 400, 3)).astype(np.uint8)


@pytest.mark.parametrize(
    "photo",
    [np.zeros((300, 400, 3), np.uint8), np.full((300, 400, 3), 255, np.uint8), _noise(), _noise()[:40, :40]],
    ids=["black", "white", "noise", "tiny"],
)
def test_where_there_is_no_film_none_is_found(photo: Picture) -> None:
    assert find_film(photo) is None


def test_a_film_that_ends_in_the_dark_on_all_sides_is_left_to_the_user(drawn_film: Pixels) -> None:
    assert find_film(draw_photo(drawn_film, Scene(placement="fills_panel")).photo) is None


def test_the_user_may_set_the_corners_in_any_order() -> None:
    outline = set_by_hand(np.array([[200.0, 200], [10, 10], [200, 10], [10, 200]]))
    assert outline.corners.tolist() == [[10, 10], [200, 10], [200, 200], [10, 200]]


def test_the_corners_to_start_from_lie_within_the_photo() -> None:
    corners = corners_to_start_from((301, 401))
    assert corners.tolist() == [[40, 30], [360, 30], [360, 270], [40, 270]]
