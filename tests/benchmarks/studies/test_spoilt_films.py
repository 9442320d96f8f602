from pathlib import Path

import numpy as np
import pytest

from osteo_edge.benchmarks.studies.spoilt_films import KINDS, STRENGTHS, to_file
from osteo_edge.filters import Pixels
from osteo_edge.radiograph import Radiograph, decode
from osteo_edge.train.phantoms import draw_phantom


@pytest.fixture(scope="module")
def film() -> Pixels:
    return np.asarray(draw_phantom(-2.0, size=512, seed=7_000_003).pixels / 255, np.float32)


def read(kind: str, film: Pixels, strength: int) -> Radiograph:
    return decode(to_file(kind, film, strength), Path("film"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_a_grey_file_at_every_strength_and_no_two_are_alike(kind: str, film: Pixels) -> None:
    found = [read(kind, film, strength) for strength in STRENGTHS]
    assert {one.source.chroma for one in found} == {0.0}
    assert {one.source.format for one in found} == {"jpeg" if kind == "compressed" else "png"}
    assert len({one.sha256 for one in found}) == len(STRENGTHS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_film_and_strength_give_the_same_file(kind: str, film: Pixels) -> None:
    before = film.copy()
    assert to_file(kind, film, 3) == to_file(kind, film, 3)
    assert np.array_equal(film, before)


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"strip", "text page", "screenshot", "white borders"}))
def test_the_stronger_the_farther_from_the_film(kind: str, film: Pixels) -> None:
    distances = [float(np.abs(read(kind, film, strength).pixels - film).mean()) for strength in STRENGTHS]
    if kind == "negative":  # which is dimmer
        distances.reverse()
    assert distances == sorted(distances)
    assert distances[0] > 0


def test_a_strip_is_of_the_shorter_side(film: Pixels) -> None:
    for strength in STRENGTHS:
        pixels = read("strip", film, strength).pixels
        assert pixels.shape[0] == film.shape[0]
        assert 32 <= pixels.shape[1] < film.shape[1]
        assert np.array_equal(read("strip", film.T, strength).pixels, pixels.T)


def test_the_film_is_in_the_screenshot_and_between_the_white_borders(film: Pixels) -> None:
    for kind, grey in (("screenshot", 240 / 255), ("white borders", 1.0)):
        pixels = read(kind, film, 4).pixels
        assert pixels[-1, 0] == pytest.approx(grey)
        assert pixels.size > film.size
        assert pixels[10:-10, 10:-10].min() == 0
