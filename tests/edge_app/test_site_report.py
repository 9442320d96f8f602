"""Which model the follow-up is of, and what it is worked out from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from osteo_edge.edge_app.history.query import UsedModel
from osteo_edge.edge_app.history.store import History, Record
from osteo_edge.edge_app.site_report import choose, measured_labels, report_on
from osteo_edge.manifest import Manifest
from osteo_edge.wording import Finding
from tests.edge_app.history.made import make_entry, make_record
from tests.routed import routed

NEWEST, OLDER, DEMO = (
    UsedModel("a" * 64, "new", False, 3),
    UsedModel("b" * 64, "old", False, 9),
    UsedModel("c" * 64, "demo", True, 2),
)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "history") as opened:
        yield opened


class StoppedError(Exception):
    """What a check raises here."""


def records() -> list[Record]:
    own = [make_record(b"film %d" % n, code=f"K-{n}", dxa="osteoporosis") for n in range(3)]
    drawn = [make_record(b"drawn", code="D", model_sha256="c" * 64, model_name="demo", is_demo=True, dxa="normal")]
    return own + drawn


def test_the_model_that_is_named_goes_before_the_one_in_use_and_that_before_the_last() -> None:
    models = (DEMO, NEWEST, OLDER)
    assert choose(models, OLDER.sha256, NEWEST.sha256) == OLDER
    assert choose(models, None, OLDER.sha256) == OLDER
    assert choose(models, None, "f" * 64) == NEWEST
    assert choose((DEMO,), None, None) == DEMO
    assert choose((), None, None) is None


def test_the_model_in_use_is_reported_before_the_last_used(history: History, manifest: Manifest) -> None:
    sha256 = manifest.model.sha256
    history.add_all([make_record(b"old", model_sha256=sha256, taken_at="2026-01-01T00:00:00+00:00"), *records()])
    found = report_on(history, None, manifest).model
    assert found is not None
    assert found.sha256 == sha256


def test_decisions_of_the_model_alone_are_counted_whatever_it_looks_for(history: History) -> None:
    assert report_on(history, None, None).overrides is None
    own = [
        make_record(b"followed", code="A", finding="abnormality", decided="followed"),
        make_record(b"otherwise", code="B", finding="abnormality", decided="otherwise", override_reason="metal"),
        make_record(b"other model", code="C", model_sha256="c" * 64, decided="followed"),
    ]
    history.add_all(own)
    found = report_on(history, own[0].entry.model_sha256, None)
    assert found.follow_up is None
    assert found.overrides is not None
    assert (found.overrides.n, found.overrides.shares["refer"].value) == (2, 0.5)


def test_a_demonstration_is_reported_apart(history: History, manifest: Manifest) -> None:
    history.add_all(records())
    found = report_on(history, None, manifest)
    assert found.model is not None
    assert found.follow_up is not None
    assert (found.model.name, found.follow_up.n) == ("knee", 3)
    drawn = report_on(history, "c" * 64, None).follow_up
    assert drawn is not None
    assert drawn.n == 1


def test_films_are_compared_whichever_model_screened_them(history: History) -> None:
    history.add_all([make_record(b"film %d" % n, model_sha256=64 * f"{n % 2}") for n in range(60)])
    drifts = report_on(history, None, None).drifts
    assert {drift.reference_n for drift in drifts} == {60}


def test_an_empty_history_has_nothing_to_report(history: History) -> None:
    assert report_on(history, None, None).model is None


def test_labels_are_those_that_dxa_measures_the_gravest_last() -> None:
    rejected = make_entry(outcome="rejected", probabilities={})
    assert measured_labels([rejected, make_entry(probabilities={"osteoporosis": 0.5, "osteopenia": 0.1})]) == (
        "osteopenia",
        "osteoporosis",
    )
    assert measured_labels([make_entry(probabilities={"osteoporosis": 0.5})]) == ("osteoporosis",)
    assert measured_labels([make_entry(probabilities={"fracture": 0.5, "osteoporosis": 0.1})]) is None


def test_a_model_of_other_labels_is_not_compared_with_dxa(history: History) -> None:
    history.add(make_record(probabilities={"fracture": 0.5}, dxa="normal"))
    assert report_on(history, None, None).follow_up is None


def test_it_can_be_stopped(history: History) -> None:
    history.add_all(records())

    def check() -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        report_on(history, None, None, check=check)


def test_answers_about_abnormalities_are_left_out_of_the_figures(history: History) -> None:
    knees = [make_record(b"film %d" % n, code=f"K-{n}", dxa="osteoporosis", bone="knee") for n in range(3)]
    elbows = [
        make_record(
            b"elbow %d" % n, code=f"E-{n}", finding="abnormality", bone="elbow", probabilities={"elbow abnormal": 0.9}
        )
        for n in range(4)
    ]
    history.add_all([*elbows, *knees])
    found = report_on(history, None, None)
    assert found.follow_up is not None
    assert (found.follow_up.n, found.follow_up.answered.n) == (3, 3)
    assert {drift.statistic for drift in found.drifts} == {"mean", "contrast"}


def test_a_model_that_looks_for_abnormalities_alone_is_not_laid_beside_dxa(history: History) -> None:
    history.add_all([make_record(finding="abnormality", bone="elbow", probabilities={}, outcome="uncertain")])
    found = report_on(history, None, None)
    assert found.model is not None
    assert found.follow_up is None


@pytest.mark.parametrize("outcome", ["refer", "uncertain"])
@pytest.mark.parametrize(("knee", "n"), [("density", 0), ("abnormality", None)])
def test_a_model_that_looks_for_both_has_no_results_before_its_first_answer_about_density(
    history: History, manifest: Manifest, knee: Finding, n: int | None, outcome: str
) -> None:
    in_use = routed(manifest, elbow="abnormality", knee=knee)
    named = {"elbow abnormal": 0.9} if outcome == "refer" else {}
    of_elbow = make_record(
        model_sha256=in_use.model.sha256, finding="abnormality", bone="elbow", probabilities=named, outcome=outcome
    )
    history.add(of_elbow)
    found = report_on(history, None, in_use).follow_up
    assert (None if found is None else found.n) == n


def test_the_model_in_use_says_nothing_of_another_one(history: History, manifest: Manifest) -> None:
    history.add(make_record(finding="abnormality", bone="elbow", probabilities={"elbow abnormal": 0.9}))
    assert report_on(history, None, routed(manifest, elbow="abnormality", knee="density")).follow_up is None


def test_labels_are_measured_whichever_bone_they_are_of() -> None:
    assert measured_labels([make_entry(probabilities={"knee osteoporosis": 0.5})]) == ("osteoporosis",)
    assert measured_labels([make_entry(probabilities={"knee abnormal": 0.5})]) is None
