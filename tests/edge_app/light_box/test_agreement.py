"""How much a photo changes the answer, with the demonstration's model and drawn films; the docs give it for more."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge.edge_app.demo_bundle import demo_bundle
from osteo_edge.edge_app.light_box.corners import find_film
from osteo_edge.edge_app.light_box.drawn import draw_photo, some_scene
from osteo_edge.edge_app.light_box.photo import write_film
from osteo_edge.runtime import open_interpreter
from osteo_edge.screening import Screening, screen
from osteo_edge.train.phantoms import draw_phantom


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Screening, Screening]]:
    """Screenings of a few films as files, and as photos of all kinds."""
    folder = tmp_path_factory.mktemp("films")
    return list(_screened(folder))


def _screened(folder: Path) -> Iterator[tuple[Screening, Screening]]:
    bundle = demo_bundle()
    interpreter = open_interpreter(bundle)
    for i, t_score in enumerate(np.linspace(-4.0, 1.0, 8)):
        pixels = draw_phantom(float(t_score), size=512, seed=6_000_000 + i).pixels
        file = folder / f"{i}.png"
        cv2.imwrite(str(file), pixels)
        large = cv2.resize(pixels, None, fx=2, fy=2).astype(np.float32) / np.float32(255)
        drawn = draw_photo(large, replace(some_scene(i), placement="on_panel"))
        outline = find_film(drawn.photo)
        assert outline is not None
        photo = write_film(folder / f"{i}.jpg", drawn.photo, outline.corners)
        yield screen(file, bundle, interpreter)[1], screen(photo, bundle, interpreter)[1]


def test_a_photo_moves_the_score_little_as_a_rule(pairs: list[tuple[Screening, Screening]]) -> None:
    moves = [
        abs(photo.score - file.score) for file, photo in pairs if file.score is not None and photo.score is not None
    ]
    assert len(moves) == len(pairs)
    assert np.median(moves) < 0.1


def test_no_film_that_is_referred_as_a_file_has_no_finding_as_a_photo(
    pairs: list[tuple[Screening, Screening]],
) -> None:
    assert ("refer", "no_finding") not in {(file.outcome, photo.outcome) for file, photo in pairs}
