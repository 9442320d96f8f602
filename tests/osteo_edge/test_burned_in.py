"""Lines of print on a film are found, and a side marker and bones are none."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.burned_in import shows_lettering
from osteo_edge.lettering import draw_text
from osteo_edge.preprocessing import Pixels
from osteo_edge.radiograph import read_radiograph
from osteo_edge.raster import tones

NAME = "LOPEZ MARIA 1947-03-11"


@pytest.fixture
def knee(draw_film: Callable[..., Path]) -> Pixels:
    return read_radiograph(draw_film(height=1000, width=800)).pixels


def lettered(film: Pixels, text: str, *, size: int, grey: int = 255, x: int = 20, y: int = 60) -> Pixels:
    picture = np.repeat(tones.to_8_bit(film)[..., None], 3, axis=2).copy()
    draw_text(picture, text, x, y, size, (grey, grey, grey))
    return np.divide(picture[..., 0], np.float32(255), dtype=np.float32)


@pytest.mark.parametrize("size", [12, 20, 40])
def test_a_name_is_found(knee: Pixels, size: int) -> None:
    assert shows_lettering(lettered(knee, NAME, size=size))


def test_dark_print_on_a_bright_film_is_found(knee: Pixels) -> None:
    bright = np.clip(knee + np.float32(0.4), 0, 1)
    assert shows_lettering(lettered(bright, NAME, size=20, grey=0, y=500))


def test_a_large_film_is_looked_at_as_a_smaller_one(draw_film: Callable[..., Path]) -> None:
    film = read_radiograph(draw_film(height=3000, width=2400)).pixels
    assert shows_lettering(lettered(film, NAME, size=48, y=120))


@pytest.mark.parametrize("text", ["", "L", "R", "AP L"])
def test_a_bare_film_and_a_side_marker_are_no_print(knee: Pixels, text: str) -> None:
    assert not shows_lettering(lettered(knee, text, size=40))


@pytest.mark.parametrize("shape", [(1, 1), (40, 3), (64, 4000)])
def test_no_shape_is_too_odd(shape: tuple[int, int]) -> None:
    assert not shows_lettering(np.zeros(shape, np.float32))
    assert not shows_lettering(np.ones(shape, np.float32))


def test_noise_is_no_print() -> None:
    noise = np.random.default_rng(2).random((600, 500)).astype(np.float32)
    assert not shows_lettering(noise)
