import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.dataset import Case
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.evaluation import Evaluation, Rival, evaluate, predict
from osteo_edge.manifest import DataCard, Manifest
from osteo_edge.metrics import Estimate
from osteo_edge.report import example_films, render_report, write_report
from osteo_edge.runtime import Interpreter, open_interpreter
from osteo_edge.screening import Screening, screen

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
def evaluation(cases: list[Case], manifest: Manifest, interpreter: Interpreter) -> Evaluation:
    groups = [case.name for case in cases]
    return evaluate(predict(cases, groups, manifest, interpreter), manifest, "test")


def test_the_page_loads_nothing_and_runs_nothing(
    bundle: Bundle, evaluation: Evaluation, film: Path, interpreter: Interpreter
) -> None:
    page = render_report(bundle, evaluation, [("osteopenia", *screen(film, bundle, interpreter))])
    assert not re.search(r"https?:|<script|<link|<iframe|@import|url\(|\bon\w+=", page)
    assert re.findall(r'src="([^,]*),', page) == ["data:image/jpeg;base64"]


def test_the_page_holds_the_use_every_measure_and_the_films(
    bundle: Bundle, evaluation: Evaluation, film: Path, interpreter: Interpreter
) -> None:
    _, screening = screen(film, bundle, interpreter)
    page = render_report(bundle, evaluation, [("osteopenia", *screen(film, bundle, interpreter))])
    for part in (bundle.manifest.intended_use, screening.headline, film.name, bundle.manifest.model.sha256):
        assert part in page
    for name, estimate in evaluation.estimates.items():
        assert f'<td>{name}</td><td class="n">{estimate}</td>' in page
    assert page.count("<svg") == len(evaluation.estimates)
    assert "Neither age nor weight is known for these cases." in page


def test_the_page_says_whether_the_model_beats_a_number(bundle: Bundle, evaluation: Evaluation) -> None:
    found = Estimate(0.8, 0.7, 0.9, 9)
    rival = Rival("osteoporosis", "age alone", found, found, Estimate(0.0, -0.1, 0.1, 9))
    page = render_report(bundle, replace(evaluation, rivals=(rival,)), [])
    assert "<td>the model does not beat age alone</td>" in page
    assert "Neither age nor weight" not in page


def test_a_measure_that_is_not_defined_has_no_interval_drawn(bundle: Bundle, evaluation: Evaluation) -> None:
    nothing = Estimate(float("nan"), float("nan"), float("nan"), 0)
    page = render_report(bundle, replace(evaluation, estimates={"AUROC": nothing}), [])
    assert "not defined (n = 0)" in page
    assert "<svg" not in page


def test_names_are_escaped(bundle: Bundle, evaluation: Evaluation, film: Path, interpreter: Interpreter) -> None:
    evil = '<b onload="x">&'
    manifest = replace(
        bundle.manifest,
        name=evil,
        intended_use=evil,
        created_by=evil,
        data=DataCard(evil, {}, evil, "b" * 64, evil),
    )
    radiograph, screening = screen(film, bundle, interpreter)
    named = replace(screening, image=Path(evil), reasons=(evil,))
    measured = replace(evaluation, part=evil, estimates={evil: Estimate(0.5, 0.4, 0.6, 9)})
    page = render_report(Bundle(bundle.path, manifest), measured, [(evil, radiograph, named)])
    assert "<b" not in page.replace("<body", "")
    assert page.count("&lt;b onload=&quot;x&quot;&gt;&amp;") >= 10


def test_for_each_label_a_typical_film_and_the_hardest_are_shown(
    cases: list[Case], bundle: Bundle, interpreter: Interpreter
) -> None:
    predictions = predict(cases, [case.name for case in cases], bundle.manifest, interpreter)
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
    tmp_path: Path, bundle: Bundle, evaluation: Evaluation, film: Path
) -> None:
    path = write_report(tmp_path / "new" / "report.html", bundle, evaluation, [])
    assert path.read_text("utf-8") == render_report(bundle, evaluation, [])
    assert np.isfinite(evaluation.estimates["accuracy"].value)
    with pytest.raises(OsteoEdgeError, match=r"report\.html: the report cannot be written \("):
        write_report(film / "report.html", bundle, evaluation, [])
