import html
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.dataset import Case
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.evaluation import Evaluation, Predictions, evaluate, predict
from osteo_edge.intervals import Estimate
from osteo_edge.manifest import DataCard, Manifest
from osteo_edge.rivals import Rival
from osteo_edge.runtime import Interpreter, open_interpreter
from osteo_edge.screening import Screening, screen
from osteo_edge.subgroups import Subgroup
from osteo_edge.train.evaluation_report import Film, example_films, render_report, write_report

Draw = Callable[..., Path]
BRIGHTNESSES = {"normal": (0.1, 0.2, 0.45), "osteopenia": (0.4, 0.55, 0.6), "osteoporosis": (0.5, 0.8, 0.9)}


@pytest.fixture
def interpreter(bundle: Bundle) -> Interpreter:
    return open_interpreter(bundle)


@pytest.fixture
def cases(draw_film: Draw) -> list[Case]:
    return [
        Case(draw_film(f"{label}-{number}.png", brightness=brightness), f"{label}-{number}.png", label)
        for label, of_label in BRIGHTNESSES.items()
        for number, brightness in enumerate(of_label)
    ]


@pytest.fixture
def predictions(cases: list[Case], manifest: Manifest, interpreter: Interpreter) -> Predictions:
    return predict(cases, [case.name for case in cases], manifest, interpreter)


@pytest.fixture
def evaluation(predictions: Predictions, manifest: Manifest) -> Evaluation:
    return evaluate(predictions, manifest, "test")


@pytest.fixture
def shown(bundle: Bundle, film: Path, interpreter: Interpreter) -> list[Film]:
    return [("osteopenia", *screen(film, bundle, interpreter))]


def test_the_page_loads_nothing_and_runs_nothing(
    bundle: Bundle, predictions: Predictions, evaluation: Evaluation, shown: list[Film]
) -> None:
    page = render_report(bundle, predictions, evaluation, shown)
    assert not re.search(r"https?:|<script|<link|<iframe|@import|url\((?!#)|\bon\w+=", page)
    assert re.findall(r'src="([^,]*),', page) == ["data:image/jpeg;base64"]


def test_the_page_holds_the_use_every_measure_and_the_films(
    bundle: Bundle, predictions: Predictions, evaluation: Evaluation, shown: list[Film]
) -> None:
    page = render_report(bundle, predictions, evaluation, shown)
    _, _, screening = shown[0]
    for part in (bundle.manifest.intended_use, screening.headline, screening.image.name, bundle.manifest.model.sha256):
        assert part in page
    for name, estimate in evaluation.estimates.items():
        assert f'<td>{html.escape(name)}</td><td class="n">{estimate}</td>' in page
    assert "Neither age nor weight is known for these cases." in page


def test_the_page_draws_the_curves_of_both_questions(
    bundle: Bundle, predictions: Predictions, evaluation: Evaluation
) -> None:
    page = render_report(bundle, predictions, evaluation, [])
    for caption in (
        "osteopenia or osteoporosis against the rest",
        "osteoporosis against the rest",
        "Reliability",
        "Net",
    ):
        assert f"<figcaption>{caption}" in page


def test_alarms_stand_before_any_measure(bundle: Bundle, predictions: Predictions, evaluation: Evaluation) -> None:
    page = render_report(bundle, predictions, replace(evaluation, alarms=("too good",)), [])
    assert 0 < page.index('<p class="alarm">too good</p>') < page.index("AUROC")


def test_a_subgroup_with_too_few_cases_says_so(
    bundle: Bundle, predictions: Predictions, evaluation: Evaluation
) -> None:
    known = Subgroup("sex", "female", 9, 4, {"sensitivity": Estimate(0.5, 0.2, 0.8, 4)})
    few = Subgroup("sex", "male", 2, 0, {})
    page = render_report(bundle, predictions, replace(evaluation, subgroups=(known, few)), [])
    assert "<td>sex female</td><td>9</td><td>4</td><td>0.500 [0.200, 0.800] (n = 4)</td>" in page
    assert "<td>sex male</td><td>2</td><td>0</td><td>too few</td>" in page


