import numpy as np

from osteo_edge.edge_app.drawn_film import DRAWN_FILM, SEED, SIZE_PX, T_SCORE
from osteo_edge.knees import find_knees
from osteo_edge.radiograph import read_radiograph
from osteo_edge.train.phantoms import draw_phantom


def test_it_is_the_phantom_that_it_is_said_to_be() -> None:
    drawn = draw_phantom(T_SCORE, size=SIZE_PX, seed=SEED).pixels
    read = read_radiograph(DRAWN_FILM)
    assert read.pixels.shape == drawn.shape
    assert np.abs(read.pixels * 255 - drawn).mean() < 4
    assert 2.0e6 < drawn.size < 2.5e6


def test_a_model_that_looks_for_knees_finds_one_on_it() -> None:
    assert len(find_knees(read_radiograph(DRAWN_FILM).pixels)) == 1


def test_it_is_small() -> None:
    assert DRAWN_FILM.stat().st_size < 250_000
