import html
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.dataset import Case
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.intervals import Estimate
from osteo_edge.runtime import open_interpreter
from osteo_edge.train.disturbances import DISTURBANCES, STRENGTHS
from osteo_edge.train.stress import stress_test
from osteo_edge.train.stress_measures import StressFigures, measure
from osteo_edge.train.stress_report import NO_STATISTICS, render_stress_report, write_stress_report
from osteo_edge.wording import FAILED_CHECK

KINDS = tuple(disturbance for disturbance in DISTURBANCES if disturbance.name in ("darker", "crop"))


@pytest.fixture
def figures(bundle: Bundle, draw_film: Callable[..., Path]) -> StressFigures:
    cases = [
        Case(draw_film(f"{label}.png", brightness=brightness), f"{label}.png", label)
        for label, brightness in (("normal", 0.2), ("osteoporosis", 0.8))
    ]
    groups = [case.name for case in cases]
    return measure(stress_test(cases, groups, bundle, open_interpreter(bundle), KINDS))


def test_the_page_loads_nothing_and_runs_nothing(bundle: Bundle, figures: StressFigures) -> None:
    page = render_stress_report(bundle, "test", figures)
    assert not re.search(r"https?:|<script|<link|<iframe|@import|url\((?!#)|\bon\w+=", page)
    assert set(re.findall(r'src="([^,]*),', page)) == {"data:image/jpeg;base64"}


def test_each_disturbance_has_its_curves_a_picture_of_each_strength_and_its_figures(
    bundle: Bundle, figures: StressFigures
) -> None:
    page = render_stress_report(bundle, "test", figures)
    assert page.count('<svg role="img"') == len(KINDS)
    assert page.count('<div class="even">') == len(KINDS), "a long reason makes its film no wider than the others"
    pictures = re.findall('src="([^"]*)"', page)
    assert len(pictures) == len(KINDS) * (STRENGTHS + 1)
    assert len(set(pictures)) == len(pictures) - (len(KINDS) - 1)  # the untouched one again
    for kind in KINDS:
        assert f"<h2>{kind.name.capitalize()}</h2>" in page
        assert f"<figcaption>{kind.name}: {kind.unit}</figcaption>" in page
    assert page.count("<p>Turned, of 2 decisions: ") == len(KINDS)
    for _, found in figures.levels:
        for estimate in vars(found).values():
            assert f"<td>{estimate}</td>" in page


def test_beside_each_picture_stands_what_the_screening_makes_of_it(bundle: Bundle, figures: StressFigures) -> None:
    page = render_stress_report(bundle, "test", figures)
    refused = [level.replies[0].refusal for level in figures.test.levels if level.replies[0].refusal]
    assert refused
    for words in refused:
        assert f"<td>refused: {words}</td>" in page
    assert f"<td>no finding, {figures.test.untouched[0].score:.2f}</td>" in page


def test_what_is_to_be_remembered_and_what_is_missing_stand_at_the_top(bundle: Bundle, figures: StressFigures) -> None:
    page = render_stress_report(bundle, "test", figures)
    assert page.index(figures.verdict) < page.index("<h2>")
    assert bundle.manifest.familiarity is None
    assert page.index(html.escape(NO_STATISTICS)) < page.index("<h2>")
    assert bundle.manifest.intended_use in page


def test_films_that_are_refused_undisturbed_are_told(bundle: Bundle, figures: StressFigures) -> None:
    line = "Refused undisturbed too: 1 film, left out of refused and caught."
    assert line not in render_stress_report(bundle, "test", figures)
    refused = replace(figures.test.untouched[0], refusal="too small")
    test = replace(figures.test, untouched=(refused, *figures.test.untouched[1:]))
    assert f"<p>{line}</p>" in render_stress_report(bundle, "test", replace(figures, test=test))


def test_only_a_page_about_a_model_of_several_bones_tells_what_was_rerouted(
    bundle: Bundle, figures: StressFigures
) -> None:
    assert "<th>re-routed</th>" not in render_stress_report(bundle, "test", figures)
    routed = replace(figures, test=replace(figures.test, bones=("elbow", "wrist")))
    assert render_stress_report(bundle, "test", routed).count("<th>re-routed</th>") == len(KINDS) + 1


def test_a_model_that_failed_its_check_is_said_to(failed_bundle: Bundle, figures: StressFigures) -> None:
    assert f'<p class="alarm">{FAILED_CHECK}' in render_stress_report(failed_bundle, "test", figures)


def test_what_is_not_defined_leaves_a_gap_in_the_curves(bundle: Bundle, figures: StressFigures) -> None:
    nothing = Estimate(float("nan"), float("nan"), float("nan"), 0)
    by_level = tuple(replace(found, auroc=nothing) for found in figures.by_level)
    page = render_stress_report(bundle, "test", replace(figures, by_level=by_level))
    assert "<td>not defined (n = 0)</td>" in page


def test_names_are_escaped(bundle: Bundle, figures: StressFigures) -> None:
    evil = '<b onload="x">&'
    manifest = replace(bundle.manifest, name=evil, intended_use=evil, created_by=evil)
    case = replace(figures.test.cases[0], name=evil)
    test = replace(figures.test, cases=(case, *figures.test.cases[1:]), question=evil)
    page = render_stress_report(Bundle(bundle.path, manifest), evil, replace(figures, test=test))
    assert "<b onload" not in page
    assert page.count("&lt;b onload=&quot;x&quot;&gt;&amp;") >= 7


def test_a_page_is_written_whole_or_the_failure_is_one_line(
    tmp_path: Path, bundle: Bundle, figures: StressFigures, film: Path
) -> None:
    path = write_stress_report(tmp_path / "new" / "stress.html", bundle, "test", figures)
    assert path.read_text("utf-8") == render_stress_report(bundle, "test", figures)
    with pytest.raises(OsteoEdgeError, match=r"stress\.html: the report cannot be written \("):
        write_stress_report(film / "stress.html", bundle, "test", figures)
