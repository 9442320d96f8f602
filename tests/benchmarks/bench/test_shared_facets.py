"""What is measured once a bundle: how far it is, and of which film."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.benchmarks.bench import shared_facets
from osteo_edge.benchmarks.bench.candidates import load_bundles, plan_candidates
from osteo_edge.benchmarks.bench.gaps import Gaps
from osteo_edge.benchmarks.bench.job import QUICK, Job
from osteo_edge.benchmarks.bench.shared_facets import QUICK_COLD_RUNS, QUICK_RUNS, SharedFacets
from osteo_edge.benchmarks.facets.stages import DRAWN, measure_stages
from osteo_edge.benchmarks.measuring.results import Instructions, ScreeningInstructions
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError

INFERENCES = tuple(
    Instructions(cpu, "QEMU 7.2", "LiteRT 2.3.0", 1000, 200, 200, 200, 200, 200, uses_xnnpack=True)
    for cpu in ("cortex-a72", "cortex-a76")
)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The films of which screenings were counted, without counting; there is none on the Cortex-A72."""
    films: list[Path] = []

    def count(bundle: Bundle, film: Path, inference: Instructions, **_: Any) -> ScreeningInstructions:
        if inference.cpu == "cortex-a72":
            raise OsteoEdgeError("differs by 2 %")
        assert film.is_file()
        films.append(film)
        return ScreeningInstructions(film.name, replace(inference, total=9000), replace(inference, total=3000))

    monkeypatch.setattr(shared_facets, "count_screening", count)
    return films


@pytest.fixture
def screenings(bundle: Bundle, tmp_path: Path) -> Callable[..., tuple[tuple[ScreeningInstructions, ...] | None, Gaps]]:
    """Ask for the instructions of screenings of the image, if any, and give what is missing as well."""

    def ask(
        image: Path | None, inferences: tuple[Instructions, ...] | None = INFERENCES
    ) -> tuple[tuple[ScreeningInstructions, ...] | None, Gaps]:
        loaded, _ = load_bundles([bundle.path])
        (candidate,), _ = plan_candidates(loaded, (1,), (), tmp_path)
        gaps = Gaps([])
        facets = SharedFacets(Job((bundle.path,), (1,), QUICK, image=image), gaps, lambda *_, **__: None)
        gaps.found.clear()
        return facets.screenings(candidate, inferences), gaps

    return ask


def test_the_steps_from_a_file_to_an_answer_tell_how_far_they_are(
    bundle: Bundle, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int, str, str | None]] = []

    def tell(done: int, total: int, note: str = "", stage: str | None = None) -> None:
        told.append((done, total, note, stage))

    short: Any = partial(measure_stages, bundle, film, threads=1, runs=1, cold_runs=1)
    asked: list[dict[str, Any]] = []

    def measure(*_: Any, **options: Any) -> Any:
        asked.append(options)
        return short(on_progress=options["on_progress"])

    monkeypatch.setattr(shared_facets, "measure_stages", measure)
    loaded, _ = load_bundles([bundle.path])
    (candidate,), _ = plan_candidates(loaded, (1,), (), tmp_path)
    found = SharedFacets(Job((bundle.path,), (1,), QUICK, image=film), Gaps([]), tell).stages(candidate)
    assert found is not None
    assert (asked[0]["runs"], asked[0]["cold_runs"]) == (QUICK_RUNS, QUICK_COLD_RUNS)
    note = "golden, 1 thread: steps from file to answer"
    assert told == [(0, 1, note, "details"), *((done, 4, note, "details") for done in range(1, 5))]


def test_screenings_are_of_the_film_of_the_steps_and_one_that_fails_is_missing(
    screenings: Callable[..., Any], counting: list[Path], film: Path
) -> None:
    found, gaps = screenings(film)
    assert [(each.image, each.cold.cpu, each.cold.total) for each in found] == [(film.name, "cortex-a76", 9000)]
    assert [(each.what, each.reason) for each in gaps.found] == [
        ("instructions of screenings on cortex-a72", "differs by 2 %")
    ]


def test_without_an_image_one_film_is_drawn_for_them(
    screenings: Callable[..., Any], counting: list[Path], film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Path] = []

    def draw(folder: Path) -> Path:
        drawn.append(folder)
        return film

    monkeypatch.setattr(shared_facets, "draw_film", draw)
    found, _ = screenings(None, INFERENCES[1:] * 2)
    assert [each.image for each in found] == [DRAWN, DRAWN]
    assert counting == [film, film]
    assert len(drawn) == 1


def test_where_no_inference_was_counted_no_screening_is(screenings: Callable[..., Any], counting: list[Path]) -> None:
    assert screenings(None, None) == (None, Gaps([]))
    assert counting == []
