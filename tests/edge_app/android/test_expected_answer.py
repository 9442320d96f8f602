import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.android.expected_answer import ExpectedAnswer, read_expected, write_expected
from osteo_edge.edge_app.demo_bundle import FOLDER, demo_bundle
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.models.trial import try_out
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.hashing import sha256_file

EXPECTED = ExpectedAnswer(0.9998, 0.02, 1.0, "LiteRT", "f" * 64, "e" * 64)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("staged") / "expected.json"
    write_expected(FOLDER, path)
    return path


def test_it_is_what_the_bundle_answers_here_to_the_drawn_film(written: Path) -> None:
    expected = read_expected(written)
    _, screening = try_out(FOLDER)
    assert expected.score == screening.score
    assert (expected.tolerance, expected.film_sha256) == (0.02, sha256_file(DRAWN_FILM))
    assert expected.model_sha256 == demo_bundle().manifest.model.sha256
    assert json.loads(written.read_bytes())["schema"] == 1


@pytest.mark.parametrize("score", [0.9998, 0.9996, 0.99990])
def test_answers_as_far_apart_as_devices_are_agree(score: float) -> None:
    assert EXPECTED.is_met_by(score)


@pytest.mark.parametrize("score", [0.9799, 0.99, 0.0002, math.nan])
def test_others_do_not_near_certainty_either(score: float) -> None:
    assert not EXPECTED.is_met_by(score)


def test_in_the_middle_the_probability_decides() -> None:
    middle = replace(EXPECTED, score=0.5)
    assert middle.is_met_by(0.5199)
    assert not middle.is_met_by(0.5201)
    assert replace(EXPECTED, score=1.0).is_met_by(1.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"score": 2.0}, "score must be from 0 to 1"),
        ({"score": "high"}, "score"),
        ({"tolerance": 0.0}, "tolerance must be"),
        ({"log_odds_tolerance": -1.0}, "log_odds_tolerance must be"),
        ({"schema": 2}, "schema"),
        ({"more": 1}, "more"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_a_line(
    written: Path, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    path = tmp_path / "expected.json"
    path.write_text(json.dumps(json.loads(written.read_bytes()) | changes), "utf-8")
    with pytest.raises(OsteoEdgeError, match=rf"expected\.json: .*{words}"):
        read_expected(path)


def test_none_at_all_too(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=r"expected\.json: cannot be read"):
        read_expected(tmp_path / "expected.json")


def test_a_bundle_that_failed_its_check_is_refused(failed_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="failed its check"):
        write_expected(failed_bundle.path, tmp_path / "expected.json")
    assert not (tmp_path / "expected.json").exists()
