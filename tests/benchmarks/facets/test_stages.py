import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from osteo_edge.benchmarks.facets import stages
from osteo_edge.benchmarks.facets.stages import DRAWN, STEPS, measure_stages
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.radiograph import read_radiograph


@pytest.fixture
def draw_small(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = stages.draw_film

    def draw(folder: Path) -> Path:
        return drawn(folder, size=256)

    monkeypatch.setattr(stages, "draw_film", draw)


def test_the_steps_add_up_to_the_whole(bundle: Bundle, draw_film: Callable[..., Path]) -> None:
    film = draw_film(height=1600, width=1200, brightness=0.8)
    found = measure_stages(bundle, film, threads=1, runs=9, cold_runs=1)
    by_step = {step: getattr(found, f"{step}_ms") for step in (*STEPS, "end_to_end")}
    assert {len(values) for values in by_step.values()} == {9}
    typical = {step: median(values) for step, values in by_step.items()}
    assert sum(typical[step] for step in STEPS) == pytest.approx(typical["end_to_end"], rel=0.35)
    assert typical["decode"] > typical["inference"], "two megapixels are read, and 1,024 pixels inferred from"
    assert len(found.cold_start_ms) == 1
    assert found.cold_start_ms[0] > typical["end_to_end"]
    assert found.image == str(film)


@pytest.mark.usefixtures("draw_small")
def test_without_an_image_a_knee_is_drawn(bundle: Bundle) -> None:
    seen: list[tuple[int, int]] = []
    found = measure_stages(
        bundle, threads=1, runs=1, cold_runs=1, on_progress=lambda done, total: seen.append((done, total))
    )
    assert found.image == DRAWN
    assert len(found.decode_ms) == 1
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_drawn_film_is_always_the_same(tmp_path: Path) -> None:
    first, second = (stages.draw_film(tmp_path / name, size=128) for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert read_radiograph(first).pixels.shape[0] == 128


def test_a_film_that_is_never_drawn_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(stages, "screening_program", lambda: [sys.executable, "-c", "import time; time.sleep(60)"])
    with pytest.raises(OsteoEdgeError, match=r"^no film could be drawn in 0 s; give one to measure with$"):
        stages.draw_film(tmp_path)


def test_a_film_that_is_rejected_is_one_line(bundle: Bundle, draw_film: Callable[..., Path]) -> None:
    small = draw_film(height=60, width=60)
    with pytest.raises(OsteoEdgeError, match=r"film.*: rejected by .*too small.*; give a film that it takes$"):
        measure_stages(bundle, small, threads=1)


def test_an_image_that_cannot_be_read_is_reported(bundle: Bundle) -> None:
    with pytest.raises(OsteoEdgeError, match=r"^/no/film\.png: cannot be read"):
        measure_stages(bundle, Path("/no/film.png"), threads=1)
