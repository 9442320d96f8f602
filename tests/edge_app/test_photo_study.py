import json
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner

from osteo_edge.edge_app.light_box.drawn import some_scene
from osteo_edge.edge_app.photo_study import Photographed, films_in, photo_study, summarize
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.screening import Screening
from osteo_edge.train.phantoms import draw_phantom
from osteo_edge.wording import Outcome


def of(outcome: Outcome, score: float | None) -> Screening:
    return Screening(
        image=Path("film.png"),
        outcome=outcome,
        score=score,
        probabilities={},
        reasons=(),
        evidence=None,
        image_sha256="a" * 64,
        model_sha256="b" * 64,
        intended_use="",
        taken_at="2026-01-31T09:30:00+00:00",
        runtime="fixed",
    )


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three drawn films, one below it, and a list."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "more").mkdir()
    for name, t_score in {"a.png": -3.5, "b.png": 0.5, "more/c.png": -1.5}.items():
        cv2.imwrite(str(folder / name), draw_phantom(t_score, size=256, seed=6_000_000).pixels)
    (folder / "films.csv").write_text("path,label\n")
    return folder


def test_each_film_is_photographed_and_the_figures_are_told(films: Path) -> None:
    told = CliRunner().invoke(photo_study, [str(films)])
    assert told.exit_code == 0
    result = CliRunner().invoke(photo_study, [str(films), "--json"])
    found = json.loads(result.stdout)
    assert found["photos"] == 3
    placements = [some_scene(seed).placement for seed in range(3)]
    assert {row["placement"]: row["photos"] for row in found["corners"]} == {
        name: placements.count(name) for name in ("on_panel", "at_edge", "fills_panel")
    }
    assert 0 <= found["proportions_error"]["median"] < 0.02
    assert f"Same outcome as the file: {found['same_outcome']} of 3" in told.stdout


def test_the_films_are_those_in_the_folder_and_below_it(films: Path) -> None:
    assert [path.relative_to(films).as_posix() for path in films_in(films)] == ["a.png", "b.png", "more/c.png"]


def test_a_folder_without_films_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match="no films in it"):
        films_in(tmp_path)
    result = CliRunner().invoke(photo_study, [str(tmp_path)])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


def test_the_figures_are_counted() -> None:
    photos = [
        Photographed("on_panel", 0.002, 0.01, (), of("refer", 0.9), of("refer", 0.8)),
        Photographed("on_panel", 0.02, 0.02, ("far",), of("refer", 0.6), of("uncertain", 0.5)),
        Photographed("fills_panel", None, 0.03, ("far", "glare"), of("rejected", None), of("refer", 0.9)),
    ]
    found = summarize(photos)
    assert [(row["photos"], row["found"], row["close"]) for row in found["corners"]] == [
        (2, 2, 1),
        (0, 0, 0),
        (1, 0, 0),
    ]
    assert found["corners"][0]["error"]["median"] == pytest.approx(0.011)
    assert found["corners"][1]["error"] == {"median": None, "quantile_90": None}
    assert (found["same_outcome"], found["hints"]) == (1, {"far": 2, "glare": 1})
    assert found["changes"] == {"refer to uncertain": 1, "rejected to refer": 1}
    assert found["score_move"]["median"] == pytest.approx(0.1)
