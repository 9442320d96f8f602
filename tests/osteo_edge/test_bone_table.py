from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.bone_table import BoneTable, is_of_bones, measure_bones
from osteo_edge.console import without_nan
from osteo_edge.dataset import Case
from osteo_edge.evaluation import Predictions
from osteo_edge.manifest import Decision, Head, Manifest, Router

LABELS = ("elbow normal", "elbow abnormal", "hand normal", "hand abnormal")


@pytest.fixture
def routed(manifest: Manifest) -> Manifest:
    """Of elbows, called abnormal from 0.3 on, and hands, from 0.6 on; a bone must have 0.7."""

    def decision(threshold: float, *positive: str) -> Decision:
        return Decision(positive, threshold, 0.9, threshold, threshold, "validation")

    limits = {"elbow": 0.3, "hand": 0.6}
    heads = [
        Head(bone, "abnormality", (f"{bone} normal", f"{bone} abnormal"), decision(limit, f"{bone} abnormal"))
        for bone, limit in limits.items()
    ]
    whole = decision(0.5, "elbow abnormal", "hand abnormal")
    return replace(manifest, labels=LABELS, decision=whole, router=Router(tuple(heads), 0.7, "validation"))


def _film(name: str, study: str, bone: str | None, label: str) -> Case:
    return Case(Path(name), name, label, patient=study, bone=bone, study=study)


def _predictions(cases: Sequence[Case], probabilities: Sequence[Sequence[float]]) -> Predictions:
    return Predictions(tuple(cases), np.array([case.name for case in cases]), np.array(probabilities), ())


def _measure(predictions: Predictions, manifest: Manifest) -> BoneTable:
    found = measure_bones(predictions, manifest, replicates=50)
    assert found is not None
    return found


FILMS = _predictions(
    [
        _film("a1", "a", "elbow", "elbow abnormal"),
        _film("a2", "a", "elbow", "elbow abnormal"),
        _film("b1", "b", "elbow", "elbow normal"),
        _film("c1", "c", "hand", "hand abnormal"),
        _film("d1", "d", "hand", "hand normal"),
        _film("e1", "e", "hand", "hand normal"),
    ],
    [
        [0.5, 0.5, 0.0, 0.0],  # a: with the next film 0.35, called by the elbow's threshold
        [0.8, 0.2, 0.0, 0.0],
        [0.8, 0.2, 0.0, 0.0],  # b: normal
        [0.0, 0.0, 0.5, 0.5],  # c: missed by the hand's threshold
        [0.5, 0.3, 0.1, 0.1],  # d: goes to the elbow, where 0.3 is enough to be called
        [0.3, 0.05, 0.6, 0.05],  # e: its own bone, with 0.65 alone
    ],
)  # fmt: skip


def test_a_study_is_its_films_mean_called_by_the_head_that_it_goes_to_and_stands_in_the_line_of_its_own_bone(
    routed: Manifest,
) -> None:
    found = _measure(FILMS, routed)
    assert {line.bone: line.counts for line in found.table.bones} == {"elbow": (1, 0, 0, 1), "hand": (0, 1, 1, 1)}
    assert (found.films, found.without_bone) == (6, 0)


def test_where_studies_went_is_counted_and_so_is_who_is_left_uncertain(routed: Manifest) -> None:
    found = _measure(FILMS, routed)
    assert found.routing is not None
    assert found.routing.counts == {"elbow": {"elbow": 2}, "hand": {"elbow": 1, "hand": 2}}
    assert (found.routing.right.value, found.routing.right.n) == (0.8, 5)
    assert found.routing.right.low < 0.8 < found.routing.right.high
    assert found.routing.unclear.value == 0.2
    assert found.routing.columns == ("Bone", "elbow", "hand")
    assert list(found.routing.rows()) == [("elbow", "2", "0"), ("hand", "1", "2")]


def test_films_of_one_study_that_show_different_bones_leave_it_uncertain(routed: Manifest) -> None:
    cases = [_film("a1", "a", "elbow", "elbow normal"), _film("a2", "a", "elbow", "elbow normal")]
    found = _measure(_predictions(cases, [[0.95, 0.05, 0.0, 0.0], [0.0, 0.2, 0.8, 0.0]]), routed)
    alike = _measure(_predictions(cases, [[0.95, 0.05, 0.0, 0.0], [0.8, 0.2, 0.0, 0.0]]), routed)
    assert found.routing is not None
    assert alike.routing is not None
    assert (found.routing.unclear.value, alike.routing.unclear.value) == (1.0, 0.0)


def test_a_share_of_all_studies_has_an_interval_of_wilson(routed: Manifest) -> None:
    own = _predictions(FILMS.cases[:3], FILMS.probabilities[:3].tolist())
    found = _measure(own, routed)
    assert found.routing is not None
    assert found.routing.right.value == 1.0
    assert found.routing.right.low == pytest.approx(0.3424, abs=1e-4)


def test_a_model_of_one_question_about_bones_has_the_table_without_routing(manifest: Manifest) -> None:
    decision = Decision(("abnormal",), 0.5, 0.9, 0.5, 0.5, "validation")
    plain = replace(manifest, labels=("normal", "abnormal"), decision=decision, finding="abnormality")
    films = [_film("a1", "a", "hand", "abnormal"), _film("b1", "b", "hand", "normal")]
    found = _measure(_predictions(films, [[0.2, 0.8], [0.6, 0.4]]), plain)
    assert found.routing is None
    assert found.table.bones[0].counts == (1, 0, 0, 1)
    assert found.to_dict()["routing"] is None


def test_a_film_of_no_known_bone_is_left_out_and_counted(routed: Manifest) -> None:
    cases = [*FILMS.cases, _film("f1", "f", None, "hand normal")]
    found = _measure(_predictions(cases, [*FILMS.probabilities.tolist(), [0.25] * 4]), routed)
    assert (found.films, found.without_bone) == (6, 1)
    assert found.table.all.estimates["accuracy"].n == 5


def test_there_is_no_table_of_bone_density_or_where_no_bone_is_known(manifest: Manifest, routed: Manifest) -> None:
    assert not is_of_bones(manifest)
    knee = Case(Path("a"), "a", "normal", bone="knee", study="a")
    assert measure_bones(_predictions([knee], [[0.8, 0.1, 0.1]]), manifest) is None
    nameless = [replace(case, bone=None) for case in FILMS.cases]
    assert measure_bones(_predictions(nameless, FILMS.probabilities.tolist()), routed) is None


def test_it_is_json(routed: Manifest) -> None:
    found = _measure(FILMS, routed)
    plain = without_nan(found.to_dict())
    assert plain["bones"][0]["true_positives"] == 1
    assert plain["mean"]["accuracy"]["value"] == pytest.approx((1 + 1 / 3) / 2)
    assert plain["all"]["false_positives"] == 1
    assert plain["routing"]["counts"]["hand"] == {"elbow": 1, "hand": 2}
    assert plain["routing"]["right"]["n"] == 5
