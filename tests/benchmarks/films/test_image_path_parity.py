import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from osteo_edge.benchmarks.films.image_path_parity import Answer, Reading, difference, films_in, main

pytest.importorskip("PIL", reason="decodes where OpenCV is not")

REPOSITORY = Path(__file__).parents[3]
DEMO_BUNDLE = REPOSITORY / "edge_app" / "demo_bundle"
DRAWN_FILM = REPOSITORY / "edge_app" / "drawn_film.jpg"
PLANE = np.zeros((2, 3), np.float32)


def reading(*, score: float = 0.4, outcome: str = "refer", digest: str = "a", x: float = 50.0) -> Reading:
    answer = Answer(outcome, ("because",), (), score, PLANE + np.float32(score), PLANE)
    return Reading(None, digest, PLANE, ((x, 20.0, 10.0, True),), (answer,))


def test_the_same_readings_do_not_differ() -> None:
    assert difference(reading(), reading()) == (0, 0, 0, 0, 0, "")
    assert difference(Reading("damaged"), Reading("damaged")).disagreement == ""


def test_every_difference_is_told() -> None:
    found = difference(reading(), reading(score=0.5, outcome="no_finding", x=51.0))
    assert found.score == pytest.approx(0.1)
    assert found.tensor == pytest.approx(0.1)
    assert found.knee == pytest.approx(0.1)
    assert "no_finding" in found.disagreement
    assert difference(reading(), Reading("damaged")).disagreement == "read | damaged"


def test_texts_and_tables_are_no_films(tmp_path: Path) -> None:
    for name in ("b.png", "a.jpg", "notes.txt", "patients.csv"):
        (tmp_path / name).write_bytes(b"")
    assert films_in([tmp_path, DRAWN_FILM]) == [tmp_path / "a.jpg", tmp_path / "b.png", DRAWN_FILM]


def test_both_forms_are_compared_and_measured() -> None:
    words = [str(DRAWN_FILM), "--bundle", str(DEMO_BUNDLE), "--film", str(DRAWN_FILM), "--rounds", "1"]
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert "1 files, 1 read by OpenCV's form, 1 of them to the same pixels" in done.output
    assert re.search(r"largest difference of tensor: 0 ", done.output)
    for form in ("opencv", "plain"):
        assert re.search(rf"^{form}: first_ms [\d.]+, later_ms [\d.]+, peak_mib \d+", done.output, re.MULTILINE)
