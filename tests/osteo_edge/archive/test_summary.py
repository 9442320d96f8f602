import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.archive.film import Options
from osteo_edge.archive.plan import RUNS, Plan
from osteo_edge.archive.row import Row
from osteo_edge.archive.summary import JSON_NAME, PAGE_NAME, write_summary
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.image_quality import ImageQuality
from osteo_edge.manifest import Manifest
from osteo_edge.wording import HEADLINES
from tests.osteo_edge.archive.summary_rows import plan_for, results, row
from tests.osteo_edge.archive.test_summary_drift import familiar

pytest.importorskip("pyarrow")

QUALITY = ImageQuality(1.2, 200, 0.99, 0.1, 0.0, 0.9, 0.001, 0.2, 0.3, 0.0, 0.6, 1.1)
RUN = {
    "started_at": "2026-01-31T09:30:00+00:00",
    "seconds": 4.0,
    "engine": "local",
    "workers": 2,
    "films": 100,
    "shards": 1,
    "ended": "done",
}


def films() -> list[Row]:
    timed = {"ms_read": 6.0, "ms_prepare": 2.0, "ms_infer": 2.0, "ms_total": 10.0, "quality": QUALITY, "contrast": 0.2}
    return [
        *(row(f"refer-{n}.png", "refer", 0.9 + n / 100, **timed) for n in range(5)),
        *(row(f"spared-{n}.png", "no_finding", 0.1, **timed) for n in range(3)),
        row("between.png", "uncertain", 0.5, **timed),
        row("torn.dcm", "unreadable", ms_read=6.0, ms_total=6.0),
    ]


@pytest.fixture
def plan(tmp_path: Path, bundle: Bundle) -> Plan:
    """A plan that is done, with one run."""
    plan = results(tmp_path / "out", bundle, films())
    (plan.out / RUNS).write_text(json.dumps(RUN) + "\n", "utf-8")
    return plan


def page_of(plan: Plan) -> str:
    return (plan.out / PAGE_NAME).read_text("utf-8")


def test_the_json_holds_what_was_counted(plan: Plan, bundle: Bundle) -> None:
    told = write_summary(plan, bundle)
    assert json.loads((plan.out / JSON_NAME).read_bytes()) == told
    assert told["schema"] == 1
    assert told["is_whole"]
    assert told["outcome_films"] == {
        "refer": 5,
        "no_finding": 3,
        "uncertain": 1,
        "rejected": 0,
        "not_screened": 0,
        "unreadable": 1,
    }
    assert told["outcomes"]["refer"] == pytest.approx({"value": 0.5, "low": 0.2366, "high": 0.7634, "n": 10}, abs=1e-4)
    assert [(each["outcome"], each["films"], each["example"]) for each in told["reasons"]][-1] == (
        "unreadable",
        1,
        "torn.dcm",
    )
    assert told["worker_films_per_second"] == pytest.approx(10 / 0.096)
    assert {stage["stage"]: round(stage["share"], 3) for stage in told["stages"]} == {
        "read": 0.625,
        "prepare": 0.188,
        "infer": 0.188,
        "total": 1.0,
    }
    assert [run["films_per_second"] for run in told["runs"]] == [25.0]
    assert told["first"]["refer"][0]["film"] == "refer-4.png"


