from pathlib import Path

import numpy as np
import pytest

from osteo_edge.image_quality import measure_quality
from osteo_edge.preprocessing import Pixels
from osteo_edge.radiograph import decode
from osteo_edge.train.disturbances import DISTURBANCES, STRENGTHS, Disturbance, to_png
from osteo_edge.train.phantoms import draw_phantom

SEED = (0, 7)
BY_NAME = {disturbance.name: disturbance for disturbance in DISTURBANCES}
every = pytest.mark.parametrize("disturbance", DISTURBANCES, ids=lambda one: one.name)


@pytest.fixture(scope="module")
def film() -> Pixels:
    return np.asarray(draw_phantom(-1.0, size=256, seed=3).pixels / 255, np.float32)


def at(name: str, film: Pixels, strength: int, seed: tuple[int, ...] = SEED) -> Pixels:
    return BY_NAME[name].apply(film, strength, seed)


def test_all_that_was_asked_for_is_there_once() -> None:
    names = "blur", "noise", "darker", "brighter", "JPEG", "rotation", "crop", "marker", "text", "photo of film"
    assert tuple(BY_NAME) == names == tuple(disturbance.name for disturbance in DISTURBANCES)


@every
def test_there_are_five_strengths_that_go_one_way(disturbance: Disturbance) -> None:
    steps = np.diff(disturbance.amounts)
    assert len(disturbance.amounts) == STRENGTHS
    assert (steps > 0).all() or (steps < 0).all()


@every
def test_each_strength_is_further_from_the_film_than_the_one_before(disturbance: Disturbance, film: Pixels) -> None:
    if disturbance.name == "crop":
        sizes = [disturbance.apply(film, strength, SEED).size for strength in range(1, STRENGTHS + 1)]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[0] < film.size
        return
    changes = [
        float(np.abs(disturbance.apply(film, strength, SEED) - film).mean()) for strength in range(1, STRENGTHS + 1)
    ]
    assert changes == sorted(changes)
    assert 0 < changes[0] < changes[-1]


@every
@pytest.mark.parametrize("strength", [1, STRENGTHS])
def test_what_comes_out_is_a_film_and_the_one_that_went_in_is_as_it_was(
    disturbance: Disturbance, strength: int, film: Pixels
) -> None:
    before = film.copy()
    disturbed = disturbance.apply(film, strength, SEED)
    assert disturbed.dtype == np.float32
    assert disturbed.min() >= 0
    assert disturbed.max() <= 1
    assert np.array_equal(film, before)
    if disturbance.name != "crop":
        assert disturbed.shape == film.shape


@every
def test_the_same_seed_disturbs_the_same_way(disturbance: Disturbance, film: Pixels) -> None:
    first, again = (disturbance.apply(film, 3, SEED) for _ in range(2))
    assert np.array_equal(first, again)


@pytest.mark.parametrize("name", ["noise", "rotation", "crop", "marker", "photo of film"])
def test_where_chance_has_a_part_the_seed_decides(name: str, film: Pixels) -> None:
    drawn = {to_png(at(name, film, 3, (seed,))) for seed in range(8)}
    assert len(drawn) > 1


def test_noise_has_the_deviation_that_it_says(film: Pixels) -> None:
    grey = np.full((300, 300), 0.5, np.float32)
    for strength, percent in enumerate(BY_NAME["noise"].amounts[:4], 1):
        assert np.std(at("noise", grey, strength)) == pytest.approx(percent / 100, rel=0.05)


def test_a_blurred_edge_is_as_wide_as_it_says() -> None:
    edge = np.zeros((400, 400), np.float32)
    edge[:, 200:] = 1
    slope = np.diff(at("blur", edge, 5)[200])  # a Gaussian of 0.8 % of 400 pixels
    places = np.arange(slope.size)
    middle = (slope * places).sum()
    assert np.sqrt((slope * (places - middle) ** 2).sum()) == pytest.approx(3.2, rel=0.05)


def test_darker_is_darker_by_the_factor_and_brighter_is_clipped(film: Pixels) -> None:
    assert np.allclose(at("darker", film, 2), 0.6 * film, atol=1e-6)
    assert np.allclose(at("brighter", film, 5), np.minimum(3 * film, 1), atol=1e-6)


def test_a_rotation_turns_by_the_angle_that_it_says() -> None:
    spot = np.zeros((401, 401), np.float32)
    spot[195:206, 345:356] = 1  # 150 to the right of the middle
    for strength, degrees in enumerate(BY_NAME["rotation"].amounts, 1):
        y, x = (axis.mean() for axis in np.nonzero(at("rotation", spot, strength) > 0.5))
        assert abs(np.degrees(np.arctan2(y - 200, x - 200))) == pytest.approx(degrees, abs=0.3)


def test_a_crop_is_a_part_of_the_film(film: Pixels) -> None:
    part = at("crop", film, 5)
    assert part.shape == (round(0.55 * film.shape[0]), round(0.55 * film.shape[1]))
    windows = np.lib.stride_tricks.sliding_window_view(film, part.shape)
    firsts = windows[..., 0, 0] == part[0, 0]
    assert any(np.array_equal(window, part) for window in windows[firsts])


def test_a_crop_leaves_what_is_still_an_image() -> None:
    assert at("crop", np.zeros((40, 33), np.float32), 5).shape == (32, 32)


@pytest.mark.parametrize("name", ["marker", "text"])
def test_what_is_burnt_in_is_white_and_leaves_the_rest(name: str, film: Pixels) -> None:
    for strength in range(1, STRENGTHS + 1):
        disturbed = at(name, film, strength)
        changed = disturbed != film
        assert 0 < changed.mean() < 0.5
        assert (disturbed >= film).all()
        assert disturbed[changed].max() == 1


@pytest.mark.parametrize("seed", range(12))
def test_a_marker_lies_within_the_film(seed: int) -> None:
    black = np.zeros((300, 200), np.float32)
    for strength in range(1, STRENGTHS + 1):
        rows, columns = (np.flatnonzero(at("marker", black, strength, (seed,)).any(axis=axis)) for axis in (1, 0))
        assert rows.min() > 0
        assert rows.max() < 299
        assert columns.min() > 0
        assert columns.max() < 199


def test_blocks_of_strong_compression_can_be_measured(film: Pixels) -> None:
    assert measure_quality(at("JPEG", film, 5)).blocks > measure_quality(film).blocks


def test_a_photo_is_uneven_and_its_black_is_none() -> None:
    black, white = np.zeros((300, 300), np.float32), np.ones((300, 300), np.float32)
    photo = at("photo of film", black, STRENGTHS)
    assert photo.mean() > 0.05
    corners = [at("photo of film", white, STRENGTHS)[rows, columns].mean() for rows, columns in QUARTERS]
    assert max(corners) - min(corners) > 0.1


QUARTERS = [
    (slice(0, 150), slice(0, 150)),
    (slice(0, 150), slice(150, 300)),
    (slice(150, 300), slice(0, 150)),
    (slice(150, 300), slice(150, 300)),
]


def test_a_file_gives_the_film_back_to_eight_bits(film: Pixels) -> None:
    read = decode(to_png(film), Path("film.png"))
    assert np.abs(read.pixels - film).max() <= 0.5 / 255 + 1e-6
