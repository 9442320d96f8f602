"""Each figure is moved by what it is for, and the drawn films lie far from every limit."""

from dataclasses import asdict

import cv2
import numpy as np
import pytest

from osteo_edge.filters import Pixels
from osteo_edge.image_quality import measure_quality
from osteo_edge.train.phantoms import draw_phantom


@pytest.fixture(scope="module")
def film() -> Pixels:
    return np.asarray(draw_phantom(-2.0, size=512, seed=7_000_000).pixels / 255, np.float32)


def with_disc(film: Pixels, radius: int, grey: float, x: int | None = None) -> Pixels:
    changed = film.copy()
    cv2.circle(changed, (film.shape[1] // 2 if x is None else x, film.shape[0] // 2), radius, (grey,), -1)
    return changed


def test_the_aspect_is_the_longer_side_over_the_shorter() -> None:
    assert measure_quality(np.zeros((100, 400), np.float32)).aspect == 4
    assert measure_quality(np.zeros((400, 100), np.float32)).aspect == 4


def test_noise_is_not_smooth_at_any_size_and_a_film_is(film: Pixels) -> None:
    assert measure_quality(film).smoothness > 0.98
    for side in (200, 700, 1500):
        noise = np.random.default_rng(0).random((side, side), np.float32)
        assert measure_quality(noise).smoothness < 0.3
        assert measure_quality(noise).even < 0.01


def test_print_is_even_where_it_is_empty() -> None:
    page = np.ones((600, 600), np.float32)
    page[::40] = page[1::40] = page[:, ::25] = 0
    assert measure_quality(page).even > 0.2
    assert measure_quality(page).smoothness < 0.9


def test_tones_are_counted_and_the_rim_of_a_line_is_none() -> None:
    drawing = np.full((1000, 1000), 0.25, np.float32)
    cv2.circle(drawing, (500, 500), 300, (0.75,), -1)
    assert measure_quality(drawing).tones == 2


def test_a_negative_has_its_detail_where_it_is_dark(film: Pixels) -> None:
    bright, dark = measure_quality(film), measure_quality(1 - film)
    assert bright.relief > 0.1
    assert dark.relief < -0.1
    assert bright.side < 0.1
    assert dark.side > 0.7


def test_white_borders_are_no_part_of_the_field(film: Pixels) -> None:
    wide = cv2.copyMakeBorder(film, 0, 0, 120, 120, cv2.BORDER_CONSTANT, value=1.0)
    shut_out = measure_quality(np.asarray(wide, np.float32))
    assert shut_out.side < 0.1
    assert shut_out.relief > 0
    assert shut_out.white == pytest.approx(measure_quality(film).white, abs=0.005)


def test_white_counts_in_the_middle_only(film: Pixels) -> None:
    assert measure_quality(np.minimum(3 * film, 1)).white > 0.2
    corner = film.copy()
    corner[:60, :60] = 1
    assert measure_quality(corner).white == measure_quality(film).white


def test_an_all_white_picture_has_a_field_too() -> None:
    white = measure_quality(np.ones((300, 300), np.float32))
    assert (white.white, white.patch, white.tones) == (1, 0, 1)


def test_a_patch_is_white_even_and_clear_of_the_margin(film: Pixels) -> None:
    share = np.pi * 40**2 / film.size
    assert measure_quality(film).patch < 0.001
    assert measure_quality(with_disc(film, 40, 1)).patch == pytest.approx(share, rel=0.2)
    assert measure_quality(with_disc(film, 40, 0.8)).patch < 0.001
    assert measure_quality(with_disc(film, 40, 1, x=20)).patch < 0.001


def test_the_largest_patch_counts_and_not_the_sum(film: Pixels) -> None:
    one = with_disc(film, 30, 1)
    both = with_disc(one, 20, 1, x=film.shape[1] // 2 + 80)
    assert measure_quality(both).patch == pytest.approx(measure_quality(one).patch, rel=0.01)


def test_light_grey_areas_are_of_a_screen(film: Pixels) -> None:
    window = cv2.copyMakeBorder(film, 40, 10, 10, 10, cv2.BORDER_CONSTANT, value=0.93)
    assert measure_quality(film).screen < 0.001
    assert measure_quality(np.asarray(window, np.float32)).screen > 0.05


def test_blur_takes_detail_away_and_so_does_shaking(film: Pixels) -> None:
    shaken = cv2.blur(film, (15, 1))
    strongly = cv2.GaussianBlur(film, (0, 0), 16)  # where what is left is rounding
    figures = [measure_quality(np.asarray(one, np.float32)).detail for one in (film, shaken, strongly)]
    assert figures[0] > 0.5
    assert max(figures[1:]) < 0.36


def test_a_large_film_is_measured_like_a_small_one(film: Pixels) -> None:
    large = cv2.resize(film, None, fx=5.3, fy=5.3, interpolation=cv2.INTER_LINEAR)
    small, same = asdict(measure_quality(film)), asdict(measure_quality(np.asarray(large, np.float32)))
    for name in ("aspect", "smoothness", "white", "brightest", "side", "relief", "screen"):
        assert same[name] == pytest.approx(small[name], abs=0.05), name


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (33, 2), (4, 9000)])
def test_any_shape_can_be_measured(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).random(shape, np.float32)
    assert all(np.isfinite(value) for value in asdict(measure_quality(pixels)).values())


def test_the_pixels_stay_as_they_were(film: Pixels) -> None:
    before = film.copy()
    measure_quality(film)
    assert np.array_equal(film, before)