def test_the_page_says_what_an_answer_is_and_what_it_is_not(plan: Plan, bundle: Bundle) -> None:
    write_summary(plan, bundle)
    text = page_of(plan)
    assert HEADLINES["refer"] in text
    assert HEADLINES["no_finding"] in text
    assert "No answer rules anything out" in re.sub(r"\s+", " ", text)
    assert bundle.manifest.intended_use in text
    words = re.sub(r"<style>.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL).lower()
    assert not re.search(r"\b(normal|healthy|negative|diagnosed)\b", words)


def test_the_page_loads_nothing_and_runs_nothing(plan: Plan, bundle: Bundle) -> None:
    write_summary(plan, bundle)
    assert not re.search(r"https?:|src=|href=|<script|@import|url\(", page_of(plan))


def test_names_of_films_stand_as_text(tmp_path: Path, bundle: Bundle) -> None:
    plan = results(tmp_path / "out", bundle, [row("<img src=x onerror=alert(1)>.png", "refer", 0.9)])
    write_summary(plan, bundle)
    assert "<img" not in page_of(plan)
    assert "&lt;img src=x onerror=alert(1)&gt;.png" in page_of(plan)


def test_a_long_name_may_be_broken_where_a_folder_ends(tmp_path: Path, bundle: Bundle) -> None:
    plan = results(tmp_path / "out", bundle, [row("clinic/2019/<b>_ap.png", "refer", 0.9)])
    write_summary(plan, bundle)
    assert page_of(plan).count("<td>clinic/<wbr>2019/<wbr>&lt;b&gt;_<wbr>ap.png</td>") == 2


def test_distances_that_are_not_known_are_told_apart_from_none(
    tmp_path: Path, bundle: Bundle, manifest: Manifest
) -> None:
    plan = results(tmp_path / "out", bundle, films())
    write_summary(plan, bundle)
    unknown = "Not known: this bundle carries no statistics of its training films."
    assert unknown in page_of(plan)
    known = replace(bundle, manifest=familiar(manifest))
    far = results(tmp_path / "far", known, [row("far.png", "refer", 0.9, distance=1.5)])
    write_summary(far, known)
    assert unknown not in page_of(far)


def test_options_that_answers_rest_on_are_told_before_any_figure(plan: Plan, bundle: Bundle) -> None:
    assert write_summary(plan, bundle)["options"] == {"bone": None, "force": False, "any_film": False, "maps": False}
    assert "--any-film" not in page_of(plan)
    options = Options(bone="wrist", any_film=True)
    daring = replace(plan, record=replace(plan.record, options=options))
    write_summary(daring, bundle)
    text = page_of(daring)
    assert text.index("By --any-film, films unlike those") < text.index("Outcomes")
    assert text.index("taken for one of this bone: wrist.") < text.index("Outcomes")


def test_a_run_that_is_not_finished_is_told_so_before_any_figure(tmp_path: Path, bundle: Bundle) -> None:
    done = results(tmp_path / "out", bundle, films())
    plan = plan_for(done.out, bundle, 3, 30, {"hidden": 2})
    told = write_summary(plan, bundle)
    assert not told["is_whole"]
    assert (told["shards_done"], told["shards"]) == (1, 3)
    text = page_of(plan)
    assert text.index("Not finished: 10 of 30 films are done") < text.index("Outcomes")
    assert "Left out when the source was listed, and in no share: hidden 2." in text


def test_results_without_a_film_give_a_page_too(tmp_path: Path, bundle: Bundle) -> None:
    told = write_summary(plan_for(tmp_path, bundle, 1, 10), bundle)
    assert told["films"] == 0
    assert told["outcomes"]["refer"]["value"] is None
    assert "No film was answered." in page_of(plan_for(tmp_path, bundle, 1, 10))


def test_a_comparison_is_shown_with_what_it_means(tmp_path: Path, bundle: Bundle, manifest: Manifest) -> None:
    known = replace(bundle, manifest=familiar(manifest, sensitivity=(0.9, 60), specificity=(0.8, 40)))
    rows = [row(f"{n}.png", "rejected" if n < 30 else "refer", distance=3.0 if n < 30 else 1.0) for n in range(100)]
    plan = results(tmp_path / "out", bundle, rows)
    told = write_summary(plan, known)
    assert [(drift["name"], drift["differs"]) for drift in told["drift"]] == [("unfamiliar films", True)]
    assert "They differ. Films too unlike the training films to be answered" in page_of(plan)
    assert "<td>+28.0 [+" in page_of(plan)


def test_a_line_that_a_power_cut_tore_is_no_run(plan: Plan, bundle: Bundle) -> None:
    whole = json.dumps(RUN)
    (plan.out / RUNS).write_text(f"{whole}\n{whole[:40]}\n[1]\n{{}}\n{whole}\n", "utf-8")
    assert len(write_summary(plan, bundle)["runs"]) == 2


def test_the_summary_says_the_same_of_the_same_results(plan: Plan, bundle: Bundle) -> None:
    one, other = (write_summary(plan, bundle) for _ in range(2))
    assert {**one, "created_at": ""} == {**other, "created_at": ""}


def test_a_place_that_cannot_be_written_to_is_one_line(plan: Plan, bundle: Bundle) -> None:
    (plan.out / JSON_NAME).mkdir()
    with pytest.raises(OsteoEdgeError, match=rf"{JSON_NAME}: the summary cannot be written"):
        write_summary(plan, bundle)
