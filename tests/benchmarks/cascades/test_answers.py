from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.answers import Floats
from osteo_edge.benchmarks.cascades.answers import Ask, ask_separate, ask_shared
from osteo_edge.benchmarks.cascades.folders import Cascades, read_cascades
from osteo_edge.bundle import Bundle
from osteo_edge.dataset import Case
from osteo_edge.errors import DatasetError
from tests.benchmarks.cascades.cascade_bundles import BONES, PAIRS, write_cascades


def _film(name: str, study: str, bone: str | None, label: str) -> Case:
    return Case(Path(name), name, f"{bone} {label}", patient=study, bone=bone, study=study)


FILMS = (
    _film("e1", "e", "elbow", "abnormal"),
    _film("e2", "e", "elbow", "abnormal"),
    _film("h1", "h", "hand", "normal"),
)
Given = dict[tuple[str, ...], dict[str, list[float]]]


def _ask(given: Given, asked: dict[str, list[str]]) -> Ask:
    """Answers by the labels of the bundle and the film's name; notes which bundle was asked about what."""

    def ask(bundle: Bundle, cases: Sequence[Case]) -> Floats:
        asked[bundle.path.name] = [case.name for case in cases]
        return np.array([given[bundle.manifest.labels][case.name] for case in cases])

    return ask


@pytest.fixture
def cascades(golden_bundle: Callable[..., Bundle], tmp_path: Path) -> Cascades:
    return read_cascades(*write_cascades(golden_bundle, tmp_path))


def test_a_study_is_answered_by_the_model_of_the_bone_that_its_mean_goes_to(cascades: Cascades) -> None:
    """The hand goes to the elbow's model, which is asked about it, and the hand's model is asked about hands alone."""
    given: Given = {
        BONES: {"e1": [0.4, 0.6], "e2": [0.8, 0.2], "h1": [0.7, 0.3]},
        ("normal", "abnormal"): {"e1": [0.1, 0.9], "e2": [0.5, 0.5], "h1": [0.35, 0.65]},
    }
    asked: dict[str, list[str]] = {}
    found = ask_separate(cascades, FILMS, _ask(given, asked))
    assert asked == {"router": ["e1", "e2", "h1"], "elbow": ["e1", "e2", "h1"], "hand": ["h1"]}
    assert found.routed.score.tolist() == pytest.approx([0.7, 0.65])
    assert found.routed.bones.tolist() == ["elbow", "hand"]
    assert found.routed.positive.tolist() == [True, False]
    assert found.routing.counts == {"elbow": {"elbow": 1}, "hand": {"elbow": 1}}
    assert found.routing.right.value == 0.5


def test_the_threshold_is_that_of_the_model_that_answers(cascades: Cascades) -> None:
    stricter = cascades.heads["elbow"].manifest
    stricter = replace(stricter, decision=replace(stricter.decision, threshold=0.9, abstain_high=0.9))
    heads = {**cascades.heads, "elbow": Bundle(cascades.heads["elbow"].path, stricter)}
    given: Given = {
        BONES: {"e1": [0.9, 0.1], "e2": [0.9, 0.1], "h1": [0.9, 0.1]},
        ("normal", "abnormal"): {name: [0.4, 0.6] for name in ("e1", "e2", "h1")},
    }
    found = ask_separate(replace(cascades, heads=heads), FILMS, _ask(given, {}))
    assert found.routed.threshold.tolist() == [0.9, 0.9]
    assert found.given.threshold.tolist() == [0.9, 0.5]


def test_a_shared_model_is_asked_once_and_with_the_bone_given_it_answers_within_that_bone(cascades: Cascades) -> None:
    given: Given = {PAIRS: {"e1": [0.2, 0.4, 0.4, 0.0], "e2": [0.2, 0.4, 0.4, 0.0], "h1": [0.6, 0.2, 0.1, 0.1]}}
    asked: dict[str, list[str]] = {}
    found = ask_shared(cascades.shared, FILMS, _ask(given, asked))
    assert asked == {"shared": ["e1", "e2", "h1"]}
    assert found.routed.score.tolist() == pytest.approx([0.4 / 0.6, 0.25])
    assert found.given.score.tolist() == pytest.approx([0.4 / 0.6, 0.5])
    assert found.routing.counts == {"elbow": {"elbow": 1}, "hand": {"elbow": 1}}


def test_a_film_of_no_known_bone_is_an_error_that_names_it(cascades: Cascades) -> None:
    films = (*FILMS, _film("x1", "x", None, "normal"))
    with pytest.raises(DatasetError, match="x1: names no bone, nor do 0 others; add the column bone"):
        ask_shared(cascades.shared, films, _ask({}, {}))