def test_the_learning_curve_is_drawn_where_there_is_one(
    bundle: Bundle, predictions: Predictions, evaluation: Evaluation
) -> None:
    assert "Learning curve" not in render_report(bundle, predictions, evaluation, [])
    parent = replace(bundle.manifest.parent, recipe={"validation_losses": [1.0, 0.8, 0.9]})
    trained = Bundle(bundle.path, replace(bundle.manifest, parent=parent))
    assert "Learning curve" in render_report(trained, predictions, evaluation, [])


def test_the_page_says_whether_the_model_beats_a_number(
    bundle: Bundle, predictions: Predictions, evaluation: Evaluation
) -> None:
    found = Estimate(0.8, 0.7, 0.9, 9)
    rival = Rival("osteoporosis", "age alone", found, found, Estimate(0.0, -0.1, 0.1, 9))
    page = render_report(bundle, predictions, replace(evaluation, rivals=(rival,)), [])
    assert "<td>the model does not beat age alone</td>" in page
    assert "Neither age nor weight" not in page


def test_a_measure_that_is_not_defined_has_no_interval_drawn(
    bundle: Bundle, predictions: Predictions, evaluation: Evaluation
) -> None:
    nothing = Estimate(float("nan"), float("nan"), float("nan"), 0)
    page = render_report(bundle, predictions, replace(evaluation, estimates={"AUROC": nothing}, headline=()), [])
    assert "<td>not defined" not in page
    assert "not defined (n = 0)</td><td></td>" in page


def test_names_are_escaped(bundle: Bundle, predictions: Predictions, evaluation: Evaluation, shown: list[Film]) -> None:
    evil = '<b onload="x">&'
    manifest = replace(
        bundle.manifest,
        name=evil,
        intended_use=evil,
        created_by=evil,
        data=DataCard(evil, {}, evil, "b" * 64, evil),
    )
    _, radiograph, screening = shown[0]
    named = replace(screening, image=Path(evil), reasons=(evil,))
    measured = replace(evaluation, part=evil, estimates={evil: Estimate(0.5, 0.4, 0.6, 9)}, alarms=(evil,))
    page = render_report(Bundle(bundle.path, manifest), predictions, measured, [(evil, radiograph, named)])
    assert "<b onload" not in page
    assert page.count("&lt;b onload=&quot;x&quot;&gt;&amp;") >= 10


def test_for_each_label_a_typical_film_and_the_hardest_are_shown(
    predictions: Predictions, bundle: Bundle, interpreter: Interpreter
) -> None:
    shown: dict[str, list[str]] = {}
    for label, _, screening in example_films(predictions, bundle, interpreter):
        assert isinstance(screening, Screening)
        shown.setdefault(label, []).append(screening.image.name)
    assert shown == {
        "normal": ["normal-1.png", "normal-2.png"],
        "osteopenia": ["osteopenia-1.png", "osteopenia-0.png"],
        "osteoporosis": ["osteoporosis-1.png", "osteoporosis-0.png"],
    }


def test_a_label_with_one_case_shows_it_once(cases: list[Case], bundle: Bundle, interpreter: Interpreter) -> None:
    predictions = predict(cases[:1], ["a"], bundle.manifest, interpreter)
    assert [label for label, _, _ in example_films(predictions, bundle, interpreter)] == ["normal"]


def test_a_page_is_written_whole_or_the_failure_is_one_line(
    tmp_path: Path, bundle: Bundle, predictions: Predictions, evaluation: Evaluation, film: Path
) -> None:
    path = write_report(tmp_path / "new" / "report.html", bundle, predictions, evaluation, [])
    assert path.read_text("utf-8") == render_report(bundle, predictions, evaluation, [])
    with pytest.raises(OsteoEdgeError, match=r"report\.html: the report cannot be written \("):
        write_report(film / "report.html", bundle, predictions, evaluation, [])
