"""A film becomes what a window can show."""

import numpy as np
import pytest

from osteo_edge.edge_app.film_picture import MAX_SIDE_PX, REPORT_SIDE_PX, VIEW_SIDE_PX, film_picture, report_pictures
from osteo_edge.preprocessing import Pixels


@pytest.fixture(scope="module")
def pixels() -> Pixels:
    """A film of a grey ramp, larger than a texture may be."""
    return np.repeat(np.linspace(0, 1, 3000, dtype=np.float32)[:, np.newaxis], 1000, axis=1)


def test_a_large_film_comes_in_the_sizes_of_a_texture_and_of_a_window(pixels: Pixels) -> None:
    picture = film_picture(pixels, None)
    assert [level.shape for level in picture.levels] == [(MAX_SIDE_PX, 683), (VIEW_SIDE_PX, 256)]
    assert all(level.dtype == np.uint8 and level.flags.c_contiguous for level in picture.levels)
    assert (picture.levels[1][0].max(), picture.levels[1][-1].min()) == (0, 255)
    assert picture.shape == (MAX_SIDE_PX, 683)


def test_a_small_film_is_left_as_it_is() -> None:
    pixels = np.array([[0.0, 0.5], [0.2, 1.0]], np.float32)
    assert [level.tolist() for level in film_picture(pixels, None).levels] == [[[0, 128], [51, 255]]]


@pytest.mark.parametrize(("side_px", "level"), [(300, 1), (768, 1), (769, 0), (5000, 0)])
def test_the_level_that_is_shown_need_not_be_enlarged_while_there_is_a_larger_one(
    pixels: Pixels, side_px: float, level: int
) -> None:
    picture = film_picture(pixels, None)
    assert picture.level_for(side_px) is picture.levels[level]


def test_a_report_shows_the_film_with_the_evidence_and_without(pixels: Pixels) -> None:
    evidence = np.zeros((512, 171), np.float32)
    evidence[:100] = 1
    film, overlay = report_pictures(film_picture(pixels, evidence))
    assert overlay is not None
    assert film.shape == overlay.shape == (REPORT_SIDE_PX, 400, 3)
    assert (film[..., 0] == film[..., 2]).all()
    assert (overlay[10] != film[10]).any()
    assert (overlay[-10] == film[-10]).all()
    assert report_pictures(film_picture(pixels, None))[1] is None
