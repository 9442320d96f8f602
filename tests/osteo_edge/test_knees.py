"""The finder on drawn films, whose joint is known, and on real ones where they are at hand."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge.filters import Pixels
from osteo_edge.knees import Knee, find_knees
from osteo_edge.radiograph import read_radiograph
from osteo_edge.train.knee_template import DrawnKnee, draw_knee

SEEDS = range(1000, 1008)  # none of these is in the template


def mirrored(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[:, ::-1])


def pair_of(drawn: DrawnKnee) -> Pixels:
    """A film of both knees, the fibulas outside."""
    right = drawn.pixels if drawn.fibula_right else mirrored(drawn.pixels)
    return np.hstack([mirrored(right), right])


def distance(knee: Knee, drawn: DrawnKnee) -> float:
    """From the true joint, in condyle widths."""
    return float(np.hypot(knee.x_px - drawn.x_px, knee.y_px - drawn.y_px) / drawn.width_px)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_joint_of_a_drawn_knee_is_met(seed: int) -> None:
    drawn = draw_knee(seed)
    (knee,) = find_knees(drawn.pixels)
    assert distance(knee, drawn) < 0.1
    assert knee.width_px == pytest.approx(drawn.width_px, rel=0.1)
    assert knee.fibula_right == drawn.fibula_right
    assert 1 < knee.score <= 2


@pytest.mark.parametrize("seed", SEEDS)
def test_two_knees_side_by_side_are_both_met(seed: int) -> None:
    drawn = draw_knee(seed)
    across = drawn.pixels.shape[1]
    right_x = drawn.x_px if drawn.fibula_right else across - drawn.x_px
    left, right = find_knees(pair_of(drawn))
    assert (left.fibula_right, right.fibula_right) == (False, True)
    for knee, x_px in ((left, across - right_x), (right, across + right_x)):
        assert np.hypot(knee.x_px - x_px, knee.y_px - drawn.y_px) < 0.1 * drawn.width_px
        assert knee.width_px == pytest.approx(drawn.width_px, rel=0.1)


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_a_mirrored_film_gives_the_mirrored_knee(seed: int) -> None:
    film = draw_knee(seed).pixels
    (knee,), (other,) = find_knees(film), find_knees(mirrored(film))
    assert other.x_px == pytest.approx(film.shape[1] - knee.x_px, abs=0.01 * knee.width_px)
    assert other.y_px == pytest.approx(knee.y_px, abs=0.01 * knee.width_px)
    assert other.fibula_right is not knee.fibula_right


@pytest.mark.parametrize("factor", [0.4, 3.0])
def test_the_knee_grows_with_the_film(factor: float) -> None:
    drawn = draw_knee(SEEDS[0])
    size = [round(side * factor) for side in drawn.pixels.shape[::-1]]
    film = np.asarray(cv2.resize(drawn.pixels, size, interpolation=cv2.INTER_AREA), np.float32)
    (knee,) = find_knees(film)
    assert np.hypot(knee.x_px / factor - drawn.x_px, knee.y_px / factor - drawn.y_px) < 0.1 * drawn.width_px
    assert knee.width_px / factor == pytest.approx(drawn.width_px, rel=0.1)


@pytest.mark.parametrize("seed", SEEDS[:4])
@pytest.mark.parametrize("border", [200, 500])
def test_a_knee_that_is_a_small_part_of_a_large_film_is_met(seed: int, border: int) -> None:
    drawn = draw_knee(seed)
    found = find_knees(np.pad(drawn.pixels, border, mode="edge"))
    assert len(found) == 1
    middle = np.hypot(found[0].x_px - border - drawn.x_px, found[0].y_px - border - drawn.y_px)
    assert middle < 0.1 * drawn.width_px


@pytest.mark.parametrize("shape", [(600, 500), (160, 160), (33, 35), (40, 1000), (1000, 40), (1, 1)])
def test_no_knee_is_seen_in_black_white_or_noise(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).random(shape).astype(np.float32)
    for film in (np.zeros(shape, np.float32), np.ones(shape, np.float32), noise):
        assert find_knees(film) == ()


def test_nine_in_ten_real_films_have_a_knee(shared_data: Path) -> None:
    films = sorted((shared_data / "knees" / "images").rglob("*.jpg"))[::6]
    found = [find_knees(read_radiograph(film).pixels) for film in films]
    assert len(films) > 30
    assert np.mean([len(knees) > 0 for knees in found]) >= 0.9


def test_photos_have_no_knee(shared_data: Path) -> None:
    photos = sorted(path for path in (shared_data / "ood" / "photos").iterdir() if path.is_file())
    assert len(photos) >= 5
    assert [find_knees(read_radiograph(photo).pixels) for photo in photos] == [()] * len(photos)
