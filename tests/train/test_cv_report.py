"""The page about a cross-validation, drawn from a comparison made by hand."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.dataset import Case
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.intervals import Estimate
from osteo_edge.train.comparison import Added, Comparison, Contender, FoldRun, OutOfFold
from osteo_edge.train.cv_report import HARDEST, render_cv_report, write_cv_report
from osteo_edge.train.folds import TEST, TRAIN, FoldImage, Folds

LABELS = ("normal", "osteopenia", "osteoporosis")
EACH = 4
N = EACH * len(LABELS)
TRUTH = np.repeat(np.arange(len(LABELS)), EACH)
ANY, GRAVEST = "AUROC osteopenia or osteoporosis", "AUROC osteoporosis"
HALF = Estimate(0.5, 0.4, 0.6, N)


@pytest.fixture
def comparison(draw_film: Callable[..., Path]) -> Comparison:
    """Two recipes and a baseline on twelve drawn films, in two folds, twice."""
    film = draw_film("film.png")
    names = [f"{LABELS[label]}-{number}.png" for number, label in enumerate(TRUTH)]
    cases = tuple(Case(film, name, LABELS[label]) for name, label in zip(names, TRUTH, strict=True))
    parts = np.full((2, 2, N), TRAIN, np.int8)
    for fold in range(2):
        parts[:, fold, np.arange(N) % 2 == fold] = TEST
    images = tuple(FoldImage(case.name, case.label, case.name, "0" * 64) for case in cases)
    return Comparison(
        dataset="knees",
        label_source="QUS",
        labels=LABELS,
        cases=cases,
        truth=TRUTH,
        groups=np.array(names),
        folds=Folds(images, parts, 0),
        reference="first",
        contenders=(_contender("first"), _contender("second"), _contender("age", kind="baseline")),
        added=(Added("first", "age", "osteoporosis", Estimate(-0.01, -0.05, 0.03, N)),),
        prevalence=None,
        excluded={"copy.png": "the same content as film.png"},
        environment={"python": "3.11"},
        seconds={"recipes": 3.0},
    )


def _contender(name: str, **changes: Any) -> Contender:
    rng = np.random.default_rng(len(name))
    losses: dict[str, tuple[float, ...]] = {"validation": (1.1, 0.9, 0.8)} if name == "first" else {}
    runs = tuple(FoldRun(repeat, fold, 1.0, 0.5, 1.0, losses) for repeat in range(2) for fold in range(2))
    plain = Contender(
        name=name,
        kind="recipe",
        title=f"what {name} does",
        source="a test",
        about={},
        answers=OutOfFold(rng.dirichlet((1, 1, 1), (2, N)), np.full((2, N), 0.5), runs),
        measures={ANY: HALF, GRAVEST: HALF, "sensitivity": HALF},
        headline=(ANY, GRAVEST, "sensitivity"),
        differences={} if name == "first" else {"osteoporosis": Estimate(0.2, 0.1, 0.3, N)},
        confusion=((2.5, 1.0, 0.5), (1.0, 2.0, 1.0), (0.0, 1.0, 3.0)),
    )
    return replace(plain, **changes)


def test_the_page_loads_nothing_and_runs_nothing(comparison: Comparison) -> None:
    page = render_cv_report(comparison)
    assert not re.search(r"https?:|<script|<link|<iframe|@import|url\((?!#)|\bon\w+=", page)
    assert set(re.findall(r'src="([^,]*),', page)) == {"data:image/jpeg;base64"}


def test_names_of_files_recipes_and_data_cannot_change_the_page(comparison: Comparison) -> None:
    bad = "<img src=x onerror=alert(1)>"
    cases = tuple(replace(case, name=f"{case.name}{bad}") for case in comparison.cases)
    contenders = (_contender("first", title=bad, source=bad), *comparison.contenders[1:])
    changed = replace(
        comparison, dataset=bad, label_source=bad, cases=cases, contenders=contenders, excluded={bad: bad}
    )
    page = render_cv_report(changed)
    assert "<img src=x" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") > 8


def test_alarms_stand_before_every_figure(comparison: Comparison) -> None:
    alarmed = replace(comparison, contenders=(_contender("first", alarms=("too good",)), *comparison.contenders[1:]))
    page = render_cv_report(alarmed)
    assert page.index("first: too good") < min(page.index("<h2>"), page.index("<table"), page.index("<svg"))
    assert 'class="alarm"' not in render_cv_report(comparison)


def test_it_is_said_in_words_whether_an_image_adds_anything(comparison: Comparison) -> None:
    page = render_cv_report(comparison)
    assert "adds -0.010 [-0.050, 0.030] to age: not shown to add anything" in page
    assert page.index("Does an image add anything?") < page.index("Side by side")


def test_without_patients_there_is_nothing_to_add_to(comparison: Comparison) -> None:
    assert "Nothing is known of the patients" in render_cv_report(replace(comparison, added=()))


def test_every_contender_stands_in_the_table_with_its_difference(comparison: Comparison) -> None:
    page = render_cv_report(comparison)
    rows = re.findall(r"<tr><td>(\w+): what \w+ does</td>(.*?)</tr>", page)
    assert [name for name, _ in rows] == ["first", "second", "age"]
    assert ["0.200 [0.100," in cells for _, cells in rows] == [False, True, True]


def test_learning_curves_are_drawn_where_there_are_epochs(comparison: Comparison) -> None:
    assert render_cv_report(comparison).count("<figcaption>Loss by epoch") == 1


def test_a_mean_of_cases_is_not_shown_as_a_whole_number(comparison: Comparison) -> None:
    assert ">2.5<" in render_cv_report(comparison)


def test_the_hardest_cases_come_with_their_films_worst_first(comparison: Comparison) -> None:
    page = render_cv_report(comparison)
    given = [float(value) for value in re.findall(r"<figcaption>[^<]*given a probability of (\d\.\d\d)", page)]
    assert page.count("data:image/jpeg") == len(given) == 2 * HARDEST
    probabilities = comparison.contender("first").answers.probabilities
    expected = np.sort(probabilities[:, np.arange(N), TRUTH].mean(axis=0))[:HARDEST]
    np.testing.assert_allclose(given[:HARDEST], expected, atol=0.006)


def test_a_film_that_is_gone_is_left_out_of_the_page(comparison: Comparison, tmp_path: Path) -> None:
    gone = tuple(replace(case, path=tmp_path / "gone.png") for case in comparison.cases)
    page = render_cv_report(replace(comparison, cases=gone))
    assert "data:image/jpeg" not in page
    assert "Side by side" in page


def test_what_was_left_out_is_named_with_its_reason(comparison: Comparison) -> None:
    assert "<td>copy.png</td><td>the same content as film.png</td>" in render_cv_report(comparison)


def test_a_page_that_cannot_be_written_is_one_line(comparison: Comparison, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(OsteoEdgeError, match="report"):
        write_cv_report(comparison, tmp_path / "file" / "report.html")
