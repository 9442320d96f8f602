import math
from dataclasses import replace

import numpy as np
import pytest

from osteo_edge.edge_app.light_box.corners import Outline, find_film
from osteo_edge.edge_app.light_box.drawn import Scene, draw_photo
from osteo_edge.edge_app.light_box.hints import LIMITS, WORDS, HintId, edge_width, hints, raised
from osteo_edge.radiograph import Pixels

SCENE = Scene(pitch=5, yaw=5, exposure=0.95)


def of(drawn_film: Pixels, scene: Scene) -> tuple[HintId, ...]:
    drawn = draw_photo(drawn_film, scene)
    return raised(hints(drawn.photo, Outline(drawn.corners, 1.0, "film")))


@pytest.mark.parametrize("placement", ["on_panel", "at_edge"])
def test_a_fair_photo_raises_no_hint(drawn_film: Pixels, placement: str) -> None:
    drawn = draw_photo(drawn_film, replace(SCENE, placement="on_panel" if placement == "on_panel" else "at_edge"))
    outline = find_film(drawn.photo)
    assert outline is not None
    assert raised(hints(drawn.photo, outline)) == ()


@pytest.mark.parametrize(
    ("scene", "name"),
    [
        (replace(SCENE, glare=0.02), "glare"),
        (replace(SCENE, exposure=1.9), "glare"),
        (replace(SCENE, blur=9.0), "blur"),
        (replace(SCENE, exposure=0.2), "dark"),
        (replace(SCENE, pitch=35, fill=0.6), "tilt"),
        (replace(SCENE, fill=1.3), "cut_off"),
        (replace(SCENE, fill=0.3), "far"),
    ],
    ids=["glare", "over-exposed", "blur", "dark", "tilt", "cut off", "far"],
)
def test_what_is_amiss_raises_its_hint(drawn_film: Pixels, scene: Scene, name: HintId) -> None:
    assert name in of(drawn_film, scene)


def test_a_shaken_camera_is_seen_though_one_direction_is_sharp(drawn_film: Pixels) -> None:
    drawn = draw_photo(drawn_film, SCENE)
    shaken = np.mean([np.roll(drawn.photo, shift, axis=1) for shift in range(-12, 13)], axis=0).astype(np.uint8)
    assert "blur" in raised(hints(shaken, Outline(drawn.corners, 1.0, "film")))


def test_each_hint_carries_its_number_and_limit(drawn_film: Pixels) -> None:
    drawn = draw_photo(drawn_film, SCENE)
    found = hints(drawn.photo, Outline(drawn.corners, 1.0, "film"))
    assert {hint.id: hint.limit for hint in found} == LIMITS
    assert set(WORDS) == set(LIMITS)
    assert next(hint.value for hint in found if hint.id == "tilt") == pytest.approx(7, abs=1)


@pytest.mark.parametrize("sigma", [3.0, 6.0])
def test_the_width_of_an_edge_is_that_of_a_gaussian_step(drawn_film: Pixels, sigma: float) -> None:
    drawn = draw_photo(drawn_film, Scene(blur=sigma, noise=0, unevenness=0))
    diagonal = float(np.linalg.norm(drawn.corners[2] - drawn.corners[0]))
    width = edge_width(drawn.photo, Outline(drawn.corners, 1.0, "film")) * diagonal
    assert width == pytest.approx(math.sqrt(2 * math.pi) * sigma, rel=0.1)


def test_beyond_the_photo_there_is_nothing_to_see(drawn_film: Pixels) -> None:
    photo = draw_photo(drawn_film, SCENE).photo
    away = np.array([[-900.0, -900], [-300, -900], [-300, -300], [-900, -300]])
    values = {hint.id: hint.value for hint in hints(photo, Outline(away, 1.0, "film"))}
    assert (values["glare"], values["blur"], values["cut_off"]) == (0, 0, 4)
